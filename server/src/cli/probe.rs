//! Server side. `facteur probe`: submits one message from the terminal, as the Test button does.
//!
//! For a person: the stages as they happen, then the verdict. For a program (`--json`): one object on each line, the
//! last one the report.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use app::{
    profile::security::Security,
    test_run::{event::StageEvent, report::Verdict},
};
use mail::{
    net::{Policy, guard},
    smtp::{EhloName, Limits, Submitter, SubmitterOptions},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::json;

use super::Failed;
use crate::{
    config::{self, Config},
    service::smtp,
    submission::of_token,
};

mod output;
mod submission;

use output::{write_missing, write_stage, write_verdict};
use submission::{submission, target};

/// The default EHLO name.
const EHLO_NAME: &str = "facteur.example";

/// The command line.
#[allow(clippy::struct_excessive_bools, reason = "flags of the command line")]
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
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
    /// File with an OAuth 2.0 access token, for XOAUTH2 or OAUTHBEARER, whichever the server offers
    #[arg(long, conflicts_with_all = ["secret_file", "secret_stdin"], requires = "login")]
    pub token_file: Option<PathBuf>,
    /// Read the password or token from standard input
    #[arg(long, requires = "login")]
    pub secret_stdin: bool,
    /// SCRAM-SHA-256, PLAIN, LOGIN or CRAM-MD5, with a token XOAUTH2 or OAUTHBEARER; default: the best one for a
    /// password that the server offers
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
    /// The configuration file whose `[smtp]` section applies: allowed destinations, authorities, EHLO name
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Allow this host, at any address, and this port
    #[arg(long)]
    pub allow_private: bool,
    /// PEM file of an authority to trust in addition to the machine's
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
    /// Print one JSON object on each line
    #[arg(long)]
    pub json: bool,
}

fn security(code: &str) -> Result<Security, &'static str> {
    Security::parse(code).ok_or("tls, starttls or none")
}

/// An invalid command line.
#[derive(Debug, thiserror::Error)]
enum UsageError {
    #[error("{0} is not HOST:PORT")]
    Target(String),
    #[error("{0} is not an email address")]
    Address(String),
    #[error("unknown mechanism {0}: SCRAM-SHA-256, PLAIN, LOGIN, CRAM-MD5, XOAUTH2, OAUTHBEARER")]
    Mechanism(String),
    #[error("--ehlo-name must be a host name, or an address literal such as [192.0.2.1]")]
    EhloName,
    #[error("--login needs --secret-file, --token-file or --secret-stdin")]
    SecretMissing,
    #[error("cannot read {0}")]
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

pub async fn run(arguments: &Arguments) -> Result<ExitCode, Failed> {
    match probe(arguments, &mut std::io::stdout()).await {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::from(1)),
        Err(error) => Err(Failed { error: error.into(), code: 2 }),
    }
}

/// Has the conversation and writes it to `output`. Returns whether it succeeded.
async fn probe(options: &Arguments, output: &mut (dyn Write + Send + Sync)) -> Result<bool, UsageError> {
    let (host, port) = target(&options.target)?;
    let submission = submission(options, host, port)?;
    let config = options.config.as_deref().map(Config::load).transpose()?;
    let policy = policy(options, config.as_ref(), host, port)?;
    let of_config = config.as_ref().map(|config| config.smtp.ehlo_name.as_str());
    let ehlo_name = options.ehlo_name.as_deref().or(of_config).unwrap_or(EHLO_NAME);
    let mut extra_roots = config.as_ref().map(smtp::extra_roots).transpose()?.unwrap_or_default();
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
    let with_token = submission.mechanism.is_some_and(mail::smtp::Mechanism::is_token);
    let report = {
        let mut on_stage = |event: StageEvent| {
            // A closed pipe must not stop a mail halfway.
            let _ = if options.json { writeln!(output, "{}", json!(event)) } else { write_stage(output, &event) };
        };
        submitter.submit(&submission, &mut on_stage).await
    };
    let report = if with_token { of_token(report) } else { report };
    let _ = if options.json {
        writeln!(output, "{}", json!({ "report": report }))
    } else {
        write_verdict(output, &report, host).and_then(|()| write_missing(output, &missing))
    };
    Ok(matches!(report.verdict, Verdict::Accepted | Verdict::DryRunOk))
}

fn policy(options: &Arguments, config: Option<&Config>, host: &str, port: u16) -> Result<Policy, UsageError> {
    let mut policy = config.map(|config| smtp::policy(&config.smtp)).transpose()?.unwrap_or_default();
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

fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, UsageError> {
    let none = || UsageError::Authority(path.to_owned());
    let found: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(|_| none())?.collect::<Result<_, _>>().map_err(|_| none())?;
    if found.is_empty() { Err(none()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(target: &str) -> Arguments {
        Arguments {
            target: target.to_owned(),
            security: Security::Tls,
            login: None,
            secret_file: None,
            token_file: None,
            secret_stdin: false,
            mechanism: None,
            from: "a@exemple.fr".to_owned(),
            to: vec!["b@exemple.fr".to_owned()],
            dry_run: true,
            config: None,
            allow_private: false,
            ca: None,
            ehlo_name: None,
            subject: "Test".to_owned(),
            body_file: None,
            json: false,
        }
    }

    #[tokio::test]
    async fn the_configuration_decides_which_local_name_may_be_reached() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("facteur.toml");
        let text = |allowed: &str| {
            format!(
                "[server]\npublic_url = \"https://facteur.exemple\"\n[database]\npath = \"facteur.db\"\n[vault]\nkeys = []\n\
                 [smtp]\nehlo_name = \"mail.facteur.exemple\"\nallow_ports = [1]\nallow_networks = [\"127.0.0.0/8\", \"::1/128\"]\n\
                 allow_hosts = [{allowed}]\n"
            )
        };
        let options = Arguments { config: Some(path.clone()), ..to("localhost:1") };
        for (allowed, said) in
            [("\"localhost\"", "connect_refused at connect"), ("\"mailpit\"", "host_not_allowed at resolve")]
        {
            std::fs::write(&path, text(allowed)).unwrap();
            let mut output = Vec::new();
            assert!(!probe(&options, &mut output).await.unwrap());
            let output = String::from_utf8(output).unwrap();
            assert!(output.contains(said), "{allowed}: {output}");
        }
    }

    #[tokio::test]
    async fn a_program_gets_a_line_a_stage_and_the_report() {
        let options = Arguments { allow_private: true, json: true, ..to("127.0.0.1:1") };
        let mut output = Vec::new();
        assert!(!probe(&options, &mut output).await.unwrap());
        let lines: Vec<serde_json::Value> =
            String::from_utf8(output).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines[0]["stage"].as_str(), lines[0]["outcome"].as_str()), (Some("resolve"), Some("ok")));
        assert_eq!((lines[1]["stage"].as_str(), lines[1]["outcome"].as_str()), (Some("connect"), Some("failed")));
        assert_eq!(lines.last().unwrap()["report"]["cause"], "connect_refused");
        let mut refused = Vec::new();
        let strict = Arguments { allow_private: false, json: false, ..options };
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
