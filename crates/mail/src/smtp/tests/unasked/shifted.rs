//! Unsolicited replies that come late: no reply is taken for the answer to another command, with any codes.

use model::report::Finding;
use tokio::io::AsyncWriteExt;

use super::{
    eager::{Stream, fill, read_line},
    *,
};

/// A server that sends "250" once too often.
#[derive(Clone, Copy)]
struct Shift {
    keywords: &'static str,
    /// Its replies to `MAIL` (both of them) and to `RCPT`.
    codes: (&'static str, &'static str),
    /// The delays of its replies to `RCPT`, and to the message.
    late: (u64, u64),
    message: &'static str,
}

impl Shift {
    async fn start(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(self.converse(stream));
            }
        });
        port
    }

    async fn converse(self, stream: tokio::net::TcpStream) -> Option<()> {
        let mut stream: Box<dyn Stream> = Box::new(stream);
        stream.write_all(b"220 hi\r\n").await.ok()?;
        let mut buffer = Vec::new();
        loop {
            let line = read_line(&mut stream, &mut buffer).await?;
            let mut late = 0;
            let reply = match line.split([' ', ':', '\r']).next()? {
                "EHLO" => format!("250-hi\r\n{}250 AUTH PLAIN\r\n", self.keywords),
                "AUTH" => "235 ok\r\n".to_owned(),
                "MAIL" => format!("250 {0}ok\r\n250 {0}ok\r\n", self.codes.0),
                "RCPT" => {
                    late = self.late.0;
                    if line.contains("<bad") {
                        "550 5.1.1 unknown\r\n".to_owned()
                    } else {
                        format!("250 {}ok\r\n", self.codes.1)
                    }
                }
                "BDAT" => {
                    let size: usize = line.split(' ').nth(1)?.parse().ok()?;
                    while buffer.len() < size {
                        fill(&mut stream, &mut buffer).await?;
                    }
                    buffer.drain(..size);
                    late = self.late.1;
                    self.message.to_owned()
                }
                "DATA" => {
                    stream.write_all(b"354 go\r\n").await.ok()?;
                    while read_line(&mut stream, &mut buffer).await? != ".\r\n" {}
                    late = self.late.1;
                    self.message.to_owned()
                }
                "QUIT" => "221 bye\r\n".to_owned(),
                _ => "500 what?\r\n".to_owned(),
            };
            tokio::time::sleep(Duration::from_millis(late)).await;
            stream.write_all(reply.as_bytes()).await.ok()?;
        }
    }
}

/// With any codes and any delay: a reply in the place of the answer to the message is not an acceptance, and no message
/// gets the answer to another one.
#[tokio::test]
async fn a_reply_too_many_is_no_acceptance_whatever_codes_the_server_writes() {
    let refuses = "550 5.7.1 no such thing\r\n";
    for keywords in KEYWORDS {
        let mut cases = Vec::new();
        for codes in [("2.0.0 ", "2.0.0 "), ("2.1.0 ", "2.0.0 "), ("2.1.0 ", "2.1.5 "), ("2.1.5 ", "2.0.0 "), ("", "")]
        {
            for late in [(20, 60), (60, 0), (150, 300)] {
                cases.push(is_no_acceptance(Shift { keywords, codes, late, message: refuses }));
            }
        }
        futures::future::join_all(cases).await;
    }
    // Longer than the wait for the reply to QUIT.
    let late = Shift { keywords: KEYWORDS[3], codes: ("2.0.0 ", "2.0.0 "), late: (60, 1_500), message: refuses };
    Box::pin(is_no_acceptance(late)).await;
}

async fn is_no_acceptance(shift: Shift) {
    let port = shift.start().await;
    let submission = submission(HOST, port, Security::None);
    let submitter = submitter(port, vec![]);
    let mut ignore = |_| {};
    let (tested, sent) =
        tokio::join!(submitter.submit(&submission, &mut ignore), submitter.deliver(&submission, None, limits(), &Slow));
    assert!(sent.connection.is_none());
    for report in [tested, sent.report] {
        let case = format!("{:?} {:?} {:?}: {:#?}", shift.keywords, shift.codes, shift.late, report.transcript);
        assert!(matches!(report.verdict, Verdict::Failed | Verdict::DeliveryUnknown), "{case}");
        let found = (report.cause, report.finding);
        assert_eq!(found, (Some(Cause::ProtocolError), Some(Finding::UnaskedReply)), "{case}");
    }
}

#[tokio::test]
async fn nobody_is_told_the_answer_to_somebody_else() {
    for keywords in KEYWORDS {
        for message in ["250 2.0.0 taken\r\n", "550 5.7.1 no such thing\r\n"] {
            for to in [&["a", "bad", "c"][..], &["a", "bad"], &["bad", "a"]] {
                for codes in [("2.0.0 ", "2.0.0 "), ("2.1.0 ", "2.1.5 "), ("2.1.5 ", "2.1.5 ")] {
                    let shift = Shift { keywords, codes, late: (20, 20), message };
                    let port = shift.start().await;
                    let mut submission = submission(HOST, port, Security::None);
                    submission.to = to.iter().map(|name| format!("{name}@test.example").parse().unwrap()).collect();
                    let report = submitter(port, vec![]).deliver(&submission, None, limits(), &Slow).await.report;
                    let case = format!("{keywords:?} {message:?} {to:?} {codes:?}: {:#?}", report.transcript);
                    assert_eq!(report.finding, Some(Finding::UnaskedReply), "{case}");
                    assert!(report.recipients.is_empty(), "{case}");
                }
            }
        }
    }
}

