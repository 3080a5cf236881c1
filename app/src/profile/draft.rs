//! Server side. The form as it was typed, and the way from there to [`Settings`].

use std::{collections::BTreeMap, fmt};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::{
    address::EmailAddress,
    encoding::Encoding,
    field::{Fault, Field, FieldError},
    mask::{is_leftover, is_mask},
    model::{Destination, Profile, Settings},
    password::{Cleaned, InnerSpaces, clean},
    port::DestinationPolicy,
    preset::{Catalogue, Preset},
    security::Security,
    server_text::{self, ServerText, visible},
    typed_sending::TypedSending,
};
use crate::{sending_mode::model::SendingMode, session::Session};

#[cfg(test)]
mod tests;

/// The values of the form. Every one may be shown again; the secret is not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    pub preset: String,
    pub host: String,
    pub port: String,
    pub security: String,
    pub user: String,
    pub login: String,
    pub sender_name: String,
    pub sender_address: String,
    pub reply_to: String,
}

/// A secret as it was typed. It prints and serialises as nothing.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "String")]
pub struct TypedSecret(SecretString);

impl From<String> for TypedSecret {
    fn from(typed: String) -> Self {
        Self(SecretString::from(typed))
    }
}

impl fmt::Debug for TypedSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// Server functions ask for it; there is nothing to send.
impl Serialize for TypedSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("")
    }
}

/// What was typed into a form and is not saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDraft {
    /// The form's name: the profile's id, or what [`Drafts::new_form`](super::drafts::Drafts::new_form) gave.
    pub form: String,
    /// The profile being edited; `None` for a new one.
    pub profile: Option<String>,
    /// The profile's revision that the form showed.
    pub revision: Option<u32>,
    pub draft: Draft,
    pub errors: Vec<FieldError>,
    /// Given up with **Annuler**: it is there for the one who takes that back, and no page offers it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dropped: bool,
    /// What was chosen on another page than the form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
}

impl KeptDraft {
    pub fn of_choice(form: String, choice: Choice) -> Self {
        Self { form, choice: Some(choice), ..Self::default() }
    }
}

/// What was chosen or typed on a page with a few fields, and not saved: carried to the page that asks again, since nothing
/// typed stands in an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    Encoding(Encoding),
    Mode(SendingMode),
    /// With the names of the fields that are wrong.
    Sending(TypedSending, Vec<String>),
    /// Who takes over from a profile that is to be deleted.
    Heir(String),
    /// The code of a test's mail.
    Code(String),
    /// Which value of each field, where two people changed the same profile.
    Merge(BTreeMap<String, String>),
}

impl Choice {
    pub fn heir(typed: &str) -> Self {
        Self::Heir(typed.chars().take(LONGEST_CHOICE).collect())
    }

    pub fn code(typed: &str) -> Self {
        Self::Code(typed.chars().take(LONGEST_CHOICE).collect())
    }

    pub fn merge<'f>(taken: impl Iterator<Item = (&'f str, &'f str)>) -> Self {
        let one = |(name, value): (&str, &str)| (name.to_owned(), value.chars().take(LONGEST_CHOICE).collect());
        Self::Merge(taken.map(one).collect())
    }
}

/// Longest id or code that is kept, in characters.
const LONGEST_CHOICE: usize = 40;

