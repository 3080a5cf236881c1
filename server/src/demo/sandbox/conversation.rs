//! Server side. One conversation of the sandbox: real ESMTP, and the personas' ways to fail.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream},
    net::TcpStream,
    time::{Instant, sleep},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{DOMAIN, Inbox, inbox::Envelope, personas::PASSWORD};

/// Largest message, in bytes.
const MOST_BYTES: usize = 25 * 1024 * 1024;
/// Longest command line, in bytes (RFC 4954 §4 lets AUTH have 12288).
const LONGEST_LINE: u64 = 12 * 1024;
/// Recipients of one message.
const MOST_RECIPIENTS: usize = 100;
/// How long each answer of the slow persona takes.
const SLOWNESS: Duration = Duration::from_millis(700);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// When a greylisted message was first seen, by sender and recipient.
static GREYLIST: LazyLock<Mutex<HashMap<(String, String), Instant>>> = LazyLock::new(Mutex::default);

/// What to do after a command.
enum Next {
    Go,
    End,
    Upgrade,
}

/// A connection under way.
pub(super) struct Conversation {
    stream: BufStream<Box<dyn Stream>>,
    acceptor: Option<TlsAcceptor>,
    inbox: Inbox,
    greylist_delay: Duration,
    /// The name the client asked for in TLS.
    name: Option<String>,
    encrypted: bool,
    login: Option<String>,
    sender: Option<String>,
    recipients: Vec<String>,
    chunks: Vec<u8>,
}

impl Conversation {
    pub(super) fn in_clear(stream: TcpStream, acceptor: TlsAcceptor, inbox: Inbox, greylist_delay: Duration) -> Self {
        Self::new(Box::new(stream), Some(acceptor), None, inbox, greylist_delay)
    }

    pub(super) fn encrypted(
        stream: TlsStream<TcpStream>,
        name: Option<String>,
        inbox: Inbox,
        greylist_delay: Duration,
    ) -> Self {
        Self::new(Box::new(stream), None, name, inbox, greylist_delay)
    }

    fn new(
        stream: Box<dyn Stream>,
        acceptor: Option<TlsAcceptor>,
        name: Option<String>,
        inbox: Inbox,
        greylist_delay: Duration,
    ) -> Self {
        let encrypted = acceptor.is_none();
        Self {
            stream: BufStream::new(stream),
            acceptor,
            inbox,
            greylist_delay,
            name,
            encrypted,
            login: None,
            sender: None,
            recipients: Vec::new(),
            chunks: Vec::new(),
        }
    }

    /// Talks until the client is done or gone.
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
        self.name.as_deref() == Some(&format!("silence.{DOMAIN}"))
    }

    /// The persona: what stands before the `@` of the login.
    fn persona(&self) -> &str {
        let login = self.login.as_deref().unwrap_or_default();
        login.strip_suffix(&format!("@{DOMAIN}")).unwrap_or_default()
    }

    async fn line(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut bytes).await.ok()?;
        bytes.ends_with(b"\n").then(|| String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }

    /// Answers; with everything that is waiting in one flight, when the client sent a pipeline.
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
        let last = if self.encrypted { "250 AUTH PLAIN LOGIN" } else { "250 STARTTLS" };
        let keywords = "250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES";
        self.say(&format!("250-smtp.sandbox.example\r\n{keywords}\r\n250-SIZE {MOST_BYTES}\r\n{last}")).await
    }

    /// What was sent before the handshake is thrown away.
    async fn upgrade(self) -> Option<Self> {
        let acceptor = self.acceptor?;
        let stream = acceptor.accept(self.stream.into_inner()).await.ok()?;
        let name = stream.get_ref().1.server_name().map(str::to_owned);
        Some(Self::new(Box::new(stream), None, name, self.inbox, self.greylist_delay))
    }

    fn forget(&mut self) {
        self.sender = None;
        self.recipients.clear();
        self.chunks.clear();
    }
}

/// The login.
impl Conversation {
    async fn authenticate(&mut self, rest: &str) -> Option<()> {
        if !self.encrypted {
            return self.say("530 5.7.0 Must issue a STARTTLS command first").await;
        }
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let decoded = |text: &str| BASE64_STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let (login, password) = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let message = if initial.is_empty() { self.prompt("").await? } else { initial.to_owned() };
                let message = decoded(&message).unwrap_or_default();
                let mut parts = message.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            "LOGIN" => {
                let login = self.prompt("VXNlcm5hbWU6").await?;
                let password = self.prompt("UGFzc3dvcmQ6").await?;
                (decoded(&login).unwrap_or_default(), decoded(&password).unwrap_or_default())
            }
            _ => return self.say("504 5.5.4 Unrecognized authentication type").await,
        };
        let refusal = refusal(&login, &password);
        if refusal.is_none() {
            self.login = Some(login);
        }
        self.say(refusal.unwrap_or("235 2.7.0 Authentication successful")).await
    }

    async fn prompt(&mut self, text: &str) -> Option<String> {
        self.say(&format!("334 {text}")).await?;
        self.line().await
    }
}

/// Why a login is refused, in the words of the provider that the persona plays.
fn refusal(login: &str, password: &str) -> Option<&'static str> {
    let persona = login.strip_suffix(&format!("@{DOMAIN}")).unwrap_or_default();
    match persona {
        "application" => Some(
            "534-5.7.9 Application-specific password required. Learn more at\r\n\
             534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor - gsmtp",
        ),
        "sans-basic" => Some("535 5.7.139 Authentication unsuccessful, basic authentication is disabled."),
        "smtp-coupe" => {
            Some("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.")
        }
        "bloque" => Some(
            "535 5.7.1 Please log in with your web browser and then try again. For more information, visit \
             https://support.google.com/mail/bin/accounts/answer/78754",
        ),
        "mot-de-passe" => Some("535 5.7.8 Error: authentication failed"),
        known if super::PERSONAS.iter().any(|persona| persona.login == known) && password == PASSWORD => None,
        _ => Some("535 5.7.8 Error: authentication failed"),
    }
}

