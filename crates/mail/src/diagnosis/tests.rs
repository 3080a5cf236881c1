//! Real replies and their causes; and replies without a known meaning.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde::Deserialize;

use super::{
    learned::{Features, teacher::Lesson},
    *,
};

mod lies;
mod measure;

/// A reply and its cause. `also`: other causes that would not mislead a shop owner.
#[derive(Clone, Deserialize)]
struct Example {
    stage: Stage,
    host: String,
    reply: String,
    cause: Cause,
    #[serde(default)]
    also: Vec<Cause>,
    /// Where it was found.
    #[serde(default)]
    source: String,
}

impl Example {
    fn parsed(&self) -> Reply {
        Reply::parse(&self.reply).unwrap_or_else(|| panic!("not a reply: {}", self.reply))
    }

    fn found(&self) -> Cause {
        diagnose(self.stage, &self.host, &self.parsed()).cause
    }

    fn is_right(&self) -> bool {
        self.allows(self.found())
    }

    fn allows(&self, cause: Cause) -> bool {
        cause == self.cause || self.also.contains(&cause)
    }

    /// The lines and patterns of the rules that it reaches, as a whole and inside a frame.
    fn reached(&self) -> Vec<(usize, usize)> {
        let reply = self.parsed();
        let inside = frame::reason(self.stage, &reply);
        let line = |stage, reply: &Reply| rules::tests::reached(stage, &self.host, &Text::of(reply));
        let inside = inside.and_then(|(stage, reason)| line(stage, &reason));
        [line(self.stage, &reply), inside].into_iter().flatten().collect()
    }

    fn lesson(&self) -> Lesson {
        let reply = self.parsed();
        let (stage, reply) = frame::reason(self.stage, &reply).unwrap_or((self.stage, reply));
        let features = Features::of(stage, &self.host, &Text::of(&reply));
        Lesson { features, cause: self.cause, also: self.also.clone() }
    }

    fn shown(&self) -> String {
        let Self { stage, host, reply, cause, .. } = self;
        format!("{} expected, {} found: {stage:?} {host} {reply}", cause.as_str(), self.found().as_str())
    }
}

/// The replies that came with the task. Each one must be recognised.
fn known() -> Vec<Example> {
    serde_json::from_str(include_str!("replies.json")).unwrap()
}

/// Documented and reported replies, and replies written in their style.
fn corpus() -> Vec<Example> {
    serde_json::from_str(include_str!("corpus.json")).unwrap()
}

/// Replies of public threads, documents and sources, labelled by two readers.
fn public() -> Vec<Example> {
    serde_json::from_str(include_str!("public.json")).unwrap()
}

fn cause_of(stage: Stage, host: &str, reply: &str) -> Cause {
    diagnose(stage, host, &Reply::parse(reply).unwrap()).cause
}

#[test]
fn known_replies_are_understood() {
    let examples = known();
    assert!(examples.len() >= 80);
    let wrong: Vec<String> = examples.iter().filter(|example| !example.is_right()).map(Example::shown).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), examples.len(), wrong.join("\n"));
}

#[test]
fn the_corpus_is_covered_and_nothing_misleads() {
    let examples = corpus();
    let (right, others): (Vec<&Example>, Vec<&Example>) = examples.iter().partition(|example| example.is_right());
    let (unknown, misleading): (Vec<&Example>, Vec<&Example>) =
        others.into_iter().partition(|example| example.found() == Cause::Unknown);
    println!("{} right, {} unknown, {} misleading", right.len(), unknown.len(), misleading.len());
    let shown = |examples: &[&Example]| examples.iter().map(|example| example.shown()).collect::<Vec<_>>().join("\n");
    println!("{}", shown(&unknown));
    assert!(misleading.is_empty(), "{}", shown(&misleading));
    assert!(right.len() * 100 >= examples.len() * 97, "{} of {}", right.len(), examples.len());
}

/// Shops reach providers under names of their own, and hosting companies resell them.
#[test]
fn under_another_name_a_provider_is_still_understood() {
    let renamed = corpus().into_iter().map(|example| Example { host: "smtp.exemple.fr".to_owned(), ..example });
    let (mut all, mut right, mut misleading) = (0, 0, Vec::new());
    for example in renamed {
        all += 1;
        match example.found() {
            _ if example.is_right() => right += 1,
            Cause::Unknown => {}
            _ => misleading.push(example.shown()),
        }
    }
    println!("{right} of {all}\n{}", misleading.join("\n"));
    assert!(right * 100 >= all * 95, "{right} of {all}");
    assert!(misleading.len() * 100 <= all, "{}", misleading.join("\n"));
}

