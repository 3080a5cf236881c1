//! The cases. Each runs against every server.

use app::{
    diagnosis::cause::Cause,
    profile::security::Security::{self, Starttls, Tls},
    test_run::{
        event::Stage,
        report::{Report, Verdict},
    },
};
use mail::{
    net::Policy,
    smtp::{CommitPoint, Connection, Credentials, Depth, EhloName, Limits, Submission, Submitter, SubmitterOptions},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};

use crate::{
    arrival::{Arrived, arrived, find},
    probe::{Probe, reached},
    servers::{CLAIRE, KARIM, LOGIN, NOBODY, PASSWORD, Server},
};

fn accepted(server: &Server, security: Security) {
    let probe = Probe::new(server, security);
    let report = probe.accepted();
    let tls = report.tls.clone().expect("the connection is encrypted");
    assert_eq!(tls.version, "TLSv1.3");
    assert!(tls.certificate.expect("a certificate").names.contains(&"mx.test.example".to_owned()));
    assert!(report.queue_id.is_some(), "{report:#?}");
    assert!(report.recipients.iter().all(|recipient| recipient.accepted));
    assert_eq!(reached(&report, Stage::Starttls), security == Starttls);
    assert_text(&arrived(server, "karim", &probe.subject), "This message was sent by facteur probe.\n");
}

pub fn accepted_over_tls(server: &Server) {
    accepted(server, Tls);
}

pub fn accepted_over_starttls(server: &Server) {
    accepted(server, Starttls);
}

pub fn every_mechanism_that_is_offered(server: &Server) {
    for mechanism in ["SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5"] {
        let probe = Probe { mechanism: Some(mechanism), dry_run: true, ..Probe::new(server, Tls) };
        if server.mechanisms().contains(&mechanism) {
            let report = probe.run();
            assert_eq!(report.verdict, Verdict::DryRunOk, "{mechanism} {report:#?}");
            assert!(report.transcript.iter().any(|line| line.starts_with(&format!("C: AUTH {mechanism}"))));
            let wrong = Probe { password: "falsch", ..probe }.fails(Cause::BadCredentials);
            assert_eq!(wrong.stage, Stage::Auth);
        } else {
            probe.fails(Cause::AuthMechanismUnsupported);
        }
    }
    let best = Probe { dry_run: true, ..Probe::new(server, Tls) }.run();
    let first = format!("C: AUTH {}", server.mechanisms()[0]);
    assert!(best.transcript.iter().any(|line| line.starts_with(&first)), "{best:#?}");
}

pub fn a_wrong_password(server: &Server) {
    for security in [Tls, Starttls] {
        let report = Probe { password: "pas le bon, é", ..Probe::new(server, security) }.fails(Cause::BadCredentials);
        assert_eq!(report.stage, Stage::Auth);
        assert!(!reached(&report, Stage::MailFrom));
        assert!(!report.transcript.iter().any(|line| line.contains("MAIL FROM")), "{report:#?}");
        assert!(report.recipients.is_empty());
    }
}

pub fn a_refused_sender(server: &Server) {
    let probe = Probe { from: KARIM, ..Probe::new(server, Tls) };
    probe.fails(Cause::SenderRejected);
}

pub fn a_refused_recipient(server: &Server) {
    let report = Probe { to: vec![NOBODY], ..Probe::new(server, Tls) }.fails(Cause::RecipientRejected);
    assert_eq!(report.stage, Stage::RcptTo);
    assert_eq!(report.recipients.len(), 1);
}

pub fn one_good_and_one_refused_recipient(server: &Server) {
    for security in [Tls, Starttls] {
        let probe = Probe { to: vec![NOBODY, KARIM], ..Probe::new(server, security) };
        let report = probe.accepted();
        let results: Vec<_> =
            report.recipients.iter().map(|one| (one.address.as_str(), one.accepted, one.cause)).collect();
        assert_eq!(results, [(NOBODY, false, Some(Cause::RecipientRejected)), (KARIM, true, None)], "{report:#?}");
        arrived(server, "karim", &probe.subject);
    }
}

pub fn a_dry_run_leaves_nothing_behind(server: &Server) {
    let dry = Probe { dry_run: true, ..Probe::new(server, Starttls) };
    let report = dry.run();
    assert_eq!((report.verdict, report.stage), (Verdict::DryRunOk, Stage::RcptTo), "{report:#?}");
    assert_eq!(report.queue_id, None);
    // A message sent later arrives later.
    let later = Probe::new(server, Starttls);
    later.accepted();
    arrived(server, "karim", &later.subject);
    assert!(find(server, "karim", &dry.subject).is_none());
}

