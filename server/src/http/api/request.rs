//! Server side. A message as a portal asks for it, and everything that is wrong with it, by field.

use app::{profile::address::EmailAddress, session::AccountId};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use jiff::Timestamp;
use mail::smtp::hides_a_control;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::problem::{Code, Fault, FieldFault, Problem};
use crate::{
    objects::{object, objects},
    outbox::{
        MessageDraft,
        content::{Content, File, Head, Person},
    },
    store::outbox::{Lane, Recipient, RecipientKind, RecipientState},
};

/// All files together, in bytes.
const LARGEST_FILES: usize = 25 * 1000 * 1000;
/// One text, in bytes.
const LARGEST_TEXT: usize = 2 * 1000 * 1000;
const MOST_RECIPIENTS: usize = 100;
const MOST_FILES: usize = 50;
const LONGEST_SUBJECT: usize = 998;
const LONGEST_NAME: usize = 256;
const LONGEST_ID: usize = 256;
const LONGEST_REFERENCE: usize = 200;
/// With padding or without it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A message to be sent. The sender is not part of it: it is the one of the account's profile, or of the portal's relay.
#[derive(Debug, Deserialize, ToSchema)]
pub struct MessageRequest {
    /// The portal's id of the account: the `account.id` of its tokens.
    #[serde(default)]
    #[schema(required = true, min_length = 1, max_length = 256, example = "boulangerie-martin")]
    pub account: String,
    /// The user for whom it is sent; without one, the shop.
    #[schema(max_length = 256)]
    pub user: Option<String>,
    /// 1 to 100 recipients, with `cc` and `bcc`.
    #[serde(default)]
    #[schema(required = true, min_items = 1, max_items = 100)]
    pub to: Vec<Addressee>,
    #[serde(default)]
    pub cc: Vec<Addressee>,
    /// They get the message; it does not name them.
    #[serde(default)]
    pub bcc: Vec<Addressee>,
    /// Where answers go; without it, where the profile says.
    pub reply_to: Option<Addressee>,
    #[schema(required = true, value_type = String, max_length = 998, example = "Votre devis D-2041")]
    pub subject: Option<String>,
    /// At most 2,000,000 bytes of UTF-8. At least one of `text` and `html`.
    pub text: Option<String>,
    /// At most 2,000,000 bytes of UTF-8.
    pub html: Option<String>,
    /// At most 50, and 25,000,000 bytes in all.
    #[serde(default, deserialize_with = "objects")]
    #[schema(max_items = 50)]
    pub attachments: Vec<AttachmentRequest>,
    /// The language of the text: `fr`, `en-GB` (BCP 47).
    pub language: Option<String>,
    /// A machine wrote it by itself: no holiday notice answers (`Auto-Submitted`, RFC 3834).
    #[serde(default)]
    pub auto_submitted: bool,
    /// The portal's own id of it: it stands in answers and events.
    #[schema(max_length = 200)]
    pub reference: Option<String>,
    /// Refused: nobody can forge a sender.
    #[schema(ignore)]
    from: Option<Value>,
    #[schema(ignore)]
    sender: Option<Value>,
}

/// An address, with a name or without.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Addressee {
    #[schema(title = "address alone", example = "claire@example.com")]
    Address(String),
    #[schema(title = "address and name")]
    Named(#[serde(deserialize_with = "object")] NamedAddress),
}

/// An address with a name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedAddress {
    /// Such as `claire@example.com`; international domains are taken.
    address: String,
    /// At most 256 bytes.
    name: Option<String>,
}

/// A file that goes with the message.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AttachmentRequest {
    /// At most 256 bytes.
    #[serde(default)]
    #[schema(required = true, example = "devis-D-2041.pdf")]
    pub filename: String,
    /// A MIME type; `application/octet-stream` without one.
    #[schema(example = "application/pdf")]
    pub content_type: Option<String>,
    /// For a picture that the HTML shows as `cid:…`.
    pub content_id: Option<String>,
    /// Base64 (RFC 4648 §4).
    #[schema(required = true, value_type = String)]
    content: Option<Encoded>,
}

/// A text in base64, decoded as it is read: it is the largest part of a request, and is not copied first.
#[derive(Debug)]
struct Encoded(Result<Vec<u8>, base64::DecodeError>);

impl<'de> Deserialize<'de> for Encoded {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Base64;

        impl serde::de::Visitor<'_> for Base64 {
            type Value = Encoded;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_str<E>(self, text: &str) -> Result<Encoded, E> {
                // Line ends of MIME's base64 may stand in it.
                if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
                    let bare: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
                    return Ok(Encoded(BASE64.decode(bare)));
                }
                Ok(Encoded(BASE64.decode(text)))
            }
        }

        deserializer.deserialize_str(Base64)
    }
}

