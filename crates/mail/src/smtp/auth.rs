//! `AUTH` (RFC 4954): SCRAM-SHA-256, PLAIN, LOGIN, CRAM-MD5; XOAUTH2 and OAUTHBEARER if a token is requested.
//!
//! The initial response is sent with the command if the line is short enough, and otherwise after the server's first
//! challenge ([`length`]).
//!
//! To add a mechanism: a variant of [`Mechanism`], its place in [`choice`], its longest line in
//! `length::longest`, and its answers in [`Exchange::step`].

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use md5::Md5;
use model::mechanism::Mechanism;
use rand::{TryRngCore, rngs::OsRng};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::reply::Reply;

mod choice;
mod length;
mod scram;
#[cfg(test)]
mod tests;
mod token;

pub(super) use choice::{allowed, candidates};
pub(super) use length::fits;
use scram::Scram;
pub(super) use scram::{Derivation, Derived};
pub(super) use token::{Server, status};

/// Words of LOGIN's second prompt, in lower case, in the languages of known servers.
const PASSWORD_PROMPTS: [&str; 8] =
    ["pass", "mot de", "kennwort", "contrase", "senha", "wachtwoord", "secret", "hasło"];
/// Words of LOGIN's first prompt.
const LOGIN_PROMPTS: [&str; 9] = ["user", "login", "name", "nom", "identif", "utilis", "usuario", "utente", "account"];
/// The most challenges in one exchange.
const MOST_CHALLENGES: u32 = 3;

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

/// Where the initial response goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Initial {
    /// With the command. Also if there is none.
    WithCommand,
    /// The line would be too long: it is sent after the first challenge.
    HeldBack,
    /// It was held back, and the server has asked for it.
    Sent,
}

/// One exchange.
pub(super) struct Exchange<'a> {
    mechanism: Mechanism,
    server: Server<'a>,
    login: &'a str,
    secret: &'a SecretString,
    initial: Initial,
    /// Without the one that asks for a response that was held back.
    challenges: u32,
    /// LOGIN: whether the username is sent with the command.
    with_login: bool,
    /// LOGIN: whether the username was sent in answer to an unclear prompt.
    guessed: bool,
    scram: Scram,
    /// Why the server refused a token: it hides the reason in a challenge.
    pub(super) hidden_error: Option<String>,
}

impl<'a> Exchange<'a> {
    /// An exchange with a fresh nonce; `None` if the operating system provides no randomness.
    pub(super) fn new(
        mechanism: Mechanism,
        server: Server<'a>,
        login: &'a str,
        secret: &'a SecretString,
    ) -> Option<Self> {
        let mut nonce = [0_u8; 18];
        OsRng.try_fill_bytes(&mut nonce).ok()?;
        Some(Self::with_nonce(mechanism, server, login, secret, BASE64_STANDARD.encode(nonce)))
    }

    fn with_nonce(
        mechanism: Mechanism,
        server: Server<'a>,
        login: &'a str,
        secret: &'a SecretString,
        nonce: String,
    ) -> Self {
        let mut exchange = Self {
            mechanism,
            server,
            login,
            secret,
            initial: Initial::WithCommand,
            challenges: 0,
            with_login: true,
            guessed: false,
            scram: Scram::new(login, nonce),
            hidden_error: None,
        };
        if !length::is_command(&exchange.command()) {
            // LOGIN has a form without an initial response: its first prompt asks for the username.
            match mechanism {
                Mechanism::Login => exchange.with_login = false,
                _ => exchange.initial = Initial::HeldBack,
            }
        }
        exchange
    }

    /// The command, with its initial response if the mechanism has one that fits.
    pub(super) fn command(&self) -> Zeroizing<String> {
        let name = self.mechanism.name();
        Zeroizing::new(match self.response_with_command() {
            Some(response) => format!("AUTH {name} {}", *response),
            None => format!("AUTH {name}"),
        })
    }

