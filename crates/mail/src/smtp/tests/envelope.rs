//! Addresses, secrets and messages arrive unchanged, or are refused with a clear cause.

use std::sync::{Arc, Mutex};

use model::{address::EmailAddress, report::Finding};

use super::{
    certificates::authority,
    responder::Responder,
    script::{Step, send, serve},
    *,
};

const HOST: &str = "mx.test.example";

async fn respond(keywords: &'static [&'static str]) -> responder::Running {
    Responder { keywords, acceptor: Some(authority().acceptor(HOST, 2020, 2100)), starttls: false, refuses: "" }
        .start()
        .await
}

#[tokio::test]
async fn smtputf8_is_used_where_it_is_needed_and_offered() {
    for (keywords, expected) in [(&["SMTPUTF8", "PIPELINING"][..], None), (&["PIPELINING"], Some(Cause::AddressSyntax))]
    {
        let running = respond(keywords).await;
        let mut submission = submission(HOST, running.port, Security::Tls);
        submission.to = vec!["hélène@test.example".parse().unwrap()];
        let report = submitter(running.port, vec![]).submit(&submission, &mut |_| {}).await;
        check_bounds(&report);
        assert_eq!(report.cause, expected);
        let said = report.transcript.iter().find(|line| line.starts_with("C: MAIL"));
        match expected {
            None => assert!(said.unwrap().ends_with(" SMTPUTF8"), "{said:?}"),
            Some(_) => assert_eq!((report.finding, said), (Some(Finding::Smtputf8NotOffered), None)),
        }
    }
}

#[tokio::test]
async fn a_message_larger_than_the_server_s_size_is_not_begun() {
    let running = respond(&["SIZE 10"]).await;
    let report =
        submitter(running.port, vec![]).submit(&submission(HOST, running.port, Security::Tls), &mut |_| {}).await;
    assert_eq!((report.cause, report.finding), (Some(Cause::MessageTooLarge), Some(Finding::SizeLimit)));
    assert!(!report.transcript.iter().any(|line| line.starts_with("C: MAIL")));
}

#[tokio::test]
async fn secrets_arrive_byte_for_byte() {
    let long = "x".repeat(1_000);
    for secret in ["abcd efgh ijkl mnop", " p ", "pä§\u{a0}%+\"\\'&", "🔑🗝️", "a", "\u{200b}zero", &long] {
        let heard = Arc::new(Mutex::new(String::new()));
        let mut script = vec![
            send("220 hi\r\n"),
            Step::Expect("EHLO"),
            send("250-hi\r\n250 AUTH PLAIN\r\n"),
            Step::Expect("AUTH PLAIN"),
        ];
        if secret == long {
            // It does not fit into the line of the command.
            script.extend([send("334 \r\n"), Step::Expect("AGNsYWlyZUB0ZXN0")]);
        }
        script.push(send("535 5.7.8 no\r\n"));
        let (port, server) = serve(script).await;
        let mut submission = submission("plain.test.example", port, Security::None);
        submission.credentials =
            Some(Credentials::uncounted("claire@test.example".to_owned(), SecretString::from(secret)));
        let report = submitter(port, vec![]).submit(&submission, &mut |_| {}).await;
        assert_eq!(report.cause, Some(Cause::BadCredentials));
        *heard.lock().unwrap() = server.await.unwrap();
        let heard = heard.lock().unwrap();
        let sent = heard.split_once("AUTH PLAIN").unwrap().1;
        let word = sent.split_whitespace().next().unwrap();
        let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, word).unwrap();
        assert_eq!(bytes, format!("\0claire@test.example\0{secret}").into_bytes());
        let shown = serde_json::to_string(&report).unwrap();
        assert!(secret.chars().count() < 4 || !shown.contains(secret), "{shown}");
    }
}

/// What an attacker enters as an address (the class of CVE-2025-59937): parameters, second commands, routes, groups.
#[test]
fn addresses_that_are_commands_are_refused() {
    for typed in [
        "\"a> SIZE=1\"@exemple.fr",
        "\"a>\\r\\nRCPT TO:<b@exemple.fr\"@exemple.fr",
        "a@exemple.fr> BODY=8BITMIME",
        "a@exemple.fr> RET=HDRS ENVID=x",
        "<a@exemple.fr>",
        "a@exemple.fr>\r\nDATA",
        "a@exemple.fr\nRCPT TO:<b@exemple.fr>",
        "a%0d%0aRCPT TO:<b>@exemple.fr",
        "a\u{85}b@exemple.fr",
        "a\u{2028}b@exemple.fr",
        "a\0@exemple.fr",
        "a\tb@exemple.fr",
        "\"a b\"@exemple.fr",
        "\"\\\"a> NOTIFY=NEVER\\\"\"@exemple.fr",
        "@relais.fr:a@exemple.fr",
        "@a.fr,@b.fr:c@exemple.fr",
        "Groupe: a@exemple.fr, b@exemple.fr;",
        "a@b@exemple.fr",
        "a(comment)@exemple.fr",
        "a@exemple.fr (comment)",
        "a@[127.0.0.1]",
        "a@[IPv6:::1]",
        "a,b@exemple.fr",
        "a;b@exemple.fr",
        "a\\b@exemple.fr",
        "a\u{202e}b@exemple.fr",
    ] {
        assert!(EmailAddress::parse(typed).is_err(), "{typed:?}");
    }
}

#[tokio::test]
async fn capabilities_after_encryption_are_the_ones_that_count() {
    // The responder offers PIPELINING and AUTH in clear; after TLS it has neither PIPELINING nor what `keywords` lacks.
    let acceptor = Some(authority().acceptor(HOST, 2020, 2100));
    let running = Responder { keywords: &["8BITMIME"], acceptor, starttls: true, refuses: "" }.start().await;
    let report =
        submitter(running.port, vec![]).submit(&submission(HOST, running.port, Security::Starttls), &mut |_| {}).await;
    assert_eq!(report.verdict, Verdict::Accepted);
    assert_eq!(report.capabilities, ["8BITMIME", "AUTH PLAIN"]);
    assert_eq!(report.round_trips, 6 + 1 + 4, "no groups of commands");
}

#[tokio::test]
async fn a_mechanism_that_is_announced_and_not_there_is_passed_over() {
    let script = vec![
        send("220 hi\r\n"),
        Step::Expect("EHLO"),
        send("250-hi\r\n250 AUTH PLAIN LOGIN\r\n"),
        Step::Expect("AUTH PLAIN"),
        send("504 5.5.4 Unrecognized authentication type\r\n"),
        Step::Expect("AUTH LOGIN Y2xhaXJlQHRlc3QuZXhhbXBsZQ=="),
        send("334 UGFzc3dvcmQ6\r\n"),
        Step::Expect("YWJjZGVmZ2hpamtsbW5vcA=="),
        send("235 2.7.0 ok\r\n"),
        Step::Expect("MAIL"),
        send("550 5.7.1 Sender address rejected: not owned by user\r\n"),
    ];
    let (port, server) = serve(script).await;
    let report = talk(port).await;
    check_bounds(&report);
    assert_eq!(report.cause, Some(Cause::SenderRejected), "{:#?}", report.transcript);
    assert!(report.transcript.iter().any(|line| line == "S: 334 UGFzc3dvcmQ6 (Password:)"));
    server.abort();
}
