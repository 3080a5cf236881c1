//! Server side. The provider's characters: accounts that sign in, and fail, as those of real providers do.

use app::i18n::Locale;

use crate::demo::sandbox::DOMAIN;

/// What an account does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plays {
    Well,
    /// Declines the permission.
    Refuses,
    /// An administrator must allow the application first.
    WantsAdministrator,
    /// Every refresh requires a second factor.
    WantsSecondFactor,
    /// Grants everything but the mail scope.
    WithoutScope,
    /// The permission ends after the first accepted message.
    RevokedAfterMail,
    /// A refresh token works once.
    Rotation,
    /// The token endpoint is slow.
    Slow,
    /// The token endpoint is unavailable for the first two refreshes.
    Down,
    /// The client's secret has expired.
    DeadClient,
    /// Signs in as another account.
    OtherAccount,
    /// Access tokens end after a minute.
    ShortLife,
    /// The token endpoint answers a refresh with a web page.
    Html,
}

/// An account.
#[derive(Debug)]
pub struct Persona {
    /// The part of the address before the `@`.
    pub login: &'static str,
    pub plays: Plays,
    /// Its behaviour, in French and in English.
    description: (&'static str, &'static str),
}

impl Persona {
    pub fn description(&self, locale: Locale) -> &'static str {
        match locale {
            Locale::Fr => self.description.0,
            Locale::En => self.description.1,
        }
    }

    pub fn address(&self) -> String {
        format!("{}@{DOMAIN}", self.login)
    }

    /// The address of the account that signs in.
    pub(super) fn identity(&self) -> String {
        match self.plays {
            Plays::OtherAccount => format!("contact@{DOMAIN}"),
            _ => self.address(),
        }
    }
}

/// The account of this address.
pub fn find(address: &str) -> Option<&'static Persona> {
    PERSONAS.iter().find(|persona| persona.address().eq_ignore_ascii_case(address))
}

macro_rules! personas {
    ($($login:literal $plays:ident, $fr:literal, $en:literal;)*) => {
        &[$(Persona { login: $login, plays: Plays::$plays, description: ($fr, $en) },)*]
    };
}

/// Every account, the one that succeeds first.
pub const PERSONAS: &[Persona] = personas! {
    "boutique" Well, "Tout va bien.", "All is well.";
    "refuse" Refuses, "Refuse l’accès, comme si vous aviez choisi Annuler.", "Declines, as if you had chosen Cancel.";
    "admin" WantsAdministrator, "Son administrateur doit d’abord autoriser l’application.", "Its administrator must allow the application first.";
    "mfa" WantsSecondFactor, "Se connecte, puis doit confirmer son identité au renouvellement.", "Signs in, then must verify its identity at the renewal.";
    "sans-scope" WithoutScope, "Se connecte sans autoriser l’envoi d’e-mails.", "Signs in without allowing e-mail to be sent.";
    "revoque" RevokedAfterMail, "Retire l’accès après le premier message.", "Withdraws the permission after the first message.";
    "rotation" Rotation, "Chaque jeton de renouvellement ne sert qu’une fois.", "Each refresh token works only once.";
    "lent" Slow, "Le service de connexion répond après 20 secondes.", "The sign-in service answers after 20 seconds.";
    "panne" Down, "Le service de connexion est en panne pour les deux premiers renouvellements.", "The sign-in service is down for the first two renewals.";
    "client-mort" DeadClient, "Le secret de l’application a expiré.", "The application’s secret has expired.";
    "autre-compte" OtherAccount, "Se connecte avec un autre compte : contact@sandbox.example.", "Signs in with another account: contact@sandbox.example.";
    "vieux" ShortLife, "L’accès expire au bout d’une minute, puis se renouvelle.", "The access expires after a minute, then is renewed.";
    "smtp-coupe" Well, "Se connecte, mais l’envoi SMTP est coupé pour cette boîte.", "Signs in, but SMTP is switched off for this mailbox.";
    "html" Html, "Le renouvellement répond par une page web.", "The renewal is answered with a web page.";
};
