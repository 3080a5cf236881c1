//! Replies that may belong to another command.

use super::*;

/// The server does not answer the message: the reply in its place belongs to the next transaction.
#[tokio::test]
async fn an_acceptance_without_an_id_waits_for_the_354() {
    for (answers, expected) in [
        ("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", Verdict::Accepted),
        ("250 ok\r\n250 ok\r\n250 ok\r\n554 no\r\n", Verdict::Accepted),
        // One missing, and a refusal among them.
        ("250 ok\r\n250 ok\r\n354 go\r\n", Verdict::DeliveryUnknown),
        ("250 ok\r\n250 ok\r\n554 5.7.1 Spam\r\n250 ok\r\n354 go\r\n", Verdict::DeliveryUnknown),
        ("250 ok\r\n250 ok\r\n250 ok\r\n554 5.7.1 Spam\r\n354 go\r\n", Verdict::DeliveryUnknown),
        // A refusal of an earlier message.
        ("554 5.7.1 Spam\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", Verdict::DeliveryUnknown),
        ("554 5.7.1 Spam\r\n250 ok\r\n250 ok\r\n354 go\r\n", Verdict::Failed),
    ] {
        let mut script = after_the_dot(answers);
        script.push(Step::Expect("never"));
        let (port, _read) = serve_each(vec![script]).await;
        let (first, second) = (to(port, "karim@test.example"), to(port, "lea@test.example"));
        let one = submitter(port, vec![]).deliver_and_begin(&first, Some(&second), None, limits(), &Open).await;
        assert_eq!(one.report.verdict, expected, "{answers}: {:#?}", one.report);
    }
}

#[tokio::test]
async fn a_server_that_stops_reading_ahead_is_asked_with_a_command_of_its_own() {
    const SAME: &str = "250 2.0.0 Ok\r\n";
    let mut script = after_the_dot(&[SAME, "250 ok\r\n250 ok\r\n354 go\r\n"].concat());
    // From now on it drops what follows the final dot.
    script.extend([Step::Expect("RCPT TO:<paul"), send(SAME), Step::Expect("RSET"), send("250 ok\r\n")]);
    let (port, _read) = serve_each(vec![script]).await;
    let submitter = submitter(port, vec![]);
    let all = ["karim@test.example", "lea@test.example", "paul@test.example"].map(|one| to(port, one));
    let one = submitter.deliver_and_begin(&all[0], Some(&all[1]), None, limits(), &Open).await;
    let two = submitter.deliver_and_begin(&all[1], Some(&all[2]), one.connection, limits(), &Open).await;
    assert_eq!((two.report.verdict, two.stumbled), (Verdict::Accepted, true), "{:#?}", two.report);
    assert!(two.connection.is_none());
}

/// A server that answers every message in the same words, and repeats an answer when a refusal follows (decision 28).
#[tokio::test]
async fn a_copy_of_an_earlier_answer_is_no_acceptance() {
    const SAME: &str = "250 2.0.0 Ok\r\n";
    for (after_the_second, expected) in [
        // The answers to the next transaction follow the message's.
        ("250 ok\r\n250 ok\r\n354 go\r\n", Verdict::Accepted),
        // The next sender is refused, which does not concern this message.
        ("450 4.7.1 too many messages\r\n503 5.5.1 sender first\r\n503 5.5.1 no\r\n", Verdict::Accepted),
        ("421 4.7.0 enough\r\n", Verdict::Accepted),
        // The refusal of the message, late: then the answers to the next transaction.
        ("554 5.7.1 Spam\r\n250 ok\r\n250 ok\r\n354 go\r\n", Verdict::DeliveryUnknown),
        ("452 4.3.1 No space\r\n250 ok\r\n250 ok\r\n354 go\r\n", Verdict::DeliveryUnknown),
    ] {
        let mut script = after_the_dot(&[SAME, "250 ok\r\n250 ok\r\n354 go\r\n"].concat());
        script.extend([Step::Expect("RCPT TO:<paul"), send(&[SAME, after_the_second].concat()), Step::Expect("never")]);
        let (port, _read) = serve_each(vec![script]).await;
        let submitter = submitter(port, vec![]);
        let all = ["karim@test.example", "lea@test.example", "paul@test.example"].map(|one| to(port, one));
        let one = submitter.deliver_and_begin(&all[0], Some(&all[1]), None, limits(), &Open).await;
        let two = submitter.deliver_and_begin(&all[1], Some(&all[2]), one.connection, limits(), &Open).await;
        assert_eq!(one.report.verdict, Verdict::Accepted);
        assert_eq!(two.report.verdict, expected, "{after_the_second}: {:#?}", two.report);
        assert!(two.report.round_trips <= 1, "no command of its own");
    }
}

/// The server drops what follows the final dot, and answers every message in the same words.
#[tokio::test]
async fn silence_on_a_warm_connection_is_no_doubt_either() {
    const SAME: &str = "250 2.0.0 Ok\r\n";
    let mut script = pipelining();
    script.extend([send(SAME), Step::Expect("RCPT TO:<lea"), send("250 ok\r\n250 ok\r\n354 go\r\n")]);
    script.extend([Step::Expect("RCPT TO:<paul"), send(SAME), Step::Expect("RSET"), send("250 ok\r\n")]);
    let (port, _read) = serve_each(vec![script]).await;
    let submitter = submitter(port, vec![]);
    let all = ["karim@test.example", "lea@test.example", "paul@test.example"].map(|one| to(port, one));
    let one = submitter.deliver(&all[0], None, limits(), &Open).await;
    assert_eq!(one.report.verdict, Verdict::Accepted, "{:#?}", one.report);
    let two = submitter.deliver_and_begin(&all[1], Some(&all[2]), one.connection, limits(), &Open).await;
    assert_eq!((two.report.verdict, two.stumbled), (Verdict::Accepted, true), "{:#?}", two.report);
    assert!(two.connection.is_none());
}

#[tokio::test]
async fn a_warm_connection_begins_ahead_too() {
    let mut script = pipelining();
    script.extend([send("250 2.0.0 Ok: queued as 4F1tQZ0qWxz9rxP\r\n"), Step::Expect("RCPT TO:<lea")]);
    script.extend([send("250 ok\r\n250 ok\r\n354 go\r\n"), Step::Expect("RCPT TO:<paul")]);
    script.extend([
        send("250 2.0.0 Ok: queued as 4F1tQZ0qWxz9rxQ\r\n250 ok\r\n250 ok\r\n354 go\r\n"),
        Step::Expect("never"),
    ]);
    let (port, _read) = serve_each(vec![script]).await;
    let submitter = submitter(port, vec![]);
    let all = ["karim@test.example", "lea@test.example", "paul@test.example"].map(|one| to(port, one));
    let one = submitter.deliver(&all[0], None, limits(), &Open).await;
    let two = submitter.deliver_and_begin(&all[1], Some(&all[2]), one.connection, limits(), &Open).await;
    assert_eq!(two.report.verdict, Verdict::Accepted, "{:#?}", two.report);
    assert!(two.connection.unwrap().has_begun());
}
