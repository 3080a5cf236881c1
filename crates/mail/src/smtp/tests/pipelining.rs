//! Servers that offer groups of commands and lose track of one; and what is certain about a message sent in one.

use super::{
    script::{Step, send, serve_each},
    *,
};

fn offering(keywords: &str) -> Vec<Step> {
    vec![
        send("220 test ESMTP\r\n"),
        Step::Expect("EHLO"),
        send(&format!("250-test\r\n{keywords}250 AUTH PLAIN\r\n")),
        Step::Expect("AUTH PLAIN"),
        send("235 ok\r\n"),
        Step::Expect("MAIL FROM"),
    ]
}

fn pipelining(then: &[Step]) -> Vec<Step> {
    [offering("250-PIPELINING\r\n"), then.to_vec()].concat()
}

fn chunking(then: &[Step]) -> Vec<Step> {
    [
        offering("250-PIPELINING\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n"),
        vec![Step::Expect("BDAT")],
        then.to_vec(),
    ]
    .concat()
}

/// The steps of a server that gets one command at a time.
fn one_at_a_time() -> Vec<Step> {
    pipelining(&[
        send("250 ok\r\n"),
        Step::Expect("RCPT"),
        send("250 ok\r\n"),
        Step::Expect("DATA"),
        send("354 go\r\n"),
        Step::Expect(".\r\n"),
        send("250 2.0.0 Ok: queued as SECOND1\r\n"),
        Step::Expect("QUIT"),
    ])
}

#[tokio::test]
async fn a_server_that_stumbles_over_a_group_gets_one_command_at_a_time() {
    let ok = || send("250 ok\r\n");
    for (what, first) in [
        ("hangs up on the group", pipelining(&[Step::Close])),
        ("resets", pipelining(&[Step::Reset])),
        ("hears the first command only", pipelining(&[ok(), Step::Silence])),
        ("knows the first command only", pipelining(&[ok(), send("500 what?\r\n500 what?\r\n")])),
        ("asks for an order", pipelining(&[ok(), send("503 5.5.1 bad sequence\r\n503 5.5.1 bad sequence\r\n")])),
        ("wants to be in step", pipelining(&[send("554 SMTP synchronization error\r\n"), Step::Close])),
        ("says so", pipelining(&[send("421 4.7.0 improper pipelining\r\n"), Step::Close])),
        ("answers with something else", pipelining(&[ok(), send("hello?\r\n"), Step::Silence])),
        ("refuses the chunk", chunking(&[send("250 ok\r\n250 ok\r\n502 5.5.2 BDAT?\r\n")])),
    ] {
        let (port, server) = serve_each(vec![first, one_at_a_time()]).await;
        let report = talk(port).await;
        check_bounds(&report);
        assert_eq!(report.verdict, Verdict::Accepted, "{what}: {:#?}", report.transcript);
        assert_eq!(report.queue_id.as_deref(), Some("SECOND1"));
        let told: Vec<Stage> = report.stages.iter().map(|event| event.stage).collect();
        let mut once = told.clone();
        once.dedup();
        assert_eq!(told, once, "{what}: each stage is reported once");
        server.abort();
    }
}

#[tokio::test]
async fn a_refusal_is_no_stumble() {
    let refusals = [
        pipelining(&[send("550 5.7.1 Sender address rejected: not owned by user\r\n503 no\r\n503 no\r\n")]),
        pipelining(&[send("250 ok\r\n550 5.1.1 User unknown\r\n503 5.5.1 no recipients\r\n")]),
    ];
    for (refusal, cause) in refusals.into_iter().zip([Cause::SenderRejected, Cause::RecipientRejected]) {
        let (port, server) = serve_each(vec![refusal, one_at_a_time()]).await;
        let report = talk(port).await;
        check_bounds(&report);
        assert_eq!((report.verdict, report.cause), (Verdict::Failed, Some(cause)));
        server.abort();
    }
}

#[tokio::test]
async fn when_the_second_try_comes_less_far_the_first_failure_stands() {
    let (port, server) = serve_each(vec![pipelining(&[send("250 ok\r\n"), Step::Close]), vec![Step::Close]]).await;
    let report = talk(port).await;
    check_bounds(&report);
    assert_eq!((report.stage, report.cause), (Stage::RcptTo, Some(Cause::ConnectionLost)));
    server.abort();
}

#[tokio::test]
async fn a_message_in_the_group_may_be_on_its_way() {
    for (answers, end) in [
        ("", Step::Close),
        ("250 ok\r\n", Step::Reset),
        ("250 ok\r\n250 ok\r\n", Step::Close),
        ("250 ok\r\n250 ok\r\n", Step::Silence),
        ("250 ok\r\n354 what\r\n", Step::Close),
    ] {
        let (port, server) = serve_each(vec![chunking(&[send(answers), end]), one_at_a_time()]).await;
        let report = talk(port).await;
        check_bounds(&report);
        assert_eq!(report.verdict, Verdict::DeliveryUnknown, "{answers:?} {:#?}", report.transcript);
        assert!(!report.retryable);
        assert!(!report.transcript.iter().any(|line| line.contains("once more")), "no second copy");
        server.abort();
    }
    // A refusal is certain.
    for (answers, cause) in [
        ("421 4.3.2 closing\r\n", Cause::ServerBusy),
        ("250 ok\r\n550 5.1.1 User unknown\r\n554 no valid recipients\r\n", Cause::RecipientRejected),
        ("250 ok\r\n250 ok\r\n554 5.7.1 rejected as spam\r\n", Cause::MessageRejected),
    ] {
        let (port, server) = serve_each(vec![chunking(&[send(answers), Step::Close])]).await;
        let report = talk(port).await;
        assert_eq!((report.verdict, report.cause), (Verdict::Failed, Some(cause)), "{:#?}", report.transcript);
        server.abort();
    }
}

#[tokio::test]
async fn last_words_in_the_middle_of_a_message_are_heard() {
    let (port, server) = serve_each(vec![pipelining(&[
        send("250 ok\r\n250 ok\r\n354 go\r\n"),
        send("552 5.3.4 Message too big\r\n"),
        Step::Close,
    ])])
    .await;
    let mut submission = submission("plain.test.example", port, Security::None);
    submission.message = [b"Subject: x\r\n\r\n".to_vec(), b"0123456789abcdef\r\n".repeat(1_000_000)].concat();
    let report = submitter(port, vec![]).submit(&submission, &mut |_| {}).await;
    assert_eq!(
        (report.verdict, report.cause),
        (Verdict::Failed, Some(Cause::MessageTooLarge)),
        "{:#?}",
        report.transcript
    );
    server.abort();
}
