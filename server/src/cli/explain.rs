//! Server side. `facteur explain`: server replies in, causes out. The same diagnosis as for the Test button.

use std::{
    io::{BufRead, Write},
    process::ExitCode,
};

use app::{
    diagnosis::{advice, cause::Cause},
    i18n::{Locale, Texts},
    profile::preset::Catalogue,
    test_run::event::Stage,
};
use mail::{diagnosis::diagnose, reply::Reply};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failed, failed};

mod explanation;

pub(super) use explanation::Explanation;

/// The command line.
#[derive(clap::Args)]
pub struct Arguments {
    /// A reply, such as "535 5.7.8 Error"; without it, lines such as {"stage":"auth","host":"…","reply":"…"} are read
    reply: Option<String>,
    /// The stage of the reply: resolve, connect, tls, greeting, ehlo, starttls, auth, `mail_from`, `rcpt_to`, data,
    /// quit
    #[arg(long, default_value = "auth", value_parser = stage)]
    stage: Stage,
    /// The server's name
    #[arg(long, default_value = "")]
    host: String,
    /// Language: fr or en
    #[arg(long, default_value = "fr", value_parser = language)]
    lang: Locale,
}

fn stage(code: &str) -> Result<Stage, &'static str> {
    Stage::ALL.into_iter().find(|stage| stage.as_str() == code).ok_or("not a stage")
}

fn language(tag: &str) -> Result<Locale, &'static str> {
    Locale::from_tag(tag).ok_or("fr or en")
}

pub fn run(Arguments { reply, stage, host, lang }: &Arguments) -> Result<ExitCode, Failed> {
    let mut output = std::io::stdout().lock();
    let explained = match reply {
        Some(reply) => explain_one(reply, *stage, host, *lang, &mut output).map(|()| true),
        None => explain_lines(std::io::stdin().lock(), &mut output),
    };
    match explained {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::from(2)),
        Err(error) => Err(failed(error)),
    }
}

/// One line of the input.
#[derive(Debug, Deserialize)]
struct Question {
    #[serde(default = "login")]
    stage: Stage,
    #[serde(default)]
    host: String,
    reply: String,
}

const fn login() -> Stage {
    Stage::Auth
}

/// Why there is no explanation.
#[derive(Debug, thiserror::Error)]
enum ExplainError {
    #[error("line {line}: not a JSON object with \"reply\" (and \"stage\", \"host\")")]
    Malformed { line: usize },
    #[error("the input or output was closed")]
    Pipe(#[from] std::io::Error),
}

/// Explains each line of JSON with a line of JSON. An invalid line gets an error line, and the others are still
/// answered. Returns whether all lines were valid.
fn explain_lines(input: impl BufRead, output: &mut impl Write) -> Result<bool, ExplainError> {
    let presets = Catalogue::builtin();
    let mut all_read = true;
    for (number, line) in input.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = if let Ok(question) = serde_json::from_str::<Question>(&line) {
            answer(&presets, &question)
        } else {
            all_read = false;
            json!({ "error": ExplainError::Malformed { line: number + 1 }.to_string() })
        };
        writeln!(output, "{answer}")?;
    }
    Ok(all_read)
}

/// Explains one reply in text.
fn explain_one(
    reply: &str,
    stage: Stage,
    host: &str,
    locale: Locale,
    output: &mut impl Write,
) -> Result<(), ExplainError> {
    let presets = Catalogue::builtin();
    let question = Question { stage, host: host.to_owned(), reply: reply.to_owned() };
    let answer = answer(&presets, &question);
    let text = |value: &Value| value[locale.tag()].as_str().unwrap_or_default().to_owned();
    writeln!(output, "{}", text(&answer["title"]))?;
    writeln!(output, "{}", text(&answer["advice"]))?;
    if let Some(link) = answer["link"].as_str() {
        writeln!(output, "{link}")?;
    }
    writeln!(output, "\n{} · {}", answer["cause"].as_str().unwrap_or_default(), locale.text(who_key(&answer), &[]))?;
    Ok(())
}

