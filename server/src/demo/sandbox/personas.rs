//! Server side. The sandbox' characters: a login, or a host, that fails as a real provider does.

use app::{diagnosis::cause::Cause, i18n::Locale};

/// The password that every persona accepts, unless it accepts none. People paste it as Google shows it.
pub const PASSWORD: &str = "abcdefghijklmnop";
/// The same, with blanks, as it is shown.
pub const PASSWORD_AS_SHOWN: &str = "abcd efgh ijkl mnop";

/// A way to fail, or to succeed.
#[derive(Debug, Clone, Copy)]
pub struct Persona {
    /// The part of the login before the `@`.
    pub login: &'static str,
    /// The first label of the host.
    pub host: &'static str,
    /// Its behaviour, in French and in English.
    pub plays: (&'static str, &'static str),
    /// The cause that the configurator should find; `None` when the test succeeds or its outcome is unknown.
    pub cause: Option<Cause>,
}

impl Persona {
    pub fn plays(&self, locale: Locale) -> &'static str {
        match locale {
            Locale::Fr => self.plays.0,
            Locale::En => self.plays.1,
        }
    }
}

macro_rules! personas {
    ($($login:literal @ $host:literal, $fr:literal, $en:literal, $cause:expr;)*) => {
        &[$(Persona { login: $login, host: $host, plays: ($fr, $en), cause: $cause },)*]
    };
}

/// Every persona, the one that succeeds first.
pub const PERSONAS: &[Persona] = personas! {
    "boutique" @ "smtp", "Tout va bien : le message arrive dans cette boîte.", "All is well: the message arrives in this inbox.", None;
    "lent" @ "smtp", "Tout va bien, lentement : les étapes apparaissent une à une.", "All is well, slowly: the stages appear one by one.", None;
    "latin1" @ "smtp", "Un vieux serveur, qui répond en Latin-1.", "An old server that answers in Latin-1.", None;
    "mot-de-passe" @ "smtp", "Refuse tout mot de passe.", "Refuses every password.", Some(Cause::BadCredentials);
    "application" @ "smtp", "Comme Google : refuse le mot de passe du compte, veut celui d’une application.", "Like Google: refuses the account’s password, wants an app password.", Some(Cause::AppPasswordRequired);
    "sans-basic" @ "smtp", "Comme Microsoft : n’accepte plus aucun mot de passe.", "Like Microsoft: no longer accepts any password.", Some(Cause::BasicAuthDisabled);
    "smtp-coupe" @ "smtp", "Comme Microsoft : l’envoi SMTP est coupé pour cette boîte.", "Like Microsoft: SMTP is switched off for this mailbox.", Some(Cause::SmtpAuthDisabled);
    "bloque" @ "smtp", "Comme Google : demande de se connecter d’abord par le navigateur.", "Like Google: asks you to sign in with a browser first.", Some(Cause::LoginBlocked);
    "expediteur" @ "smtp", "Refuse l’adresse de l’expéditeur, quelle qu’elle soit.", "Refuses every sender address.", Some(Cause::SenderRejected);
    "au-nom-de" @ "smtp", "N’accepte comme expéditeur que sa propre adresse : essayez-en une autre.", "Accepts only its own address as the sender: try another one.", None;
    "perdu" @ "smtp", "Accepte le message, puis le perd : il n’arrive jamais.", "Accepts the message, then loses it: it never arrives.", None;
    "liste-grise" @ "smtp", "Demande de revenir plus tard, puis accepte au second essai.", "Asks you to try again later, then accepts the second time.", Some(Cause::Greylisted);
    "cadence" @ "smtp", "Trouve que cela va trop vite.", "Says that you send too fast.", Some(Cause::RateLimited);
    "quota" @ "smtp", "Comme Google : le quota du jour est épuisé.", "Like Google: the day’s quota is used up.", Some(Cause::QuotaExceeded);
    "boite-pleine" @ "smtp", "La boîte du destinataire est pleine.", "The recipient’s mailbox is full.", Some(Cause::RecipientMailboxFull);
    "indesirable" @ "smtp", "Prend le message pour du courrier indésirable.", "Treats the message as junk.", Some(Cause::MessageRejected);
    "mal-compose" @ "smtp", "Trouve le message mal composé.", "Finds the message badly composed.", Some(Cause::MessageMalformed);
    "une-session" @ "smtp", "Dit que la connexion a servi assez longtemps.", "Says that the connection has been used for long enough.", Some(Cause::SessionLimit);
    "detourne" @ "smtp", "Un autre serveur répond à la place du vôtre.", "Another server responds in place of yours.", Some(Cause::WrongServer);
    "coupe" @ "smtp", "Raccroche juste après avoir reçu le message.", "Hangs up right after receiving the message.", None;
    "muet" @ "smtp", "Se tait après avoir reçu le message.", "Falls silent after receiving the message.", None;
    "boutique" @ "silence", "Accepte la connexion, puis se tait.", "Accepts the connection, then falls silent.", Some(Cause::Timeout);
    "boutique" @ "scram", "Propose une façon de se connecter qui ne marche pas, et une autre qui marche.", "Offers a way to log in that does not work, and one that does.", Some(Cause::BadCredentials);
    "boutique" @ "other-name", "Présente un certificat à un autre nom.", "Shows a certificate for another name.", Some(Cause::CertNameMismatch);
    "boutique" @ "expired", "Présente un certificat périmé.", "Shows an expired certificate.", Some(Cause::CertExpired);
    "boutique" @ "unknown-issuer", "Présente un certificat que personne ne connaît.", "Shows a certificate from an unknown authority.", Some(Cause::CertUntrusted);
};
