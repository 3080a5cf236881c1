//! SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The most rounds that a server may request: more would be an attack on our processor.
const MOST_ITERATIONS: u32 = 250_000;

/// The slow part of an exchange. The server decides how slow, up to [`MOST_ITERATIONS`], so it must not run on a thread
/// that other work waits for.
pub struct Derivation {
    secret: SecretString,
    salt: Vec<u8>,
    iterations: u32,
    nonce: String,
    challenge: String,
}

/// The derived keys.
pub struct Derived {
    salted: Zeroizing<[u8; 32]>,
    nonce: String,
    challenge: String,
}

impl Derivation {
    /// Derives the keys with up to 250,000 rounds of PBKDF2. `None` if the derivation fails.
    pub fn run(self) -> Option<Derived> {
        let Self { secret, salt, iterations, nonce, challenge } = self;
        let mut salted = Zeroizing::new([0_u8; 32]);
        pbkdf2::pbkdf2::<Hmac<Sha256>>(secret.expose_secret().as_bytes(), &salt, iterations, &mut *salted).ok()?;
        Some(Derived { salted, nonce, challenge })
    }
}

/// The client's side of one exchange.
pub(super) struct Scram {
    nonce: String,
    first_bare: String,
    /// What the server must send to prove that it knows the password.
    expected: Option<[u8; 32]>,
    proved: bool,
}

impl Scram {
    pub(super) fn new(login: &str, nonce: String) -> Self {
        let first_bare = format!("n={},r={nonce}", saslname(login));
        Self { nonce, first_bare, expected: None, proved: false }
    }

    /// The first message.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.first_bare)
    }

    pub(super) fn has_answered(&self) -> bool {
        self.expected.is_some()
    }

    pub(super) fn is_proved(&self) -> bool {
        self.proved
    }

    /// The derivation that the final message needs; `None` if the challenge is invalid.
    pub(super) fn derivation(&self, secret: &SecretString, challenge: &[u8]) -> Option<Derivation> {
        let challenge = std::str::from_utf8(challenge).ok()?;
        let part = |name: &str| challenge.split(',').find_map(|part| part.strip_prefix(name));
        let nonce = part("r=").filter(|nonce| nonce.starts_with(&self.nonce) && nonce.len() > self.nonce.len())?;
        let salt = BASE64_STANDARD.decode(part("s=")?).ok()?;
        let iterations = part("i=")?.parse::<u32>().ok().filter(|rounds| (1..=MOST_ITERATIONS).contains(rounds))?;
        let (nonce, challenge) = (nonce.to_owned(), challenge.to_owned());
        Some(Derivation { secret: secret.clone(), salt, iterations, nonce, challenge })
    }

    /// The final message.
    pub(super) fn answer(&mut self, derived: &Derived) -> Option<String> {
        let Derived { salted, nonce, challenge } = derived;
        let without_proof = format!("c=biws,r={nonce}");
        let message = format!("{},{challenge},{without_proof}", self.first_bare);
        let client_key = Zeroizing::new(keyed(&**salted, b"Client Key")?);
        let signature = keyed(&Sha256::digest(*client_key), message.as_bytes())?;
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, sign)| key ^ sign).collect();
        self.expected = Some(keyed(&keyed(&**salted, b"Server Key")?, message.as_bytes())?);
        Some(format!("{without_proof},p={}", BASE64_STANDARD.encode(proof)))
    }

    /// Whether the server's last message proves that it knows the password.
    pub(super) fn check(&mut self, message: &[u8]) -> bool {
        let signature = std::str::from_utf8(message)
            .ok()
            .and_then(|text| text.split(',').find_map(|part| part.strip_prefix("v=")))
            .and_then(|value| BASE64_STANDARD.decode(value).ok());
        self.proved = self.expected.is_some_and(|expected| signature.is_some_and(|found| found == expected));
        self.proved
    }
}

fn keyed(key: &[u8], message: &[u8]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(message);
    Some(mac.finalize().into_bytes().into())
}

/// A login where a comma ends it (RFC 5801 §4).
pub(super) fn saslname(login: &str) -> String {
    login.replace('=', "=3D").replace(',', "=2C")
}
