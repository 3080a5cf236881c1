//! One connection for several messages, and the commit point before the end of each.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;

use super::{
    certificates::authority,
    responder::Responder,
    script::{Step, send, serve_each, until_data, until_the_dot},
    *,
};

const HOST: &str = "mx.test.example";

struct Shut;
/// Allows every message, and counts.
struct Counted(AtomicU32);

#[async_trait]
impl CommitPoint for Shut {
    async fn reach(&self, _to: &[String]) -> bool {
        false
    }
}

#[async_trait]
impl CommitPoint for Counted {
    async fn reach(&self, _to: &[String]) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst);
        true
    }
}

#[tokio::test]
async fn the_next_message_takes_what_the_table_says() {
    for (keywords, flights, later) in [
        (&["PIPELINING"][..], 2, 2),
        (&["PIPELINING", "CHUNKING", "ENHANCEDSTATUSCODES"], 1, 2),
        (&["CHUNKING", "ENHANCEDSTATUSCODES"], 3, 3),
        (&[], 4, 4),
    ] {
        let acceptor = Some(authority().acceptor(HOST, 2020, 2100));
        let mut running = Responder { keywords, acceptor, starttls: false, refuses: "" }.start().await;
        let (submitter, submission) = (submitter(running.port, vec![]), submission(HOST, running.port, Security::Tls));
        let gate = Counted(AtomicU32::new(0));
        let mut connection = None;
        for (number, expected) in [(1, None), (2, Some(flights)), (3, Some(flights)), (4, Some(later))] {
            if number == 4 {
                // The connection may have died meanwhile, so the message is not sent in the same flight.
                tokio::time::sleep(Duration::from_millis(1_100)).await;
            }
            let delivery = submitter.deliver(&submission, connection, limits(), &gate).await;
            assert_eq!(delivery.report.verdict, Verdict::Accepted, "{:#?}", delivery.report);
            assert!(expected.is_none_or(|expected| expected == delivery.report.round_trips), "{keywords:?} {number}");
            assert_eq!(running.messages.recv().await.unwrap(), b"Subject: Bonjour\r\n\r\n.Texte\r\n");
            assert_eq!(gate.0.load(Ordering::SeqCst), number);
            connection = delivery.connection;
            assert_eq!(connection.as_ref().unwrap().messages, number);
            check_bounds(&delivery.report);
        }
        connection.unwrap().close();
        running.ended.await.unwrap();
    }
}

fn one_message(then: Step) -> Vec<Step> {
    let mut steps = until_the_dot();
    steps.extend([send("250 ok\r\n"), then]);
    steps
}

#[tokio::test]
async fn a_connection_that_was_closed_is_replaced() {
    for before in [Step::Close, Step::Reset] {
        let (port, read) = serve_each(vec![one_message(before), one_message(Step::Close)]).await;
        let submitter = submitter(port, vec![]);
        let submission = submission("plain.test.example", port, Security::None);
        let first = submitter.deliver(&submission, None, limits(), &Open).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let second = submitter.deliver(&submission, first.connection, limits(), &Open).await;
        assert_eq!(second.report.verdict, Verdict::Accepted, "{:#?}", second.report);
        assert_eq!(second.connection.unwrap().messages, 1, "it is another one");
        assert!(read.await.unwrap().iter().all(|read| read.matches("MAIL FROM").count() == 1));
    }
}

#[tokio::test]
async fn a_server_that_says_goodbye_at_the_next_sender_is_asked_again() {
    let mut first = until_the_dot();
    first.extend([send("250 ok\r\n"), Step::Expect("MAIL FROM:<c"), send("421 4.7.0 too long\r\n"), Step::Close]);
    let (port, _read) = serve_each(vec![first, one_message(Step::Close)]).await;
    let submitter = submitter(port, vec![]);
    let submission = submission("plain.test.example", port, Security::None);
    let one = submitter.deliver(&submission, None, limits(), &Open).await;
    let two = submitter.deliver(&submission, one.connection, limits(), &Open).await;
    assert_eq!((two.report.verdict, two.fate), (Verdict::Accepted, None), "{:#?}", two.report);
}

#[tokio::test]
async fn behind_a_shut_gate_the_server_has_no_message() {
    let mut steps = until_data();
    steps.extend([send("354 go\r\n"), Step::Expect(".\r\n")]);
    let (port, read) = serve_each(vec![steps]).await;
    let submission = submission("plain.test.example", port, Security::None);
    let delivery = submitter(port, vec![]).deliver(&submission, None, limits(), &Shut).await;
    assert!(delivery.fate == Some(Fate::Withheld) && delivery.connection.is_none());
    assert_eq!(delivery.report.verdict, Verdict::Failed);
    let read = read.await.unwrap().remove(0);
    assert!(read.ends_with("..Texte\r\n"), "{read}");
}

#[tokio::test]
async fn a_conversation_that_may_be_stopped_sends_only_with_leave_and_says_goodbye() {
    let mut steps = until_data();
    steps.extend([send("354 go\r\n"), Step::Expect(".\r\n")]);
    let (port, read) = serve_each(vec![steps]).await;
    let shut = submission("plain.test.example", port, Security::None);
    assert!(submitter(port, vec![]).submit_committed(&shut, &Shut, &mut |_| {}).await.is_none());
    let read = read.await.unwrap().remove(0);
    assert!(read.ends_with("..Texte\r\n"), "{read}");

    let mut steps = until_the_dot();
    steps.extend([send("250 ok\r\n"), Step::Expect("QUIT"), send("221 bye\r\n")]);
    let (port, read) = serve_each(vec![steps]).await;
    let open = submission("plain.test.example", port, Security::None);
    let report = submitter(port, vec![]).submit_committed(&open, &Open, &mut |_| {}).await.unwrap();
    assert_eq!(report.verdict, Verdict::Accepted);
    assert!(read.await.unwrap().remove(0).ends_with("QUIT\r\n"));
}

#[tokio::test]
async fn a_server_that_leaves_before_the_end_has_no_message_either() {
    struct Late;
    #[async_trait]
    impl CommitPoint for Late {
        async fn reach(&self, _to: &[String]) -> bool {
            tokio::time::sleep(Duration::from_millis(100)).await;
            true
        }
    }
    let mut steps = until_data();
    steps.extend([send("354 go\r\n"), Step::Expect("Subject"), Step::Close]);
    let (port, _read) = serve_each(vec![steps]).await;
    let submission = submission("plain.test.example", port, Security::None);
    let delivery = submitter(port, vec![]).deliver(&submission, None, limits(), &Late).await;
    assert_eq!(delivery.report.verdict, Verdict::Failed, "not unknown: {:#?}", delivery.report);
    assert!(delivery.report.retryable && delivery.fate != Some(Fate::Withheld));
}

#[tokio::test]
async fn a_connection_on_which_more_was_said_than_asked_is_not_used_again() {
    let mut first = until_the_dot();
    first.extend([send("250 ok\r\n250 ok\r\n"), Step::Expect("MAIL FROM:<c"), send("250 ok\r\n")]);
    let (port, _read) = serve_each(vec![first, one_message(Step::Close)]).await;
    let submitter = submitter(port, vec![]);
    let submission = submission("plain.test.example", port, Security::None);
    let one = submitter.deliver(&submission, None, limits(), &Open).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let two = submitter.deliver(&submission, one.connection, limits(), &Open).await;
    assert_eq!((two.report.verdict, two.connection.unwrap().messages), (Verdict::Accepted, 1));
}
