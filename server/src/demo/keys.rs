//! Server side. The demo's keys: made at the first start, in a file that only its owner can read.

use std::{fs, io::Write, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use rand::{TryRngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::credentials::{VaultError, VaultKey};

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("cannot read or write the key file")]
    File(#[from] std::io::Error),
    #[error("cannot parse the key file: restore it from a backup, or remove it together with the database")]
    Malformed,
    #[error("the operating system provides no randomness")]
    Randomness,
}

#[derive(Serialize, Deserialize)]
struct File {
    vault: Key,
    portal: Key,
}

#[derive(Serialize, Deserialize)]
struct Key {
    id: String,
    /// 32 bytes in base64.
    key: String,
}

/// The keys.
pub(super) struct DemoKeys {
    vault: (String, Zeroizing<[u8; 32]>),
    portal: (String, Zeroizing<[u8; 32]>),
}

impl DemoKeys {
    /// Reads the file, or creates it.
    pub(super) fn load_or_make(path: &Path) -> Result<Self, KeyError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let file = File { vault: make("demo-vault")?, portal: make("demo-portal")? };
                let text = toml::to_string(&file).map_err(|_| KeyError::Malformed)?;
                let mut options = fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut file = options.open(path)?;
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                Self::parse(&text)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn parse(text: &str) -> Result<Self, KeyError> {
        let File { vault, portal } = toml::from_str(text).map_err(|_| KeyError::Malformed)?;
        Ok(Self { vault: read(vault)?, portal: read(portal)? })
    }

    pub(super) fn vault(&self) -> Result<Vec<VaultKey>, VaultError> {
        Ok(vec![VaultKey::new(&self.vault.0, *self.vault.1)?])
    }

    pub(super) fn portal_id(&self) -> &str {
        &self.portal.0
    }

    pub(super) fn portal_secret(&self) -> &[u8] {
        &*self.portal.1
    }
}

fn make(id: &str) -> Result<Key, KeyError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    OsRng.try_fill_bytes(&mut *bytes).map_err(|_| KeyError::Randomness)?;
    Ok(Key { id: id.to_owned(), key: BASE64_STANDARD.encode(*bytes) })
}

fn read(key: Key) -> Result<(String, Zeroizing<[u8; 32]>), KeyError> {
    let bytes = BASE64_STANDARD.decode(key.key.trim()).map_err(|_| KeyError::Malformed)?;
    let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| KeyError::Malformed)?;
    Ok((key.id, Zeroizing::new(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_read_again() {
        let folder = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
        fs::create_dir(&folder).unwrap();
        let path = folder.join("keys.toml");
        let first = DemoKeys::load_or_make(&path).unwrap();
        let second = DemoKeys::load_or_make(&path).unwrap();
        assert_eq!(first.portal_secret(), second.portal_secret());
        assert_ne!(first.portal_secret(), &*first.vault.1);
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&path, "nonsense").unwrap();
        assert!(matches!(DemoKeys::load_or_make(&path), Err(KeyError::Malformed)));
        fs::remove_dir_all(&folder).unwrap();
    }
}
