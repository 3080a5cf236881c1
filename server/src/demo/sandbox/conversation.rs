//! Server side. One conversation of the sandbox: real ESMTP, and the personas' ways to fail.

use std::time::Duration;

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream},
    net::TcpStream,
    time::sleep,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{DOMAIN, Inbox};
use crate::demo::provider::Tokens;

/// Largest message, in bytes.
const MOST_BYTES: usize = 25 * 1024 * 1024;
/// Longest command line, in bytes (RFC 4954 §4 allows 12288 for AUTH).
const LONGEST_LINE: u64 = 12 * 1024;
/// Delay of each reply of the slow persona.
const SLOWNESS: Duration = Duration::from_millis(700);

mod bearer;
mod login;
mod transaction;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// What to do after a command.
enum Next {
    Go,
    End,
    Upgrade,
}

/// What every conversation shares.
#[derive(Clone)]
pub(super) struct House {
    pub inbox: Inbox,
    pub greylist_delay: Duration,
    pub tokens: Tokens,
}

/// A running connection.
pub(super) struct Conversation {
    stream: BufStream<Box<dyn Stream>>,
    acceptor: Option<TlsAcceptor>,
    house: House,
    /// The name that the client requested in TLS.
    name: Option<String>,
    encrypted: bool,
    login: Option<String>,
    /// The account whose token it was; its login may be a shared mailbox.
    token_owner: Option<String>,
    sender: Option<String>,
    recipients: Vec<String>,
    chunks: Vec<u8>,
}

impl Conversation {
    pub(super) fn in_clear(stream: TcpStream, acceptor: TlsAcceptor, house: House) -> Self {
        Self::new(Box::new(stream), Some(acceptor), None, house)
    }

    pub(super) fn encrypted(stream: TlsStream<TcpStream>, name: Option<String>, house: House) -> Self {
        Self::new(Box::new(stream), None, name, house)
    }

    fn new(stream: Box<dyn Stream>, acceptor: Option<TlsAcceptor>, name: Option<String>, house: House) -> Self {
        let encrypted = acceptor.is_none();
        Self {
            stream: BufStream::new(stream),
            acceptor,
            house,
            name,
            encrypted,
            login: None,
            token_owner: None,
            sender: None,
            recipients: Vec::new(),
            chunks: Vec::new(),
        }
    }

    /// Runs until the client is done or gone.
    pub(super) async fn run(mut self) {
        if self.is_silent() {
            return sleep(Duration::from_secs(60)).await;
        }
        if self.say("220 smtp.sandbox.example ESMTP Facteur sandbox").await.is_none() {
            return;
        }
        while let Some(line) = self.line().await {
            match self.command(&line).await {
                Some(Next::Go) => {}
                Some(Next::Upgrade) => {
                    let Some(upgraded) = self.upgrade().await else { return };
                    self = upgraded;
                }
                Some(Next::End) | None => return,
            }
        }
    }

    fn is_silent(&self) -> bool {
        self.is_named("silence")
    }

    /// Whether the client requested the host of this name in TLS.
    fn is_named(&self, host: &str) -> bool {
        self.name.as_deref() == Some(&format!("{host}.{DOMAIN}"))
    }

    /// The persona: the part of the login before the `@`.
    fn persona(&self) -> &str {
        let login = self.login.as_deref().unwrap_or_default();
        login.strip_suffix(&format!("@{DOMAIN}")).unwrap_or_default()
    }

    async fn line(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut bytes).await.ok()?;
        bytes.ends_with(b"\n").then(|| String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }

    /// Replies. After a pipeline, all replies are sent together.
    async fn say(&mut self, reply: &str) -> Option<()> {
        self.write(format!("{reply}\r\n").as_bytes()).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Option<()> {
        if self.persona() == "lent" {
            sleep(SLOWNESS).await;
        }
        self.stream.write_all(bytes).await.ok()?;
        self.stream.flush().await.ok()
    }

    async fn command(&mut self, line: &str) -> Option<Next> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.hello().await?,
            "HELO" => self.say("250 smtp.sandbox.example").await?,
            "STARTTLS" if self.acceptor.is_some() => {
                self.say("220 2.0.0 Ready to start TLS").await?;
                return Some(Next::Upgrade);
            }
            "AUTH" => self.authenticate(rest).await?,
            "MAIL" => self.mail(rest).await?,
            "RCPT" => self.rcpt(rest).await?,
            "DATA" => return self.data().await,
            "BDAT" => return self.bdat(rest).await,
            "RSET" => {
                self.forget();
                self.say("250 2.0.0 OK").await?;
            }
            "NOOP" => self.say("250 2.0.0 OK").await?,
            "QUIT" => {
                self.say("221 2.0.0 Bye").await?;
                return Some(Next::End);
            }
            _ => self.say("502 5.5.2 Command not recognized").await?,
        }
        Some(Next::Go)
    }

    async fn hello(&mut self) -> Option<()> {
        let last = match (self.encrypted, self.is_named("scram"), self.house.tokens.has_provider()) {
            (true, true, _) => "250 AUTH SCRAM-SHA-256 PLAIN LOGIN",
            (true, false, true) => "250 AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER",
            (true, false, false) => "250 AUTH PLAIN LOGIN",
            (false, ..) => "250 STARTTLS",
        };
        let keywords = "250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES";
        self.say(&format!("250-smtp.sandbox.example\r\n{keywords}\r\n250-SIZE {MOST_BYTES}\r\n{last}")).await
    }

    /// Input from before the handshake is discarded.
    async fn upgrade(self) -> Option<Self> {
        let acceptor = self.acceptor?;
        let stream = acceptor.accept(self.stream.into_inner()).await.ok()?;
        let name = stream.get_ref().1.server_name().map(str::to_owned);
        Some(Self::new(Box::new(stream), None, name, self.house))
    }

    fn forget(&mut self) {
        self.sender = None;
        self.recipients.clear();
        self.chunks.clear();
    }
}