/// Whether a text can be the name of a form.
pub fn is_form_name(text: &str) -> bool {
    (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A secret ready to be sealed, and what the owner must hear about it.
pub struct CheckedSecret {
    pub secret: SecretString,
    /// How many characters were removed because they are cosmetic there.
    pub removed: u32,
    /// How many look superfluous and were left, because they may be part of the password.
    pub suspicious: u32,
}

/// Longest texts, in characters (addresses and hosts have limits of their own).
const LONGEST_LOGIN: usize = 320;
const LONGEST_NAME: usize = 100;
/// Longest secret, in bytes.
const LONGEST_SECRET: usize = 1024;

impl Draft {
    /// The form of a profile that exists.
    pub fn of(profile: &Profile) -> Self {
        let Settings { preset, user, destination, sender_name, sender_address, reply_to } = &profile.settings;
        Self {
            preset: preset.clone().unwrap_or_default(),
            host: destination.host.clone(),
            port: destination.port.to_string(),
            security: destination.security.as_str().to_owned(),
            user: user.clone().unwrap_or_default(),
            login: destination.login.clone(),
            sender_name: sender_name.clone(),
            sender_address: sender_address.to_string(),
            reply_to: reply_to.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }

    /// Whether a form for a new profile holds anything that was typed. `account`: what the sender's name is at first.
    pub fn has_something(&self, account: &str) -> bool {
        let name = self.sender_name.trim();
        let texts = [&self.host, &self.login, &self.sender_address, &self.reply_to];
        (!name.is_empty() && name != account) || texts.into_iter().any(|text| !text.trim().is_empty())
    }

    /// A preset whose server was changed by hand is not chosen any more: its hints and advice are another server's.
    pub fn settle_preset(&mut self, presets: &Catalogue) {
        let host = server_text::read(&self.host).host;
        if !host.is_empty() && presets.get(&self.preset).is_some_and(|preset| !preset.is_at(&host)) {
            self.preset.clear();
        }
    }

    /// Normalises the input: a server with a port, a scheme or a path, invisible characters. Whether the
    /// server was written otherwise.
    pub fn tidy(&mut self) -> bool {
        let ServerText { host, port } = server_text::read(&self.host);
        let changed = host != self.host.trim() || port.is_some();
        self.host = host;
        if let Some(port) = port {
            self.port = port;
        }
        for field in [&mut self.port, &mut self.login, &mut self.sender_address, &mut self.reply_to] {
            *field = visible(field);
        }
        changed
    }

    /// A field's text.
    pub fn value(&self, field: Field) -> Option<&str> {
        Some(match field {
            Field::Preset => &self.preset,
            Field::Host => &self.host,
            Field::Port => &self.port,
            Field::Security => &self.security,
            Field::User => &self.user,
            Field::Login => &self.login,
            Field::SenderName => &self.sender_name,
            Field::SenderAddress => &self.sender_address,
            Field::ReplyTo => &self.reply_to,
            Field::Secret | Field::Encoding => return None,
        })
    }

    /// Takes a field's text from another draft.
    pub fn take(&mut self, field: Field, from: &Self) {
        let (mine, theirs) = match field {
            Field::Preset => (&mut self.preset, &from.preset),
            Field::Host => (&mut self.host, &from.host),
            Field::Port => (&mut self.port, &from.port),
            Field::Security => (&mut self.security, &from.security),
            Field::User => (&mut self.user, &from.user),
            Field::Login => (&mut self.login, &from.login),
            Field::SenderName => (&mut self.sender_name, &from.sender_name),
            Field::SenderAddress => (&mut self.sender_address, &from.sender_address),
            Field::ReplyTo => (&mut self.reply_to, &from.reply_to),
            Field::Secret | Field::Encoding => return,
        };
        mine.clone_from(theirs);
    }

    /// The fields in which two forms differ.
    pub fn differences(&self, other: &Self) -> Vec<Field> {
        let trimmed = |draft: &Self, field| draft.value(field).map(|text| text.trim().to_owned());
        let mut fields = Field::TYPED.to_vec();
        fields.retain(|field| trimmed(self, *field) != trimmed(other, *field));
        fields
    }

    /// Puts a preset's server, port and encryption into the form.
    pub fn fill(&mut self, preset: &Preset) {
        preset.id.clone_into(&mut self.preset);
        preset.host.clone_into(&mut self.host);
        self.port = preset.port.to_string();
        preset.security.as_str().clone_into(&mut self.security);
        if let Some(login) = &preset.login_fixed {
            login.clone_into(&mut self.login);
        }
    }

    /// Checks every field against the account, the presets and the address policy.
    pub fn check(
        &self,
        session: &Session,
        presets: &Catalogue,
        policy: &dyn DestinationPolicy,
    ) -> Result<Settings, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut fault = |field, fault| errors.push(FieldError::new(field, fault));

        let preset = (!self.preset.is_empty()).then(|| self.preset.clone());
        if preset.as_deref().is_some_and(|id| presets.get(id).is_none()) {
            fault(Field::Preset, Fault::Unknown);
        }
        let port = match self.port.trim().parse::<u16>() {
            Ok(port) if port > 0 => policy.port(port).map_err(|wrong| fault(Field::Port, wrong)).ok(),
            _ if self.port.trim().is_empty() => {
                fault(Field::Port, Fault::Required);
                None
            }
            _ => {
                fault(Field::Port, Fault::PortInvalid);
                None
            }
        };
        let security = Security::parse(&self.security);
        if security.is_none() {
            fault(Field::Security, Fault::Unknown);
        }
        let host = if self.host.trim().is_empty() { Err(Fault::Required) } else { policy.host(self.host.trim()) };
        let host = host.map_err(|wrong| fault(Field::Host, wrong)).ok();
        if let (Some(host), Some(Security::None)) = (&host, security)
            && !policy.unencrypted(host)
        {
            fault(Field::Security, Fault::Unencrypted);
        }
        if !self.user.is_empty() && session.user_name(&self.user).is_none() {
            fault(Field::User, Fault::Unknown);
        }
        let login = self.login.trim();
        if let Some(wrong) = text_fault(login, LONGEST_LOGIN) {
            fault(Field::Login, wrong);
        } else if login.is_empty() {
            fault(Field::Login, Fault::Required);
        } else if is_leftover(login) {
            fault(Field::Login, Fault::Leftover);
        }
        let sender_name = self.sender_name.trim();
        if let Some(wrong) = text_fault(sender_name, LONGEST_NAME) {
            fault(Field::SenderName, wrong);
        } else if is_leftover(sender_name) {
            fault(Field::SenderName, Fault::Leftover);
        }
        let sender_address = match (self.sender_address.trim(), EmailAddress::parse(login)) {
            ("", Ok(login)) => Some(login),
            ("", Err(_)) => {
                fault(Field::SenderAddress, Fault::SenderRequired);
                None
            }
            (typed, _) => {
                EmailAddress::parse(typed).map_err(|_| fault(Field::SenderAddress, Fault::AddressInvalid)).ok()
            }
        };
        let reply_to = (!self.reply_to.trim().is_empty()).then(|| EmailAddress::parse(&self.reply_to)).transpose();
        if reply_to.is_err() {
            fault(Field::ReplyTo, Fault::AddressInvalid);
        }

        match (host, port, security, sender_address, reply_to) {
            (Some(host), Some(port), Some(security), Some(sender_address), Ok(reply_to)) if errors.is_empty() => {
                Ok(Settings {
                    preset,
                    user: (!self.user.is_empty()).then(|| self.user.clone()),
                    destination: Destination { host, port, security, login: login.to_owned(), mechanism: None },
                    sender_name: sender_name.to_owned(),
                    sender_address,
                    reply_to,
                })
            }
            _ => {
                errors.sort_by_key(|error| error.field);
                Err(errors)
            }
        }
    }
}

/// What is wrong with a text of one line, if anything.
fn text_fault(text: &str, longest: usize) -> Option<Fault> {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.chars().any(|c| c.is_control() || turns(c)) {
        Some(Fault::Unprintable)
    } else if text.chars().count() > longest {
        Some(Fault::TooLong)
    } else {
        None
    }
}

impl TypedSecret {
    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }

    /// Takes off what is superfluous and checks what is left. Where a space may be part of the password only the
    /// line ends around it go, which no password field can hold; the rest is counted, for the page to offer.
    pub fn check(&self, inner: InnerSpaces) -> Result<CheckedSecret, FieldError> {
        let typed = self.0.expose_secret();
        if typed.len() > LONGEST_SECRET {
            return Err(FieldError::new(Field::Secret, Fault::TooLong));
        }
        let Cleaned { value, spaces, invisible } = clean(typed, inner);
        if value.is_empty() {
            // Blanks alone: nobody's password, and a field that looks empty.
            return Err(FieldError::new(Field::Secret, Fault::Required));
        }
        let (kept, removed, suspicious) = match inner {
            InnerSpaces::Cosmetic => (value, spaces + invisible, 0),
            InnerSpaces::Significant => {
                let kept = typed.trim_matches(['\r', '\n']);
                let line_ends = u32::try_from(typed.len() - kept.len()).unwrap_or(u32::MAX);
                (kept.to_owned(), line_ends, spaces + invisible - line_ends.min(invisible))
            }
        };
        if is_mask(&kept) {
            return Err(FieldError::new(Field::Secret, Fault::Mask));
        }
        if kept.chars().any(char::is_control) {
            return Err(FieldError::new(Field::Secret, Fault::Unprintable));
        }
        Ok(CheckedSecret { secret: SecretString::from(kept), removed, suspicious })
    }
}
