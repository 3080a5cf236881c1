//! Unsolicited replies: repeated, too early, or a whole conversation in advance. The n-th reply answers the n-th
//! command, so one too many shifts all that follow. These servers never accept a message or a login: every "accepted"
//! is a reply that was taken for the answer to another command.

use async_trait::async_trait;
use tokio::net::TcpListener;

use super::{
    script::{Step, send, serve_each, until_auth, until_data, until_the_dot},
    *,
};
use eager::{At, Besides, Eager, PLACES, twice_for_the_sender};

mod copies;
mod eager;
mod shifted;

const KEYWORDS: [&str; 5] = [
    "",
    "250-PIPELINING\r\n",
    "250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n",
    "250-PIPELINING\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n",
    "250-PIPELINING\r\n250-CHUNKING\r\n",
];
const HOST: &str = "plain.test.example";

/// Allows the message after a while, like a database that writes it down.
struct Slow;

#[async_trait]
impl CommitPoint for Slow {
    async fn reach(&self, _to: &[String]) -> bool {
        tokio::time::sleep(Duration::from_millis(20)).await;
        true
    }
}

#[tokio::test]
async fn no_reply_is_taken_for_the_answer_to_another_command() {
    for security in [Security::None, Security::Tls, Security::Starttls] {
        for keywords in KEYWORDS {
            for at in PLACES {
                for besides in [Besides::Twice, Besides::Next, Besides::Everything] {
                    let eager = Eager { keywords, security, at, besides, login: "235 ok\r\n" };
                    let (port, served) = eager.start().await;
                    let (submitter, submission) = (submitter(port, vec![]), submission(HOST, port, security));
                    let case = format!("{security:?} {keywords:?} {at:?} {besides:?}");
                    let tested = submitter.submit(&submission, &mut |_| {}).await;
                    let sent = submitter.deliver(&submission, None, limits(), &Slow).await;
                    assert!(sent.connection.is_none(), "{case}");
                    for report in [tested, sent.report] {
                        check_bounds(&report);
                        assert!(
                            matches!(report.verdict, Verdict::Failed | Verdict::DeliveryUnknown),
                            "{case}: {:#?}",
                            report.transcript
                        );
                        // A reply that is there before the next command is found there.
                        let first = match at {
                            At::Greeting => Some(Stage::Ehlo),
                            At::Ehlo if security == Security::Starttls => Some(Stage::Starttls),
                            At::Ehlo => Some(Stage::Auth),
                            At::Auth => Some(Stage::MailFrom),
                            At::Starttls if security == Security::Starttls => Some(Stage::Starttls),
                            _ => None,
                        };
                        if let Some(stage) = first {
                            assert_eq!((report.stage, report.cause), (stage, Some(Cause::ProtocolError)), "{case}");
                            assert!(!report.retryable && report.verdict == Verdict::Failed, "{case}");
                        }
                        let rejected = report.cause == Some(Cause::MessageRejected);
                        let honest = at == At::Starttls && security != Security::Starttls
                            || at == At::Data && keywords.contains("ENHANCED");
                        assert!(
                            report.cause == Some(Cause::ProtocolError) || rejected && (honest || at == At::Message),
                            "{case}: {report:#?}"
                        );
                    }
                    served.abort();
                }
            }
        }
    }
}

#[tokio::test]
async fn an_early_235_is_no_login() {
    for security in [Security::None, Security::Tls] {
        for at in [At::Greeting, At::Ehlo] {
            for besides in [Besides::Next, Besides::Everything] {
                let eager = Eager { keywords: KEYWORDS[3], security, at, besides, login: "535 5.7.8 wrong\r\n" };
                let (port, served) = eager.start().await;
                for depth in [Depth::Login, Depth::Recipients] {
                    let submission = Submission { depth, ..submission(HOST, port, security) };
                    let report = submitter(port, vec![]).submit(&submission, &mut |_| {}).await;
                    assert_eq!((report.verdict, report.cause), (Verdict::Failed, Some(Cause::ProtocolError)));
                }
                served.abort();
            }
        }
    }
    // It arrives just after the command: the refusal that follows is read before the reply to QUIT.
    let mut late = until_auth();
    late.extend([send("235 early\r\n"), send("535 5.7.8 wrong\r\n"), Step::Expect("QUIT"), send("221 bye\r\n")]);
    let (port, _read) = serve_each(vec![late]).await;
    let submission = Submission { depth: Depth::Login, ..submission(HOST, port, Security::None) };
    let report = submitter(port, vec![]).submit(&submission, &mut |_| {}).await;
    assert_eq!((report.verdict, report.cause), (Verdict::Failed, Some(Cause::ProtocolError)), "{report:#?}");
}

