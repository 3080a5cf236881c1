//! The next transaction begins with the end of a message.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::{
    certificates::authority,
    responder::Responder,
    script::{Step, send, serve_each, until_the_dot},
    *,
};

const HOST: &str = "plain.test.example";

struct Open;

#[async_trait]
impl CommitPoint for Open {
    async fn reach(&self, _to: &[String]) -> bool {
        true
    }
}

/// Open for the first message only.
struct Once(AtomicBool);

#[async_trait]
impl CommitPoint for Once {
    async fn reach(&self, _to: &[String]) -> bool {
        !self.0.swap(true, Ordering::SeqCst)
    }
}

fn to(port: u16, recipient: &str) -> Submission {
    Submission { to: vec![recipient.parse().unwrap()], ..submission(HOST, port, Security::None) }
}

/// The script of a first message whose server offers PIPELINING, up to its final dot.
fn pipelining() -> Vec<Step> {
    let mut steps = until_the_dot();
    steps[2] = send("250-test\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN\r\n");
    steps
}

/// Delivers two messages, the second one begun with the first one's end, and gives what became of both.
async fn two(scripts: Vec<Vec<Step>>, gate: &dyn CommitPoint) -> ([Delivery; 2], Vec<String>) {
    let (port, read) = serve_each(scripts).await;
    let submitter = submitter(port, vec![]);
    let (first, second) = (to(port, "karim@test.example"), to(port, "lea@test.example"));
    let one = submitter.deliver_and_begin(&first, Some(&second), None, limits(), gate).await;
    let (report, fate, stumbled) = (one.report.clone(), one.fate, one.stumbled);
    let two = submitter.deliver(&second, one.connection, limits(), gate).await;
    ([Delivery { report, connection: None, fate, stumbled }, two], read.await.unwrap())
}

/// What a server says in the flight that ends a message and begins the next one.
fn after_the_dot(answers: &str) -> Vec<Step> {
    let mut steps = pipelining();
    steps.extend([Step::Expect("RCPT TO:<lea"), send(answers)]);
    steps
}

fn another_connection() -> Vec<Step> {
    let mut steps = until_the_dot();
    steps.push(send("250 2.0.0 Ok: queued as B\r\n"));
    steps
}

#[tokio::test]
async fn each_message_takes_one_round_trip() {
    const MX: &str = "mx.test.example";
    for (keywords, floor) in
        [(&["PIPELINING"][..], 1), (&["PIPELINING", "CHUNKING", "ENHANCEDSTATUSCODES"], 1), (&[], 4)]
    {
        let acceptor = Some(authority().acceptor(MX, 2020, 2100));
        let mut running = Responder { keywords, acceptor, starttls: false, refuses: "" }.start().await;
        let (submitter, submission) = (submitter(running.port, vec![]), submission(MX, running.port, Security::Tls));
        let mut connection = None;
        for number in 1..=5 {
            let next = Some(&submission).filter(|_| number < 5);
            let delivery = submitter.deliver_and_begin(&submission, next, connection, limits(), &Open).await;
            assert_eq!(delivery.report.verdict, Verdict::Accepted, "{:#?}", delivery.report);
            assert!(number == 1 || delivery.report.round_trips == floor, "{keywords:?}: {:#?}", delivery.report);
            assert_eq!(running.messages.recv().await.unwrap(), b"Subject: Bonjour\r\n\r\n.Texte\r\n");
            assert!(!delivery.stumbled);
            connection = delivery.connection;
            assert_eq!(connection.as_ref().unwrap().has_begun(), number < 5 && keywords == ["PIPELINING"]);
            check_bounds(&delivery.report);
        }
        connection.unwrap().close();
        running.ended.await.unwrap();
    }
}

#[tokio::test]
async fn without_its_354_no_message_follows() {
    for (answers, stumbled) in [
        // One reply too many: in the place of 354 stands the answer to the recipient.
        ("250 2.0.0 Ok: queued as A\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", false),
        ("250 2.0.0 Ok: queued as A\r\n503 bad sequence of commands\r\n503 no\r\n503 no\r\n", true),
        ("250 2.0.0 Ok: queued as A\r\n421 4.7.0 enough for today\r\n", false),
        ("250 2.0.0 Ok: queued as A\r\n", true),
    ] {
        let mut script = after_the_dot(answers);
        script.push(Step::Expect("never"));
        let ([one, two], read) = two(vec![script, another_connection()], &Open).await;
        assert_eq!((one.report.verdict, one.fate), (Verdict::Accepted, None), "{answers}: {:#?}", one.report);
        assert_eq!(two.report.verdict, Verdict::Accepted, "{answers}: {:#?}", two.report);
        assert_eq!(two.stumbled, stumbled, "{answers}: {:#?}", two.report);
        // Its text left on the second connection, and nothing after the commands on the first one.
        assert!(read[0].ends_with("DATA\r\n"), "{answers}: {}", read[0]);
        assert_eq!(read[1].matches("..Texte").count(), 1, "{answers}");
    }
}

