//! Servers that lie, stall, flood and close the connection.

use super::{
    script::{Step, send, serve, until_auth, until_data, until_the_dot},
    *,
};

/// Runs a script. Returns the report and what the server read.
async fn against(steps: Vec<Step>) -> (Report, String) {
    let (port, server) = serve(steps).await;
    let began = tokio::time::Instant::now();
    let report = talk(port).await;
    assert!(began.elapsed() < Duration::from_secs(5), "it ends in time");
    check_bounds(&report);
    server.abort();
    let read = server.await.unwrap_or_default();
    (report, read)
}

fn then(mut steps: Vec<Step>, more: impl IntoIterator<Item = Step>) -> Vec<Step> {
    steps.extend(more);
    steps
}

async fn expect(steps: Vec<Step>, stage: Stage, cause: Cause) -> Report {
    let (report, _) = against(steps).await;
    assert_eq!((report.stage, report.cause), (stage, Some(cause)), "{:#?}", report.transcript);
    report
}

#[tokio::test]
async fn greetings() {
    for (greeting, cause) in [
        ("HTTP/1.1 400 Bad Request\r\n", Cause::NotSubmissionServer),
        ("SSH-2.0-OpenSSH_9.9\r\n", Cause::NotSubmissionServer),
        ("220 ProFTPD Server ready\r\n", Cause::NotSubmissionServer),
        ("-ERR unknown command\r\n", Cause::NotSubmissionServer),
        ("999 hello\r\n", Cause::NotSubmissionServer),
        ("\r\n220 hello\r\n", Cause::NotSubmissionServer),
        // A byte order mark is not a digit.
        ("\u{feff}220 hello ESMTP\r\n", Cause::NotSubmissionServer),
        ("220-one\r\n250 two\r\n", Cause::NotSubmissionServer),
        ("250 hello\r\n", Cause::ProtocolError),
        ("421 4.3.2 Service shutting down\r\n", Cause::ServerBusy),
        ("554 5.7.1 Client host blocked using zen.spamhaus.org\r\n", Cause::IpBlocked),
    ] {
        let report = expect(vec![send(greeting)], Stage::Greeting, cause).await;
        let shown = serde_json::to_string(&report).unwrap();
        assert!(!(shown.contains("OpenSSH") || shown.contains("Bad Request")), "a foreign banner is not repeated");
    }
}

#[tokio::test]
async fn silence_and_slow_drips_end() {
    expect(vec![Step::Silence], Stage::Greeting, Cause::Timeout).await;
    expect(vec![send("220-"), Step::Drip(b'x', Duration::from_millis(100))], Stage::Greeting, Cause::Timeout).await;
    let dripping_ehlo =
        vec![send("220 hi\r\n"), Step::Expect("EHLO"), send("250-"), Step::Drip(b'x', Duration::from_millis(50))];
    expect(dripping_ehlo, Stage::Ehlo, Cause::Timeout).await;
    expect(then(until_auth(), [Step::Silence]), Stage::Auth, Cause::Timeout).await;
}

#[tokio::test]
async fn endless_replies_are_cut() {
    expect(vec![Step::Flood(b'2')], Stage::Greeting, Cause::ReplyTooLarge).await;
    let endless = format!("220-{}\r\n", "x".repeat(1000)).repeat(100);
    expect(vec![send(&endless), Step::Silence], Stage::Greeting, Cause::ReplyTooLarge).await;
    let huge = (0..200).map(|n| format!("250-KEYWORD{n}\r\n")).collect::<String>();
    let steps = vec![
        send("220 hi\r\n"),
        Step::Expect("EHLO"),
        send(&format!("250-hi\r\n{huge}250 AUTH PLAIN\r\n")),
        Step::Expect("AUTH"),
        send("535 no\r\n"),
    ];
    let report = expect(steps, Stage::Auth, Cause::BadCredentials).await;
    assert_eq!(report.capabilities.len(), 64, "a large but legal reply is read, and shown in part");
}

