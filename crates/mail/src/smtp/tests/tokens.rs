//! Access tokens and long passwords: `AUTH` in one line or two, and refusals whose reason is hidden in a challenge.

use base64::{Engine, prelude::BASE64_STANDARD};
use model::report::Finding;

use super::{
    script::{Step, send, serve},
    *,
};

const LOGIN: &str = "claire@test.example";
const GOOGLE: &str = r#"{"status":"401","schemes":"Bearer","scope":"https://mail.google.com/"}"#;

/// A token of this length, as random as a real one.
fn token(length: usize) -> String {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[(state >> 26) as usize])
    };
    (0..length).map(|_| next()).collect()
}

/// Base64 of the whole message of each mechanism.
fn message(mechanism: Mechanism, port: u16, secret: &str) -> String {
    BASE64_STANDARD.encode(match mechanism {
        Mechanism::OauthBearer => {
            format!("n,a={LOGIN},\x01host=plain.test.example\x01port={port}\x01auth=Bearer {secret}\x01\x01")
        }
        Mechanism::Xoauth2 => format!("user={LOGIN}\x01auth=Bearer {secret}\x01\x01"),
        _ => format!("\0{LOGIN}\0{secret}"),
    })
}

fn challenge(json: &str) -> Step {
    send(&format!("334 {}\r\n", BASE64_STANDARD.encode(json)))
}

/// A login with this secret at a server that offers these mechanisms: the report, the lines of the client, the port.
async fn log_in(
    offered: &str,
    wanted: Option<Mechanism>,
    secret: &str,
    script: Vec<Step>,
) -> (Report, Vec<String>, u16) {
    let mut steps = vec![
        send("220 hi\r\n"),
        Step::Expect("EHLO"),
        send(&format!("250-hi\r\n250-PIPELINING\r\n250 AUTH {offered}\r\n")),
    ];
    steps.extend(script);
    let (port, server) = serve(steps).await;
    let mut submission = submission("plain.test.example", port, Security::None);
    submission.depth = Depth::Login;
    submission.mechanism = wanted;
    submission.credentials = Some(Credentials::uncounted(LOGIN.to_owned(), SecretString::from(secret)));
    let report = submitter(port, vec![]).submit(&submission, &mut |_| {}).await;
    check_bounds(&report);
    check_hidden(&report, secret, port);
    let read = server.await.unwrap();
    let lines: Vec<String> = read.lines().skip(1).map(str::to_owned).collect();
    for line in lines.iter().filter(|line| line.starts_with("AUTH")) {
        assert!(line.len() <= 510, "{line}");
    }
    (report, lines, port)
}

/// No eight characters of the secret, or of the messages that contain it, are in the report.
fn check_hidden(report: &Report, secret: &str, port: u16) {
    let text = serde_json::to_string(report).unwrap();
    let tail = |form: String| form[form.len() / 2..].trim_end_matches('=').to_owned();
    let forms = [
        secret.to_owned(),
        BASE64_STANDARD.encode(secret),
        tail(message(Mechanism::Xoauth2, port, secret)),
        tail(message(Mechanism::OauthBearer, port, secret)),
    ];
    for form in forms {
        let found = form.as_bytes().windows(8).map(String::from_utf8_lossy).find(|run| text.contains(run.as_ref()));
        assert_eq!(found, None, "{text}");
    }
}

fn about_auth(report: &Report) -> Vec<&str> {
    let from = report.transcript.iter().position(|line| line.starts_with("C: AUTH")).unwrap();
    report.transcript[from..].iter().map(String::as_str).take_while(|line| *line != "C: QUIT").collect()
}

#[tokio::test]
async fn a_short_token_goes_with_the_command() {
    for mechanism in [Mechanism::Xoauth2, Mechanism::OauthBearer] {
        let secret = token(150);
        let script = vec![Step::Expect("AUTH "), send("235 2.7.0 ok\r\n")];
        let (report, lines, port) = log_in("PLAIN XOAUTH2 OAUTHBEARER", Some(mechanism), &secret, script).await;
        assert_eq!((report.verdict, report.mechanism), (Verdict::DryRunOk, Some(mechanism)));
        let name = mechanism.name();
        assert_eq!(lines[0], format!("AUTH {name} {}", message(mechanism, port, &secret)));
        assert_eq!(about_auth(&report), [&format!("C: AUTH {name} •••"), "S: 235 2.7.0 ok"]);
    }
}