#[tokio::test]
async fn a_refused_recipient_of_the_next_message_is_its_own_affair() {
    for answers in [
        "250 2.0.0 Ok: queued as A\r\n250 ok\r\n550 5.1.1 User unknown\r\n554 5.5.1 No valid recipients\r\n",
        "250 2.0.0 Ok: queued as A\r\n250 ok\r\n550 5.1.1 User unknown\r\n354 go\r\n",
    ] {
        let mut script = after_the_dot(answers);
        script.push(Step::Expect("never"));
        let ([one, two], read) = two(vec![script], &Open).await;
        assert_eq!((one.report.verdict, one.fate), (Verdict::Accepted, None));
        assert_eq!(
            (two.report.verdict, two.report.cause),
            (Verdict::Failed, Some(Cause::RecipientRejected)),
            "{:#?}",
            two.report
        );
        assert!(!two.stumbled && !two.report.retryable, "{:#?}", two.report);
        assert_eq!(read[0].matches("..Texte").count(), 1, "only the first message has left: {}", read[0]);
    }
}

#[tokio::test]
async fn a_refusal_of_the_first_message_is_not_the_next_ones() {
    let mut script = after_the_dot("550 5.7.1 Spam\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    script.push(Step::Close);
    let ([one, two], read) = two(vec![script, another_connection()], &Open).await;
    assert_eq!(one.report.verdict, Verdict::Failed);
    assert_eq!(one.report.reply.as_deref(), Some("550 5.7.1 Spam"));
    assert!(one.connection.is_none());
    assert_eq!(two.report.verdict, Verdict::Accepted, "{:#?}", two.report);
    assert!(read[0].ends_with("DATA\r\n"), "nothing was said where a message is waited for: {}", read[0]);
}

#[tokio::test]
async fn behind_a_shut_gate_the_next_message_stays_here() {
    let mut script = after_the_dot("250 2.0.0 Ok: queued as A\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    script.push(Step::Expect("never"));
    let ([one, two], read) = two(vec![script], &Once(AtomicBool::new(false))).await;
    assert_eq!(one.report.verdict, Verdict::Accepted);
    assert_eq!(two.fate, Some(Fate::Withheld));
    assert!(two.connection.is_none());
    let text = read[0].rsplit("DATA\r\n").next().unwrap();
    assert!(text.contains("..Texte") && !text.contains("\r\n.\r\n"), "{text}");
}

#[tokio::test]
async fn what_has_begun_is_good_for_one_message_only() {
    let mut script = after_the_dot("250 2.0.0 Ok: queued as A\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    script.push(Step::Expect("never"));
    let (port, read) = serve_each(vec![script, another_connection()]).await;
    let submitter = submitter(port, vec![]);
    let (first, second) = (to(port, "karim@test.example"), to(port, "lea@test.example"));
    let one = submitter.deliver_and_begin(&first, Some(&second), None, limits(), &Open).await;
    assert!(one.connection.as_ref().unwrap().has_begun());
    let other = submitter.deliver(&to(port, "paul@test.example"), one.connection, limits(), &Open).await;
    assert_eq!(other.report.verdict, Verdict::Accepted, "{:#?}", other.report);
    let read = read.await.unwrap();
    assert!(read[0].ends_with("DATA\r\n"), "{}", read[0]);
    assert!(read[1].contains("RCPT TO:<paul"));
}

/// A server that says the same to every message, and repeats an answer where a refusal follows (decision 28).
#[tokio::test]
async fn a_copy_of_an_earlier_answer_is_no_acceptance() {
    const SAME: &str = "250 2.0.0 Ok\r\n";
    for (after_the_second, expected) in [
        // The answers to the next transaction follow the message's.
        ("250 ok\r\n250 ok\r\n354 go\r\n", Verdict::Accepted),
        // The next sender is refused: that is its own affair.
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

/// The server drops what comes with the final dot, and says the same to every message. After one message its silence could
/// not be told from a copy, so the next transaction waits.
#[tokio::test]
async fn nothing_is_begun_where_silence_would_be_a_doubt() {
    const SAME: &str = "250 2.0.0 Ok\r\n";
    let mut script = pipelining();
    script.extend([send(SAME), Step::Expect("RCPT TO:<lea"), send("250 ok\r\n250 ok\r\n354 go\r\n")]);
    script.extend([Step::ExpectSome(2, ".\r\n"), send(SAME), Step::Expect("RSET"), send("250 ok\r\n")]);
    script.push(Step::Expect("never"));
    let (port, _read) = serve_each(vec![script]).await;
    let submitter = submitter(port, vec![]);
    let all = ["karim@test.example", "lea@test.example", "paul@test.example"].map(|one| to(port, one));
    let one = submitter.deliver(&all[0], None, limits(), &Open).await;
    assert_eq!(one.report.verdict, Verdict::Accepted, "{:#?}", one.report);
    let two = submitter.deliver_and_begin(&all[1], Some(&all[2]), one.connection, limits(), &Open).await;
    assert_eq!(two.report.verdict, Verdict::Accepted, "{:#?}", two.report);
    assert!(!two.connection.unwrap().has_begun());
}

#[tokio::test]
async fn where_answers_have_ids_a_warm_connection_begins_ahead_too() {
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