/// Servers add contacts, links and conditional advice ("if …"). None of it is the refusal.
#[test]
fn what_is_said_besides_changes_nothing() {
    let says_something = |example: &Example| example.reply.len() > 12 && example.is_right();
    let right: Vec<Example> = known().into_iter().chain(corpus()).filter(says_something).collect();
    for besides in [
        "Contact spam-quota@exemple.fr, see https://www.exemple.fr/spam/quota/dkim, ticket #20931-spam-1.",
        "Please contact your administrator. Read our terms of service and anti-spam policy first.",
        "If you are trying to send through this server, turn on authentication and use SSL/TLS.",
        "If your IP is on a block list, see our SPF policy. Si double authentification, mot de passe d’application.",
    ] {
        let longer = |example: &Example| {
            let reply = format!("{}. {besides}", example.reply);
            Example { reply, ..example.clone() }
        };
        let misleading: Vec<String> = (right.iter().map(longer))
            .filter(|example| {
                let found = example.found();
                found != Cause::Unknown && found != example.cause && !example.also.contains(&found)
            })
            .map(|example| example.shown())
            .collect();
        assert!(misleading.is_empty(), "{}", misleading.join("\n"));
    }
}

#[test]
fn every_rule_is_reached() {
    let (known, corpus, public) = (known(), corpus(), public());
    let all = known.iter().chain(&corpus).chain(&public);
    let reached: BTreeSet<usize> = all.flat_map(Example::reached).map(|(line, _)| line).collect();
    let dead: Vec<String> = (rules::tests::lines().iter().enumerate())
        .filter(|(line, _)| !reached.contains(line))
        .map(|(_, (stages, hosts, patterns, cause))| format!("{} {stages:?} {hosts:?} {patterns:?}", cause.as_str()))
        .collect();
    assert!(dead.is_empty(), "{}:\n{}", dead.len(), dead.join("\n"));
}

#[test]
fn the_same_code_means_another_thing_at_another_provider() {
    for (reply, stage, host, cause) in [
        ("550 5.7.30 Refused", Stage::Auth, "smtp.office365.com", Cause::BasicAuthDisabled),
        ("550 5.7.30 Refused", Stage::Data, "smtp.gmail.com", Cause::DomainAuthentication),
        ("550 5.7.30 Refused", Stage::Data, "notgmail.com", Cause::Unknown),
        ("534 5.7.9 Refused", Stage::Auth, "smtp.gmail.com", Cause::AppPasswordRequired),
        ("550 5.4.5 Refused", Stage::Data, "smtp.gmail.com", Cause::QuotaExceeded),
        ("550 5.7.708 Refused", Stage::Data, "smtp.office365.com", Cause::IpBlocked),
        ("550 5.7.708 Refused", Stage::Data, "smtp.exemple.fr", Cause::Unknown),
        ("550 Mailbox unavailable", Stage::RcptTo, "mx.exemple.fr", Cause::RecipientRejected),
        ("550 Mailbox unavailable", Stage::MailFrom, "smtp.exemple.fr", Cause::SenderRejected),
    ] {
        assert_eq!(cause_of(stage, host, reply), cause, "{host} {reply}");
    }
}

#[test]
fn the_case_of_the_host_and_its_final_dot_do_not_count() {
    for example in corpus() {
        let upper = format!("{}.", example.host.to_ascii_uppercase());
        assert_eq!(cause_of(example.stage, &upper, &example.reply), example.found(), "{}", example.shown());
    }
}