#[tokio::test]
async fn a_long_secret_goes_after_the_command() {
    for (mechanism, bare) in [
        (Mechanism::Xoauth2, "AUTH XOAUTH2\r\n"),
        (Mechanism::OauthBearer, "AUTH OAUTHBEARER\r\n"),
        (Mechanism::Plain, "AUTH PLAIN\r\n"),
    ] {
        let secret = token(2_500);
        // The response is read up to its line end: QUIT follows it.
        let script = vec![
            Step::Expect(bare),
            send("334 \r\n"),
            Step::Pause(Duration::from_millis(100)),
            send("235 2.7.0 ok\r\n"),
            Step::Expect("QUIT"),
            send("221 bye\r\n"),
        ];
        let (report, lines, port) = log_in("PLAIN XOAUTH2 OAUTHBEARER", Some(mechanism), &secret, script).await;
        assert_eq!(report.verdict, Verdict::DryRunOk, "{:#?}", report.transcript);
        assert_eq!(lines[..2], [bare.trim_end().to_owned(), message(mechanism, port, &secret)]);
        let command = format!("C: {}", bare.trim_end());
        assert_eq!(about_auth(&report), [&command, "S: 334", "C: •••", "S: 235 2.7.0 ok"]);
    }
}

#[tokio::test]
async fn a_refused_token_is_answered_as_its_mechanism_says() {
    for (mechanism, command, answered) in
        [(Mechanism::Xoauth2, "AUTH XOAUTH2", "\r\n"), (Mechanism::OauthBearer, "AUTH OAUTHBEARER", "AQ==\r\n")]
    {
        for length in [150, 2_500] {
            let mut script = vec![Step::Expect(command)];
            if length > 510 {
                script.extend([send("334 \r\n"), Step::Pause(Duration::from_millis(100))]);
            }
            script.extend([
                challenge(GOOGLE),
                Step::Expect(answered),
                send("535-5.7.8 Username and Password not accepted.\r\n535 5.7.8 Learn more gsmtp\r\n"),
                Step::Expect("QUIT"),
                send("221 bye\r\n"),
            ]);
            let (report, lines, _) = log_in("XOAUTH2 OAUTHBEARER", Some(mechanism), &token(length), script).await;
            assert_eq!((report.cause, report.stage), (Some(Cause::BadCredentials), Stage::Auth), "{report:#?}");
            let reply = report.reply.as_deref().unwrap();
            assert_eq!(reply, "535 5.7.8 Username and Password not accepted. Learn more gsmtp");
            assert!(report.transcript.contains(&format!("S: ({GOOGLE})")), "{:#?}", report.transcript);
            assert!(report.transcript.contains(&"S: 334 •••".to_owned()), "{:#?}", report.transcript);
            let at = if length > 510 { 2 } else { 1 };
            assert_eq!(lines[at], answered.trim_end());
        }
    }
}

