//! Server side. From a letter to the bytes of an Internet message (RFC 5322, MIME), in the character set the owner
//! chose.
//!
//! lettre builds the message; the texts of the headers are encoded here, because lettre knows UTF-8 only.

use std::time::SystemTime;

use app::profile::encoding::Encoding;
use lettre::{
    Message,
    message::{
        Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};

mod charset;
mod header;
#[cfg(test)]
mod tests;

use charset::encode;
use header::{mailboxes, text};

/// What is to be written.
#[derive(Debug, Clone)]
pub struct Letter {
    pub from: Mailbox,
    pub to: Vec<Mailbox>,
    pub reply_to: Option<Mailbox>,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
    /// The character set that is wanted.
    pub encoding: Encoding,
    /// Without angle brackets.
    pub message_id: String,
    pub date: SystemTime,
    /// Whether a machine wrote it by itself (RFC 3834): no holiday notice answers.
    pub auto_submitted: bool,
    /// A BCP 47 tag.
    pub language: String,
}

/// A message ready to be handed over.
#[derive(Debug, Clone)]
pub struct Composed {
    pub bytes: Vec<u8>,
    /// The character set that was used: UTF-8 when a text does not fit the wanted one.
    pub charset: Encoding,
}

/// Why a letter cannot become a message.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    #[error("a part of the message cannot be encoded")]
    Encoding,
    #[error("the message cannot be built")]
    Message(#[from] lettre::error::Error),
}

/// Writes a letter as a message. Lines end in CRLF and are at most 998 bytes long; nothing in a text can become a
/// header.
pub fn compose(letter: &Letter) -> Result<Composed, ComposeError> {
    let charset = if fits(letter) { letter.encoding } else { Encoding::Utf8 };
    // Names are written below; lettre only needs the addresses.
    let bare = |mailbox: &Mailbox| Mailbox::new(None, mailbox.email.clone());
    let mut builder = Message::builder()
        .from(bare(&letter.from))
        .date(letter.date)
        .message_id(Some(format!("<{}>", header::clean(&letter.message_id))))
        .header(lettre::message::header::MIME_VERSION_1_0);
    for to in &letter.to {
        builder = builder.to(bare(to));
    }
    let plain = part("text/plain", &letter.text, charset)?;
    let mut message = match &letter.html {
        Some(html) => {
            let html = part("text/html", html, charset)?;
            builder.multipart(MultiPart::alternative().singlepart(plain).singlepart(html))?
        }
        None => builder.singlepart(plain)?,
    };
    let headers = message.headers_mut();
    let mut set = |name: &'static str, encoded: String| {
        headers.insert_raw(HeaderValue::dangerous_new_pre_encoded(
            HeaderName::new_from_ascii_str(name),
            encoded.clone(),
            encoded,
        ));
    };
    set("Subject", text(&letter.subject, charset, "Subject: ".len()));
    set("From", mailboxes(std::slice::from_ref(&letter.from), charset));
    set("To", mailboxes(&letter.to, charset));
    if let Some(reply_to) = &letter.reply_to {
        set("Reply-To", mailboxes(std::slice::from_ref(reply_to), charset));
    }
    if letter.auto_submitted {
        set("Auto-Submitted", "auto-generated".to_owned());
    }
    set("Content-Language", header::clean(&letter.language));
    Ok(Composed { bytes: message.formatted(), charset })
}

/// Whether every text fits the wanted character set.
fn fits(letter: &Letter) -> bool {
    let names =
        letter.to.iter().chain([&letter.from]).chain(&letter.reply_to).filter_map(|mailbox| mailbox.name.as_ref());
    names.chain([&letter.subject, &letter.text]).chain(&letter.html).all(|text| encode(text, letter.encoding).is_some())
}

fn part(kind: &str, content: &str, charset: Encoding) -> Result<SinglePart, ComposeError> {
    let content_type =
        ContentType::parse(&format!("{kind}; charset={}", charset.as_str())).map_err(|_| ComposeError::Encoding)?;
    // A lone CR is no line end in a text; it stays what it is, as `=0D`.
    let lines = content.replace("\r\n", "\n").replace('\n', "\r\n");
    // The last line end is the builder's.
    let lines = lines.strip_suffix("\r\n").unwrap_or(&lines);
    let bytes = encode(lines, charset).ok_or(ComposeError::Encoding)?;
    let body =
        Body::new_with_encoding(bytes, ContentTransferEncoding::QuotedPrintable).map_err(|_| ComposeError::Encoding)?;
    Ok(SinglePart::builder().header(content_type).body(body))
}
