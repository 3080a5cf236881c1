//! Replies in which the enhanced code and the words agree. Other words that the reply mentions (a policy, a block
//! list's link, another check) are ignored.

use model::{
    cause::Cause::{
        BadCredentials, LoginBlocked, MessageTooLarge, OauthPermission, RecipientMailboxFull, RecipientRejected,
        ServerBusy, TooManyRecipients,
    },
    stage::Stage::{self, Auth, Data, MailFrom, RcptTo},
};

use super::{EVERYONE, MAIL, Rule};

const RECIPIENT: &[Stage] = &[RcptTo];

#[rustfmt::skip] // a table: a rule is stages, hosts, patterns, cause
pub(super) const RULES: &[Rule] = &[
    (&[Auth], EVERYONE, &["insufficient scope"], OauthPermission),
    (&[Auth], EVERYONE, &[
        "locked|locked out|verrouille*|gesperrt|bloqueada|bloccato+attempts|tentatives|versuche|versuchen|intentos|tentativi+!will be|may be|could be",
    ], LoginBlocked),
    (&[Auth], EVERYONE, &["=5+authentication server+connection lost|unreachable"], ServerBusy),
    (&[Auth], EVERYONE, &[
        "=535+wrong password|bad password|invalid password|incorrect password|wrong username|invalid username|\
         incorrect username|invalid user name|unknown user name|invalid login or password|invalid user or password|\
         wrong credentials|invalid credentials|bad credentials|incorrect credentials|bad username|wrong login|\
         username not found|user name not found|login is not valid|mot de passe incorrect|mot de passe invalide|\
         mauvais mot de passe|identifiant incorrect|falsches passwort|passwort falsch|contrasena incorrecta|\
         password errata+!basic|oauth|oauth2|xoauth2|application|app|apps|specific|factor|factors|2fa|two step|2 step|\
         code|token|expired|is locked|been locked|account locked|been suspended|is suspended|is disabled|been disabled|\
         been blocked|is blocked|webmail|browser|too many|been banned|is banned|smtp access|internal|unavailable|\
         api key|facteurs|faktor|mechanism",
    ], BadCredentials),
    // `DATA` without a recipient: the server has refused all of them.
    (&[Data], EVERYONE, &[
        "valid rcpt|valid recipient|valid recipients|rcpt command must|no valid recipients|\
         no recipients|without recipients|no recipient|recipients required|no rcpt",
    ], RecipientRejected),
    (RECIPIENT, EVERYONE, &[
        "user unknown|unknown user|user not found|no such user|no such mailbox|no such recipient|mailbox not found|\
         recipient not found|unknown recipient|recipient unknown|utilisateur inconnu|destinataire inconnu|\
         benutzer unbekannt|empfanger unbekannt|usuario desconocido|utente sconosciuto+!sender|helo|relay|login|log in",
        "*.1.1|*.1.10+does not exist|doesn't exist|undeliverable|bad address+!domain|sender|system storage",
    ], RecipientRejected),
    (RECIPIENT, EVERYONE, &[
        "mailbox full|mailbox is full|mailbox for user is full|recipient over quota|out of storage space|boite pleine|\
         postfach voll+!spam|sending|your mailbox|sender",
        "*.2.2+over quota|overquota|quota exceeded+!spam|sending|message quota",
    ], RecipientMailboxFull),
    (&[RcptTo], EVERYONE, &["*.5.3+too many recipients|trop de destinataires+!hour|minute|rate"], TooManyRecipients),
    (&[MailFrom, Data], EVERYONE, &[
        "*.3.4|*.2.3+message size|size limit|too big|too large|maximum size|mb|over|larger|bigger|trop volumineux|\
         zu gross",
    ], MessageTooLarge),
    (MAIL, EVERYONE, &["*.3.1+disk|storage|space|queue|memory|system"], ServerBusy),
];
