//! Server side. `facteur probe`: one submission from the terminal, with the code of the button.
//!
//! For a person: the stages as they come, then the verdict. For a program (`--json`): one object a line, the last one
//! the report.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
};

use app::{
    diagnosis::advice,
    i18n::{Locale, Texts},
    profile::{address::EmailAddress, encoding::Encoding, preset::Catalogue, security::Security},
    test_run::{
        event::{Outcome, StageEvent},
        report::{Report, Verdict},
    },
};
use lettre::{Address, message::Mailbox};
use mail::{
    net::{
        Policy,
        guard::{self, Missing},
    },
    smtp::{Credentials, Depth, EhloName, Letter, Limits, Mechanism, Submission, Submitter, SubmitterOptions, compose},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use secrecy::SecretString;
use serde_json::json;

use crate::{
    config::{self, Config},
    explain::Explanation,
    serve,
};

/// The default EHLO name.
const EHLO_NAME: &str = "facteur.example";

/// What stands on the command line.
#[allow(clippy::struct_excessive_bools, reason = "a flag is there or not")]
#[derive(Debug, Clone, clap::Args)]
pub struct ProbeOptions {
    /// HOST:PORT
    pub target: String,
    /// tls, starttls or none
    #[arg(long, value_parser = security)]
    pub security: Security,
    #[arg(long)]
    pub login: Option<String>,
    /// File with the password or token
    #[arg(long, conflicts_with = "secret_stdin", requires = "login")]
    pub secret_file: Option<PathBuf>,
    /// Read the password or token from standard input
    #[arg(long, requires = "login")]
    pub secret_stdin: bool,
    /// SCRAM-SHA-256, PLAIN, LOGIN, CRAM-MD5 or XOAUTH2; without it the best one that the server offers
    #[arg(long)]
    pub mechanism: Option<String>,
    /// The sender's address
    #[arg(long)]
    pub from: String,
    /// A recipient's address; may be repeated
    #[arg(long, required = true)]
    pub to: Vec<String>,
    /// Stop after the recipients: nothing is sent
    #[arg(long)]
    pub dry_run: bool,
    /// The configuration file whose `[smtp]` section counts: what it allows, its authorities, its name in EHLO
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Let this host pass, wherever it is, and this port
    #[arg(long)]
    pub allow_private: bool,
    /// PEM file of an authority to trust besides the machine's
    #[arg(long)]
    pub ca: Option<PathBuf>,
    /// Our name in EHLO: a host name, or an address such as [192.0.2.1]
    #[arg(long)]
    pub ehlo_name: Option<String>,
    #[arg(long, default_value = "Facteur probe")]
    pub subject: String,
    /// File with the text of the message
    #[arg(long)]
    pub body_file: Option<PathBuf>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

fn security(code: &str) -> Result<Security, &'static str> {
    Security::parse(code).ok_or("tls, starttls or none")
}

/// A command line that cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    #[error("{0} is not HOST:PORT")]
    Target(String),
    #[error("{0} is not an email address")]
    Address(String),
    #[error("unknown mechanism {0}: SCRAM-SHA-256, PLAIN, LOGIN, CRAM-MD5, XOAUTH2")]
    Mechanism(String),
    #[error("--ehlo-name must be a host name, or an address literal such as [192.0.2.1]")]
    EhloName,
    #[error("--login needs --secret-file or --secret-stdin")]
    SecretMissing,
    #[error("{0} cannot be read")]
    File(PathBuf, #[source] std::io::Error),
    #[error("cannot read the secret from standard input")]
    Stdin(#[source] std::io::Error),
    #[error("{0} contains no certificate")]
    Authority(PathBuf),
    #[error("cannot compose the message")]
    Message(#[from] mail::smtp::compose::ComposeError),
    #[error(transparent)]
    Setup(#[from] mail::net::SetupError),
    #[error(transparent)]
    Config(#[from] config::ConfigError),
}

/// Has the conversation and writes it to `output`; whether it went well.
pub async fn probe(options: &ProbeOptions, output: &mut (dyn Write + Send + Sync)) -> Result<bool, UsageError> {
    let (host, port) = target(&options.target)?;
    let submission = submission(options, host, port)?;
    let config = options.config.as_deref().map(Config::load).transpose()?;
    let policy = policy(options, config.as_ref(), host, port)?;
    let of_config = config.as_ref().map(|config| config.smtp.ehlo_name.as_str());
    let ehlo_name = options.ehlo_name.as_deref().or(of_config).unwrap_or(EHLO_NAME);
    let mut extra_roots = config.as_ref().map(serve::extra_roots).transpose()?.unwrap_or_default();
    extra_roots.extend(options.ca.as_deref().map(authorities).transpose()?.unwrap_or_default());
    let in_clear = submission.security == Security::None && submission.credentials.is_some();
    let missing = policy.missing(host, Some(port), in_clear);
    let submitter = Submitter::new(SubmitterOptions {
        policy,
        ehlo_name: EhloName::parse(ehlo_name).map_err(|_| UsageError::EhloName)?,
        extra_roots,
        system_roots: true,
        limits: Limits::default(),
        control: None,
    })?;
    let report = {
        let mut on_stage = |event: StageEvent| {
            // A reader that went away is no reason to stop a mail half-way.
            let _ = if options.json { writeln!(output, "{}", json!(event)) } else { write_stage(output, &event) };
        };
        submitter.submit(&submission, &mut on_stage).await
    };
    let _ = if options.json {
        writeln!(output, "{}", json!({ "report": report }))
    } else {
        write_verdict(output, &report, host).and_then(|()| write_missing(output, &missing))
    };
    Ok(matches!(report.verdict, Verdict::Accepted | Verdict::DryRunOk))
}

/// Host and port of `host:port` or `[address]:port`.
fn target(text: &str) -> Result<(&str, u16), UsageError> {
    let wrong = || UsageError::Target(text.to_owned());
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
    if host.is_empty() { Err(wrong()) } else { Ok((host, port)) }
}

fn policy(options: &ProbeOptions, config: Option<&Config>, host: &str, port: u16) -> Result<Policy, UsageError> {
    let mut policy = config.map(|config| serve::policy(&config.smtp)).transpose()?.unwrap_or_default();
    if options.allow_private {
        policy.allow_networks = vec![ipnet::Ipv4Net::default().into(), ipnet::Ipv6Net::default().into()];
        policy.allow_ports.push(port);
        if let Some(host) = guard::pattern(host) {
            policy.allow_hosts.push(host.clone());
            policy.plaintext_hosts.push(host);
        }
    }
    Ok(policy)
}

/// Which settings would allow the destination: the user of this command is the operator.
fn write_missing(output: &mut dyn Write, missing: &[Missing]) -> std::io::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    writeln!(output, "\n{}", Missing::list(missing))?;
    writeln!(
        output,
        "The probe takes [smtp] of a configuration with --config, and lets this host pass with --allow-private."
    )
}

fn submission(options: &ProbeOptions, host: &str, port: u16) -> Result<Submission, UsageError> {
    let address = |text: &String| address(text).ok_or_else(|| UsageError::Address(text.clone()));
    let from = address(&options.from)?;
    let to = options.to.iter().map(address).collect::<Result<Vec<_>, _>>()?;
    let mechanism = options
        .mechanism
        .as_ref()
        .map(|name| Mechanism::from_name(name).ok_or_else(|| UsageError::Mechanism(name.clone())));
    let credentials = match &options.login {
        Some(login) => Some(Credentials::uncounted(login.clone(), secret(options)?)),
        None => None,
    };
    let text = options.body_file.as_deref().map(body).transpose()?;
    let letter = Letter {
        from: Mailbox::new(None, from.clone()),
        to: to.iter().map(|address| Mailbox::new(None, address.clone())).collect(),
        cc: Vec::new(),
        reply_to: None,
        subject: options.subject.clone(),
        text: Some(text.unwrap_or_else(|| "This message was sent by facteur probe.\n".to_owned())),
        attachments: Vec::new(),
        html: None,
        encoding: Encoding::Utf8,
        message_id: format!("{}@{}", uuid::Uuid::new_v4().as_simple(), from.domain()),
        date: (config::clock())().into(),
        auto_submitted: true,
        language: "en".to_owned(),
    };
    Ok(Submission {
        host: host.to_owned(),
        port,
        security: options.security,
        credentials,
        mechanism: mechanism.transpose()?,
        from,
        to,
        message: compose(&letter)?.bytes,
        depth: if options.dry_run { Depth::Recipients } else { Depth::Message },
    })
}

/// An address, its domain as A-labels. A domain of one label is taken too: the operator's own servers have such.
fn address(text: &str) -> Option<Address> {
    if let Ok(address) = EmailAddress::parse(text) {
        return address.as_str().parse().ok();
    }
    let (_, domain) = text.rsplit_once('@')?;
    let is_label =
        (1..=63).contains(&domain.len()) && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    // The same rules for what stands before the `@`.
    let local = EmailAddress::parse(&format!("{text}.example")).ok().filter(|_| is_label)?;
    local.as_str().strip_suffix(".example")?.parse().ok()
}

fn read(path: &Path) -> Result<String, UsageError> {
    std::fs::read_to_string(path).map_err(|error| UsageError::File(path.to_owned(), error))
}

/// The text of a message: UTF-8, or else the bytes of Windows-1252, as old files have it.
fn body(path: &Path) -> Result<String, UsageError> {
    let bytes = std::fs::read(path).map_err(|error| UsageError::File(path.to_owned(), error))?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| {
        let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(error.as_bytes());
        text.into_owned()
    }))
}

/// The secret, without the line end that files and pipes add.
fn secret(options: &ProbeOptions) -> Result<SecretString, UsageError> {
    let typed = match &options.secret_file {
        Some(path) => read(path)?,
        None if options.secret_stdin => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(UsageError::Stdin)?;
            text
        }
        None => return Err(UsageError::SecretMissing),
    };
    Ok(SecretString::from(typed.trim_end_matches(['\r', '\n'])))
}

fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, UsageError> {
    let none = || UsageError::Authority(path.to_owned());
    let found: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(|_| none())?.collect::<Result<_, _>>().map_err(|_| none())?;
    if found.is_empty() { Err(none()) } else { Ok(found) }
}

fn write_stage(output: &mut dyn Write, event: &StageEvent) -> std::io::Result<()> {
    let mark = match event.outcome {
        Outcome::Ok => "ok    ",
        Outcome::Failed => "FAILED",
        Outcome::Unknown => "?     ",
    };
    let words = event.reply.as_deref().unwrap_or_default();
    writeln!(output, "{mark} {:<10} {:>8.1} ms  {words}", event.stage.as_str(), event.ms)
}

fn write_verdict(output: &mut dyn Write, report: &Report, host: &str) -> std::io::Result<()> {
    let verdict = match report.verdict {
        Verdict::Accepted => "accepted: the server has the message",
        Verdict::DryRunOk => "dry run: everything up to the recipients went well, nothing was sent",
        Verdict::Failed => "failed",
        Verdict::DeliveryUnknown => "unknown: the line went dead after the message; it may have been taken",
    };
    writeln!(output, "\n{verdict}")?;
    if let Some(cause) = report.cause {
        let again = if report.retryable { "; the same may succeed later" } else { "" };
        writeln!(output, "cause: {} at {}{again}", cause.as_str(), report.stage.as_str())?;
        let presets = Catalogue::builtin();
        let explanation = Explanation::new(&presets, cause, report.stage, host);
        writeln!(output, "\n{}", explanation.title(Locale::En))?;
        writeln!(output, "{}", explanation.advice(Locale::En))?;
        if let Some(finding) = report.finding {
            writeln!(output, "{}", Locale::En.text(finding.key(), &[]))?;
        }
        writeln!(output, "{}\n", Locale::En.text(advice::who(cause).key(), &[]))?;
    }
    for recipient in report.recipients.iter().filter(|recipient| !recipient.accepted) {
        writeln!(output, "refused: {} ({})", recipient.address, recipient.reply.as_deref().unwrap_or_default())?;
    }
    if let Some(id) = &report.queue_id {
        writeln!(output, "queue id: {id}")?;
    }
    if let Some(tls) = &report.tls {
        writeln!(output, "encryption: {} {}", tls.version, tls.cipher)?;
        if let Some(certificate) = &tls.certificate {
            let names = certificate.names.join(", ");
            writeln!(output, "certificate: {names}, by {}, until {}", certificate.issuer, certificate.not_after)?;
        }
    }
    writeln!(output, "round trips: {}\n", report.round_trips)?;
    report.transcript.iter().try_for_each(|line| writeln!(output, "{line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read() {
        assert_eq!(target("smtp.exemple.fr:465").unwrap(), ("smtp.exemple.fr", 465));
        assert_eq!(target("[::1]:2525").unwrap(), ("[::1]", 2525));
        for wrong in ["smtp.exemple.fr", ":25", "x:0", "x:65536", "x:y"] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_program_gets_a_line_a_stage_and_the_report() {
        let options = ProbeOptions {
            target: "127.0.0.1:1".to_owned(),
            security: Security::Tls,
            login: None,
            secret_file: None,
            secret_stdin: false,
            mechanism: None,
            from: "a@exemple.fr".to_owned(),
            to: vec!["b@exemple.fr".to_owned()],
            dry_run: true,
            config: None,
            allow_private: true,
            ca: None,
            ehlo_name: None,
            subject: "Test".to_owned(),
            body_file: None,
            json: true,
        };
        let mut output = Vec::new();
        assert!(!probe(&options, &mut output).await.unwrap());
        let lines: Vec<serde_json::Value> =
            String::from_utf8(output).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines[0]["stage"].as_str(), lines[0]["outcome"].as_str()), (Some("resolve"), Some("ok")));
        assert_eq!((lines[1]["stage"].as_str(), lines[1]["outcome"].as_str()), (Some("connect"), Some("failed")));
        assert_eq!(lines.last().unwrap()["report"]["cause"], "connect_refused");
        let mut refused = Vec::new();
        let strict = ProbeOptions { allow_private: false, json: false, ..options };
        assert!(!probe(&strict, &mut refused).await.unwrap());
        let refused = String::from_utf8(refused).unwrap();
        assert!(refused.contains("host_not_allowed at resolve"), "{refused}");
        assert!(
            refused.contains("host = \"127.0.0.1\" is refused, unless smtp.allow_hosts has \"127.0.0.1\""),
            "{refused}"
        );
        assert!(refused.contains("port = 1 is refused, unless smtp.allow_ports has 1"), "{refused}");
    }
}
