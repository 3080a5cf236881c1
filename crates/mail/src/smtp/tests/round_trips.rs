//! The conversation needs no more round trips than necessary. The server counts them; no clock is involved.

use std::sync::atomic::Ordering;

use super::{certificates::authority, responder::Responder, *};

const HOST: &str = "mx.test.example";

async fn deliver(security: Security, keywords: &'static [&'static str], recipients: usize) -> (Report, u32, Vec<u8>) {
    let starttls = security == Security::Starttls;
    let responder =
        Responder { keywords, acceptor: Some(authority().acceptor(HOST, 2020, 2100)), starttls, refuses: "" };
    let mut running = responder.start().await;
    let mut submission = submission(HOST, running.port, security);
    submission.to = (0..recipients).map(|n| format!("karim{n}@test.example").parse().unwrap()).collect();
    let report = submitter(running.port, vec![]).submit(&submission, &mut |_| {}).await;
    assert_eq!(report.verdict, Verdict::Accepted, "{report:#?}");
    check_bounds(&report);
    let message = running.messages.recv().await.unwrap();
    // QUIT is not awaited; the count includes it.
    running.ended.await.unwrap();
    (report, running.flights.load(Ordering::SeqCst), message)
}

#[tokio::test]
async fn at_the_floor() {
    const PIPELINING: &[&str] = &["PIPELINING", "SIZE 1000000"];
    const CHUNKING: &[&str] = &["CHUNKING", "ENHANCEDSTATUSCODES", "SIZE"];
    const BOTH: &[&str] = &["PIPELINING", "CHUNKING", "ENHANCEDSTATUSCODES", "8BITMIME"];
    for security in [Security::Tls, Security::Starttls] {
        // TCP, TLS, greeting, EHLO; STARTTLS and the second EHLO; AUTH with its initial response.
        let before = if security == Security::Tls { 4 } else { 6 } + 1;
        for recipients in [1_u32, 10] {
            for (keywords, transaction) in
                [(BOTH, 1), (PIPELINING, 2), (CHUNKING, 1 + recipients + 1), (&[][..], 1 + recipients + 2)]
            {
                let expected = before + transaction;
                let (report, flights, message) = deliver(security, keywords, recipients as usize).await;
                let case = format!("{security:?} {keywords:?} {recipients}");
                assert_eq!(report.round_trips, expected, "{case}");
                assert_eq!(message, b"Subject: Bonjour\r\n\r\n.Texte\r\n");
                // The server sees neither TCP, TLS nor its own greeting as flights, but sees QUIT.
                assert_eq!(flights, expected - 3 + 1, "{case}");
                assert_eq!(report.queue_id.as_deref(), Some("ABC123"));
                assert_eq!(report.recipients.len(), recipients as usize);
            }
        }
    }
}

#[tokio::test]
async fn each_recipient_has_a_result() {
    for keywords in [&["PIPELINING"][..], &["PIPELINING", "CHUNKING", "ENHANCEDSTATUSCODES"], &[]] {
        let acceptor = Some(authority().acceptor(HOST, 2020, 2100));
        let mut running = Responder { keywords, acceptor, starttls: false, refuses: "nobody" }.start().await;
        let mut submission = submission(HOST, running.port, Security::Tls);
        submission.to = ["karim@test.example", "nobody@test.example"].map(|to| to.parse().unwrap()).to_vec();
        let report = submitter(running.port, vec![]).submit(&submission, &mut |_| {}).await;
        assert_eq!(report.verdict, Verdict::Accepted, "{keywords:?}");
        let accepted: Vec<bool> = report.recipients.iter().map(|recipient| recipient.accepted).collect();
        assert_eq!(accepted, [true, false]);
        assert_eq!(report.recipients[1].cause, Some(Cause::RecipientRejected));
        assert!(running.messages.recv().await.is_some());
    }
}

#[tokio::test]
async fn a_dry_run_sends_nothing() {
    let acceptor = Some(authority().acceptor(HOST, 2020, 2100));
    let mut running = Responder {
        keywords: &["PIPELINING", "CHUNKING", "ENHANCEDSTATUSCODES"],
        acceptor,
        starttls: false,
        refuses: "",
    }
    .start()
    .await;
    let submission = Submission { depth: Depth::Recipients, ..submission(HOST, running.port, Security::Tls) };
    let report = submitter(running.port, vec![]).submit(&submission, &mut |_| {}).await;
    assert_eq!(report.verdict, Verdict::DryRunOk);
    assert!(running.messages.try_recv().is_err());
}