/// A server whose codes do not show what they answer is an ordinary server all the same.
#[tokio::test]
async fn codes_that_tell_nothing_cost_the_farewell_and_no_message() {
    for (keywords, mail, rcpt) in
        [(3, "2.0.0 ", "2.0.0 "), (2, "2.0.0 ", "2.0.0 "), (3, "", ""), (3, "2.1.0 ", "2.1.5 ")]
    {
        let chunk = keywords == 3;
        let answers = format!("250 {mail}ok\r\n250 {rcpt}ok\r\n250 2.0.0 Ok: queued as 4F1tQ\r\n");
        let offer = format!("250-hi\r\n{}250 AUTH PLAIN\r\n", KEYWORDS[keywords]);
        let mut steps =
            vec![send("220 hi\r\n"), Step::Expect("EHLO"), send(&offer), Step::Expect("AUTH"), send("235 ok\r\n")];
        if chunk {
            steps.extend([Step::Expect("BDAT"), Step::Expect("Ende"), send(&answers)]);
        } else {
            steps.extend([
                Step::Expect("MAIL"),
                send("250 2.0.0 ok\r\n"),
                Step::Expect("RCPT"),
                send("250 2.0.0 ok\r\n"),
                Step::Expect("DATA"),
                send("354 go\r\n"),
                Step::Expect(".\r\n"),
                send("250 2.0.0 Ok: queued as 4F1tQ\r\n"),
            ]);
        }
        steps.extend([Step::Expect("QUIT"), send("221 bye\r\n")]);
        let (port, _read) = serve_each(vec![steps]).await;
        let mut submission = submission(HOST, port, Security::None);
        submission.message = b"Subject: Bonjour\r\n\r\nEnde\r\n".to_vec();
        let sent = submitter(port, vec![]).deliver(&submission, None, limits(), &Slow).await;
        assert_eq!((sent.report.verdict, sent.report.cause), (Verdict::Accepted, None), "{:#?}", sent.report);
        assert_eq!(sent.connection.is_some(), !chunk || rcpt == "2.1.5 ", "{:#?}", sent.report.transcript);
    }
}

/// A server repeats its answer to a message while the next one begins: that one goes over another connection, and no
/// message gets the answer to another one.
#[tokio::test]
async fn a_late_repetition_of_the_last_answer_harms_no_other_message() {
    let answer = |steps: &mut Vec<Step>, repetition: &'static str| {
        steps.extend([
            Step::Expect("MAIL FROM:<devis"),
            send(repetition),
            Step::Expect("RCPT TO:<a@"),
            send("250 2.1.0 ok\r\n"),
            Step::Expect("RCPT TO:<bad@"),
            send("250 2.1.5 ok\r\n"),
            Step::Expect("RCPT TO:<c@"),
            send("550 5.1.1 unknown\r\n"),
            Step::Expect("DATA"),
            send("250 2.1.5 ok\r\n"),
            Step::Silence,
        ]);
    };
    let mut first = until_the_dot();
    first.push(send("250 2.0.0 Ok: queued as FIRST1\r\n"));
    answer(&mut first, "250 2.0.0 Ok: queued as FIRST1\r\n");
    let mut second = until_auth();
    second.extend([send("235 ok\r\n"), Step::Expect("MAIL FROM"), send("250 2.1.0 ok\r\n")]);
    for (to, code) in [
        ("RCPT TO:<a@", "250 2.1.5 ok\r\n"),
        ("RCPT TO:<bad@", "550 5.1.1 unknown\r\n"),
        ("RCPT TO:<c@", "250 2.1.5 ok\r\n"),
    ] {
        second.extend([Step::Expect(to), send(code)]);
    }
    second.extend([
        Step::Expect("DATA"),
        send("354 go\r\n"),
        Step::Expect(".\r\n"),
        send("250 2.0.0 Ok: queued as SECOND2\r\n"),
        Step::Close,
    ]);
    let (port, _read) = serve_each(vec![first, second]).await;
    let submitter = submitter(port, vec![]);
    let one = submitter.deliver(&submission(HOST, port, Security::None), None, limits(), &Slow).await;
    assert_eq!(one.report.queue_id.as_deref(), Some("FIRST1"), "{:#?}", one.report);
    let mut next = submission(HOST, port, Security::None);
    next.from = "devis@test.example".parse().unwrap();
    next.to = ["a@test.example", "bad@test.example", "c@test.example"].map(|to| to.parse().unwrap()).to_vec();
    let two = submitter.deliver(&next, one.connection, limits(), &Slow).await;
    assert_eq!(two.report.queue_id.as_deref(), Some("SECOND2"), "{:#?}", two.report);
    let accepted: Vec<bool> = two.report.recipients.iter().map(|one| one.accepted).collect();
    assert_eq!(accepted, [true, false, true], "{:#?}", two.report.transcript);
}