#[tokio::test]
async fn the_status_of_a_hidden_reason_counts() {
    for (status, cause) in [
        ("insufficient_scope", Cause::OauthPermission),
        ("invalid_token", Cause::BadCredentials),
        ("400", Cause::BadCredentials),
        ("nonsense", Cause::BadCredentials),
    ] {
        let script = vec![
            Step::Expect("AUTH OAUTHBEARER"),
            challenge(&format!(r#"{{"status":"{status}","scope":"mail"}}"#)),
            Step::Expect("AQ=="),
            send("535 5.7.8 Error: authentication failed\r\n"),
        ];
        let (report, ..) = log_in("OAUTHBEARER", Some(Mechanism::OauthBearer), &token(150), script).await;
        assert_eq!(report.cause, Some(cause), "{status}");
        assert_eq!(report.reply.as_deref(), Some("535 5.7.8 Error: authentication failed"), "without the status");
    }
}

#[tokio::test]
async fn a_token_goes_to_the_mechanism_that_is_offered() {
    let script = vec![Step::Expect("AUTH OAUTHBEARER"), send("235 ok\r\n")];
    let (report, ..) = log_in("PLAIN OAUTHBEARER", Some(Mechanism::Xoauth2), &token(150), script).await;
    assert_eq!((report.verdict, report.mechanism), (Verdict::DryRunOk, Some(Mechanism::OauthBearer)));
    for (offered, wanted) in [("PLAIN LOGIN", Some(Mechanism::Xoauth2)), ("XOAUTH2 OAUTHBEARER", None)] {
        let (report, lines, _) = log_in(offered, wanted, &token(150), vec![]).await;
        assert_eq!(report.cause, Some(Cause::AuthMechanismUnsupported));
        assert_eq!(report.finding, Some(Finding::NoCommonMechanism));
        assert!(!lines.iter().any(|line| line.starts_with("AUTH")), "{lines:?}");
    }
}

#[tokio::test]
async fn a_reason_before_the_token_ends_the_conversation() {
    for (mechanism, command) in
        [(Mechanism::Xoauth2, "AUTH XOAUTH2\r\n"), (Mechanism::OauthBearer, "AUTH OAUTHBEARER\r\n")]
    {
        let secret = token(2_500);
        // As if it had kept the token from another conversation.
        let json = format!(r#"{{"status":"400","got":"{secret}"}}"#);
        let script = vec![Step::Expect(command), challenge(&json[..1_000]), challenge(GOOGLE)];
        let (report, lines, _) = log_in("XOAUTH2 OAUTHBEARER", Some(mechanism), &secret, script).await;
        assert_eq!((report.cause, report.stage), (Some(Cause::ProtocolError), Stage::Auth));
        assert_eq!(lines.iter().filter(|line| *line != "QUIT").count(), 1, "{lines:?}");
    }
}

#[tokio::test]
async fn a_server_that_repeats_the_token_is_not_shown() {
    let secret = token(1_400);
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let json = |got: &str| format!(r#"{{"status":"401","got":"{got}"}}"#);
    let xoauth2 = message(Mechanism::Xoauth2, 25, &secret);
    for part in [&secret[..900], &percent[..900], &xoauth2[..1_000], &BASE64_STANDARD.encode(&secret)[..900]] {
        let script = vec![
            Step::Expect("AUTH XOAUTH2"),
            send("334 \r\n"),
            Step::Pause(Duration::from_millis(100)),
            challenge(&json(part)),
            Step::Expect("\r\n"),
            send(&format!("535-5.7.8 {}\r\n535 5.7.8 {part}\r\n", &BASE64_STANDARD.encode(json(part))[..1_000])),
        ];
        let (report, ..) = log_in("XOAUTH2", Some(Mechanism::Xoauth2), &secret, script).await;
        assert!(report.reply.as_deref().is_some_and(|reply| reply.contains("•••")), "{report:#?}");
        assert!(!serde_json::to_string(&report).unwrap().contains(&percent[300..330]));
    }
}

#[tokio::test]
async fn a_token_that_no_line_holds_is_not_sent() {
    let secret = token(9_300);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for wanted in [Mechanism::Xoauth2, Mechanism::OauthBearer, Mechanism::Plain] {
        let mut submission = submission("plain.test.example", port, Security::None);
        submission.mechanism = Some(wanted);
        submission.credentials = Some(Credentials::uncounted(LOGIN.to_owned(), SecretString::from(secret.as_str())));
        let report = submitter(port, vec![]).submit(&submission, &mut |_| {}).await;
        assert_eq!((report.cause, report.stage), (Some(Cause::BadCredentials), Stage::Resolve));
        assert_eq!((report.finding, report.round_trips), (Some(Finding::SecretTooLong), 0));
    }
    assert!(tokio::time::timeout(Duration::from_millis(200), listener.accept()).await.is_err(), "nothing was dialled");
    // A password may go to a mechanism that sends a hash of it, but not to the one that the server offers.
    let (report, lines, _) = log_in("PLAIN LOGIN", None, &secret, vec![]).await;
    assert_eq!((report.stage, report.finding), (Stage::Auth, Some(Finding::SecretTooLong)));
    assert!(!lines.iter().any(|line| line.starts_with("AUTH")), "{lines:?}");
}