pub fn ten_megabytes(server: &Server) {
    let line = "Dix mégaoctets de devis, ligne après ligne ; rien ne doit se perdre en route.\r\n";
    let text = line.repeat(10 * 1024 * 1024 / line.len() + 1);
    for security in [Tls, Starttls] {
        let probe = Probe { body: Some(&text), ..Probe::new(server, security) };
        probe.accepted();
        assert_text(&arrived(server, "karim", &probe.subject), &text);
    }
}

/// Lines that servers and clients are known to lose, double or break.
const ODD: &str = concat!(
    ".\n..\n.a\n....\n\n\n.\r\n..\r\n.a\r\n....\r\n\r\n\r\n",
    " .\n. \n.\u{a0}\n=\n=2E\n=0D=0A\nFrom here on\n>From there\n",
    "Été, cœur, €, 日本語, 🥐\r\n   spaces around   \n\ttabs\t\r\n",
    "a line that looks like the end:\r\n.\r\nQUIT\r\n\n.\nDATA\n",
);

/// The text with every line end as CRLF; lone CRs stay.
fn with_crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// Asserts that the text arrived, its line ends as CRLF, with a final one added if missing: a message ends in a line
/// end.
fn assert_text(arrived: &Arrived, text: &str) {
    let (arrived, sent) = (arrived.text(), with_crlf(text));
    let closed = if sent.ends_with("\r\n") { sent.clone() } else { format!("{sent}\r\n") };
    if arrived != closed {
        let at = arrived.bytes().zip(sent.bytes()).take_while(|(one, other)| one == other).count();
        let (arrived, sent) = (arrived.as_bytes(), sent.as_bytes());
        panic!(
            "{} bytes became {}; they differ from byte {at} on: {:?} became {:?}",
            sent.len(),
            arrived.len(),
            String::from_utf8_lossy(&sent[at..sent.len().min(at + 80)]),
            String::from_utf8_lossy(&arrived[at..arrived.len().min(at + 80)])
        );
    }
}

pub fn dots_and_odd_line_ends(server: &Server) {
    let long = format!("{}{}\n.{}\r\n{}", ODD, "x".repeat(3_000), "é".repeat(3_000), ".".repeat(3_000));
    for security in [Tls, Starttls] {
        for text in [long.as_str(), "\n.", "\r\n\r\n.\r\n", "."] {
            let probe = Probe { body: Some(text), ..Probe::new(server, security) };
            probe.accepted();
            assert_text(&arrived(server, "karim", &probe.subject), text);
        }
    }
}

/// A lone CR is not a line end in a text: it arrives unchanged.
pub fn lone_carriage_returns(server: &Server) {
    for security in [Tls, Starttls] {
        let text = "un\rdeux\r\r.\rtrois\n\r\r\nquatre";
        let probe = Probe { body: Some(text), ..Probe::new(server, security) };
        probe.accepted();
        assert_text(&arrived(server, "karim", &probe.subject), text);
    }
}

