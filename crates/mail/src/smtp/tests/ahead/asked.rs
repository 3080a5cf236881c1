//! `RSET` is sent with the end of a message to a server that answers every message in the same words.

use super::*;

const SAME: &str = "250 2.0.0 Ok\r\n";

/// Two messages over one connection, neither begun ahead. `after_the_second`: the steps after its `354`.
async fn second(after_the_second: Vec<Step>, change: fn(Connection) -> Connection) -> Delivery {
    let mut script = pipelining();
    script.extend([send(SAME), Step::Expect("RCPT TO:<lea"), send("250 ok\r\n250 ok\r\n354 go\r\n")]);
    script.extend(after_the_second);
    let (port, _read) = serve_each(vec![script]).await;
    let submitter = submitter(port, vec![]);
    let one = submitter.deliver(&to(port, "karim@test.example"), None, limits(), &Open).await;
    assert_eq!(one.report.verdict, Verdict::Accepted, "{:#?}", one.report);
    let connection = one.connection.map(change);
    submitter.deliver(&to(port, "lea@test.example"), connection, limits(), &Open).await
}

#[tokio::test]
async fn the_question_leaves_with_the_end() {
    for (answers, expected) in [
        ("250 ok\r\n", Verdict::Accepted),
        // A few servers do not support the command, and 421 may come at any time.
        ("502 5.5.1 what\r\n", Verdict::Accepted),
        ("421 4.7.0 enough\r\n", Verdict::Accepted),
        // The refusal of the message, late.
        ("554 5.7.1 Spam\r\n", Verdict::DeliveryUnknown),
    ] {
        // The server reads both before it answers either.
        let steps = vec![Step::Expect("RSET"), send(&[SAME, answers].concat()), Step::Expect("never")];
        let two = second(steps, |open| open).await;
        assert_eq!(two.report.verdict, expected, "{answers}: {:#?}", two.report);
        assert_eq!(two.report.round_trips, 2, "the commands, the message");
        assert!(!two.stumbled);
    }
}

#[tokio::test]
async fn a_refusal_is_the_message_s_unless_another_one_follows() {
    for (answers, expected) in [("250 ok\r\n", Verdict::Failed), ("554 5.7.1 Spam\r\n", Verdict::DeliveryUnknown)] {
        let answers = ["554 5.7.1 Spam\r\n", answers].concat();
        let two = second(vec![Step::Expect("RSET"), send(&answers), Step::Expect("never")], |open| open).await;
        assert_eq!(two.report.verdict, expected, "{answers}: {:#?}", two.report);
    }
}

#[tokio::test]
async fn a_server_that_drops_it_is_asked_again() {
    let steps = vec![Step::Expect("RSET"), send(SAME), Step::ExpectSome(2, "RSET"), send("250 ok\r\n")];
    let two = second(steps, |open| open).await;
    assert_eq!((two.report.verdict, two.stumbled), (Verdict::Accepted, true), "{:#?}", two.report);
    assert!(two.connection.is_none());
}

#[tokio::test]
async fn where_the_end_leaves_alone_the_question_follows_it() {
    let steps = vec![Step::ExpectSome(2, ".\r\n"), send(SAME), Step::Expect("RSET"), send("250 ok\r\n")];
    let two = second(steps, Connection::end_alone).await;
    assert_eq!((two.report.verdict, two.stumbled), (Verdict::Accepted, false), "{:#?}", two.report);
    assert_eq!(two.report.round_trips, 3);
    assert!(two.connection.is_some());
}