#[tokio::test]
async fn hanging_up_and_resetting_at_every_step() {
    let steps = [
        (vec![], Stage::Greeting),
        (vec![send("220-and\r\n")], Stage::Greeting),
        (vec![send("220 hi\r\n"), Step::Expect("EHLO")], Stage::Ehlo),
        (until_auth(), Stage::Auth),
        (then(until_auth(), [send("235 ok\r\n"), Step::Expect("MAIL")]), Stage::MailFrom),
        (
            then(until_auth(), [send("235 ok\r\n"), Step::Expect("MAIL"), send("250 ok\r\n"), Step::Expect("RCPT")]),
            Stage::RcptTo,
        ),
        (until_data(), Stage::Data),
    ];
    for (steps, stage) in steps {
        for end in [Step::Close, Step::Reset] {
            let report = expect(then(steps.clone(), [end]), stage, Cause::ConnectionLost).await;
            assert!(report.retryable);
            assert_eq!(report.verdict, Verdict::Failed);
        }
        // An unfinished reply, and one that announces the end.
        let report = expect(then(steps.clone(), [send("250-half"), Step::Close]), stage, Cause::ConnectionLost).await;
        assert_eq!(report.verdict, Verdict::Failed);
        if steps.is_empty() || steps.len() > 1 {
            let goodbye = then(steps, [send("421 4.3.2 Service shutting down\r\n")]);
            let report = expect(goodbye, stage, Cause::ServerBusy).await;
            assert!(report.retryable);
        }
    }
}

#[tokio::test]
async fn odd_line_ends_and_replies_never_hang_or_lose_the_thread() {
    // A code alone is a reply (RFC 5321 §4.2.1).
    let terse = vec![
        send("220\r\n"),
        Step::Expect("EHLO"),
        send("250-x\r\n250 AUTH PLAIN\r\n"),
        Step::Expect("AUTH"),
        send("535\r\n"),
    ];
    expect(terse, Stage::Auth, Cause::BadCredentials).await;
    let after_ehlo = |reply: &str| vec![send("220 hi\r\n"), Step::Expect("EHLO"), send(reply)];
    for reply in
        ["\r\n250 x\r\n", "250-x\r\n\r\n250 y\r\n", "250-x\r\n251 y\r\n", "250_x\r\n", "25\r\n", "\u{16}\u{3}\u{1}\r\n"]
    {
        expect(after_ehlo(reply), Stage::Ehlo, Cause::ProtocolError).await;
    }
    // An unsolicited reply: the answer to the next command arrives before the command.
    let (report, read) = against(vec![send("220 hi\r\n250 too early\r\n"), Step::Silence]).await;
    assert_eq!((report.stage, report.cause), (Stage::Ehlo, Some(Cause::ProtocolError)), "{:#?}", report.transcript);
    assert_eq!(read, "", "nothing is said to it");
}

#[tokio::test]
async fn after_the_dot_silence_is_not_failure() {
    for end in [Step::Close, Step::Reset, Step::Silence] {
        let (report, read) = against(then(until_the_dot(), [end])).await;
        assert_eq!((report.verdict, report.retryable), (Verdict::DeliveryUnknown, false));
        assert_eq!(read.matches("MAIL FROM").count().max(1), 1, "no second copy");
    }
    let (report, _) = against(then(until_the_dot(), [send("554 5.7.1 Message rejected as spam\r\n")])).await;
    assert_eq!((report.verdict, report.cause), (Verdict::Failed, Some(Cause::MessageRejected)));
}

#[tokio::test]
async fn logins_that_are_refused() {
    for (reply, cause, retryable) in [
        ("535 5.7.8 Authentication failed\r\n", Cause::BadCredentials, false),
        ("534 5.7.9 Application-specific password required\r\n", Cause::AppPasswordRequired, false),
        ("454 4.7.0 Temporary authentication failure\r\n", Cause::ServerBusy, true),
        ("421 4.7.0 Too many login attempts\r\n", Cause::RateLimited, true),
        ("250 welcome\r\n", Cause::ProtocolError, false),
        ("334 \r\n334 \r\n334 \r\n334 \r\n", Cause::ProtocolError, false),
        ("not a reply\r\n", Cause::ProtocolError, false),
    ] {
        let report = expect(then(until_auth(), [send(reply)]), Stage::Auth, cause).await;
        assert_eq!(report.retryable, retryable, "{reply}");
    }
}

#[tokio::test]
async fn a_secret_that_the_server_echoes_is_not_shown() {
    let echo = format!("535 5.7.8 Authentication failed: {SECRET}, {}\r\n", SECRET.to_uppercase());
    let report = expect(then(until_auth(), [send(&echo)]), Stage::Auth, Cause::BadCredentials).await;
    let shown = serde_json::to_string(&report).unwrap().to_lowercase();
    assert!(!shown.contains(SECRET), "{shown}");
}

#[tokio::test]
async fn a_greeting_that_comes_in_pieces_is_heard_whole_and_auth_may_have_an_equals_sign() {
    let pause = || Step::Pause(Duration::from_millis(250));
    let steps = vec![
        send("220-one\r\n"),
        pause(),
        send("220-two\r\n"),
        pause(),
        send("220 three ESMTP\r\n"),
        Step::Expect("EHLO"),
        send("250-hi\r\n250 AUTH=LOGIN\r\n"),
        Step::Expect("AUTH LOGIN"),
        send("535 5.7.8 no\r\n"),
    ];
    let report = expect(steps, Stage::Auth, Cause::BadCredentials).await;
    assert!(report.transcript.starts_with(&["S: 220-one".to_owned(), "S: 220-two".to_owned()]), "{report:#?}");
}