    /// The command as the transcript shows it.
    pub(super) fn shown(&self) -> String {
        let dots = if self.response_with_command().is_some() { " •••" } else { "" };
        format!("AUTH {}{dots}", self.mechanism.name())
    }

    fn response_with_command(&self) -> Option<Zeroizing<String>> {
        if self.initial == Initial::WithCommand { self.initial_response() } else { None }
    }

    fn initial_response(&self) -> Option<Zeroizing<String>> {
        let secret = self.secret.expose_secret();
        let message = match self.mechanism {
            Mechanism::Plain => Zeroizing::new(format!("\0{}\0{secret}", self.login)),
            Mechanism::ScramSha256 => Zeroizing::new(self.scram.first()),
            Mechanism::Xoauth2 => token::xoauth2(self.login, secret),
            Mechanism::OauthBearer => token::oauth_bearer(self.server, self.login, secret),
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
                let challenge = BASE64_STANDARD.decode(reply.text().trim()).unwrap_or_default();
                if self.initial == Initial::HeldBack {
                    self.release(&challenge)
                } else {
                    self.challenged(reply, &challenge)
                }
            }
            // Repeat LOGIN without an initial response: no standard defines one for it, and some servers refuse it.
            500..=504 if self.with_login && self.mechanism == Mechanism::Login && self.challenges == 0 => self.again(),
            // The prompt was unclear and our guess was wrong: one more attempt without the initial response.
            500.. if self.guessed => self.again(),
            code if code < 400 => Step::Broken,
            _ => Step::Refused,
        }
    }

    /// The first challenge after a command without its initial response: it asks for that. RFC 4954 §4 makes it empty;
    /// some servers write a word. The reason for a refusal cannot come yet.
    fn release(&mut self, challenge: &[u8]) -> Step {
        self.initial = Initial::Sent;
        if self.mechanism.is_token() && token::is_reason(challenge) {
            self.hear_reason(challenge);
            return Step::Broken;
        }
        self.initial_response().map_or(Step::Broken, Step::Answer)
    }

    fn challenged(&mut self, reply: &Reply, challenge: &[u8]) -> Step {
        self.challenges += 1;
        if self.challenges > MOST_CHALLENGES {
            return Step::Broken;
        }
        if self.mechanism == Mechanism::Login && self.with_login && self.challenges == 1 {
            return self.login_prompt(reply);
        }
        // A server that ignored the initial response asks for it again.
        let asks_again = self.challenges == 1 && self.initial == Initial::WithCommand;
        let repeats = match self.mechanism {
            Mechanism::Plain => asks_again,
            Mechanism::ScramSha256 | Mechanism::Xoauth2 | Mechanism::OauthBearer => asks_again && challenge.is_empty(),
            Mechanism::Login | Mechanism::CramMd5 => false,
        };
        if repeats {
            return self.initial_response().map_or(Step::Broken, Step::Answer);
        }
        if self.mechanism == Mechanism::ScramSha256 && !self.scram.has_answered() {
            return self.scram.derivation(self.secret, challenge).map_or(Step::Broken, Step::Derive);
        }
        self.answer(challenge).map_or(Step::Broken, Step::Answer)
    }

    fn hear_reason(&mut self, challenge: &[u8]) {
        self.hidden_error = Some(String::from_utf8_lossy(challenge).into_owned()).filter(|reason| !reason.is_empty());
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
            (Mechanism::Login, 1) => encoded(self.login),
            (Mechanism::Login, 2) => encoded(secret),
            (Mechanism::CramMd5, 1) => encoded(&cram_md5(self.login, secret, challenge)),
            (Mechanism::ScramSha256, _) => self.scram.check(challenge).then(|| Zeroizing::new(String::new())),
            // The reason for a refusal. The answer makes the server send its 535.
            (Mechanism::Xoauth2, _) => {
                self.hear_reason(challenge);
                encoded("")
            }
            (Mechanism::OauthBearer, _) => {
                self.hear_reason(challenge);
                encoded("\x01")
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
