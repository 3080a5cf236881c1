//! Server side. The sandbox' `AUTH`, and the replies that refuse it.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{Conversation, bearer::Form};
use crate::demo::sandbox::{
    DOMAIN,
    personas::{PASSWORD, PERSONAS},
};

/// Longest command, in bytes (RFC 4954 §4): a longer first response waits for the server's challenge.
const LONGEST_COMMAND: usize = 512;

impl Conversation {
    pub(super) async fn authenticate(&mut self, rest: &str) -> Option<()> {
        if !self.encrypted {
            return self.say("530 5.7.0 Must issue a STARTTLS command first").await;
        }
        if LONGEST_COMMAND < "AUTH ".len() + rest.len() + "\r\n".len() {
            return self.say("500 5.5.6 Line too long").await;
        }
        self.house.inbox.login_tried();
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let decoded = |text: &str| BASE64_STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let (login, password) = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let message = if initial.is_empty() { self.prompt("").await? } else { initial.to_owned() };
                let message = decoded(&message).unwrap_or_default();
                let mut parts = message.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            "LOGIN" => {
                let login = self.prompt("VXNlcm5hbWU6").await?;
                let password = self.prompt("UGFzc3dvcmQ6").await?;
                (decoded(&login).unwrap_or_default(), decoded(&password).unwrap_or_default())
            }
            "SCRAM-SHA-256" if self.is_named("scram") => {
                return self.say("535 5.7.8 Error: authentication failed").await;
            }
            "XOAUTH2" | "OAUTHBEARER" if self.house.tokens.has_provider() => {
                return self.bearer(Form::of(mechanism), initial).await;
            }
            _ => return self.say("504 5.5.4 Unrecognized authentication type").await,
        };
        let refusal = refusal(&login, &password);
        if refusal.is_none() {
            self.login = Some(login);
        }
        self.say(refusal.unwrap_or("235 2.7.0 Authentication successful")).await
    }

    pub(super) async fn prompt(&mut self, text: &str) -> Option<String> {
        self.say(&format!("334 {text}")).await?;
        self.line().await
    }
}

/// Why a login is refused, in the words of the provider that the persona plays.
fn refusal(login: &str, password: &str) -> Option<&'static str> {
    let persona = login.strip_suffix(&format!("@{DOMAIN}")).unwrap_or_default();
    match persona {
        "application" => Some(
            "534-5.7.9 Application-specific password required. Learn more at\r\n\
             534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor - gsmtp",
        ),
        "sans-basic" => Some("535 5.7.139 Authentication unsuccessful, basic authentication is disabled."),
        "smtp-coupe" => {
            Some("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.")
        }
        "bloque" => Some(
            "535 5.7.1 Please log in with your web browser and then try again. For more information, visit \
             https://support.google.com/mail/bin/accounts/answer/78754",
        ),
        "detourne" => Some("535 5.7.0 Your connection was redirected to this mail server by your hosting company"),
        "mot-de-passe" => Some("535 5.7.8 Error: authentication failed"),
        known if PERSONAS.iter().any(|persona| persona.login == known) && password == PASSWORD => None,
        _ => Some("535 5.7.8 Error: authentication failed"),
    }
}
