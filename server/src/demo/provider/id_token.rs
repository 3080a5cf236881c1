//! Server side. The provider's ID tokens, and the public key that verifies them (OpenID Connect Core 1.0 §2, RFC 7517).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ProviderError;

/// The provider's only tenant.
pub(super) const TENANT: &str = "5a4db0c5-0000-4000-8000-73616e64626f";
/// Seconds.
const LIFE: i64 = 3_600;

/// A key on the curve P-256.
pub(super) struct SigningKey {
    key: EncodingKey,
    id: String,
    public: Value,
}

/// Whom an ID token names, and for whom it is.
pub(super) struct Identity<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub address: &'a str,
    /// Absent after a refresh (OpenID Connect Core 1.0 §12.2).
    pub nonce: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    exp: i64,
    iat: i64,
    nbf: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    email: &'a str,
    email_verified: bool,
    preferred_username: &'a str,
    tid: &'a str,
}

impl SigningKey {
    pub(super) fn make() -> Result<Self, ProviderError> {
        let pair = KeyPair::generate().map_err(ProviderError::Key)?;
        let key = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).map_err(ProviderError::Signature)?;
        // An uncompressed point (SEC 1 §2.3.3): a four, then both coordinates.
        let (x, y) = pair.public_key_raw().get(1..65).ok_or(ProviderError::Point)?.split_at(32);
        let (x, y) = (BASE64_URL_SAFE_NO_PAD.encode(x), BASE64_URL_SAFE_NO_PAD.encode(y));
        // The thumbprint: these members, in this order (RFC 7638 §3.2).
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let id = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(members));
        let public = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": id, "use": "sig", "alg": "ES256" });
        Ok(Self { key, id, public })
    }

    /// The key set.
    pub(super) fn set(&self) -> Value {
        json!({ "keys": [self.public] })
    }

    pub(super) fn sign(&self, identity: &Identity<'_>, now: Timestamp) -> Result<String, ProviderError> {
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::ES256) };
        let now = now.as_second();
        let claims = Claims {
            iss: identity.issuer,
            sub: subject(identity.address),
            aud: identity.client_id,
            exp: now + LIFE,
            iat: now,
            nbf: now,
            nonce: identity.nonce,
            email: identity.address,
            email_verified: true,
            preferred_username: identity.address,
            tid: TENANT,
        };
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(ProviderError::Signature)
    }
}

/// The subject of an account: the same at every sign-in and after a restart.
fn subject(address: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(format!("sandbox subject {address}")))
}