fn who_key(answer: &Value) -> &'static str {
    let code = answer["cause"].as_str().and_then(Cause::from_code).unwrap_or(Cause::Unknown);
    advice::who(code).key()
}

fn answer(presets: &Catalogue, question: &Question) -> Value {
    let Question { stage, host, reply } = question;
    let diagnosis = Reply::parse(reply).map(|reply| diagnose(*stage, host, &reply));
    // What is no reply, in place of a greeting, comes from a server of another protocol.
    let other = if *stage == Stage::Greeting { Cause::NotSubmissionServer } else { Cause::Unknown };
    let cause = diagnosis.map_or(other, |diagnosis| diagnosis.cause);
    let explanation = Explanation::new(presets, cause, *stage, host);
    json!({
        "cause": cause.as_str(),
        "field": advice::field(cause).map(app::profile::field::Field::id),
        "who": advice::who(cause).as_str(),
        "retryable": diagnosis.is_some_and(|diagnosis| diagnosis.retryable),
        "title": { "fr": explanation.title(Locale::Fr), "en": explanation.title(Locale::En) },
        "advice": { "fr": explanation.advice(Locale::Fr), "en": explanation.advice(Locale::En) },
        "link": explanation.link(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &str) -> (bool, Vec<Value>) {
        let mut output = Vec::new();
        let all_read = explain_lines(input.as_bytes(), &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        (all_read, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    #[test]
    fn a_line_in_is_a_line_out() {
        let (all_read, answers) = lines(concat!(
            r#"{"stage":"auth","host":"smtp.gmail.com","reply":"534-5.7.9 Application-specific password required.\n534 5.7.9 x"}"#,
            "\n\n",
            r#"{"stage":"rcpt_to","host":"mx.example","reply":"450 4.2.0 Greylisted"}"#,
            "\nnonsense\n",
            r#"{"reply":"no reply at all"}"#,
            "\n",
        ));
        assert!(!all_read);
        assert_eq!(answers.len(), 4);
        assert_eq!(
            (answers[0]["cause"].as_str(), answers[0]["field"].as_str()),
            (Some("app_password_required"), Some("secret"))
        );
        assert_eq!(answers[0]["link"], "https://myaccount.google.com/apppasswords");
        assert!(answers[0]["advice"]["fr"].as_str().unwrap().starts_with("Gmail n’accepte pas"));
        assert_eq!((answers[1]["cause"].as_str(), answers[1]["retryable"].as_bool()), (Some("greylisted"), Some(true)));
        assert_eq!((answers[1]["who"].as_str(), answers[1]["link"].as_str()), (Some("nobody"), None));
        assert!(answers[2]["error"].as_str().unwrap().contains("line 4"));
        assert_eq!(answers[3]["cause"], "unknown");
    }

    #[test]
    fn no_text_is_left_with_a_hole() {
        let presets = Catalogue::builtin();
        for host in ["", "smtp.gmail.com"] {
            for reply in [
                "535 5.7.8 no",
                "553 5.7.1 Sender address rejected",
                "554 x",
                "450 greylisted",
                "550 5.1.1 User unknown",
            ] {
                let question = Question { stage: Stage::RcptTo, host: host.to_owned(), reply: reply.to_owned() };
                let text = answer(&presets, &question).to_string();
                assert!(!text.contains('{') || !text.contains("{ $") && !text.contains("{$"), "{text}");
            }
        }
    }

    #[test]
    fn a_person_gets_sentences() {
        let mut output = Vec::new();
        explain_one("535 5.7.8 Error", Stage::Auth, "smtp.free.fr", Locale::Fr, &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        assert!(
            text.contains("refusé") && text.contains("Free") && text.contains("bad_credentials · Vous pouvez corriger"),
            "{text}"
        );
    }
}
