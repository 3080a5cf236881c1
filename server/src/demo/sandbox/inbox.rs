//! Server side. The "sent" mail: in memory, the newest first; the oldest is dropped.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mail_parser::{Address, MessageParser, MimeHeaders};
use serde::Serialize;

/// Most mails to keep.
const MOST: usize = 200;

/// A mail that was accepted.
#[derive(Debug, Clone, Serialize)]
pub struct Received {
    pub id: u64,
    /// RFC 3339.
    pub at: String,
    pub login: Option<String>,
    pub mail_from: String,
    pub rcpt_to: Vec<String>,
    pub from: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
    /// The character set of the text.
    pub charset: Option<String>,
    pub raw: String,
}

/// The envelope of a mail.
pub(super) struct Envelope {
    pub login: Option<String>,
    pub mail_from: String,
    pub rcpt_to: Vec<String>,
}

/// The inbox; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Inbox(Arc<Mutex<Mails>>);

#[derive(Debug, Default)]
struct Mails {
    last_id: u64,
    logins: u32,
    newest_first: VecDeque<Received>,
}

impl Inbox {
    fn mails(&self) -> MutexGuard<'_, Mails> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a login attempt.
    pub(super) fn login_tried(&self) {
        self.mails().logins += 1;
    }

    /// The number of login attempts.
    pub fn logins(&self) -> u32 {
        self.mails().logins
    }

    /// Every mail, the newest first.
    pub fn messages(&self) -> Vec<Received> {
        self.mails().newest_first.iter().cloned().collect()
    }

    pub fn get(&self, id: u64) -> Option<Received> {
        self.mails().newest_first.iter().find(|mail| mail.id == id).cloned()
    }

    pub fn clear(&self) {
        self.mails().newest_first.clear();
    }

    pub(super) fn put(&self, envelope: Envelope, raw: &[u8], at: String) -> u64 {
        let mut mails = self.mails();
        mails.last_id += 1;
        let id = mails.last_id;
        mails.newest_first.push_front(read(id, envelope, raw, at));
        mails.newest_first.truncate(MOST);
        id
    }
}

fn read(id: u64, envelope: Envelope, raw: &[u8], at: String) -> Received {
    let parsed = MessageParser::default().parse(raw);
    let mail = parsed.as_ref();
    let body = |text: Option<std::borrow::Cow<'_, str>>| text.map(std::borrow::Cow::into_owned);
    Received {
        id,
        at,
        login: envelope.login,
        mail_from: envelope.mail_from,
        rcpt_to: envelope.rcpt_to,
        from: mail.and_then(|mail| mail.from()).map(written).unwrap_or_default(),
        to: mail.and_then(|mail| mail.to()).map(written).unwrap_or_default(),
        subject: mail.and_then(|mail| mail.subject()).unwrap_or_default().to_owned(),
        text: mail.and_then(|mail| body(mail.body_text(0))).unwrap_or_default(),
        html: mail.filter(|mail| mail.html_body_count() > 0).and_then(|mail| body(mail.body_html(0))),
        charset: mail.and_then(|mail| mail.text_part(0)?.content_type()?.attribute("charset").map(str::to_owned)),
        raw: String::from_utf8_lossy(raw).into_owned(),
    }
}

fn written(addresses: &Address<'_>) -> String {
    let one = |address: &mail_parser::Addr<'_>| match (address.name(), address.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (_, address) => address.unwrap_or_default().to_owned(),
    };
    addresses.iter().map(one).collect::<Vec<_>>().join(", ")
}
