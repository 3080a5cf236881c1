//! What a result is about: a test, a failure or a connection counts only while the settings are those it was made with.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::{address::EmailAddress, encoding::Encoding, settings::Settings};

/// A hash of everything that decides how mail leaves: destination, sender, encoding, and when the secret was last changed.
/// The preset and the user do not count.
pub fn fingerprint(settings: &Settings, encoding: Encoding, secret_changed_at: Option<Timestamp>) -> [u8; 32] {
    let Settings { preset: _, user: _, destination, sender_name, sender_address, reply_to } = settings;
    let reply_to = reply_to.as_ref().map(EmailAddress::as_str).unwrap_or_default();
    let changed_at = secret_changed_at.map(Timestamp::as_millisecond).unwrap_or_default();
    let parts = [
        destination.canonical(),
        sender_name.clone(),
        sender_address.to_string(),
        reply_to.to_owned(),
        encoding.as_str().to_owned(),
        changed_at.to_string(),
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}