/// Reads the body, and checks it. Everything that is wrong is said at once, unless it is no object of this shape.
pub fn read(
    portal: &str,
    idempotency_key: Option<String>,
    body: &[u8],
    now: Timestamp,
) -> Result<MessageDraft, Problem> {
    let (request, unknown) = parse::<MessageRequest>(body)?;
    let mut faults = Faults(unknown);
    let hash = Sha256::digest(body).into();
    let draft = check(portal, request, &mut faults, now);
    if !faults.0.is_empty() {
        return Err(Problem::fields(faults.0));
    }
    Ok(MessageDraft { idempotency_key, request_hash: hash, ..draft })
}

/// Reads JSON; with it come the fields that nobody knows.
pub fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<(T, Vec<FieldFault>), Problem> {
    // serde also takes an array for an object, value by value: what it leaves out would count as not asked for.
    if body.trim_ascii_start().first().is_some_and(|first| *first == b'[') {
        return Err(Problem::detailed(Code::MalformedJson, "the body is an array, and not an object"));
    }
    let mut unknown = Faults::default();
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let request: Result<T, _> = serde_ignored::deserialize(tracked, |path| {
        unknown.add(format!("/{}", path.to_string().replace('.', "/")), Fault::Unknown, "there is no such field");
    });
    match request.and_then(|request| deserializer.end().map(|()| request)) {
        Ok(request) => Ok((request, unknown.0)),
        Err(error) if error.is_data() => {
            let field = pointer(&track.path());
            let detail = format!("wrong type: line {}, column {}", error.line(), error.column());
            Err(Problem::fields(vec![FieldFault::new(field, Fault::WrongType, detail)]))
        }
        Err(error) => Err(Problem::detailed(Code::MalformedJson, error.to_string())),
    }
}

/// As a JSON pointer (RFC 6901 §3).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

#[derive(Default)]
struct Faults(Vec<FieldFault>);

impl Faults {
    fn add(&mut self, field: impl Into<String>, code: Fault, detail: impl Into<String>) {
        // Nobody reads more.
        if self.0.len() < 50 {
            self.0.push(FieldFault::new(field, code, detail));
        }
    }

    /// A text of at most so many bytes without control characters.
    fn line(&mut self, field: &str, text: &str, most: usize) {
        if text.len() > most {
            self.add(field, Fault::TooLong, format!("at most {most} bytes of UTF-8"));
        }
        if text.chars().any(char::is_control) {
            self.add(field, Fault::ControlCharacter, "line ends and other control characters are not allowed here");
        }
    }

    /// A text that a mail reader may decode once more, and then finds a control character in.
    fn nothing_hidden(&mut self, field: &str, text: &str) {
        if hides_a_control(text) {
            let detail = "it decodes to a line end, a control character or a mark that turns the direction of text";
            self.add(field, Fault::ControlCharacter, detail);
        }
    }

    fn present(&mut self, field: &str, text: &str, most: usize) {
        if text.trim().is_empty() {
            self.add(field, Fault::Required, "empty");
        }
        self.line(field, text, most);
    }

    fn people(&mut self, field: &str, list: Vec<Addressee>) -> Vec<Person> {
        list.into_iter().enumerate().filter_map(|(at, one)| self.person(&format!("{field}/{at}"), one)).collect()
    }

    fn person(&mut self, field: &str, one: Addressee) -> Option<Person> {
        let (place, address, name) = match one {
            Addressee::Address(address) => (field.to_owned(), address, None),
            Addressee::Named(NamedAddress { address, name }) => (format!("{field}/address"), address, name),
        };
        if let Some(name) = &name {
            self.line(&format!("{field}/name"), name, LONGEST_NAME);
        }
        let parsed = EmailAddress::parse(&address).ok().filter(|address| {
            address.as_str().parse::<lettre::Address>().is_ok() && !address.as_str().chars().any(char::is_control)
        });
        let Some(parsed) = parsed else {
            self.add(place, Fault::AddressInvalid, "not an address such as claire@example.com");
            return None;
        };
        Some(Person { address: parsed.as_str().to_owned(), name: name.filter(|name| !name.trim().is_empty()) })
    }

    fn file(&mut self, at: usize, file: AttachmentRequest) -> Option<File> {
        let place = format!("/attachments/{at}");
        self.present(&format!("{place}/filename"), &file.filename, LONGEST_NAME);
        self.nothing_hidden(&format!("{place}/filename"), &file.filename);
        if let Some(id) = &file.content_id {
            self.present(&format!("{place}/content_id"), id, LONGEST_NAME);
            if id.contains(['<', '>', ' ']) || !id.is_ascii() {
                self.add(format!("{place}/content_id"), Fault::ControlCharacter, "ASCII, without < and > and blanks");
            }
        }
        let content_type = file.content_type.unwrap_or_else(|| "application/octet-stream".to_owned());
        if !is_media_type(&content_type) {
            self.add(format!("{place}/content_type"), Fault::ContentTypeInvalid, "not a type such as application/pdf");
        }
        self.nothing_hidden(&format!("{place}/content_type"), &content_type);
        let Some(content) = file.content else {
            self.add(format!("{place}/content"), Fault::Required, "missing");
            return None;
        };
        let Encoded(Ok(bytes)) = content else {
            self.add(format!("{place}/content"), Fault::Base64Invalid, "not base64 (RFC 4648 §4)");
            return None;
        };
        Some(File { filename: file.filename, content_type, content_id: file.content_id, bytes })
    }
}