/// A real case: one 250 too many for the sender, and the message is refused.
#[tokio::test]
async fn a_refusal_of_the_message_is_not_lost_behind_a_reply_too_many() {
    let replies = |replies: &str| {
        vec![
            send("220 hi\r\n"),
            Step::Expect("EHLO"),
            send("250-hi\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN\r\n"),
            Step::Expect("AUTH"),
            send("235 ok\r\n"),
            Step::Expect("BDAT"),
            // Only now: the end of the message was sent.
            Step::Expect("Ende"),
            send(replies),
            Step::Expect("QUIT"),
            send("221 bye\r\n"),
        ]
    };
    let mut submission = submission(HOST, 0, Security::None);
    submission.message = b"Subject: Bonjour\r\n\r\nEnde\r\n".to_vec();
    for all in ["250 ok\r\n250 ok\r\n250 ok\r\n550 no\r\n", "250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n"] {
        let (port, _read) = serve_each(vec![replies(all), replies(all)]).await;
        submission.port = port;
        let submitter = submitter(port, vec![]);
        let tested = submitter.submit(&submission, &mut |_| {}).await;
        let sent = submitter.deliver(&submission, None, limits(), &Slow).await;
        for report in [tested, sent.report] {
            assert_eq!((report.verdict, report.cause), (Verdict::DeliveryUnknown, Some(Cause::ProtocolError)));
            assert!(!report.retryable, "no second copy");
        }
    }
}

/// The unsolicited reply is read as the answer to the next command, and the real answer comes late: servers that leave
/// Nagle's algorithm on send it 40 ms later. A late reply to `RCPT`, however late, does not answer the message.
#[tokio::test]
async fn a_late_answer_to_a_recipient_is_not_one_to_the_message() {
    let keywords = ["250-ENHANCEDSTATUSCODES\r\n", ""];
    for (enhanced, pause) in keywords.into_iter().flat_map(|keyword| [0, 20, 60, 200].map(|ms| (keyword, ms))) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(twice_for_the_sender(stream, enhanced, Duration::from_millis(pause)));
            }
        });
        let submission = submission(HOST, port, Security::None);
        let submitter = submitter(port, vec![]);
        let tested = submitter.submit(&submission, &mut |_| {}).await;
        let sent = submitter.deliver(&submission, None, limits(), &Slow).await.report;
        for report in [tested, sent] {
            let honest = matches!(report.verdict, Verdict::Failed | Verdict::DeliveryUnknown);
            assert!(honest, "{enhanced:?}, {pause} ms: {:#?}", report.transcript);
        }
        served.abort();
    }
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_message_is_none() {
    for (answer, cause) in [("250 taken\r\n", Cause::ProtocolError), ("552 5.3.4 too big\r\n", Cause::MessageTooLarge)]
    {
        let mut steps = until_data();
        steps.extend([send("354 go\r\n"), Step::Expect("Subject"), send(answer), Step::Expect(".\r\n")]);
        let (port, read) = serve_each(vec![steps]).await;
        let submission = submission(HOST, port, Security::None);
        let delivery = submitter(port, vec![]).deliver(&submission, None, limits(), &Slow).await;
        assert_eq!((delivery.report.verdict, delivery.report.cause), (Verdict::Failed, Some(cause)));
        let read = read.await.unwrap().remove(0);
        assert!(read.ends_with("..Texte\r\n"), "neither the dot nor a farewell, which would be text: {read:?}");
    }
}

#[tokio::test]
async fn a_goodbye_may_come_at_any_time() {
    // A server may send 421 at any time (RFC 5321 §3.8): that is not a protocol error, and is worth another try.
    for goodbye in ["421 4.3.2 shutting down\r\n", "421-4.3.2 shutting\r\n421 4.3.2 down\r\n"] {
        let mut steps = until_auth();
        steps.extend([send(&format!("235 ok\r\n{goodbye}")), Step::Close]);
        let (port, _read) = serve_each(vec![steps]).await;
        let report = talk(port).await;
        assert_eq!((report.stage, report.cause), (Stage::MailFrom, Some(Cause::ServerBusy)), "{report:#?}");
        assert!(report.retryable);
    }
    let mut steps = until_auth();
    steps.extend([send("235 ok\r\n451 4.4.2 timeout\r\n"), Step::Close]);
    let (port, _read) = serve_each(vec![steps]).await;
    let report = talk(port).await;
    assert!(report.retryable && report.cause != Some(Cause::ProtocolError), "{report:#?}");
    // After the message it changes nothing, and on an open connection the next message goes over another one.
    let mut first = until_the_dot();
    first.extend([send("250 2.0.0 Ok: queued as FIRST1\r\n421 4.4.2 idle for too long\r\n"), Step::Close]);
    let mut second = until_the_dot();
    second.extend([send("250 ok\r\n"), Step::Close]);
    let (port, _read) = serve_each(vec![first, second]).await;
    let (submitter, submission) = (submitter(port, vec![]), submission(HOST, port, Security::None));
    let one = submitter.deliver(&submission, None, limits(), &Slow).await;
    assert_eq!(one.report.queue_id.as_deref(), Some("FIRST1"));
    let two = submitter.deliver(&submission, one.connection, limits(), &Slow).await;
    assert_eq!((two.report.verdict, two.report.cause), (Verdict::Accepted, None), "{:#?}", two.report);
}
