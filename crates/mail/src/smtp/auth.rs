//! `AUTH` (RFC 4954): SCRAM-SHA-256, PLAIN, LOGIN, CRAM-MD5, and XOAUTH2 if it is requested.
//!
//! To add a mechanism: a variant of [`Mechanism`], its place in the orders of preference, and its answers in
//! [`Exchange::step`].

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use md5::Md5;
use model::mechanism::Mechanism;
use rand::{TryRngCore, rngs::OsRng};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::capabilities::Capabilities;
use crate::reply::Reply;

mod scram;
#[cfg(test)]
mod tests;

use scram::Scram;
pub(super) use scram::{Derivation, Derived};

/// Words of LOGIN's second prompt, in lower case, in the languages of known servers.
const PASSWORD_PROMPTS: [&str; 8] =
    ["pass", "mot de", "kennwort", "contrase", "senha", "wachtwoord", "secret", "hasło"];
/// Words of LOGIN's first prompt.
const LOGIN_PROMPTS: [&str; 9] = ["user", "login", "name", "nom", "identif", "utilis", "usuario", "utente", "account"];
/// The most challenges in one exchange.
const MOST_CHALLENGES: u32 = 3;

/// The mechanisms for a password under TLS. PLAIN comes before CRAM-MD5: the line is encrypted, PLAIN saves a round
/// trip, and servers that offer CRAM-MD5 often cannot verify it.
const ENCRYPTED: [Mechanism; 4] = [Mechanism::ScramSha256, Mechanism::Plain, Mechanism::Login, Mechanism::CramMd5];
/// Without encryption, the mechanisms that do not reveal the password come first.
const IN_CLEAR: [Mechanism; 4] = [Mechanism::ScramSha256, Mechanism::CramMd5, Mechanism::Plain, Mechanism::Login];

/// The mechanisms to try: the requested one, or ours in order of preference, limited to those that the server offers.
pub fn candidates(capabilities: &Capabilities, wanted: Option<Mechanism>, encrypted: bool) -> Vec<Mechanism> {
    let offered = |mechanism: &Mechanism| capabilities.auth.iter().any(|name| name == mechanism.name());
    let order = if encrypted { ENCRYPTED } else { IN_CLEAR };
    wanted.map_or_else(|| order.to_vec(), |wanted| vec![wanted]).into_iter().filter(offered).collect()
}

/// What to do after a reply.
pub(super) enum Step {
    /// Send this line.
    Answer(Zeroizing<String>),
    /// Run this on a blocking thread, and pass the result to [`Exchange::derived`].
    Derive(Derivation),
    /// The server did not accept the initial response: send [`Exchange::command`] once more.
    Again,
    /// 235: logged in.
    Done,
    /// The server refused.
    Refused,
    /// The server asked for something it may not ask, accepted with the wrong code, or did not prove that it knows the
    /// password.
    Broken,
}

/// One exchange.
pub(super) struct Exchange<'a> {
    mechanism: Mechanism,
    login: &'a str,
    secret: &'a SecretString,
    challenges: u32,
    /// LOGIN: whether the username is sent with the command.
    with_login: bool,
    /// LOGIN: whether the username was sent in answer to an unclear prompt.
    guessed: bool,
    scram: Scram,
    /// Why the server refused a token: XOAUTH2 hides the reason in a challenge.
    pub(super) hidden_error: Option<String>,
}

impl<'a> Exchange<'a> {
    /// An exchange with a fresh nonce; `None` if the operating system provides no randomness.
    pub(super) fn new(mechanism: Mechanism, login: &'a str, secret: &'a SecretString) -> Option<Self> {
        let mut nonce = [0_u8; 18];
        OsRng.try_fill_bytes(&mut nonce).ok()?;
        Some(Self::with_nonce(mechanism, login, secret, BASE64_STANDARD.encode(nonce)))
    }

    fn with_nonce(mechanism: Mechanism, login: &'a str, secret: &'a SecretString, nonce: String) -> Self {
        Self {
            mechanism,
            login,
            secret,
            challenges: 0,
            with_login: true,
            guessed: false,
            scram: Scram::new(login, nonce),
            hidden_error: None,
        }
    }

    /// The command, with its initial response if the mechanism has one.
    pub(super) fn command(&self) -> Zeroizing<String> {
        let name = self.mechanism.name();
        Zeroizing::new(match self.initial() {
            Some(response) => format!("AUTH {name} {}", *response),
            None => format!("AUTH {name}"),
        })
    }

    /// The command as the transcript shows it.
    pub(super) fn shown(&self) -> String {
        let dots = if self.initial().is_some() { " •••" } else { "" };
        format!("AUTH {}{dots}", self.mechanism.name())
    }

    fn initial(&self) -> Option<Zeroizing<String>> {
        let secret = self.secret.expose_secret();
        let message = match self.mechanism {
            Mechanism::Plain => Zeroizing::new(format!("\0{}\0{secret}", self.login)),
            Mechanism::ScramSha256 => Zeroizing::new(self.scram.first()),
            Mechanism::Xoauth2 => Zeroizing::new(format!("user={}\x01auth=Bearer {secret}\x01\x01", self.login)),
            Mechanism::Login if self.with_login => Zeroizing::new(self.login.to_owned()),
            Mechanism::Login | Mechanism::CramMd5 => return None,
        };
        Some(Zeroizing::new(BASE64_STANDARD.encode(message.as_bytes())))
    }

