//! A server that follows a script once.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

/// The server's next step.
#[derive(Clone)]
pub(super) enum Step {
    Send(Vec<u8>),
    /// Reads until a line with this beginning has arrived.
    Expect(&'static str),
    /// Reads until so many of them have arrived.
    ExpectSome(usize, &'static str),
    /// Writes a byte at intervals, endlessly.
    Drip(u8, Duration),
    /// Writes this byte as fast as possible, at most 64 MiB.
    Flood(u8),
    Silence,
    Pause(Duration),
    Close,
    Reset,
}

pub(super) fn send(text: &str) -> Step {
    Step::Send(text.as_bytes().to_vec())
}

/// The steps of a successful conversation, up to the login.
pub(super) fn until_auth() -> Vec<Step> {
    vec![
        send("220 test ESMTP\r\n"),
        Step::Expect("EHLO"),
        send("250-test\r\n250 AUTH PLAIN LOGIN\r\n"),
        Step::Expect("AUTH PLAIN"),
    ]
}

pub(super) fn until_data() -> Vec<Step> {
    let mut steps = until_auth();
    steps.extend([
        send("235 2.7.0 ok\r\n"),
        Step::Expect("MAIL FROM"),
        send("250 ok\r\n"),
        Step::Expect("RCPT TO"),
        send("250 ok\r\n"),
        Step::Expect("DATA"),
    ]);
    steps
}

pub(super) fn until_the_dot() -> Vec<Step> {
    let mut steps = until_data();
    steps.extend([send("354 go\r\n"), Step::Expect(".\r\n")]);
    steps
}

/// Starts the server. The handle returns everything it read.
pub(super) async fn serve(steps: Vec<Step>) -> (u16, JoinHandle<String>) {
    let (port, handle) = serve_each(vec![steps]).await;
    (port, tokio::spawn(async move { handle.await.map(|mut read| read.remove(0)).unwrap_or_default() }))
}

/// One script for each connection, in order. The handle returns what was read on each. The listener stays open: a
/// client that connects once more gets silence, not a refusal.
pub(super) async fn serve_each(scripts: Vec<Vec<Step>>) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let handle = tokio::spawn(async move {
        let mut connections = Vec::new();
        for steps in scripts {
            let (stream, _) = listener.accept().await.unwrap();
            connections.push(tokio::spawn(play(stream, steps)));
        }
        let mut read = Vec::new();
        for connection in connections {
            read.push(connection.await.unwrap());
        }
        drop(listener);
        read
    });
    (port, handle)
}

async fn play(mut stream: TcpStream, steps: Vec<Step>) -> String {
    let mut read = Vec::new();
    for step in steps {
        match step {
            Step::Send(bytes) => drop(stream.write_all(&bytes).await),
            Step::Expect(_) | Step::ExpectSome(..) => {
                let (count, start) = match step {
                    Step::ExpectSome(count, start) => (count, start),
                    Step::Expect(start) => (1, start),
                    _ => unreachable!(),
                };
                let mut chunk = [0; 4096];
                let starts = |line: &&str| format!("{line}\r\n").starts_with(start);
                while String::from_utf8_lossy(&read).lines().filter(starts).count() < count {
                    match stream.read(&mut chunk).await {
                        Ok(count) if count > 0 => read.extend_from_slice(&chunk[..count]),
                        _ => return String::from_utf8_lossy(&read).into_owned(),
                    }
                }
            }
            Step::Drip(byte, every) => {
                while stream.write_all(&[byte]).await.is_ok() {
                    sleep(every).await;
                }
            }
            Step::Flood(byte) => {
                let chunk = vec![byte; 64 * 1024];
                for _ in 0..1024 {
                    if stream.write_all(&chunk).await.is_err() {
                        break;
                    }
                }
            }
            Step::Pause(time) => sleep(time).await,
            Step::Silence => sleep(Duration::from_secs(10)).await,
            Step::Close => return String::from_utf8_lossy(&read).into_owned(),
            Step::Reset => {
                #[expect(deprecated, reason = "a reset is intended; it closes at once, so nothing blocks")]
                stream.set_linger(Some(Duration::ZERO)).unwrap();
                return String::from_utf8_lossy(&read).into_owned();
            }
        }
    }
    // Reads what the client still sends, so that it is not cut off.
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(Duration::from_millis(500), stream.read_to_end(&mut rest)).await;
    read.extend_from_slice(&rest);
    String::from_utf8_lossy(&read).into_owned()
}