/// The text with every CR, LF and CRLF as LF.
fn line_ends_alike(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Without the composer: the conversation alone, with a message no composer would write. Compared byte for byte.
pub fn raw_bytes(server: &Server) {
    for security in [Tls, Starttls] {
        let subject = uuid::Uuid::now_v7().to_string();
        let head = format!(
            "Date: Wed, 25 Nov 2026 10:00:00 +0100\r\nFrom: <{CLAIRE}>\r\nTo: <{KARIM}>\r\nSubject: {subject}\r\n\
             Message-ID: <{subject}@test.example>\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        );
        let message = format!("{head}{ODD}{}\r.\r\r..\r.{}", "x".repeat(3_000), "é".repeat(400));
        let report = submit(server, security, message.clone().into_bytes());
        assert_eq!(report.verdict, Verdict::Accepted, "{report:#?}");
        // No lone CR or LF is sent: every server on the way must agree on which of them is a line end.
        let sent = with_crlf(&line_ends_alike(&message)) + "\r\n";
        let arrived = arrived(server, "karim", &subject);
        assert!(arrived.is(sent.as_bytes()), "{}:\n{}", server.name, String::from_utf8_lossy(&arrived.0));
    }
}

fn submitter(server: &Server, security: Security) -> Submitter {
    let loopback = vec!["127.0.0.1".parse().unwrap()];
    Submitter::new(SubmitterOptions {
        policy: Policy {
            allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
            allow_ports: vec![server.port(security)],
            static_addresses: vec![("localhost".to_owned(), loopback)],
            ..Policy::default()
        },
        ehlo_name: EhloName::parse("facteur.example").unwrap(),
        extra_roots: vec![CertificateDer::from_pem_file(&server.ca).unwrap()],
        system_roots: false,
        limits: Limits::default(),
        control: None,
    })
    .unwrap()
}

fn submission(server: &Server, security: Security, message: Vec<u8>) -> Submission {
    Submission {
        host: "localhost".to_owned(),
        port: server.port(security),
        security,
        credentials: Some(Credentials::uncounted(LOGIN.to_owned(), PASSWORD.into())),
        mechanism: None,
        from: CLAIRE.parse().unwrap(),
        to: vec![KARIM.parse().unwrap()],
        message,
        depth: Depth::Message,
    }
}

fn submit(server: &Server, security: Security, message: Vec<u8>) -> Report {
    let (submitter, submission) = (submitter(server, security), submission(server, security, message));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(submitter.submit(&submission, &mut |_| {}))
}

struct Open;

#[async_trait::async_trait]
impl CommitPoint for Open {
    async fn reach(&self, _to: &[String]) -> bool {
        true
    }
}

/// Several messages over one connection, each begun with the end of the previous one where the server supports that.
/// The third one names a recipient that the server refuses.
pub fn each_message_begins_with_the_end_of_the_one_before(server: &Server) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for security in [Tls, Starttls] {
        let subjects: Vec<String> = (0..6).map(|_| uuid::Uuid::now_v7().to_string()).collect();
        let text = |subject: &str| {
            format!(
                "Date: Wed, 25 Nov 2026 10:00:00 +0100\r\nFrom: <{CLAIRE}>\r\nTo: <{KARIM}>\r\nSubject: {subject}\r\n\
                 Message-ID: <{subject}@test.example>\r\n\r\n..\r\n.\r\n{subject}\r\n"
            )
        };
        let mut all: Vec<Submission> =
            subjects.iter().map(|subject| submission(server, security, text(subject).into_bytes())).collect();
        all[2].to.insert(0, NOBODY.parse().unwrap());
        let submitter = submitter(server, security);
        let (mut connection, mut ahead) = (None, 0);
        for (at, submission) in all.iter().enumerate() {
            let begun = connection.as_ref().is_some_and(Connection::has_begun);
            ahead += usize::from(begun);
            let delivering =
                submitter.deliver_and_begin(submission, all.get(at + 1), connection, Limits::default(), &Open);
            let delivery = runtime.block_on(delivering);
            assert_eq!(delivery.report.verdict, Verdict::Accepted, "{}: {:#?}", server.name, delivery.report);
            assert!(!delivery.stumbled, "{}", server.name);
            assert!(!begun || delivery.report.round_trips == 1, "{}: {:#?}", server.name, delivery.report);
            let taken: Vec<bool> = delivery.report.recipients.iter().map(|one| one.accepted).collect();
            assert_eq!(taken, if at == 2 { vec![false, true] } else { vec![true] });
            connection = delivery.connection;
        }
        // Exim takes its messages with DATA; with a server that has CHUNKING, a message need not begin ahead.
        assert!(ahead == 5 || server.name != "exim", "{ahead}");
        assert_eq!(connection.unwrap().messages, 6, "{}: all over one connection", server.name);
        for subject in &subjects {
            let arrived = arrived(server, "karim", subject);
            assert!(arrived.is(text(subject).as_bytes()), "{}", server.name);
        }
    }
}

pub fn the_wrong_encryption(server: &Server) {
    for (security, port) in [(Tls, server.starttls), (Starttls, server.tls)] {
        let report = Probe { port, ..Probe::new(server, security) }.fails(Cause::TlsPortMismatch);
        assert!(!reached(&report, Stage::Auth));
    }
}

pub fn an_authority_nobody_knows(server: &Server) {
    for security in [Tls, Starttls] {
        let report = Probe { trusts_authority: false, ..Probe::new(server, security) }.fails(Cause::CertUntrusted);
        assert!(!reached(&report, Stage::Auth));
    }
}