    /// The next step.
    pub(super) fn step(&mut self, reply: &Reply) -> Step {
        match reply.code {
            235 if self.mechanism == Mechanism::ScramSha256 && !self.scram.is_proved() => {
                // Some servers send their proof in the text of the 235.
                let proof = BASE64_STANDARD.decode(reply.text().trim()).unwrap_or_default();
                if self.scram.check(&proof) { Step::Done } else { Step::Broken }
            }
            235 => Step::Done,
            334 => {
                self.challenges += 1;
                if self.challenges > MOST_CHALLENGES {
                    return Step::Broken;
                }
                let challenge = BASE64_STANDARD.decode(reply.text().trim()).unwrap_or_default();
                if self.mechanism == Mechanism::Login && self.with_login && self.challenges == 1 {
                    return self.login_prompt(reply);
                }
                let asks_again = challenge.is_empty() && self.challenges == 1;
                if self.mechanism == Mechanism::ScramSha256 && !self.scram.has_answered() && !asks_again {
                    return self.scram.derivation(self.secret, &challenge).map_or(Step::Broken, Step::Derive);
                }
                self.answer(&challenge).map_or(Step::Broken, Step::Answer)
            }
            // Repeat LOGIN without an initial response: no standard defines one for it, and some servers refuse it.
            500..=504 if self.with_login && self.mechanism == Mechanism::Login && self.challenges == 0 => self.again(),
            // The prompt was unclear and our guess was wrong: one more attempt without the initial response.
            500.. if self.guessed => self.again(),
            code if code < 400 => Step::Broken,
            _ => Step::Refused,
        }
    }

    /// The step after a derivation.
    pub(super) fn derived(&mut self, derived: Option<Derived>) -> Step {
        let answer = derived.and_then(|derived| self.scram.answer(&derived));
        answer.map_or(Step::Broken, |answer| Step::Answer(Zeroizing::new(BASE64_STANDARD.encode(answer))))
    }

    /// The first prompt after the username was sent with the command. It asks for the password, unless the server
    /// ignored the username. An unclear prompt gets the username again, which reveals nothing.
    fn login_prompt(&mut self, reply: &Reply) -> Step {
        let prompt = prompt(reply).to_lowercase();
        let asks_for = |words: &[&str]| words.iter().any(|word| prompt.contains(word));
        let encoded = |text: &str| Step::Answer(Zeroizing::new(BASE64_STANDARD.encode(text)));
        if asks_for(&PASSWORD_PROMPTS) {
            self.challenges += 1;
            return encoded(self.secret.expose_secret());
        }
        self.guessed = !asks_for(&LOGIN_PROMPTS);
        encoded(self.login)
    }

    /// Starts LOGIN again, with the username sent in the form that every server accepts.
    fn again(&mut self) -> Step {
        (self.with_login, self.guessed, self.challenges) = (false, false, 0);
        Step::Again
    }

    /// A server's challenge for the transcript, where it differs from the original: prompts are decoded, and values
    /// from which a password could be guessed (nonce, salt, proof) are left out.
    pub(super) fn shown_challenge(&self, reply: &Reply) -> Option<String> {
        let text = reply.text();
        let proof = || BASE64_STANDARD.decode(text.trim()).is_ok_and(|bytes| bytes.starts_with(b"v="));
        match (reply.code, self.mechanism) {
            (334, Mechanism::Login) => Some(format!("334 {text} ({})", prompt(reply))),
            (334, _) if text.is_empty() => None,
            (334, _) => Some("334 •••".to_owned()),
            (235, Mechanism::ScramSha256) if proof() => Some("235 •••".to_owned()),
            _ => None,
        }
    }

    fn answer(&mut self, challenge: &[u8]) -> Option<Zeroizing<String>> {
        let encoded = |text: &str| Some(Zeroizing::new(BASE64_STANDARD.encode(text)));
        let secret = self.secret.expose_secret();
        match (self.mechanism, self.challenges) {
            // A server that ignored the initial response asks for it again.
            (Mechanism::Plain, 1) => self.initial(),
            (Mechanism::Login, 1) => encoded(self.login),
            (Mechanism::Login, 2) => encoded(secret),
            (Mechanism::CramMd5, 1) => encoded(&cram_md5(self.login, secret, challenge)),
            (Mechanism::ScramSha256, 1) if challenge.is_empty() => self.initial(),
            (Mechanism::ScramSha256, _) => self.scram.check(challenge).then(|| Zeroizing::new(String::new())),
            (Mechanism::Xoauth2, 1) if challenge.is_empty() => self.initial(),
            (Mechanism::Xoauth2, _) => {
                // The reason for a refusal; an empty line makes the server send its 535.
                self.hidden_error = Some(String::from_utf8_lossy(challenge).into_owned());
                Some(Zeroizing::new(String::new()))
            }
            _ => None,
        }
    }
}

/// The text of a LOGIN prompt; some servers do not encode it.
fn prompt(reply: &Reply) -> String {
    let text = reply.text();
    let decoded = BASE64_STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.filter(|decoded| !decoded.chars().any(char::is_control)).unwrap_or(text)
}

/// Username and keyed hash of the challenge (RFC 2195 §2).
fn cram_md5(login: &str, secret: &str, challenge: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(challenge);
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{login} {digest}")
}
