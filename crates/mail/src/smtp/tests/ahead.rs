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

mod asked;
mod doubt;

/// Allows the first message only.
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

/// Delivers two messages, the second one begun with the end of the first, and returns both outcomes.
async fn two(scripts: Vec<Vec<Step>>, gate: &dyn CommitPoint) -> ([Delivery; 2], Vec<String>) {
    let (port, read) = serve_each(scripts).await;
    let submitter = submitter(port, vec![]);
    let (first, second) = (to(port, "karim@test.example"), to(port, "lea@test.example"));
    let one = submitter.deliver_and_begin(&first, Some(&second), None, limits(), gate).await;
    let (report, fate, stumbled) = (one.report.clone(), one.fate, one.stumbled);
    let two = submitter.deliver(&second, one.connection, limits(), gate).await;
    ([Delivery { report, connection: None, parting: None, fate, stumbled }, two], read.await.unwrap())
}

/// The server's replies in the flight that ends a message and begins the next one.
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
        // One reply too many: the reply to the recipient takes the place of the 354.
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
        assert_eq!(one.stumbled || two.stumbled, stumbled, "{answers}: {:#?}", two.report);
        // The text of the second message was sent on the second connection, and nothing after its commands on the first
        // one.
        assert!(read[0].ends_with("DATA\r\n"), "{answers}: {}", read[0]);
        assert_eq!(read[1].matches("..Texte").count(), 1, "{answers}");
    }
}

/// A second connection, on which the recipient gets this answer.
fn recipient_is_answered(answer: &str) -> Vec<Step> {
    let mut steps = pipelining();
    steps.truncate(6);
    steps.extend([Step::Expect("RCPT TO:<lea"), send(&["250 ok\r\n", answer, "\r\n"].concat())]);
    steps.extend([Step::Expect("DATA"), send("503 5.5.1 no valid recipients\r\n"), Step::Expect("never")]);
    steps
}

#[tokio::test]
async fn a_refused_recipient_of_the_next_message_is_asked_again_on_its_own() {
    for answers in [
        "250 2.0.0 Ok: queued as A\r\n250 ok\r\n550 5.1.1 User unknown\r\n554 5.5.1 No valid recipients\r\n",
        "250 2.0.0 Ok: queued as A\r\n250 ok\r\n550 5.1.1 User unknown\r\n354 go\r\n",
    ] {
        let mut script = after_the_dot(answers);
        script.push(Step::Expect("never"));
        let ([one, two], read) = two(vec![script, recipient_is_answered("550 5.1.1 User unknown")], &Open).await;
        assert_eq!((one.report.verdict, one.fate), (Verdict::Accepted, None));
        let refused = (Verdict::Failed, Some(Cause::RecipientRejected));
        assert_eq!((two.report.verdict, two.report.cause), refused, "{:#?}", two.report);
        assert!(!two.stumbled && !two.report.retryable, "{:#?}", two.report);
        let sent: usize = read.iter().map(|read| read.matches("..Texte").count()).sum();
        assert_eq!(sent, 1, "only the first message has left: {read:?}");
    }
}

/// Some servers refuse commands only because they came with the end of a message, in any words.
#[tokio::test]
async fn no_refusal_of_what_came_with_the_end_of_a_message_is_final() {
    for answers in [
        "554 5.5.0 error\r\n503 5.5.1 need MAIL\r\n503 5.5.1 no recipients\r\n",
        "550 5.7.1 not allowed\r\n550 no\r\n550 no\r\n",
        "451 4.7.1 slow down\r\n503 no\r\n503 no\r\n",
        "250 ok\r\n554 5.5.1 error\r\n554 5.5.1 error\r\n",
        "250 ok\r\n250 ok\r\n554 5.5.1 error\r\n",
        "250 ok\r\n250 ok\r\n451 4.3.0 later\r\n",
    ] {
        let mut script = after_the_dot(&["250 2.0.0 Ok: queued as A\r\n", answers].concat());
        script.push(Step::Expect("never"));
        let ([one, two], read) = two(vec![script, another_connection()], &Open).await;
        assert_eq!((one.report.verdict, one.fate), (Verdict::Accepted, None), "{answers}");
        assert_eq!((two.report.verdict, two.stumbled), (Verdict::Accepted, true), "{answers}: {:#?}", two.report);
        assert_eq!(read[1].matches("..Texte").count(), 1, "{answers}");
    }
}

/// A late refusal of the message would be taken for the reply to the next sender.
#[tokio::test]
async fn a_late_refusal_of_one_message_is_not_the_end_of_the_next() {
    for late in ["554 5.0.0 stray\r\n", "452 4.3.1 stray\r\n"] {
        let answers = ["250 2.0.0 Ok: queued as 4F1tQZ0qWxz9rxP\r\n", late, "250 ok\r\n250 ok\r\n354 go\r\n"].concat();
        let mut script = after_the_dot("");
        // With a delay: otherwise the first message would have seen it.
        let (first, rest) = answers.split_at(answers.find('\n').unwrap() + 1);
        script.extend([send(first), Step::Pause(Duration::from_millis(100)), send(rest), Step::Expect("never")]);
        let ([one, two], _) = two(vec![script, another_connection()], &Open).await;
        assert_eq!(one.report.verdict, Verdict::Accepted);
        assert_eq!(two.report.verdict, Verdict::Accepted, "{:#?}", two.report);
    }
}

/// "550 one message only", from a server that accepts only a few messages on each connection.
#[tokio::test]
async fn a_sender_that_is_refused_on_an_old_connection_is_asked_again_on_a_new_one() {
    let mut script = until_the_dot();
    script.extend([send("250 2.0.0 Ok: queued as A\r\n"), Step::ExpectSome(2, "MAIL"), send("550 no more\r\n")]);
    script.push(Step::Expect("never"));
    let (port, _read) = serve_each(vec![script, another_connection()]).await;
    let submitter = submitter(port, vec![]);
    let (first, second) = (to(port, "karim@test.example"), to(port, "lea@test.example"));
    let one = submitter.deliver(&first, None, limits(), &Open).await;
    let two = submitter.deliver(&second, one.connection, limits(), &Open).await;
    assert_eq!(two.report.verdict, Verdict::Accepted, "{:#?}", two.report);
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
