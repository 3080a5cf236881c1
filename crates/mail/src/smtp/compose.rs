//! Composes an Internet message (RFC 5322, MIME) from a letter, in the character set that the owner chose.
//!
//! lettre builds the message; header texts are encoded here, because lettre supports only UTF-8.

use std::time::SystemTime;

use lettre::{
    Message,
    message::{
        Body, Mailbox, MultiPart, MultiPartBuilder, SinglePart,
        header::{
            ContentDisposition, ContentId, ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
        },
    },
};
use model::encoding::Encoding;

mod charset;
mod header;
#[cfg(test)]
mod tests;

use charset::encode;
pub use header::hides_a_control;
use header::{mailboxes, text};

/// The content of a message.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Header From.
    pub from: Mailbox,
    /// Header To.
    pub to: Vec<Mailbox>,
    /// Header Cc.
    pub cc: Vec<Mailbox>,
    /// Header Reply-To.
    pub reply_to: Option<Mailbox>,
    /// One line; control characters are removed.
    pub subject: String,
    /// Text, HTML or both; an empty text if both are missing.
    pub text: Option<String>,
    /// The HTML part, sent unchanged.
    pub html: Option<String>,
    /// In the order in which they are attached.
    pub attachments: Vec<Attachment>,
    /// The requested character set.
    pub encoding: Encoding,
    /// Without angle brackets.
    pub message_id: String,
    /// Header Date.
    pub date: SystemTime,
    /// Sent by a program (RFC 3834), so that vacation notices do not reply.
    pub auto_submitted: bool,
    /// A BCP 47 tag, or empty.
    pub language: String,
}

/// A file attached to a letter.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// The name of the file; characters that could hide a line end are removed.
    pub filename: String,
    /// A MIME type (RFC 2045 §5.1), such as `application/pdf`.
    pub content_type: String,
    /// The id by which the HTML refers to it (`cid:`, RFC 2392); `None`: it is attached beside the text.
    pub content_id: Option<String>,
    /// The bytes of the file, before base64.
    pub content: Vec<u8>,
}

impl Letter {
    /// A letter from one address to another, with a new Message-ID under the sender's domain.
    pub fn new(from: &lettre::Address, to: &lettre::Address, date: SystemTime) -> Self {
        Self {
            to: vec![Mailbox::new(None, to.clone())],
            message_id: format!("{:032x}@{}", rand::random::<u128>(), from.domain()),
            date,
            ..Self::empty(from)
        }
    }

    /// A letter without content, from `sender` to itself: for conversations that end before the message.
    pub fn empty(sender: &lettre::Address) -> Self {
        Self {
            from: Mailbox::new(None, sender.clone()),
            to: vec![Mailbox::new(None, sender.clone())],
            cc: Vec::new(),
            reply_to: None,
            subject: String::new(),
            text: None,
            html: None,
            attachments: Vec::new(),
            encoding: Encoding::default(),
            message_id: String::new(),
            date: SystemTime::UNIX_EPOCH,
            auto_submitted: false,
            language: String::new(),
        }
    }
}

/// A message ready to send.
#[derive(Debug, Clone)]
pub struct Composed {
    /// The message (RFC 5322) with CRLF line ends.
    pub bytes: Vec<u8>,
    /// The character set used: UTF-8 if a text does not fit the requested one.
    pub charset: Encoding,
}

/// Why a letter cannot become a message.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// A part cannot be encoded; for example, its MIME type is invalid.
    #[error("cannot encode a part of the message")]
    Encoding,
    /// lettre cannot build the message.
    #[error("cannot build the message")]
    Message(#[from] lettre::error::Error),
}