#[tokio::test]
async fn a_reply_before_its_command_is_a_protocol_error() {
    let early = vec![send("220 hi\r\n250-hi\r\n250 AUTH PLAIN\r\n"), Step::Expect("EHLO")];
    let report = expect(early, Stage::Ehlo, Cause::ProtocolError).await;
    assert_eq!(report.finding, Some(model::report::Finding::UnaskedReply));
}

#[tokio::test]
async fn servers_without_a_login_we_can_use() {
    let ehlo =
        |keywords: &str| vec![send("220 hi\r\n"), Step::Expect("EHLO"), send(&format!("250-hi\r\n250 {keywords}\r\n"))];
    expect(ehlo("SIZE"), Stage::Auth, Cause::AuthNotOffered).await;
    expect(ehlo("AUTH GSSAPI NTLM"), Stage::Auth, Cause::AuthMechanismUnsupported).await;
    let old =
        vec![send("220 hi\r\n"), Step::Expect("EHLO"), send("502 what?\r\n"), Step::Expect("HELO"), send("250 hi\r\n")];
    expect(old, Stage::Auth, Cause::AuthNotOffered).await;
    let rude = vec![
        send("220 hi\r\n"),
        Step::Expect("EHLO"),
        send("550 no\r\n"),
        Step::Expect("HELO"),
        send("550 Access denied - Invalid HELO name\r\n"),
    ];
    expect(rude, Stage::Ehlo, Cause::EhloRejected).await;
}

#[tokio::test]
async fn bare_line_feeds_are_tolerated_and_stray_carriage_returns_are_not() {
    let steps = vec![
        send("220 hi\n"),
        Step::Expect("EHLO"),
        send("250-hi\n250 AUTH LOGIN\n"),
        Step::Expect("AUTH LOGIN"),
        send("334 \n"),
        Step::Expect("Y2xhaXJl"),
        send("334 \n"),
        Step::Expect("YWJj"),
        send("535 no\n"),
    ];
    expect(steps, Stage::Auth, Cause::BadCredentials).await;
    expect(vec![send("220 hi\r250 there\r"), Step::Silence], Stage::Greeting, Cause::Timeout).await;
}

#[tokio::test]
async fn refusals_of_the_envelope_are_explained() {
    let mail = then(
        until_auth(),
        [send("235 ok\r\n"), Step::Expect("MAIL"), send("553 5.7.1 Sender address rejected: not owned by user\r\n")],
    );
    expect(mail, Stage::MailFrom, Cause::SenderRejected).await;
    let steps = |reply: &str| {
        then(
            until_auth(),
            [send("235 ok\r\n"), Step::Expect("MAIL"), send("250 ok\r\n"), Step::Expect("RCPT"), send(reply)],
        )
    };
    let report = expect(steps("450 4.2.0 Greylisted, come back\r\n"), Stage::RcptTo, Cause::Greylisted).await;
    assert!(report.retryable);
    assert_eq!(report.recipients.len(), 1);
    expect(steps("552 5.2.2 Mailbox full\r\n"), Stage::RcptTo, Cause::RecipientMailboxFull).await;
    expect(then(until_data(), [send("250 too early\r\n")]), Stage::Data, Cause::ProtocolError).await;
}

#[tokio::test]
async fn hostile_text_is_shown_as_text() {
    let banner = format!("535 5.7.8 <img src=x onerror=alert(1)> \u{1b}[31m \u{202e}{}\r\n", "x".repeat(1_500));
    let report = expect(then(until_auth(), [send(&banner)]), Stage::Auth, Cause::BadCredentials).await;
    let reply = report.reply.unwrap();
    assert!(reply.chars().count() <= 500 && !reply.contains(['\u{1b}', '\u{202e}']), "{reply}");
}

#[tokio::test]
async fn dropping_the_conversation_closes_the_connection() {
    let (port, server) = serve(then(until_auth(), [Step::Expect("NEVER")])).await;
    let submitter = submitter(port, vec![]);
    let submission = submission("plain.test.example", port, Security::None);
    let mut ignore = |_| {};
    let conversation = submitter.submit(&submission, &mut ignore);
    assert!(tokio::time::timeout(Duration::from_millis(200), conversation).await.is_err());
    let read = tokio::time::timeout(Duration::from_secs(1), server).await.expect("the server saw the end").unwrap();
    assert!(!read.contains("MAIL FROM"));
}
