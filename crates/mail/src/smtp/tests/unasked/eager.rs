//! The servers: one that sends an unsolicited reply in one place, and one that answers `MAIL` twice. Neither accepts a
//! message.

use std::time::Duration;

use model::security::Security;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::HOST;
use crate::smtp::tests::certificates::authority;

const IN_ADVANCE: &str = "250-x\r\n250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n221 bye\r\n";

/// Where the server sends an unsolicited reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Greeting,
    Starttls,
    Ehlo,
    Auth,
    Mail,
    Rcpt,
    Data,
    Message,
}

pub(super) const PLACES: [At; 8] =
    [At::Greeting, At::Starttls, At::Ehlo, At::Auth, At::Mail, At::Rcpt, At::Data, At::Message];

/// What it sends there in addition to its reply.
#[derive(Debug, Clone, Copy)]
pub(super) enum Besides {
    /// The same again.
    Twice,
    /// A positive answer to the next command.
    Next,
    /// Positive answers to all commands that may follow.
    Everything,
}

#[derive(Clone, Copy)]
pub(super) struct Eager {
    pub(super) keywords: &'static str,
    pub(super) security: Security,
    pub(super) at: At,
    pub(super) besides: Besides,
    /// Its answer to the login.
    pub(super) login: &'static str,
}

pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Eager {
    pub(super) async fn start(self) -> (u16, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(self.converse(stream));
            }
        });
        (port, served)
    }

    async fn converse(self, stream: TcpStream) -> Option<()> {
        let acceptor = authority().acceptor(HOST, 2020, 2100);
        let mut stream: Box<dyn Stream> = Box::new(stream);
        if self.security == Security::Tls {
            stream = Box::new(acceptor.accept(stream).await.ok()?);
        }
        self.say(&mut stream, At::Greeting, "220 hi ESMTP\r\n").await?;
        let mut buffer = Vec::new();
        let mut secure = self.security != Security::Starttls;
        loop {
            let line = read_line(&mut stream, &mut buffer).await?;
            let word = line.split([' ', ':', '\r']).next()?.to_owned();
            match word.as_str() {
                "EHLO" | "HELO" if secure => {
                    let reply = format!("250-hi\r\n{}250 AUTH PLAIN\r\n", self.keywords);
                    self.say(&mut stream, At::Ehlo, &reply).await?;
                }
                "EHLO" => self.say(&mut stream, At::Ehlo, "250-hi\r\n250 STARTTLS\r\n").await?,
                "STARTTLS" => {
                    self.say(&mut stream, At::Starttls, "220 go\r\n").await?;
                    stream = Box::new(acceptor.accept(stream).await.ok()?);
                    (secure, buffer) = (true, Vec::new());
                }
                "AUTH" => self.say(&mut stream, At::Auth, self.login).await?,
                "MAIL" => self.say(&mut stream, At::Mail, "250 ok\r\n").await?,
                "RCPT" => self.say(&mut stream, At::Rcpt, "250 ok\r\n").await?,
                "RSET" => stream.write_all(b"250 ok\r\n").await.ok()?,
                "DATA" => {
                    self.say(&mut stream, At::Data, "354 go\r\n").await?;
                    while read_line(&mut stream, &mut buffer).await? != ".\r\n" {}
                    self.say(&mut stream, At::Message, "550 5.7.1 spam\r\n").await?;
                }
                "BDAT" => {
                    let size: usize = line.split(' ').nth(1)?.parse().ok()?;
                    while buffer.len() < size {
                        fill(&mut stream, &mut buffer).await?;
                    }
                    buffer.drain(..size);
                    self.say(&mut stream, At::Message, "550 5.7.1 spam\r\n").await?;
                }
                "QUIT" => return stream.write_all(b"221 bye\r\n").await.ok(),
                _ => stream.write_all(b"500 what?\r\n").await.ok()?,
            }
        }
    }

    async fn say(&self, stream: &mut Box<dyn Stream>, at: At, reply: &str) -> Option<()> {
        let more = match (at == self.at, self.besides) {
            (false, _) => "",
            (true, Besides::Twice) => reply,
            (true, Besides::Everything) => IN_ADVANCE,
            (true, Besides::Next) => match at {
                At::Greeting | At::Starttls => "250-hi\r\n250 AUTH PLAIN\r\n",
                At::Ehlo => "235 2.7.0 early\r\n",
                At::Data | At::Message | At::Auth | At::Mail | At::Rcpt => "250 early\r\n",
            },
        };
        stream.write_all([reply, more].concat().as_bytes()).await.ok()?;
        stream.flush().await.ok()
    }
}

pub(super) async fn fill(stream: &mut Box<dyn Stream>, buffer: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 4096];
    let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
    buffer.extend_from_slice(&chunk[..read]);
    Some(())
}

pub(super) async fn read_line(stream: &mut Box<dyn Stream>, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            return Some(String::from_utf8_lossy(&buffer.drain(..=end).collect::<Vec<_>>()).into_owned());
        }
        fill(stream, buffer).await?;
    }
}

/// Answers `MAIL` twice, each other command once and late, and refuses the message.
pub(super) async fn twice_for_the_sender(stream: TcpStream, enhanced: &str, pause: Duration) -> Option<()> {
    let mut stream: Box<dyn Stream> = Box::new(stream);
    let code = |code: &'static str| if enhanced.is_empty() { "" } else { code };
    stream.write_all(b"220 hi\r\n").await.ok()?;
    let mut buffer = Vec::new();
    loop {
        let line = read_line(&mut stream, &mut buffer).await?;
        let reply = match line.split([' ', ':', '\r']).next()? {
            "EHLO" => format!("250-hi\r\n250-PIPELINING\r\n250-CHUNKING\r\n{enhanced}250 AUTH PLAIN\r\n"),
            "AUTH" => "235 ok\r\n".to_owned(),
            "MAIL" => format!("250 {0}ok\r\n250 {0}ok\r\n", code("2.1.0 ")),
            "RCPT" => format!("250 {}ok\r\n", code("2.1.5 ")),
            "BDAT" => {
                let size: usize = line.split(' ').nth(1)?.parse().ok()?;
                while buffer.len() < size {
                    fill(&mut stream, &mut buffer).await?;
                }
                buffer.drain(..size);
                "550 5.7.1 no such thing\r\n".to_owned()
            }
            "DATA" => {
                stream.write_all(b"354 go\r\n").await.ok()?;
                while read_line(&mut stream, &mut buffer).await? != ".\r\n" {}
                "550 5.7.1 no such thing\r\n".to_owned()
            }
            "QUIT" => "221 bye\r\n".to_owned(),
            _ => "500 what?\r\n".to_owned(),
        };
        if !line.starts_with("EHLO") && !line.starts_with("AUTH") && !line.starts_with("MAIL") {
            tokio::time::sleep(pause).await;
        }
        stream.write_all(reply.as_bytes()).await.ok()?;
    }
}