/// Composes a letter. Lines end in CRLF and have at most 998 bytes; no text can inject a header.
pub fn compose(letter: &Letter) -> Result<Composed, ComposeError> {
    let charset = if fits(letter) { letter.encoding } else { Encoding::Utf8 };
    // Display names are encoded below; lettre needs only the addresses.
    let bare = |mailbox: &Mailbox| Mailbox::new(None, mailbox.email.clone());
    let mut builder = Message::builder()
        .from(bare(&letter.from))
        .date(letter.date)
        .message_id(Some(format!("<{}>", header::clean(&letter.message_id))))
        .header(lettre::message::header::MIME_VERSION_1_0);
    for to in &letter.to {
        builder = builder.to(bare(to));
    }
    let mut message = match body(letter, charset)? {
        Part::Single(part) => builder.singlepart(part)?,
        Part::Multi(parts) => builder.multipart(parts)?,
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
    if !letter.cc.is_empty() {
        set("Cc", mailboxes(&letter.cc, charset));
    }
    if let Some(reply_to) = &letter.reply_to {
        set("Reply-To", mailboxes(std::slice::from_ref(reply_to), charset));
    }
    if letter.auto_submitted {
        set("Auto-Submitted", "auto-generated".to_owned());
    }
    if !letter.language.is_empty() {
        set("Content-Language", header::clean(&letter.language));
    }
    Ok(Composed { bytes: message.formatted(), charset })
}

/// Whether every text fits the requested character set.
fn fits(letter: &Letter) -> bool {
    let names = [&letter.from].into_iter().chain(&letter.to).chain(&letter.cc).chain(&letter.reply_to);
    let names = names.filter_map(|mailbox| mailbox.name.as_ref());
    names
        .chain([&letter.subject])
        .chain(&letter.text)
        .chain(&letter.html)
        .all(|text| encode(text, letter.encoding).is_some())
}

/// One part, or a tree of them.
enum Part {
    Single(SinglePart),
    Multi(MultiPart),
}

impl Part {
    /// This part inside a multipart: `first` is an empty multipart.
    fn begin(self, first: MultiPartBuilder) -> MultiPart {
        match self {
            Self::Single(part) => first.singlepart(part),
            Self::Multi(parts) => first.multipart(parts),
        }
    }
}

/// The texts, the images of the HTML, and the attached files.
fn body(letter: &Letter, charset: Encoding) -> Result<Part, ComposeError> {
    let (shown, listed): (Vec<&Attachment>, Vec<_>) =
        letter.attachments.iter().partition(|attachment| attachment.content_id.is_some() && letter.html.is_some());
    let html = letter.html.as_ref().map(|html| part("text/html", html, charset)).transpose()?.map(Part::Single);
    let html = html.map(|html| within(html, MultiPart::related(), &shown)).transpose()?;
    let texts = match (letter.text.as_deref(), html) {
        (Some(text), Some(html)) => {
            let both = MultiPart::alternative().singlepart(part("text/plain", text, charset)?);
            Part::Multi(match html {
                Part::Single(html) => both.singlepart(html),
                Part::Multi(html) => both.multipart(html),
            })
        }
        (None, Some(html)) => html,
        (text, None) => Part::Single(part("text/plain", text.unwrap_or_default(), charset)?),
    };
    within(texts, MultiPart::mixed(), &listed)
}

/// A part with files around it; the part alone if there are none.
fn within(part: Part, kind: MultiPartBuilder, files: &[&Attachment]) -> Result<Part, ComposeError> {
    if files.is_empty() {
        return Ok(part);
    }
    let mut parts = part.begin(kind);
    for attachment in files {
        parts = parts.singlepart(file(attachment)?);
    }
    Ok(Part::Multi(parts))
}

fn file(attachment: &Attachment) -> Result<SinglePart, ComposeError> {
    let Attachment { filename, content_type, content_id, content } = attachment;
    // A message or a multipart may not be encoded (RFC 2046 §5.2.1), so it is attached as a file of unknown type.
    let whole = ["message/", "multipart/"].iter().any(|kind| content_type.to_ascii_lowercase().starts_with(kind));
    let kind = if whole { "application/octet-stream" } else { content_type };
    ContentType::parse(kind).map_err(|_| ComposeError::Encoding)?;
    let body = Body::new_with_encoding(content.clone(), ContentTransferEncoding::Base64)
        .map_err(|_| ComposeError::Encoding)?;
    let filename = header::file_name(filename);
    let named = format!("{};\r\n {}", header::clean(kind), header::name_parameter(&filename));
    let part = SinglePart::builder().header(NamedType(named));
    let part = match content_id {
        Some(id) => part
            .header(ContentId::from(format!("<{}>", header::clean(id))))
            .header(ContentDisposition::inline_with_name(&filename)),
        None => part.header(ContentDisposition::attachment(&filename)),
    };
    Ok(part.body(body))
}

/// `Content-Type` with the name of the file as well. `Content-Disposition` has it in the standard form (RFC 2231);
/// Outlook and other readers that do not know that form look here.
#[derive(Clone)]
struct NamedType(String);

impl Header for NamedType {
    fn name() -> HeaderName {
        ContentType::name()
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::dangerous_new_pre_encoded(Self::name(), self.0.clone(), self.0.clone())
    }
}

fn part(kind: &str, content: &str, charset: Encoding) -> Result<SinglePart, ComposeError> {
    let content_type =
        ContentType::parse(&format!("{kind}; charset={}", charset.as_str())).map_err(|_| ComposeError::Encoding)?;
    // A lone CR is not a line end in a text; it is kept as `=0D`.
    let lines = content.replace("\r\n", "\n").replace('\n', "\r\n");
    // The builder adds the last line end.
    let lines = lines.strip_suffix("\r\n").unwrap_or(&lines);
    let bytes = encode(lines, charset).ok_or(ComposeError::Encoding)?;
    let body =
        Body::new_with_encoding(bytes, ContentTransferEncoding::QuotedPrintable).map_err(|_| ComposeError::Encoding)?;
    Ok(SinglePart::builder().header(content_type).body(body))
}
