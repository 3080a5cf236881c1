//! Server side. The invalid fields of a request.

use app::profile::address::EmailAddress;
use mail::smtp::hides_a_control;

use super::{Addressee, AttachmentRequest, NamedAddress, base64::Base64};
use crate::{
    http::api::{
        json::MOST_FAULTS,
        problem::{Fault, FieldFault},
    },
    outbox::content::{File, Person},
};

const LONGEST_NAME: usize = 256;

/// The invalid fields of a request.
#[derive(Default)]
pub struct Faults(pub Vec<FieldFault>);

impl Faults {
    pub fn add(&mut self, field: impl Into<String>, code: Fault, detail: impl Into<String>) {
        if self.0.len() < MOST_FAULTS {
            self.0.push(FieldFault::new(field, code, detail));
        }
    }

    /// A text of at most `most` bytes without control characters.
    pub fn line(&mut self, field: &str, text: &str, most: usize) {
        if text.len() > most {
            self.add(field, Fault::TooLong, format!("at most {most} bytes of UTF-8"));
        }
        if text.chars().any(char::is_control) {
            self.add(field, Fault::ControlCharacter, "line ends and other control characters are not allowed here");
        }
    }

    /// A text that a mail reader may decode once more into a control character.
    pub fn nothing_hidden(&mut self, field: &str, text: &str) {
        if hides_a_control(text) {
            let detail =
                "it decodes to a line end, another control character or a mark that changes the direction of text";
            self.add(field, Fault::ControlCharacter, detail);
        }
    }

    pub fn present(&mut self, field: &str, text: &str, most: usize) {
        if text.trim().is_empty() {
            self.add(field, Fault::Required, "empty");
        }
        self.line(field, text, most);
    }

    pub fn people(&mut self, field: &str, list: Vec<Addressee>) -> Vec<Person> {
        list.into_iter().enumerate().filter_map(|(at, one)| self.person(&format!("{field}/{at}"), one)).collect()
    }

    pub fn person(&mut self, field: &str, one: Addressee) -> Option<Person> {
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

    pub fn file(&mut self, at: usize, file: AttachmentRequest) -> Option<File> {
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
        let Base64(Ok(bytes)) = content else {
            self.add(format!("{place}/content"), Fault::Base64Invalid, "not base64 (RFC 4648 §4)");
            return None;
        };
        Some(File { filename: file.filename, content_type, content_id: file.content_id, bytes })
    }
}

/// `type/subtype`, with parameters that the message builder can parse.
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
