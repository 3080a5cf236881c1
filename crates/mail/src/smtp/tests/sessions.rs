//! Servers that take only a few messages on a connection, and say so in their own ways.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

use super::*;

/// When the fourth message of a connection is refused.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Sender,
    Recipient,
    Message,
}

/// A server that takes three messages on a connection, and counts those that it took.
async fn serve(says: &'static str, at: At) -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, taken) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU32::new(0)));
    let counter = taken.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let counter = counter.clone();
            tokio::spawn(async move {
                stream.set_nodelay(true).unwrap();
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                let (mut here, mut in_message) = (0, false);
                let mut queued: String;
                let _ = write.write_all(b"220 ready\r\n").await;
                while let Ok(Some(line)) = lines.next_line().await {
                    let over = |stage: At| here >= 3 && at == stage;
                    let answer = match line.get(..4).unwrap_or(&line).to_ascii_uppercase().as_str() {
                        "." => {
                            in_message = false;
                            let over = over(At::Message);
                            here += 1;
                            if over {
                                says
                            } else {
                                let number = counter.fetch_add(1, Ordering::SeqCst);
                                queued = format!("250 2.0.0 queued as {number:X}");
                                queued.as_str()
                            }
                        }
                        _ if in_message => continue,
                        "EHLO" => "250-hi\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN",
                        "AUTH" => "235 2.7.0 hello",
                        "MAIL" if over(At::Sender) => says,
                        "RCPT" if over(At::Recipient) => says,
                        "RCPT" | "DATA" if over(At::Sender) => "503 5.5.1 MAIL first",
                        "DATA" if over(At::Recipient) => "503 5.5.1 no valid recipients",
                        "DATA" => {
                            in_message = true;
                            "354 go"
                        }
                        _ => "250 2.0.0 ok",
                    };
                    if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                        return;
                    }
                    if answer.starts_with("421") {
                        return;
                    }
                }
            });
        }
    });
    (port, taken)
}

#[tokio::test]
async fn twenty_messages_leave_at_once_through_connections_that_take_three() {
    for (says, at) in [
        ("451 Requested action aborted: Mails per session limit", At::Sender),
        ("421 4.7.0 Too many messages in this connection", At::Sender),
        ("550 Maximum number of messages per session. Open a new session and try again. IB510", At::Sender),
        ("451 4.4.2 Timeout waiting for data from client", At::Sender),
        ("452 4.4.5 Maximum number of messages per session exceeded", At::Recipient),
        ("550 5.7.1 This message has exceeded the max number of messages per session. Open a new session", At::Message),
        ("421 4.4.2 Connection dropped due to inactivity", At::Message),
    ] {
        let (port, taken) = serve(says, at).await;
        let submitter = submitter(port, vec![]);
        let submission = submission("plain.test.example", port, Security::None);
        let began = std::time::Instant::now();
        let mut connection = None;
        for number in 1..=20 {
            let delivery = submitter.deliver(&submission, connection, limits(), &Open).await;
            assert_eq!(delivery.report.verdict, Verdict::Accepted, "{says} {number} {:#?}", delivery.report);
            connection = delivery.connection;
        }
        assert_eq!(taken.load(Ordering::SeqCst), 20, "{says}: each once");
        let took = began.elapsed();
        assert!(took < Duration::from_secs(3), "{says} {took:?}");
    }
}

#[tokio::test]
async fn on_a_fresh_connection_the_limit_is_temporary_and_not_the_message_s_fault() {
    for says in
        ["550 Open a new session and try again", "451 Mails per session limit", "421 Session expired, reconnect"]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let greeting = format!("220 hi\r\n250-hi\r\n250 AUTH PLAIN\r\n235 ok\r\n{says}\r\n");
                for (number, line) in greeting.split_inclusive("\r\n").enumerate() {
                    if number > 0 && number != 2 {
                        let mut chunk = [0; 1_024];
                        let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut chunk).await;
                    }
                    let _ = stream.write_all(line.as_bytes()).await;
                }
            }
        });
        let submission = submission("plain.test.example", port, Security::None);
        let delivery = submitter(port, vec![]).deliver(&submission, None, limits(), &Open).await;
        assert_eq!(delivery.report.cause, Some(Cause::SessionLimit), "{says} {:#?}", delivery.report);
        assert!(delivery.report.retryable, "{says}");
    }
}
