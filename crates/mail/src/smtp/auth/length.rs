//! The longest lines of `AUTH` (RFC 4954 §4).
//!
//! The command may have 512 octets; access tokens and long passwords do not fit. Their response then follows in a line
//! of its own, which may have 12,288.

use model::mechanism::Mechanism;
use secrecy::{ExposeSecret, SecretString};

use super::{
    scram::saslname,
    token::{Server, oauth_bearer, xoauth2},
};

/// The longest command, in octets, with its line end (RFC 5321 §4.5.3.1.4).
pub(super) const COMMAND: usize = 512;
/// The longest line that answers a challenge, in octets, with its line end.
pub(super) const RESPONSE: usize = 12_288;
const LINE_END: usize = 2;
/// CRAM-MD5: a space and the keyed hash in hexadecimal digits.
const CRAM_HASH: usize = 33;
/// SCRAM: `n,,n=,r=` and our nonce.
const SCRAM_FIRST: usize = 32;

/// Whether the command without its line end is short enough.
pub(super) const fn is_command(line: &str) -> bool {
    line.len() + LINE_END <= COMMAND
}

/// Whether every line that this mechanism sends is short enough.
pub fn fits(mechanism: Mechanism, server: Server<'_>, login: &str, secret: &SecretString) -> bool {
    longest(mechanism, server, login, secret.expose_secret()).div_ceil(3) * 4 + LINE_END <= RESPONSE
}

/// The longest message of this mechanism before base64, in octets.
fn longest(mechanism: Mechanism, server: Server<'_>, login: &str, secret: &str) -> usize {
    match mechanism {
        Mechanism::ScramSha256 => saslname(login).len() + SCRAM_FIRST,
        Mechanism::Plain => login.len() + secret.len() + 2,
        Mechanism::Login => login.len().max(secret.len()),
        Mechanism::CramMd5 => login.len() + CRAM_HASH,
        Mechanism::Xoauth2 => xoauth2(login, secret).len(),
        Mechanism::OauthBearer => oauth_bearer(server, login, secret).len(),
    }
}
