//! Server side. The sandbox' mail transaction, and how the personas change it.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt},
    time::{Instant, sleep},
};

use super::{Conversation, MOST_BYTES, Next};
use crate::demo::sandbox::inbox::Envelope;

/// Most recipients of one message.
const MOST_RECIPIENTS: usize = 100;

/// When a greylisted message was first seen, by sender and recipient.
static GREYLIST: LazyLock<Mutex<HashMap<(String, String), Instant>>> = LazyLock::new(Mutex::default);

impl Conversation {
    pub(super) async fn mail(&mut self, rest: &str) -> Option<()> {
        self.forget();
        if self.login.is_none() {
            return self.say("530 5.7.0 Authentication required").await;
        }
        let Some(address) = path(rest, "FROM:") else {
            return self.say("501 5.1.7 Bad sender address syntax").await;
        };
        let reply = match self.persona() {
            "au-nom-de" if self.login.as_deref() != Some(address.as_str()) => {
                "553 5.7.1 Sender address rejected: not owned by auth user."
            }
            "expediteur" => "553 5.7.1 Sender address rejected: not owned by auth user.",
            "cadence" => "450 4.7.1 Rate limit exceeded, slow down and try again later",
            "une-session" => "451 4.4.5 Mails per session limit exceeded, open a new session",
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

    pub(super) async fn rcpt(&mut self, rest: &str) -> Option<()> {
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

    /// True for the first attempt, and for every other one within the delay.
    pub(super) fn is_greylisted(&self, sender: &str, recipient: &str) -> bool {
        let mut seen = GREYLIST.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.entry((sender.to_owned(), recipient.to_owned())) {
            Entry::Vacant(place) => {
                place.insert(Instant::now());
                true
            }
            Entry::Occupied(first) => first.get().elapsed() < self.house.greylist_delay,
        }
    }

    pub(super) async fn data(&mut self) -> Option<Next> {
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

    pub(super) async fn bdat(&mut self, rest: &str) -> Option<Next> {
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

    pub(super) async fn accept(&mut self, message: &[u8]) -> Option<Next> {
        match self.persona() {
            "coupe" => return Some(Next::End),
            "muet" => {
                sleep(Duration::from_secs(60)).await;
                return Some(Next::End);
            }
            "indesirable" | "mal-compose" => {
                let reply = match self.persona() {
                    "mal-compose" => "554 5.6.0 Message is not RFC 5322 compliant: multiple Date headers",
                    _ => "554 5.7.1 Message rejected under suspicion of SPAM",
                };
                self.say(reply).await?;
                self.forget();
                return Some(Next::Go);
            }
            _ => {}
        }
        if self.persona() == "perdu" {
            self.forget();
            self.say("250 2.0.0 Ok: queued as SANDBOX0000").await?;
            return Some(Next::Go);
        }
        let envelope = Envelope {
            login: self.login.clone(),
            mail_from: self.sender.take().unwrap_or_default(),
            rcpt_to: std::mem::take(&mut self.recipients),
        };
        let now = (crate::config::clock())().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let id = self.house.inbox.put(envelope, message, now);
        if let Some(owner) = &self.token_owner {
            self.house.tokens.mail_accepted(owner);
        }
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
