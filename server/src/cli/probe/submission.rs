//! Server side. The submission that the arguments of `facteur probe` describe.

use std::{io::Read, path::Path};

use app::profile::{address::EmailAddress, encoding::Encoding};
use lettre::{Address, message::Mailbox};
use mail::smtp::{Credentials, Depth, Letter, Mechanism, Submission, compose};
use secrecy::SecretString;

use super::{Arguments, UsageError};
use crate::config;

/// Host and port of `host:port` or `[address]:port`.
pub(super) fn target(text: &str) -> Result<(&str, u16), UsageError> {
    let wrong = || UsageError::Target(text.to_owned());
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
    if host.is_empty() { Err(wrong()) } else { Ok((host, port)) }
}

pub(super) fn submission(options: &Arguments, host: &str, port: u16) -> Result<Submission, UsageError> {
    let address = |text: &String| address(text).ok_or_else(|| UsageError::Address(text.clone()));
    let from = address(&options.from)?;
    let to = options.to.iter().map(address).collect::<Result<Vec<_>, _>>()?;
    let mechanism = match &options.mechanism {
        Some(name) => Some(Mechanism::from_name(name).ok_or_else(|| UsageError::Mechanism(name.clone()))?),
        None => options.token_file.is_some().then_some(Mechanism::Xoauth2),
    };
    let credentials = match &options.login {
        Some(login) => Some(Credentials::uncounted(login.clone(), secret(options)?)),
        None => None,
    };
    let text = options.body_file.as_deref().map(body).transpose()?;
    let letter = Letter {
        from: Mailbox::new(None, from.clone()),
        to: to.iter().map(|address| Mailbox::new(None, address.clone())).collect(),
        cc: Vec::new(),
        reply_to: None,
        subject: options.subject.clone(),
        text: Some(text.unwrap_or_else(|| "This message was sent by facteur probe.\n".to_owned())),
        attachments: Vec::new(),
        html: None,
        encoding: Encoding::Utf8,
        message_id: format!("{}@{}", uuid::Uuid::new_v4().as_simple(), from.domain()),
        date: (config::clock())().into(),
        auto_submitted: true,
        language: "en".to_owned(),
    };
    Ok(Submission {
        host: host.to_owned(),
        port,
        security: options.security,
        credentials,
        mechanism,
        from,
        to,
        message: compose(&letter)?.bytes,
        depth: if options.dry_run { Depth::Recipients } else { Depth::Message },
    })
}

/// An address, its domain as A-labels. A domain of one label is accepted too: the operator's own servers may have one.
fn address(text: &str) -> Option<Address> {
    if let Ok(address) = EmailAddress::parse(text) {
        return address.as_str().parse().ok();
    }
    let (_, domain) = text.rsplit_once('@')?;
    let is_label =
        (1..=63).contains(&domain.len()) && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    // The same rules for the part before the `@`.
    let local = EmailAddress::parse(&format!("{text}.example")).ok().filter(|_| is_label)?;
    local.as_str().strip_suffix(".example")?.parse().ok()
}

fn read(path: &Path) -> Result<String, UsageError> {
    std::fs::read_to_string(path).map_err(|error| UsageError::File(path.to_owned(), error))
}

/// The text of a message: UTF-8, or otherwise Windows-1252, as in old files.
fn body(path: &Path) -> Result<String, UsageError> {
    let bytes = std::fs::read(path).map_err(|error| UsageError::File(path.to_owned(), error))?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| {
        let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(error.as_bytes());
        text.into_owned()
    }))
}

/// The secret, without the line end that files and pipes add.
fn secret(options: &Arguments) -> Result<SecretString, UsageError> {
    let typed = match options.secret_file.as_ref().or(options.token_file.as_ref()) {
        Some(path) => read(path)?,
        None if options.secret_stdin => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(UsageError::Stdin)?;
            text
        }
        None => return Err(UsageError::SecretMissing),
    };
    Ok(SecretString::from(typed.trim_end_matches(['\r', '\n'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read() {
        assert_eq!(target("smtp.exemple.fr:465").unwrap(), ("smtp.exemple.fr", 465));
        assert_eq!(target("[::1]:2525").unwrap(), ("[::1]", 2525));
        for wrong in ["smtp.exemple.fr", ":25", "x:0", "x:65536", "x:y"] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }
}
