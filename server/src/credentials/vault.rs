//! Server side. Seals secrets for the database and opens them again: XChaCha20-Poly1305 with a random nonce.
//!
//! An envelope is `version (1) | length of key id (1) | key id | nonce (24) | ciphertext and tag`. The authenticated
//! data is the header and what the secret is bound to ([`Binding`]): an envelope moved to another profile, account,
//! field or destination cannot be opened, even if a check was forgotten.

use app::session::AccountId;
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, AeadInPlace, KeyInit, Payload},
};
use hmac::{Hmac, Mac};
use rand::{TryRngCore, rngs::OsRng};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

use super::binding::{Binding, canary, content_of, nobody};
use crate::store::{Store, StoreError};

#[cfg(test)]
mod tests;

const VERSION: u8 = 1;
const NONCE: usize = 24;
/// The purpose for which the login key is derived: the vault's key seals with another algorithm.
const LOGIN_KEY: &str = "facteur login key";
/// The content of the canary.
const CANARY: &str = "facteur canary";

/// A key of the vault.
#[derive(Clone)]
pub struct VaultKey {
    id: String,
    key: Zeroizing<[u8; 32]>,
}

impl VaultKey {
    /// A key with its id (1 to 64 ASCII characters).
    pub fn new(id: &str, key: [u8; 32]) -> Result<Self, VaultError> {
        if id.is_empty() || id.len() > 64 || !id.is_ascii() {
            return Err(VaultError::KeyId);
        }
        Ok(Self { id: id.to_owned(), key: Zeroizing::new(key) })
    }
}

impl std::fmt::Debug for VaultKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "VaultKey({})", self.id)
    }
}

/// Why the vault failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error("the vault has no key")]
    NoKey,
    #[error("a key id is 1 to 64 ASCII characters")]
    KeyId,
    #[error("the envelope was sealed with a key that is not loaded")]
    UnknownKey,
    #[error("cannot open the envelope")]
    DoesNotOpen,
    #[error("the operating system provides no randomness")]
    Randomness,
}

