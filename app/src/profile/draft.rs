//! Server side. The raw input of the form, and its validation into [`Settings`].

use serde::{Deserialize, Serialize};

use super::{
    address::EmailAddress,
    field::{Fault, Field, FieldError},
    mask::is_leftover,
    model::{Destination, Profile, Settings},
    port::DestinationPolicy,
    preset::{Catalogue, LoginForm},
    security::Security,
};
use crate::session::Session;

mod kept;
mod meant;
mod secret;
#[cfg(test)]
mod tests;

pub use kept::{Choice, KeptDraft, is_form_name};
pub use secret::{CheckedSecret, TypedSecret};

/// The values of the form. All of them may be shown again; the secret is not among them.
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
    pub name: String,
}

/// Maximum lengths in characters (addresses and hosts have limits of their own).
const LONGEST_LOGIN: usize = 320;
const LONGEST_NAME: usize = 100;
impl Draft {
    /// The form of an existing profile.
    pub fn of(profile: &Profile) -> Self {
        let Settings { name, preset, user, destination, sender_name, sender_address, reply_to } = &profile.settings;
        Self {
            preset: preset.clone().unwrap_or_default(),
            host: destination.host.clone(),
            port: destination.port.to_string(),
            security: destination.security.as_str().to_owned(),
            user: user.clone().unwrap_or_default(),
            login: destination.login.clone(),
            sender_name: sender_name.clone(),
            // An empty sender follows the login, so that correcting the login also corrects the sender.
            sender_address: if EmailAddress::parse(&destination.login).as_ref() == Ok(sender_address) {
                String::new()
            } else {
                sender_address.to_string()
            },
            reply_to: reply_to.as_ref().map(ToString::to_string).unwrap_or_default(),
            name: name.clone(),
        }
    }

    /// Whether the form of a new profile has any input. `account`: the initial sender name.
    pub fn has_something(&self, account: &str) -> bool {
        let name = self.sender_name.trim();
        let texts = [&self.host, &self.login, &self.sender_address, &self.reply_to, &self.name];
        (!name.is_empty() && name != account) || texts.into_iter().any(|text| !text.trim().is_empty())
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
            Field::Name => &self.name,
            Field::Secret | Field::Encoding => return None,
        })
    }

    /// Copies a field's text from another draft.
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
            Field::Name => (&mut self.name, &from.name),
            Field::Secret | Field::Encoding => return,
        };
        mine.clone_from(theirs);
    }

    /// Whether logins at the server's provider are addresses.
    fn wants_an_address(&self, presets: &Catalogue) -> bool {
        let host = self.host.trim();
        let chosen = presets.get(&self.preset).filter(|preset| preset.is_at(host));
        let provider = chosen.or_else(|| presets.by_host(host));
        provider.is_some_and(|preset| preset.login == LoginForm::Address && preset.login_fixed.is_none())
    }

    /// Whether an address is the login.
    fn is_login(&self, address: &str) -> bool {
        EmailAddress::parse(&self.login).is_ok_and(|login| EmailAddress::parse(address) == Ok(login))
    }

    /// The fields in which two forms differ.
    pub fn differences(&self, other: &Self) -> Vec<Field> {
        let trimmed = |draft: &Self, field| match draft.value(field)?.trim() {
            // Equivalent to an empty one.
            sender if field == Field::SenderAddress && draft.is_login(sender) => Some(String::new()),
            text => Some(text.to_owned()),
        };
        let mut fields = Field::TYPED.to_vec();
        fields.retain(|field| trimmed(self, *field) != trimmed(other, *field));
        fields
    }

    /// Validates every field against the account, the presets and the address policy.
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
        let mut told = login.is_empty();
        if let Some(wrong) = text_fault(login, LONGEST_LOGIN) {
            fault(Field::Login, wrong);
        } else if login.is_empty() {
            fault(Field::Login, Fault::Required);
        } else if is_leftover(login) {
            fault(Field::Login, Fault::Leftover);
        } else if self.wants_an_address(presets) && EmailAddress::parse(login).is_err() {
            // Reported here: a separate sender address would only hide it.
            fault(Field::Login, Fault::LoginAddress);
            told = true;
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
                if !told {
                    fault(Field::SenderAddress, Fault::SenderRequired);
                }
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
        let name = self.name.trim();
        if let Some(wrong) = text_fault(name, LONGEST_NAME) {
            fault(Field::Name, wrong);
        }

        match (host, port, security, sender_address, reply_to) {
            (Some(host), Some(port), Some(security), Some(sender_address), Ok(reply_to)) if errors.is_empty() => {
                Ok(Settings {
                    name: name.to_owned(),
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
