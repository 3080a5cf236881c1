//! A server that follows the protocol and counts flights: answers flushed, socket empty, new bytes.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;

/// The extensions it offers after TLS (or at once), in addition to `AUTH PLAIN`.
#[derive(Clone)]
pub(super) struct Responder {
    pub keywords: &'static [&'static str],
    pub acceptor: Option<TlsAcceptor>,
    pub starttls: bool,
    /// Recipients whose address begins with this are refused.
    pub refuses: &'static str,
}

pub(super) struct Running {
    pub port: u16,
    pub flights: Arc<AtomicU32>,
    pub messages: mpsc::UnboundedReceiver<Vec<u8>>,
    pub ended: tokio::task::JoinHandle<()>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Responder {
    pub(super) async fn start(self) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let flights = Arc::new(AtomicU32::new(0));
        let (sender, messages) = mpsc::unbounded_channel();
        let counter = flights.clone();
        let ended = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let stream: Box<dyn Stream> = match &self.acceptor {
                Some(acceptor) if !self.starttls => Box::new(acceptor.accept(stream).await.unwrap()),
                _ => Box::new(stream),
            };
            self.talk(stream, &counter, &sender).await;
        });
        Running { port, flights, messages, ended }
    }

    async fn talk(&self, mut stream: Box<dyn Stream>, flights: &AtomicU32, sender: &mpsc::UnboundedSender<Vec<u8>>) {
        let mut encrypted = !self.starttls;
        let coded = self.keywords.contains(&"ENHANCEDSTATUSCODES");
        stream.write_all(b"220 test ESMTP\r\n").await.unwrap();
        let mut buffer = Vec::new();
        let mut body: Option<Vec<u8>> = None;
        // Each message has an id of its own.
        let mut id = 122;
        let mut taken = || {
            id += 1;
            format!("250 2.0.0 Ok: queued as ABC{id}\r\n")
        };
        loop {
            let mut chunk = vec![0; 65_536];
            let count = stream.read(&mut chunk).await.unwrap_or(0);
            if count == 0 {
                return;
            }
            flights.fetch_add(1, Ordering::SeqCst);
            buffer.extend_from_slice(&chunk[..count]);
            let mut answer = String::new();
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                if let Some(lines) = &mut body {
                    if line == b".\r\n" {
                        sender.send(body.take().unwrap()).unwrap();
                        answer.push_str(&taken());
                    } else {
                        lines.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
                    }
                    continue;
                }
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                match line.split([' ', ':']).next().unwrap() {
                    "EHLO" => {
                        answer.push_str("250-test\r\n");
                        if encrypted {
                            for keyword in self.keywords {
                                answer.push_str(&["250-", keyword, "\r\n"].concat());
                            }
                            answer.push_str("250 AUTH PLAIN\r\n");
                        } else {
                            answer.push_str("250-PIPELINING\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n");
                        }
                    }
                    "STARTTLS" => {
                        stream.write_all(b"220 go\r\n").await.unwrap();
                        stream = Box::new(self.acceptor.as_ref().unwrap().accept(stream).await.unwrap());
                        encrypted = true;
                    }
                    "AUTH" => answer.push_str("235 ok\r\n"),
                    "RCPT" if !self.refuses.is_empty() && line.contains(&format!("<{}", self.refuses)) => {
                        answer.push_str("550 5.1.1 User unknown\r\n");
                    }
                    // RFC 2034 §4: a server that announces the codes sends them.
                    "MAIL" if coded => answer.push_str("250 2.1.0 ok\r\n"),
                    "RCPT" if coded => answer.push_str("250 2.1.5 ok\r\n"),
                    "MAIL" | "RCPT" | "RSET" => answer.push_str("250 ok\r\n"),
                    "DATA" => {
                        answer.push_str("354 go\r\n");
                        body = Some(Vec::new());
                    }
                    "BDAT" => {
                        let size: usize = line.split(' ').nth(1).unwrap().parse().unwrap();
                        while buffer.len() < size {
                            let count = stream.read(&mut chunk).await.unwrap();
                            buffer.extend_from_slice(&chunk[..count]);
                        }
                        sender.send(buffer.drain(..size).collect()).unwrap();
                        answer.push_str(&taken());
                    }
                    "QUIT" => {
                        let _ = stream.write_all(b"221 bye\r\n").await;
                        return;
                    }
                    other => panic!("unexpected {other}"),
                }
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
        }
    }
}
