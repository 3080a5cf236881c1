//! The conversation against servers that follow the protocol ([`responder`]), and servers that break it ([`script`]).

use std::{net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use model::{
    cause::Cause,
    report::{Report, Verdict},
    security::Security,
    stage::{Outcome, Stage},
};
use rustls::pki_types::CertificateDer;
use secrecy::SecretString;

use super::*;
use crate::net::{Network, Policy};

mod ahead;
mod certificates;
mod costs;
mod destinations;
mod dns;
mod envelope;
mod hostile;
mod logins;
mod pipelining;
mod race;
mod responder;
mod reuse;
mod round_trips;
mod script;
mod sessions;
mod survey;
mod tls;
mod tokens;
mod unasked;

const SECRET: &str = "abcdefghijklmnop";
const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// A commit point that allows every message.
struct Open;

#[async_trait]
impl CommitPoint for Open {
    async fn reach(&self, _to: &[String]) -> bool {
        true
    }
}

/// Short enough for a test, long enough for a busy machine.
fn limits() -> Limits {
    Limits {
        resolve: Duration::from_secs(2),
        connect: Duration::from_secs(2),
        tls: Duration::from_secs(2),
        reply: Duration::from_millis(700),
        doubt: Duration::from_millis(300),
        last: Duration::from_secs(3),
        whole: Duration::from_secs(3),
    }
}

/// A client for `*.test.example`, which is this machine; passwords may go to `plain.test.example` without encryption.
fn submitter(port: u16, roots: Vec<CertificateDer<'static>>) -> Submitter {
    let policy = Policy {
        allow_ports: vec![port],
        static_addresses: vec![("*.test.example".to_owned(), vec![LOOPBACK])],
        plaintext_hosts: vec!["plain.test.example".to_owned()],
        ..Policy::default()
    };
    let ehlo_name = EhloName::parse("client.test.example").unwrap();
    let roots = if roots.is_empty() { vec![certificates::authority().der()] } else { roots };
    Submitter::new(SubmitterOptions {
        policy,
        ehlo_name,
        extra_roots: roots,
        system_roots: false,
        limits: limits(),
        control: None,
    })
    .unwrap()
}

fn network_of(submitter: &mut Submitter) -> &mut Network {
    Arc::get_mut(&mut submitter.network).unwrap()
}

fn policy_of(submitter: &mut Submitter) -> &mut Policy {
    &mut network_of(submitter).policy
}

fn submission(host: &str, port: u16, security: Security) -> Submission {
    Submission {
        host: host.to_owned(),
        port,
        security,
        credentials: Some(Credentials::uncounted("claire@test.example".to_owned(), SecretString::from(SECRET))),
        from: "claire@test.example".parse().unwrap(),
        to: vec!["karim@test.example".parse().unwrap()],
        mechanism: None,
        message: b"Subject: Bonjour\r\n\r\n.Texte\r\n".to_vec(),
        depth: Depth::Message,
    }
}

/// Runs a conversation without encryption with a server on `port`.
async fn talk(port: u16) -> Report {
    submitter(port, vec![]).submit(&submission("plain.test.example", port, Security::None), &mut |_| {}).await
}

/// Invariants of every report.
fn check_bounds(report: &Report) {
    let text = serde_json::to_string(report).unwrap();
    assert!(!text.contains(SECRET), "{text}");
    assert!(!text.contains("AGNsYWlyZUB0ZXN0"), "{text}");
    assert!(text.len() < 128 * 1024);
    let ended = |outcome| report.stages.iter().filter(|event| event.outcome == outcome).count();
    let failed = usize::from(report.cause.is_some());
    let unknown = usize::from(report.verdict == Verdict::DeliveryUnknown);
    assert_eq!((ended(Outcome::Failed), ended(Outcome::Unknown)), (failed - unknown, unknown));
}

#[tokio::test]
async fn refused_destinations_open_no_socket() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let submitter = submitter(port, vec![]);
    for (host, port, cause) in [
        ("127.0.0.1", port, Cause::HostNotAllowed),
        ("[::1]", port, Cause::HostNotAllowed),
        ("localhost", port, Cause::HostNotAllowed),
        ("x.test.example/..", port, Cause::HostInvalid),
        ("x.test.example\r\nRCPT TO:<y>", port, Cause::HostInvalid),
        ("x.test.example", 22, Cause::PortNotAllowed),
    ] {
        let report = submitter.submit(&submission(host, port, Security::Tls), &mut |_| {}).await;
        assert_eq!((report.cause, report.stage, report.round_trips), (Some(cause), Stage::Resolve, 0), "{host}");
    }
    let plain = submitter.submit(&submission("other.test.example", port, Security::None), &mut |_| {}).await;
    assert_eq!(plain.cause, Some(Cause::StarttlsRequired), "no password in clear");
    let accepted = tokio::time::timeout(Duration::from_millis(200), listener.accept()).await;
    assert!(accepted.is_err(), "nothing was dialled");
}

#[tokio::test]
async fn a_closed_port_and_a_control_character_are_told_apart() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let report = talk(port).await;
    assert_eq!((report.cause, report.stage), (Some(Cause::ConnectRefused), Stage::Connect));
    let mut forged = submission("plain.test.example", port, Security::None);
    forged.credentials = Some(Credentials::uncounted("a\0b".to_owned(), SecretString::from(SECRET)));
    let report = submitter(port, vec![]).submit(&forged, &mut |_| {}).await;
    assert_eq!((report.cause, report.stage), (Some(Cause::BadCredentials), Stage::Resolve));
}
