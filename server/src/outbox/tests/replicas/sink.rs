//! A mail server that accepts everything, and counts connections and messages.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::Instant,
};

use super::super::*;

#[derive(Default)]
struct Counts {
    open: AtomicUsize,
    most: AtomicUsize,
    /// `Message-ID` and time of each message.
    messages: Mutex<Vec<(String, Instant)>>,
}

pub(super) struct Sink {
    pub port: u16,
    counts: Arc<Counts>,
}

/// An open connection.
struct Open(Arc<Counts>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Sink {
    /// `takes`: how long it takes for each message.
    pub async fn start(takes: Duration) -> Self {
        Self::parting(takes, Duration::ZERO).await
    }

    /// The same, with a delay before it answers `QUIT`.
    pub async fn parting(takes: Duration, parts: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, counts) = (listener.local_addr().unwrap().port(), Arc::new(Counts::default()));
        let counting = counts.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let open = counting.open.fetch_add(1, Ordering::SeqCst) + 1;
                counting.most.fetch_max(open, Ordering::SeqCst);
                let open = Open(counting.clone());
                tokio::spawn(async move { serve(stream, open, takes, parts).await });
            }
        });
        Self { port, counts }
    }

    /// Open connections.
    pub fn open(&self) -> usize {
        self.counts.open.load(Ordering::SeqCst)
    }

    /// The most open connections at once.
    pub fn most_open(&self) -> usize {
        self.counts.most.load(Ordering::SeqCst)
    }

    /// How many messages arrived, and how many different ones.
    pub fn distinct(&self) -> (usize, usize) {
        let messages = self.counts.messages.lock().unwrap();
        (messages.len(), messages.iter().map(|(id, _)| id).collect::<HashSet<_>>().len())
    }

    /// When they arrived.
    pub fn arrivals(&self) -> Vec<Instant> {
        self.counts.messages.lock().unwrap().iter().map(|(_, at)| *at).collect()
    }
}

async fn serve(stream: TcpStream, open: Open, takes: Duration, parts: Duration) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink ESMTP\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let answer = match line.to_ascii_uppercase().split([' ', ':', '\r']).next()? {
            "EHLO" => "250-sink\r\n250-PIPELINING\r\n250 AUTH PLAIN",
            "AUTH" => "235 ok",
            "DATA" => {
                stream.write_all(b"354 go\r\n").await.ok()?;
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    if stream.read_line(&mut text).await.ok()? == 0 {
                        return None;
                    }
                }
                let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default();
                open.0.messages.lock().unwrap().push((id.to_owned(), Instant::now()));
                tokio::time::sleep(takes).await;
                "250 2.0.0 Ok: queued"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        let answer_line = format!("{answer}\r\n");
        if answer.starts_with("221") {
            tokio::time::sleep(parts).await;
            // The client may open its next connection as soon as it reads the reply.
            drop(open);
            stream.write_all(answer_line.as_bytes()).await.ok()?;
            return None;
        }
        stream.write_all(answer_line.as_bytes()).await.ok()?;
    }
}
