//! A server that repeats its answer to an earlier message while it still processes the next one, on a connection that
//! stays open.

use tokio::io::AsyncWriteExt;

use super::{
    eager::{Stream, fill, read_line},
    *,
};

#[derive(Clone, Copy)]
struct Repeats {
    keywords: &'static str,
    /// Its answer to the first message, repeated at the end of each other one.
    answer: &'static str,
    /// The answer to the other messages, and its delay.
    then: &'static str,
    late: u64,
    /// It repeats nothing.
    honest: bool,
}

impl Repeats {
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
        let (mut buffer, mut messages) = (Vec::new(), 0);
        loop {
            let line = read_line(&mut stream, &mut buffer).await?;
            let reply = match line.split([' ', ':', '\r']).next()? {
                "EHLO" => format!("250-hi\r\n{}250 AUTH PLAIN\r\n", self.keywords),
                "AUTH" => "235 ok\r\n".to_owned(),
                "MAIL" => "250 2.1.0 ok\r\n".to_owned(),
                "RCPT" => "250 2.1.5 ok\r\n".to_owned(),
                "RSET" => "250 2.0.0 flushed\r\n".to_owned(),
                "BDAT" => {
                    let size: usize = line.split(' ').nth(1)?.parse().ok()?;
                    while buffer.len() < size {
                        fill(&mut stream, &mut buffer).await?;
                    }
                    buffer.drain(..size);
                    messages += 1;
                    self.end(&mut stream, messages).await?
                }
                "DATA" => {
                    stream.write_all(b"354 go\r\n").await.ok()?;
                    while read_line(&mut stream, &mut buffer).await? != ".\r\n" {}
                    messages += 1;
                    self.end(&mut stream, messages).await?
                }
                "QUIT" => "221 bye\r\n".to_owned(),
                _ => "500 what?\r\n".to_owned(),
            };
            stream.write_all(reply.as_bytes()).await.ok()?;
        }
    }

    async fn end(self, stream: &mut Box<dyn Stream>, messages: u32) -> Option<String> {
        if messages == 1 || self.honest {
            return Some(self.answer.to_owned());
        }
        stream.write_all(self.answer.as_bytes()).await.ok()?;
        tokio::time::sleep(Duration::from_millis(self.late)).await;
        Some(self.then.to_owned())
    }

    /// Delivers two messages, one after the other.
    async fn two(self) -> Delivery {
        let port = self.start().await;
        let (submitter, submission) = (submitter(port, vec![]), submission(HOST, port, Security::None));
        let one = submitter.deliver(&submission, None, limits(), &Slow).await;
        assert_eq!((one.report.verdict, one.connection.is_some()), (Verdict::Accepted, true), "{:#?}", one.report);
        submitter.deliver(&submission, one.connection, limits(), &Slow).await
    }
}

const ANSWERS: [&str; 3] = ["250 2.0.0 Ok: queued as FIRST1\r\n", "250 2.0.0 OK\r\n", "250 2.6.0 taken\r\n"];

#[tokio::test]
async fn a_copy_of_an_earlier_answer_is_no_acceptance() {
    for keywords in KEYWORDS {
        let mut cases = Vec::new();
        for answer in ANSWERS {
            for late in [0, 60, 500, 1_500] {
                for then in ["550 5.7.1 refused\r\n", "451 4.3.0 not now\r\n"] {
                    cases.push(async move {
                        let two = Repeats { keywords, answer, then, late, honest: false }.two().await;
                        let case = format!("{keywords:?} {answer:?} {late}: {:#?}", two.report.transcript);
                        assert_eq!(two.report.verdict, Verdict::DeliveryUnknown, "{case}");
                        assert!(two.connection.is_none() && !two.report.retryable, "{case}");
                    });
                }
            }
        }
        futures::future::join_all(cases).await;
    }
}

#[tokio::test]
async fn a_copy_before_an_acceptance_is_none_and_the_acceptance_counts() {
    for keywords in KEYWORDS {
        for late in [0, 60] {
            let then = "250 2.0.0 Ok: queued as SECOND2\r\n";
            let two = Repeats { keywords, answer: ANSWERS[0], then, late, honest: false }.two().await;
            // If both arrive at once in a group, it is unknown which of the replies is unsolicited.
            let certain = two.report.verdict == Verdict::Accepted && two.report.queue_id.as_deref() == Some("SECOND2");
            let unknown = two.report.verdict == Verdict::DeliveryUnknown && late == 0;
            assert!(certain || unknown, "{keywords:?} {late}: {:#?}", two.report);
        }
    }
}

/// A server that answers every message in the same words is an ordinary server: it costs one more round trip, and no
/// message.
#[tokio::test]
async fn a_server_that_says_the_same_to_every_message_is_believed() {
    for keywords in KEYWORDS {
        for answer in ANSWERS {
            let two = Repeats { keywords, answer, then: "", late: 0, honest: true }.two().await;
            assert_eq!((two.report.verdict, two.report.cause), (Verdict::Accepted, None), "{:#?}", two.report);
            assert_eq!(two.connection.map(|kept| kept.messages), Some(2), "{keywords:?} {answer:?}");
        }
    }
}
