//! The messages of the mechanisms that take an OAuth access token, and the reasons for a refusal.

use zeroize::Zeroizing;

use super::scram::saslname;

/// The longest status of a refusal, in bytes.
const LONGEST_STATUS: usize = 64;

/// The destination as OAUTHBEARER names it.
#[derive(Debug, Clone, Copy)]
pub struct Server<'a> {
    /// The host name.
    pub host: &'a str,
    /// The TCP port.
    pub port: u16,
}

/// The message of XOAUTH2.
pub(super) fn xoauth2(login: &str, token: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("user={login}\x01auth=Bearer {token}\x01\x01"))
}

/// The message of OAUTHBEARER (RFC 7628 §3.1).
pub(super) fn oauth_bearer(server: Server<'_>, login: &str, token: &str) -> Zeroizing<String> {
    let Server { host, port } = server;
    let login = saslname(login);
    Zeroizing::new(format!("n,a={login},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01"))
}

/// Whether a challenge is the reason for a refusal, which is a JSON object (RFC 7628 §3.2.2).
pub(super) fn is_reason(challenge: &[u8]) -> bool {
    challenge.trim_ascii_start().starts_with(b"{")
}

/// The status in the reason for a refusal: `401`, `invalid_token`, `insufficient_scope`.
pub fn status(reason: &str) -> Option<&str> {
    let (_, rest) = reason.split_once("\"status\"")?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start();
    let status = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?.0,
        // A number.
        None => rest.split(|c: char| !c.is_ascii_digit()).next()?,
    };
    let is_word = status.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_word && (1..=LONGEST_STATUS).contains(&status.len())).then_some(status)
}
