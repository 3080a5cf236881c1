//! Server side. Which portal is calling: `Authorization: Bearer fct_…`.

use axum::http::{HeaderMap, header};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};

use crate::portal::Portal;

/// Prefix of a key, by which scanners for leaked secrets recognise it.
const MARK: &str = "fct_";

/// The portal whose key the request carries. Hashes of the whole key are compared, so the time it takes reveals nothing
/// about the key.
pub fn portal<'a>(portals: &'a [Portal], headers: &HeaderMap) -> Option<&'a Portal> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (scheme, key) = all.next()?.to_str().ok()?.split_once(' ')?;
    if all.next().is_some() {
        return None;
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let hash: [u8; 32] = Sha256::digest(key.trim().as_bytes()).into();
    portals.iter().find(|portal| portal.api_keys.iter().any(|known| known.hash == hash))
}

/// A new key and its hash in hexadecimal; `None` when the operating system provides no randomness.
pub fn make() -> Option<(String, String)> {
    let mut bytes = [0; 32];
    OsRng.try_fill_bytes(&mut bytes).ok()?;
    let key = format!("{MARK}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let hash = Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    Some((key, hash))
}
