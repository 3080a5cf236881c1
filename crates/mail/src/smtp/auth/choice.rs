//! Which mechanisms are tried, and in which order.

use model::mechanism::Mechanism;

use crate::smtp::capabilities::Capabilities;

/// The mechanisms for a password under TLS. PLAIN comes before CRAM-MD5: the line is encrypted, PLAIN saves a round
/// trip, and servers that offer CRAM-MD5 often cannot verify it.
const ENCRYPTED: [Mechanism; 4] = [Mechanism::ScramSha256, Mechanism::Plain, Mechanism::Login, Mechanism::CramMd5];
/// Without encryption, the mechanisms that do not reveal the password come first.
const IN_CLEAR: [Mechanism; 4] = [Mechanism::ScramSha256, Mechanism::CramMd5, Mechanism::Plain, Mechanism::Login];

/// The mechanisms that may be tried, in order of preference: ours for a password, or the requested one. A request for a
/// token mechanism allows the other one as well: the secret is the same. A token is never sent as a password, and a
/// password never as a token.
pub fn allowed(wanted: Option<Mechanism>, encrypted: bool) -> Vec<Mechanism> {
    match wanted {
        None if encrypted => ENCRYPTED.to_vec(),
        None => IN_CLEAR.to_vec(),
        Some(Mechanism::Xoauth2) => vec![Mechanism::Xoauth2, Mechanism::OauthBearer],
        Some(Mechanism::OauthBearer) => vec![Mechanism::OauthBearer, Mechanism::Xoauth2],
        Some(wanted) => vec![wanted],
    }
}

/// The mechanisms to try: the allowed ones that the server offers. A token is tried with one mechanism only.
pub fn candidates(capabilities: &Capabilities, wanted: Option<Mechanism>, encrypted: bool) -> Vec<Mechanism> {
    let offered = |mechanism: &Mechanism| capabilities.auth.iter().any(|name| name == mechanism.name());
    let most = if wanted.is_some() { 1 } else { usize::MAX };
    allowed(wanted, encrypted).into_iter().filter(offered).take(most).collect()
}
