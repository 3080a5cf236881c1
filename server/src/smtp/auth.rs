//! Server side. `AUTH` (RFC 4954): PLAIN (RFC 4616) and LOGIN, whichever the server offers.

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{capabilities::Capabilities, reply::Reply};

/// Most challenges of one exchange.
const MOST_CHALLENGES: u32 = 3;

/// A SASL mechanism that takes a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    Plain,
    Login,
}

impl Mechanism {
    /// The first of ours that the server offers. Under TLS they are equally strong; PLAIN takes one round trip.
    pub(super) fn choose(capabilities: &Capabilities) -> Option<Self> {
        let offered = |name: &str| capabilities.auth.iter().any(|mechanism| mechanism == name);
        if offered("PLAIN") { Some(Self::Plain) } else { offered("LOGIN").then_some(Self::Login) }
    }
}

/// What to do after a reply.
pub(super) enum Step {
    /// Send this line.
    Answer(Zeroizing<String>),
    /// 235: logged in.
    Done,
    /// The server refused.
    Refused,
    /// The server asks what it may not ask, or says yes with another code.
    Broken,
}

/// One exchange.
pub(super) struct Exchange<'a> {
    mechanism: Mechanism,
    login: &'a str,
    secret: &'a SecretString,
    challenges: u32,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(mechanism: Mechanism, login: &'a str, secret: &'a SecretString) -> Self {
        Self { mechanism, login, secret, challenges: 0 }
    }

    /// The command, with its initial response where the mechanism has one.
    pub(super) fn command(&self) -> Zeroizing<String> {
        Zeroizing::new(match self.mechanism {
            Mechanism::Plain => format!("AUTH PLAIN {}", *self.plain()),
            Mechanism::Login => "AUTH LOGIN".to_owned(),
        })
    }

    /// The command as the transcript shows it.
    pub(super) const fn shown(&self) -> &'static str {
        match self.mechanism {
            Mechanism::Plain => "AUTH PLAIN •••",
            Mechanism::Login => "AUTH LOGIN",
        }
    }

    fn plain(&self) -> Zeroizing<String> {
        let message = Zeroizing::new(format!("\0{}\0{}", self.login, self.secret.expose_secret()));
        Zeroizing::new(BASE64_STANDARD.encode(message.as_bytes()))
    }

    /// The next step. LOGIN's prompts are not read: they come in every language, always login first.
    pub(super) fn step(&mut self, reply: &Reply) -> Step {
        match reply.code {
            235 => Step::Done,
            334 => {
                self.challenges += 1;
                match (self.mechanism, self.challenges) {
                    (_, challenge) if challenge > MOST_CHALLENGES => Step::Broken,
                    // A server that overlooked the initial response asks for it.
                    (Mechanism::Plain, 1) => Step::Answer(self.plain()),
                    (Mechanism::Login, 1) => Step::Answer(Zeroizing::new(BASE64_STANDARD.encode(self.login))),
                    (Mechanism::Login, 2) => {
                        Step::Answer(Zeroizing::new(BASE64_STANDARD.encode(self.secret.expose_secret())))
                    }
                    _ => Step::Broken,
                }
            }
            code if code < 400 => Step::Broken,
            _ => Step::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Reply {
        Reply::parse(text).unwrap()
    }

    fn answer(step: Step) -> String {
        match step {
            Step::Answer(line) => line.to_string(),
            Step::Done | Step::Refused | Step::Broken => panic!("an answer was expected"),
        }
    }

    #[test]
    fn plain_carries_its_response_and_repeats_it_when_asked() {
        let secret = SecretString::from("tim");
        let mut exchange = Exchange::new(Mechanism::Plain, "test", &secret);
        assert_eq!(*exchange.command(), "AUTH PLAIN AHRlc3QAdGlt");
        assert_eq!(answer(exchange.step(&reply("334 "))), "AHRlc3QAdGlt");
        assert!(matches!(exchange.step(&reply("334 more?")), Step::Broken));
        assert!(!exchange.shown().contains("AHR"));
    }

    #[test]
    fn login_answers_prompts_in_any_language() {
        let secret = SecretString::from("secret");
        let mut exchange = Exchange::new(Mechanism::Login, "claire", &secret);
        assert_eq!(*exchange.command(), "AUTH LOGIN");
        assert_eq!(answer(exchange.step(&reply("334 SWRlbnRpZmlhbnQ6"))), "Y2xhaXJl");
        assert_eq!(answer(exchange.step(&reply("334 ???"))), "c2VjcmV0");
        assert!(matches!(exchange.step(&reply("235 ok")), Step::Done));
    }

    #[test]
    fn only_235_is_a_yes() {
        let secret = SecretString::from("secret");
        for (text, broken) in [("250 ok", true), ("220 ready", true), ("535 no", false), ("454 later", false)] {
            let step = Exchange::new(Mechanism::Plain, "claire", &secret).step(&reply(text));
            assert_eq!(matches!(step, Step::Broken), broken, "{text}");
            assert_eq!(matches!(step, Step::Refused), !broken, "{text}");
        }
    }
}