#[test]
fn a_bare_code_says_what_its_standard_says() {
    use Stage::{Auth, Data, Ehlo, Greeting, MailFrom, RcptTo, Starttls};
    for (stage, reply, cause) in [
        (Greeting, "421", Cause::ServerBusy),
        (Greeting, "521", Cause::NotSubmissionServer),
        (Greeting, "554", Cause::Unknown),
        (Ehlo, "502", Cause::EhloRejected),
        (Starttls, "454", Cause::ServerBusy),
        (Starttls, "502", Cause::StarttlsNotOffered),
        (Auth, "535", Cause::BadCredentials),
        (Auth, "535 5.7.8", Cause::BadCredentials),
        (Auth, "504", Cause::AuthMechanismUnsupported),
        (Auth, "502", Cause::AuthNotOffered),
        (Auth, "538", Cause::StarttlsRequired),
        (Auth, "454", Cause::ServerBusy),
        (Auth, "550", Cause::Unknown),
        (MailFrom, "530", Cause::AuthRequired),
        (MailFrom, "550", Cause::Unknown),
        (MailFrom, "552", Cause::MessageTooLarge),
        (MailFrom, "553", Cause::AddressSyntax),
        (RcptTo, "550", Cause::RecipientRejected),
        (RcptTo, "550 5.7.1", Cause::Unknown),
        (RcptTo, "550 5.1.1", Cause::RecipientRejected),
        (RcptTo, "552", Cause::RecipientMailboxFull),
        (RcptTo, "450", Cause::ServerBusy),
        (RcptTo, "450 4.7.1", Cause::Unknown),
        (Data, "554", Cause::Unknown),
        (Data, "554 5.6.0", Cause::MessageRejected),
        (Data, "451", Cause::ServerBusy),
        (Data, "503", Cause::ProtocolError),
        (Data, "550 5.7.26", Cause::DomainAuthentication),
    ] {
        assert_eq!(cause_of(stage, "smtp.exemple.fr", reply), cause, "{stage:?} {reply}");
    }
}

#[test]
fn what_is_not_recognised_is_not_guessed() {
    for (stage, reply) in [
        (Stage::Data, "554 5.0.0 Computer says no"),
        (Stage::MailFrom, "550 zxq 17"),
        (Stage::Greeting, "554 Nope"),
        (Stage::RcptTo, "550 5.7.1 That went horribly"),
        (Stage::RcptTo, "550 scriptr overspf unspammed"),
        (Stage::Data, "554 see https://spam.example/quota/dkim"),
        (Stage::Data, "554 <quota@example.com>: no"),
        (Stage::Auth, "535 the moon stands in the seventh house"),
        (Stage::Auth, "535 5.7.8 the moon stands in the seventh house"),
        (Stage::Data, "554 see https://example.com/why?id=20-33-DMARC-1999"),
        (Stage::Data, "550 Incident 8812-spam-quota"),
        (Stage::RcptTo, "550 5.7.1 <no such user>: no"),
    ] {
        assert_eq!(cause_of(stage, "smtp.exemple.fr", reply), Cause::Unknown, "{reply}");
    }
}

#[test]
fn what_time_mends_can_be_tried_again() {
    let of = |stage, reply: &str| diagnose(stage, "smtp.exemple.fr", &Reply::parse(reply).unwrap()).retryable;
    for (stage, reply, retryable) in [
        (Stage::RcptTo, "450 4.2.0 Greylisted", true),
        (Stage::RcptTo, "550 5.1.1 User unknown", false),
        (Stage::RcptTo, "452 4.2.2 Mailbox full", true),
        (Stage::RcptTo, "552 5.2.2 Mailbox full", false),
        (Stage::Data, "550 5.4.5 Daily sending quota exceeded", true),
        (Stage::Data, "550 5.7.1 Rate limit exceeded", true),
        (Stage::MailFrom, "421 4.7.0 SPF check failed", false),
        (Stage::RcptTo, "454 4.7.1 Relay access denied", false),
        (Stage::Auth, "454 4.7.9 An application-specific password is required", false),
        (Stage::Auth, "454 4.7.0 Temporary authentication failure", true),
        (Stage::Data, "451 zxq", true),
    ] {
        assert_eq!(of(stage, reply), retryable, "{reply}");
    }
}

fn stages() -> impl Strategy<Value = Stage> {
    prop::sample::select(Stage::ALL.to_vec())
}

proptest! {
    #[test]
    fn no_reply_makes_it_panic(
        stage in stages(), host in any::<String>(), code in 200_u16..600, text in any::<String>()
    ) {
        let reply = Reply { code, enhanced: None, lines: text.lines().map(str::to_owned).collect() };
        let _ = diagnose(stage, &host, &reply);
    }

    #[test]
    fn words_without_meaning_leave_it_to_the_code(
        stage in stages(), code in 400_u16..560, words in prop::collection::vec("[zxqjk]{5,9}", 1..9)
    ) {
        let reply = Reply::parse(&format!("{code} {}", words.join(" "))).unwrap();
        let text = Text::of(&reply);
        let found = diagnose(stage, "smtp.exemple.fr", &reply).cause;
        prop_assert!(found == codes::by_code(stage, &text) || code == 530, "{found:?}");
        // Codes that differ between servers are not interpreted next to unknown words.
        if matches!(code, 550..=554) {
            prop_assert_eq!(found, Cause::Unknown);
        }
    }
}
