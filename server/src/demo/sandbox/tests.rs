//! Each persona, through the configurator's own conversation.

use std::{net::SocketAddr, time::Duration};

use app::{
    profile::security::Security,
    test_run::report::{Report, Verdict},
};
use mail::{
    net::Policy,
    smtp::{Credentials, Depth, EhloName, Limits, Submission, Submitter, SubmitterOptions},
};
use secrecy::SecretString;

use super::*;

async fn start() -> Sandbox {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    Sandbox::start(SandboxOptions {
        starttls: any,
        tls: any,
        greylist_delay: Duration::ZERO,
        tokens: Tokens::default(),
    })
    .await
    .unwrap()
}

fn submitter(sandbox: &Sandbox) -> Submitter {
    let policy = Policy {
        allow_ports: vec![sandbox.starttls.port(), sandbox.tls.port()],
        static_addresses: vec![(format!("*.{DOMAIN}"), vec![[127, 0, 0, 1].into()])],
        ..Policy::default()
    };
    let limits = Limits { reply: Duration::from_millis(1_500), whole: Duration::from_secs(9), ..Limits::default() };
    let ehlo_name = EhloName::parse("facteur.example").unwrap();
    Submitter::new(SubmitterOptions {
        policy,
        ehlo_name,
        extra_roots: vec![sandbox.authority()],
        system_roots: false,
        limits,
        control: None,
    })
    .unwrap()
}

async fn attempt(sandbox: &Sandbox, login: &str, host: &str, security: Security) -> Report {
    let port = if security == Security::Tls { sandbox.tls.port() } else { sandbox.starttls.port() };
    let login = format!("{login}@{DOMAIN}");
    let submission = Submission {
        host: format!("{host}.{DOMAIN}"),
        port,
        security,
        from: login.parse().unwrap(),
        to: vec![format!("{}@shop.example", uuid::Uuid::new_v4()).parse().unwrap()],
        credentials: Some(Credentials::uncounted(login, SecretString::from(PASSWORD))),
        mechanism: None,
        message: b"Subject: Bonjour\r\n\r\n.Texte\r\n".to_vec(),
        depth: Depth::Message,
    };
    submitter(sandbox).submit(&submission, &mut |_| {}).await
}

#[tokio::test]
async fn every_persona_fails_as_it_says() {
    let sandbox = start().await;
    let quick = |persona: &&Persona| persona.login != "muet" && persona.host != "silence";
    let attempts = PERSONAS.iter().filter(quick).map(|persona| {
        let sandbox = &sandbox;
        async move { (persona, attempt(sandbox, persona.login, persona.host, Security::Tls).await) }
    });
    for (persona, report) in futures::future::join_all(attempts).await {
        assert_eq!(
            report.cause.filter(|_| persona.login != "coupe"),
            persona.cause,
            "{}: {:?}",
            persona.login,
            report.transcript
        );
        if persona.login == "coupe" {
            assert_eq!(report.verdict, Verdict::DeliveryUnknown);
        }
    }
    let arrived: Vec<String> = sandbox.inbox().messages().into_iter().filter_map(|mail| mail.login).collect();
    for login in ["boutique", "lent", "latin1", "au-nom-de"] {
        assert!(arrived.contains(&format!("{login}@{DOMAIN}")), "{arrived:?}");
    }
    assert_eq!(arrived.len(), 4, "the lost message is missing");
}

#[tokio::test]
async fn mail_arrives_over_starttls_too_and_reads_back() {
    let sandbox = start().await;
    let report = attempt(&sandbox, "boutique", "smtp", Security::Starttls).await;
    assert_eq!(report.verdict, Verdict::Accepted, "{:?}", report.transcript);
    assert_eq!(report.round_trips, 8, "the sandbox offers PIPELINING and CHUNKING");
    let [mail] = &sandbox.inbox().messages()[..] else { panic!("one mail") };
    assert_eq!((mail.subject.as_str(), mail.text.trim_end()), ("Bonjour", ".Texte"));
    assert_eq!(report.queue_id.as_deref(), Some("SANDBOX0001"));
    sandbox.inbox().clear();
    assert!(sandbox.inbox().messages().is_empty());
}

#[tokio::test]
async fn the_greylist_lets_the_second_attempt_pass() {
    let sandbox = start().await;
    let port = sandbox.tls.port();
    let login = format!("liste-grise@{DOMAIN}");
    let submission = Submission {
        host: format!("smtp.{DOMAIN}"),
        port,
        security: Security::Tls,
        from: login.parse().unwrap(),
        to: vec![format!("{}@shop.example", uuid::Uuid::new_v4()).parse().unwrap()],
        credentials: Some(Credentials::uncounted(login, SecretString::from(PASSWORD))),
        mechanism: None,
        message: b"Subject: x\r\n\r\nx\r\n".to_vec(),
        depth: Depth::Message,
    };
    let submitter = submitter(&sandbox);
    assert!(submitter.submit(&submission, &mut |_| {}).await.retryable);
    assert_eq!(submitter.submit(&submission, &mut |_| {}).await.verdict, Verdict::Accepted);
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_dropping_the_sandbox_closes_it() {
    let sandbox = start().await;
    let report = attempt(&sandbox, "nobody", "smtp", Security::Tls).await;
    assert_eq!(report.cause, Some(app::diagnosis::cause::Cause::BadCredentials));
    let submitter = submitter(&sandbox);
    let submission = Submission {
        host: format!("smtp.{DOMAIN}"),
        port: sandbox.tls.port(),
        security: Security::Tls,
        credentials: None,
        from: "a@b.example".parse().unwrap(),
        to: vec!["c@d.example".parse().unwrap()],
        mechanism: None,
        message: vec![],
        depth: Depth::Recipients,
    };
    drop(sandbox);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let report = submitter.submit(&submission, &mut |_| {}).await;
    assert_eq!(report.cause, Some(app::diagnosis::cause::Cause::ConnectRefused));
}
