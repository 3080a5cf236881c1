//! Server side. The sandbox' login by access token: XOAUTH2 as Microsoft and Google document it, OAUTHBEARER (RFC 7628).

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use super::Conversation;
use crate::demo::{
    provider::{MAIL_SCOPE, TokenState},
    sandbox::DOMAIN,
};

/// The mailbox as which every signed-in account may send.
const SHARED: &str = "partage";

const REFUSED: &str = "535 5.7.3 Authentication unsuccessful";
const SMTP_OFF: &str = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.";

/// The form of the client's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Xoauth2,
    Oauthbearer,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    Malformed,
    Token,
    Scope,
}

impl Form {
    pub(super) fn of(mechanism: &str) -> Self {
        if mechanism.eq_ignore_ascii_case("XOAUTH2") { Self::Xoauth2 } else { Self::Oauthbearer }
    }

    /// The login, empty where the client names none, and the token.
    fn read(self, message: &str) -> Option<(String, String)> {
        let fields = message.strip_suffix("\x01\x01")?;
        let (first, rest) = fields.split_once('\x01')?;
        let login = match self {
            Self::Xoauth2 => first.strip_prefix("user=")?.to_owned(),
            Self::Oauthbearer => authorization_identity(first)?,
        };
        let given = rest.split('\x01').find_map(|field| field.strip_prefix("auth="))?;
        let (scheme, token) = given.split_once(' ')?;
        scheme.eq_ignore_ascii_case("Bearer").then(|| (login, token.to_owned()))
    }

    /// The error that precedes the refusal. OAUTHBEARER has the codes of RFC 6750 (RFC 7628 §3.2.2).
    fn challenge(self, problem: Problem) -> String {
        let status = match (self, problem) {
            (Self::Xoauth2, Problem::Token) => "401",
            (Self::Xoauth2, _) => "400",
            (Self::Oauthbearer, Problem::Malformed) => "invalid_request",
            (Self::Oauthbearer, Problem::Token) => "invalid_token",
            (Self::Oauthbearer, Problem::Scope) => "insufficient_scope",
        };
        let body = json!({ "status": status, "schemes": "Bearer", "scope": MAIL_SCOPE });
        BASE64_STANDARD.encode(body.to_string())
    }
}

/// The identity in `n,a=…,` (RFC 5801 §4).
fn authorization_identity(header: &str) -> Option<String> {
    let identity = header.strip_prefix("n,").or_else(|| header.strip_prefix("y,"))?.strip_suffix(',')?;
    if identity.is_empty() {
        return Some(String::new());
    }
    Some(identity.strip_prefix("a=")?.replace("=2C", ",").replace("=3D", "="))
}

impl Conversation {
    /// `AUTH` with a token, in the command or after a challenge.
    pub(super) async fn bearer(&mut self, form: Form, initial: &str) -> Option<()> {
        let message = if initial.is_empty() { self.prompt("").await? } else { initial.to_owned() };
        if message == "*" {
            return self.say("501 5.7.0 Authentication cancelled").await;
        }
        let decoded = BASE64_STANDARD.decode(message).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let read = decoded.and_then(|message| form.read(&message));
        let checked = match &read {
            None => Err(Problem::Malformed),
            Some((_, token)) => match self.house.tokens.login_of(token) {
                TokenState::Valid { login } => Ok(login),
                TokenState::WithoutScope { .. } => Err(Problem::Scope),
                TokenState::Expired { .. } | TokenState::Revoked | TokenState::Unknown => Err(Problem::Token),
            },
        };
        let owner = match checked {
            Ok(owner) => owner,
            Err(problem) => {
                // An empty line (XOAUTH2), or one with a single control character (OAUTHBEARER).
                self.prompt(&form.challenge(problem)).await?;
                return self.say(REFUSED).await;
            }
        };
        let mut login = read.map(|(login, _)| login).unwrap_or_default();
        if login.is_empty() && form == Form::Oauthbearer {
            login.clone_from(&owner);
        }
        let shared = format!("{SHARED}@{DOMAIN}");
        if !login.eq_ignore_ascii_case(&owner) && !login.eq_ignore_ascii_case(&shared) {
            return self.say(REFUSED).await;
        }
        if owner == format!("smtp-coupe@{DOMAIN}") {
            return self.say(SMTP_OFF).await;
        }
        self.login = Some(login);
        self.token_owner = Some(owner);
        self.say("235 2.7.0 Authentication successful").await
    }
}
