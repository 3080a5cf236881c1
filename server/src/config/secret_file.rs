//! Server side. Files that hold a secret: only their owner may read them.

use std::{fs, io::Write, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use rand::{TryRngCore, rngs::OsRng};
use zeroize::Zeroizing;

use super::stand_in;

/// The prefix of a webhook secret (Standard Webhooks).
const WEBHOOK: &str = "whsec_";

/// Why a file is refused. The error contains nothing of its content.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    #[error("cannot read it")]
    Unreadable(#[source] std::io::Error),
    #[error("readable by others than its owner: chmod 600")]
    Exposed,
    #[error("not 32 bytes in base64, as `facteur keys new` writes them")]
    NotAKey,
    #[error("not whsec_ and base64, as `facteur keys webhook` writes it")]
    NotAWebhookSecret,
    #[error("shorter than 32 bytes")]
    Short,
    #[error("contains a placeholder (stars, changeme, an example), not a secret")]
    Mask,
    #[error("already exists")]
    Exists,
    #[error("cannot write it")]
    Unwritable(#[source] std::io::Error),
    #[error("the operating system provides no randomness")]
    Randomness,
}

/// Reads a file that only its owner may read. A trailing line end is removed.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_err(SecretFileError::Unreadable)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(SecretFileError::Exposed);
        }
    }
    let mut bytes = Zeroizing::new(fs::read(path).map_err(SecretFileError::Unreadable)?);
    while matches!(bytes.last(), Some(b'\n' | b'\r')) {
        bytes.pop();
    }
    if stand_in::is_stand_in(&bytes) { Err(SecretFileError::Mask) } else { Ok(bytes) }
}

/// A key of 32 bytes in base64.
pub fn key(path: &Path) -> Result<Zeroizing<[u8; 32]>, SecretFileError> {
    let text = read(path)?;
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(&*text).map_err(|_| SecretFileError::NotAKey)?);
    let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| SecretFileError::NotAKey)?;
    if stand_in::is_monotonous(&key) { Err(SecretFileError::Mask) } else { Ok(Zeroizing::new(key)) }
}

/// A secret of at least 32 arbitrary bytes.
pub fn shared(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    let bytes = read(path)?;
    match bytes.len() {
        ..32 => Err(SecretFileError::Short),
        _ if stand_in::is_monotonous(&bytes) => Err(SecretFileError::Mask),
        _ => Ok(bytes),
    }
}

/// The secret of a webhook: `whsec_` and at least 24 bytes in base64.
pub fn webhook(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    let text = read(path)?;
    let encoded = text.strip_prefix(WEBHOOK.as_bytes()).ok_or(SecretFileError::NotAWebhookSecret)?;
    let secret = BASE64_STANDARD.decode(encoded).map_err(|_| SecretFileError::NotAWebhookSecret)?;
    let secret = Zeroizing::new(secret);
    match secret.len() {
        ..24 => Err(SecretFileError::NotAWebhookSecret),
        _ if stand_in::is_stand_in(&secret) || stand_in::is_monotonous(&secret) => Err(SecretFileError::Mask),
        _ => Ok(secret),
    }
}

/// Writes a new webhook secret. An existing file is left as it is.
pub fn make_webhook(path: &Path) -> Result<(), SecretFileError> {
    write_random(path, WEBHOOK)
}

/// Writes a new key: 32 random bytes in base64, readable by its owner alone. An existing file is left as it is.
pub fn make(path: &Path) -> Result<(), SecretFileError> {
    write_random(path, "")
}

fn write_random(path: &Path, prefix: &str) -> Result<(), SecretFileError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    OsRng.try_fill_bytes(&mut *bytes).map_err(|_| SecretFileError::Randomness)?;
    let text = Zeroizing::new(format!("{prefix}{}\n", BASE64_STANDARD.encode(*bytes)));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => SecretFileError::Exists,
        _ => SecretFileError::Unwritable(error),
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(SecretFileError::Unwritable)
}