/// Why the vault may not be used with this database.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    #[error("the vault's key does not open this database: it is not the key its secrets were sealed with")]
    WrongKey(#[source] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The keys; the first one seals, all of them open.
#[derive(Debug, Clone)]
pub struct Vault {
    keys: Vec<VaultKey>,
}

impl Vault {
    pub fn new(keys: Vec<VaultKey>) -> Result<Self, VaultError> {
        if keys.is_empty() { Err(VaultError::NoKey) } else { Ok(Self { keys }) }
    }

    /// Seals a secret.
    pub fn seal(&self, secret: &SecretString, binding: &Binding<'_>) -> Result<Vec<u8>, VaultError> {
        self.seal_bytes(secret.expose_secret().as_bytes(), binding)
    }

    /// The sealing key, the header of an envelope, and a nonce.
    fn begin(&self) -> Result<(&VaultKey, Vec<u8>, [u8; NONCE]), VaultError> {
        let key = self.keys.first().ok_or(VaultError::NoKey)?;
        let mut envelope = vec![VERSION, u8::try_from(key.id.len()).map_err(|_| VaultError::KeyId)?];
        envelope.extend_from_slice(key.id.as_bytes());
        let mut nonce = [0_u8; NONCE];
        OsRng.try_fill_bytes(&mut nonce).map_err(|_| VaultError::Randomness)?;
        Ok((key, envelope, nonce))
    }

    fn seal_bytes(&self, secret: &[u8], binding: &Binding<'_>) -> Result<Vec<u8>, VaultError> {
        let (key, mut envelope, nonce) = self.begin()?;
        let aad = binding.authenticated(&envelope);
        let payload = Payload { msg: secret, aad: &aad };
        let sealed = XChaCha20Poly1305::new((&*key.key).into())
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| VaultError::DoesNotOpen)?;
        envelope.extend_from_slice(&nonce);
        envelope.extend_from_slice(&sealed);
        Ok(envelope)
    }

    /// Opens an envelope that was sealed for the same binding.
    pub fn open(&self, envelope: &[u8], binding: &Binding<'_>) -> Result<SecretString, VaultError> {
        match String::from_utf8(self.open_bytes(envelope, binding)?) {
            Ok(secret) => Ok(SecretString::from(secret)),
            Err(error) => {
                error.into_bytes().zeroize();
                Err(VaultError::DoesNotOpen)
            }
        }
    }

    /// Seals the content of an outbox message.
    ///
    /// It may be large, so it is encrypted in place.
    pub fn seal_content(
        &self,
        account: &AccountId,
        message: Uuid,
        mut content: Vec<u8>,
    ) -> Result<Vec<u8>, VaultError> {
        let (key, mut envelope, nonce) = self.begin()?;
        let aad = content_of(account, message).authenticated(&envelope);
        let tag = XChaCha20Poly1305::new((&*key.key).into())
            .encrypt_in_place_detached(XNonce::from_slice(&nonce), &aad, &mut content)
            .map_err(|_| VaultError::DoesNotOpen)?;
        envelope.extend_from_slice(&nonce);
        content.extend_from_slice(&tag);
        content.splice(0..0, envelope);
        Ok(content)
    }

    /// Opens an envelope of [`seal_content`](Self::seal_content) for the same message.
    pub fn open_content(&self, account: &AccountId, message: Uuid, envelope: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.open_bytes(envelope, &content_of(account, message))
    }

    /// The key under which the logins with a secret are counted: the same for the same login at the same host with the
    /// same secret, within an account. It reveals nothing about the secret without the vault's first key.
    pub fn login_key(&self, account: &AccountId, host: &str, login: &str, secret: &SecretString) -> [u8; 32] {
        let key = self.keys.first().map_or(&[][..], |key| &key.key[..]);
        let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else { return [0; 32] };
        // Hosts are case-insensitive, and so, in practice, are mailboxes.
        let (host, login) = (host.trim_end_matches('.').to_lowercase(), login.to_lowercase());
        let AccountId { portal, account } = account;
        for part in [LOGIN_KEY, portal, account, &host, &login, secret.expose_secret()] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    /// Whether an envelope was sealed with the first key.
    pub fn is_current(&self, envelope: &[u8]) -> bool {
        self.keys.first().is_some_and(|key| Self::key_of(envelope) == Some(key.id.as_str()))
    }

    /// The id of the key that an envelope was sealed with.
    pub fn key_of(envelope: &[u8]) -> Option<&str> {
        let id = envelope.get(1).and_then(|length| envelope.get(2..2 + usize::from(*length)))?;
        std::str::from_utf8(id).ok()
    }

    fn open_bytes(&self, envelope: &[u8], binding: &Binding<'_>) -> Result<Vec<u8>, VaultError> {
        let [VERSION, id_length, rest @ ..] = envelope else {
            return Err(VaultError::DoesNotOpen);
        };
        let (id, rest) = rest.split_at_checked(usize::from(*id_length)).ok_or(VaultError::DoesNotOpen)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or(VaultError::DoesNotOpen)?;
        let key = self.keys.iter().find(|key| key.id.as_bytes() == id).ok_or(VaultError::UnknownKey)?;
        let aad = binding.authenticated(&envelope[..2 + id.len()]);
        XChaCha20Poly1305::new((&*key.key).into())
            .decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: &aad })
            .map_err(|_| VaultError::DoesNotOpen)
    }

    /// Checks that the keys belong to this database: its canary must open. A new database gets one.
    pub async fn check(&self, store: &dyn Store) -> Result<(), CanaryError> {
        let Some(sealed) = store.canary().await? else {
            return self.set_canary(store).await;
        };
        let opened = self.open(&sealed, &canary(&nobody())).map_err(CanaryError::WrongKey)?;
        if opened.expose_secret() == CANARY { Ok(()) } else { Err(CanaryError::WrongKey(VaultError::DoesNotOpen)) }
    }

    /// Seals the canary with the first key.
    pub async fn set_canary(&self, store: &dyn Store) -> Result<(), CanaryError> {
        let sealed = self.seal(&SecretString::from(CANARY), &canary(&nobody())).map_err(CanaryError::WrongKey)?;
        Ok(store.set_canary(&sealed).await?)
    }
}