/// `type/subtype`, and parameters that the mail's builder reads.
fn is_media_type(text: &str) -> bool {
    let bare = text.split(';').next().unwrap_or_default().trim();
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    text.len() <= 200
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && bare.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
        && lettre::message::header::ContentType::parse(text).is_ok()
}

fn check(portal: &str, request: MessageRequest, faults: &mut Faults, now: Timestamp) -> MessageDraft {
    faults.present("/account", &request.account, LONGEST_ID);
    if let Some(user) = &request.user {
        faults.present("/user", user, LONGEST_ID);
    }
    for (field, forged) in [("/from", request.from.is_some()), ("/sender", request.sender.is_some())] {
        if forged {
            faults.add(field, Fault::SenderNotAllowed, "the sender is the profile's, and cannot be given");
        }
    }
    match &request.subject {
        Some(subject) => faults.line("/subject", subject, LONGEST_SUBJECT),
        None => faults.add("/subject", Fault::Required, "missing"),
    }
    if let Some(reference) = &request.reference {
        faults.line("/reference", reference, LONGEST_REFERENCE);
    }
    if let Some(language) = &request.language
        && !(language.len() <= 35 && language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
    {
        faults.add("/language", Fault::LanguageInvalid, "not a language tag such as fr or en-GB");
    }
    if request.text.is_none() && request.html.is_none() {
        faults.add("/text", Fault::Required, "at least one of text and html");
    }
    for (field, text) in [("/text", &request.text), ("/html", &request.html)] {
        if text.as_ref().is_some_and(|text| text.len() > LARGEST_TEXT) {
            faults.add(field, Fault::TooLarge, format!("at most {LARGEST_TEXT} bytes of UTF-8"));
        }
    }
    let count = request.to.len() + request.cc.len() + request.bcc.len();
    if request.to.is_empty() {
        faults.add("/to", Fault::Required, "at least one recipient");
    } else if count > MOST_RECIPIENTS {
        faults.add("/to", Fault::TooMany, format!("at most {MOST_RECIPIENTS} with cc and bcc"));
        // What comes after is not read one by one.
        return MessageDraft::nothing(portal);
    }
    let (to, cc) = (faults.people("/to", request.to), faults.people("/cc", request.cc));
    let bcc = faults.people("/bcc", request.bcc);
    let reply_to = request.reply_to.and_then(|one| faults.person("/reply_to", one));
    if request.attachments.len() > MOST_FILES {
        faults.add("/attachments", Fault::TooMany, format!("at most {MOST_FILES}"));
        return MessageDraft::nothing(portal);
    }
    let files: Vec<File> =
        request.attachments.into_iter().enumerate().filter_map(|(at, file)| faults.file(at, file)).collect();
    if files.iter().map(|file| file.bytes.len()).sum::<usize>() > LARGEST_FILES {
        faults.add("/attachments", Fault::TooLarge, format!("at most {LARGEST_FILES} bytes in all"));
    }
    let recipients = recipients([(RecipientKind::To, &to), (RecipientKind::Cc, &cc), (RecipientKind::Bcc, &bcc)]);
    MessageDraft {
        lane: Lane { account: AccountId { portal: portal.to_owned(), account: request.account }, user: request.user },
        idempotency_key: None,
        request_hash: [0; 32],
        reference: request.reference,
        recipients,
        content: Content {
            head: Head {
                to,
                cc,
                reply_to,
                subject: request.subject.unwrap_or_default(),
                text: request.text,
                html: request.html,
                language: request.language,
                auto_submitted: request.auto_submitted,
                date: now,
            },
            files,
        },
    }
}

/// Everybody once, as they were addressed first.
fn recipients(lists: [(RecipientKind, &Vec<Person>); 3]) -> Vec<Recipient> {
    let mut recipients: Vec<Recipient> = Vec::new();
    for (kind, people) in lists {
        for person in people {
            if recipients.iter().all(|known| known.address != person.address) {
                recipients.push(Recipient {
                    address: person.address.clone(),
                    kind,
                    state: RecipientState::Pending,
                    cause: None,
                    reply: None,
                    stage: None,
                });
            }
        }
    }
    recipients
}

impl MessageDraft {
    /// Of a request that is refused.
    fn nothing(portal: &str) -> Self {
        let account = AccountId { portal: portal.to_owned(), account: String::new() };
        Self {
            lane: Lane { account, user: None },
            idempotency_key: None,
            request_hash: [0; 32],
            reference: None,
            recipients: Vec::new(),
            content: Content {
                head: Head {
                    to: Vec::new(),
                    cc: Vec::new(),
                    reply_to: None,
                    subject: String::new(),
                    text: None,
                    html: None,
                    language: None,
                    auto_submitted: false,
                    date: Timestamp::UNIX_EPOCH,
                },
                files: Vec::new(),
            },
        }
    }
}