/// The mail transaction.
impl Conversation {
    async fn mail(&mut self, rest: &str) -> Option<()> {
        self.forget();
        if self.login.is_none() {
            return self.say("530 5.7.0 Authentication required").await;
        }
        let Some(address) = path(rest, "FROM:") else {
            return self.say("501 5.1.7 Bad sender address syntax").await;
        };
        let reply = match self.persona() {
            "expediteur" => "553 5.7.1 Sender address rejected: not owned by auth user.",
            "cadence" => "450 4.7.1 Rate limit exceeded, slow down and try again later",
            "quota" => "550 5.4.5 Daily user sending limit exceeded.",
            _ => {
                self.sender = Some(address);
                if self.persona() == "latin1" {
                    return self.write(b"250 2.1.0 Exp\xe9diteur accept\xe9\r\n").await;
                }
                "250 2.1.0 OK"
            }
        };
        self.say(reply).await
    }

    async fn rcpt(&mut self, rest: &str) -> Option<()> {
        let Some(sender) = self.sender.clone() else {
            return self.say("503 5.5.1 Need MAIL first").await;
        };
        let Some(address) = path(rest, "TO:") else {
            return self.say("501 5.1.3 Bad recipient address syntax").await;
        };
        let reply = match self.persona() {
            "boite-pleine" => "552 5.2.2 Mailbox full: the recipient's inbox is out of storage space",
            "liste-grise" if self.is_greylisted(&sender, &address) => {
                "450 4.2.0 Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/"
            }
            _ if self.recipients.len() >= MOST_RECIPIENTS => "452 4.5.3 Too many recipients",
            _ => {
                self.recipients.push(address);
                "250 2.1.5 OK"
            }
        };
        self.say(reply).await
    }

    /// The first attempt, and every other one before the delay is over.
    fn is_greylisted(&self, sender: &str, recipient: &str) -> bool {
        let mut seen = GREYLIST.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.entry((sender.to_owned(), recipient.to_owned())) {
            Entry::Vacant(place) => {
                place.insert(Instant::now());
                true
            }
            Entry::Occupied(first) => first.get().elapsed() < self.greylist_delay,
        }
    }

    async fn data(&mut self) -> Option<Next> {
        if self.recipients.is_empty() {
            self.say("503 5.5.1 Need RCPT first").await?;
            return Some(Next::Go);
        }
        self.say("354 End data with <CR><LF>.<CR><LF>").await?;
        let mut message = Vec::new();
        loop {
            let start = message.len();
            self.stream.read_until(b'\n', &mut message).await.ok().filter(|read| *read > 0)?;
            if &message[start..] == b".\r\n" {
                message.truncate(start);
                break;
            }
            if message[start] == b'.' {
                message.remove(start);
            }
            if message.len() > MOST_BYTES {
                self.say("552 5.3.4 Message size exceeds fixed limit").await?;
                return Some(Next::End);
            }
        }
        self.accept(&message).await
    }

    async fn bdat(&mut self, rest: &str) -> Option<Next> {
        let mut words = rest.split_whitespace();
        let size = words.next().and_then(|word| word.parse::<usize>().ok()).unwrap_or(usize::MAX);
        if size > MOST_BYTES.saturating_sub(self.chunks.len()) {
            self.say("552 5.3.4 Message size exceeds fixed limit").await?;
            return Some(Next::End);
        }
        let mut chunk = vec![0; size];
        self.stream.read_exact(&mut chunk).await.ok()?;
        if self.recipients.is_empty() {
            self.say("503 5.5.1 Need RCPT first").await?;
            return Some(Next::Go);
        }
        self.chunks.append(&mut chunk);
        if words.next().is_some_and(|word| word.eq_ignore_ascii_case("LAST")) {
            let message = std::mem::take(&mut self.chunks);
            return self.accept(&message).await;
        }
        self.say("250 2.0.0 OK").await?;
        Some(Next::Go)
    }

    async fn accept(&mut self, message: &[u8]) -> Option<Next> {
        match self.persona() {
            "coupe" => return Some(Next::End),
            "muet" => {
                sleep(Duration::from_secs(60)).await;
                return Some(Next::End);
            }
            "indesirable" => {
                self.say("554 5.7.1 Message rejected under suspicion of SPAM").await?;
                self.forget();
                return Some(Next::Go);
            }
            _ => {}
        }
        let envelope = Envelope {
            login: self.login.clone(),
            mail_from: self.sender.take().unwrap_or_default(),
            rcpt_to: std::mem::take(&mut self.recipients),
        };
        let now = (crate::config::clock())().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let id = self.inbox.put(envelope, message, now);
        self.forget();
        self.say(&format!("250 2.0.0 Ok: queued as SANDBOX{id:04}")).await?;
        Some(Next::Go)
    }
}

/// The address of `MAIL FROM:<…>` or `RCPT TO:<…>`.
fn path(rest: &str, keyword: &str) -> Option<String> {
    let (start, after) = rest.split_at_checked(keyword.len())?;
    let address = after.trim_start().strip_prefix('<')?.split_once('>')?.0;
    (start.eq_ignore_ascii_case(keyword) && !address.contains(char::is_whitespace)).then(|| address.to_owned())
}
