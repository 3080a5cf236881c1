//! Server side. What servers say in words: a table, the first line that fits wins. Particular things come before
//! general ones.

use app::{
    diagnosis::cause::Cause::{
        self, AccountBlocked, AddressSyntax, AppPasswordRequired, AuthMechanismUnsupported, AuthNotOffered,
        AuthRequired, BadCredentials, BasicAuthDisabled, DomainAuthentication, EhloRejected, Greylisted, IpBlocked,
        IpNotAllowed, LoginBlocked, MessageRejected, MessageTooLarge, OauthPermission, QuotaExceeded, RateLimited,
        RecipientMailboxFull, RecipientRejected, RelayDenied, SandboxRestricted, SenderNotVerified, SenderRejected,
        ServerBusy, SmtpAuthDisabled, StarttlsNotOffered, StarttlsRequired, TooManyConnections, TooManyRecipients,
    },
    test_run::event::Stage::{self, Auth, Data, Ehlo, Greeting, MailFrom, RcptTo, Starttls},
};

use crate::smtp::reply::Reply;

/// Stages (none: any), ends of the host's name (none: any), words of which one must be there (`a+b`: both), cause.
type Rule = (&'static [Stage], &'static [&'static str], &'static [&'static str], Cause);

const ANY: &[Stage] = &[];
const MAIL: &[Stage] = &[MailFrom, RcptTo, Data];
const EVERYWHERE: &[&str] = &[];
const MICROSOFT: &[&str] = &["office365.com", "outlook.com", "outlook.office365.com", "hotmail.com", "live.com"];

#[rustfmt::skip] // a table: one line a rule
const RULES: &[Rule] = &[
    // The login
    (&[Auth], EVERYWHERE, &["application-specific password", "app password", "app-specific password", "application password", "mot de passe d'application", "invalidsecondfactor", "mot de passe applicatif"], AppPasswordRequired),
    (ANY, EVERYWHERE, &["basic authentication is disabled", "basic authentication is not supported", "basic auth is disabled", "basic authentication+disabled"], BasicAuthDisabled),
    (ANY, MICROSOFT, &["5.7.30"], BasicAuthDisabled),
    (ANY, EVERYWHERE, &["smtpclientauthentication is disabled", "smtp auth+disabled", "smtp authentication is disabled", "smtp access+disabled", "smtp login+disabled", "smtp is disabled", "enable smtp", "activate smtp", "activez+smtp", "pop/smtp access", "imap/smtp+disabled"], SmtpAuthDisabled),
    (&[Auth], EVERYWHERE, &["security defaults", "log in with your web browser", "web login required", "webloginrequired", "conditional access", "sign in+browser", "suspicious+sign", "unusual+login", "login+blocked", "authentication+blocked by"], LoginBlocked),
    (&[Auth], EVERYWHERE, &["unauthorized ip", "ip address is not allowed", "ip not allowed", "ip address+not authorized", "ip+whitelist", "ip+allowlist"], IpNotAllowed),
    (MAIL, EVERYWHERE, &["mail sending denied"], SenderRejected),
    (ANY, EVERYWHERE, &["account+suspended", "account is disabled", "account has been disabled", "account disabled", "account is locked", "account+not activated", "account+not active", "account has been blocked", "user+suspended", "compte+bloqu", "compte+suspendu", "compte+désactivé", "outgoing blocked", "bad outbound sender", "account+deactivated", "account is under review", "mailbox+suspended"], AccountBlocked),
    (&[Auth], EVERYWHERE, &["too many login", "too many failed", "too many authentication", "too many attempts", "too many bad", "trop de tentatives", "login attempts", "rate limit", "throttl"], RateLimited),
    (&[Auth], EVERYWHERE, &["encryption required", "must issue a starttls", "starttls first", "tls required", "requires tls", "secure connection"], StarttlsRequired),
    (&[Auth], EVERYWHERE, &["not enabled", "authentication not+available", "auth command not+"], AuthNotOffered),
    (&[Auth], EVERYWHERE, &["no longer supported", "mechanism+not supported", "unrecognized authentication type", "unsupported auth", "mechanism+invalid", "mechanism+unknown"], AuthMechanismUnsupported),
    (&[Auth], EVERYWHERE, &["logon failure", "logonfailed"], OauthPermission),
    (&[Auth], EVERYWHERE, &["temporary authentication failure", "unable to authenticate at present", "temporar", "try again later"], ServerBusy),
    (&[Auth], EVERYWHERE, &["not accepted", "authentication failed", "authentication unsuccessful", "authentication failure", "incorrect authentication", "invalid credentials", "credentials invalid", "invalid user", "invalid login", "invalid password", "bad username", "bad credentials", "username+password", "login or password", "identifiant+mot de passe", "code d'authentification invalide", "code d’authentification invalide", "authentification+échou", "authentification+echou", "incorrect password", "wrong password", "login failed", "login incorrect", "invalid username", "authorization failed", "authentication rejected", "auth failed", "badcredentials"], BadCredentials),
    // Before mail
    (&[Starttls], EVERYWHERE, &["local problem", "temporar"], ServerBusy),
    (&[Starttls], EVERYWHERE, &["not enabled", "not available", "not supported"], StarttlsNotOffered),
    (MAIL, EVERYWHERE, &["must issue a starttls", "starttls first", "tls+required", "encryption+required"], StarttlsRequired),
    (&[Ehlo], EVERYWHERE, &["invalid domain name", "helo+invalid", "ehlo+invalid", "helo+rejected", "ehlo+rejected", "helo command rejected", "need fully-qualified hostname"], EhloRejected),
    (&[Greeting, Ehlo, MailFrom], EVERYWHERE, &["too many connections", "trop de connexions", "too many concurrent", "too many simultaneous", "connection limit", "connections+limit", "concurrent connections"], TooManyConnections),
    (&[Greeting, Ehlo, MailFrom, RcptTo], EVERYWHERE, &["black list", "blacklist", "blocklist", "block list", "block-list", "client host blocked", "client host+blocked", "source bloqu", "spamhaus", "rbl", "dnsbl", "barracuda", "reverse dns", "ptr record", "reverse hostname", "no reverse", "poor reputation"], IpBlocked),
    (&[Data], EVERYWHERE, &["ip you're using to send mail is not authorized", "spamhaus", "blacklist", "blocklist", "ptr record", "reverse dns", "client host+blocked", "ip+poor reputation"], IpBlocked),
    // Who may send what
    (MAIL, EVERYWHERE, &["authentication required", "authentication is required", "not logged in", "unauthenticated sender", "must be authenticated", "authenticate first", "please authenticate", "need to authenticate", "smtp auth first", "authentification requise", "authentification+nécessaire", "must authenticate", "login required"], AuthRequired),
    (MAIL, EVERYWHERE, &["free accounts are for test purposes", "authorized recipients", "sandbox+recipient", "sandbox+not allowed", "trial+recipient", "trial mode", "test mode", "trial account"], SandboxRestricted),
    (MAIL, EVERYWHERE, &["email address is not verified", "not verified", "sender+must be verified", "verify your sender", "not a verified", "sender identity", "unverified", "domain+not verified", "access denied+not authorized to perform", "sender+not validated", "sender is not valid+verif"], SenderNotVerified),
    (MAIL, EVERYWHERE, &["spf", "dkim", "dmarc"], DomainAuthentication),
    (MAIL, EVERYWHERE, &["greylist", "graylist", "grey list", "gray list", "greylisted", "postgrey", "liste grise"], Greylisted),
    (MAIL, EVERYWHERE, &["sendasdenied", "not owned by", "not one of your addresses", "sender address+not allowed", "sender+denied", "sender address rejected", "sender rejected", "not allowed to send from", "not allowed to send as", "not allowed to use this from", "mail sending denied", "blank from", "invalid from", "from address+not", "from+not allowed", "from+not authorized", "sender+not authorized", "sender+does not match", "sender mismatch", "sender domain+not", "invalid dns mx", "sender+domain not found", "domain of sender", "expéditeur+non autoris", "expediteur+non autoris", "expéditeur+refus", "émetteur+refus"], SenderRejected),
    (MAIL, EVERYWHERE, &["relay access denied", "relaying denied", "relay not allowed", "relay denied", "unable to relay", "relaying not", "not permitted to relay", "cannot relay", "no relay", "relay not permitted", "open relay"], RelayDenied),
    // How much
    (ANY, EVERYWHERE, &["daily+quota", "daily+limit", "sending quota", "daily message quota", "quota journalier", "limite journali", "credits", "plan+limit", "monthly+limit", "limit of+per day", "exceeded+per day"], QuotaExceeded),
    (MAIL, EVERYWHERE, &["recipients received this hour", "recipients per hour"], RateLimited),
    (MAIL, EVERYWHERE, &["too many recipients", "trop de destinataires", "recipients+limit"], TooManyRecipients),
    (ANY, EVERYWHERE, &["rate limit", "rate-limit", "ratelimit", "throttl", "excessive volume", "unexpected volume", "too fast", "slow down", "too many messages", "too many mails", "too many emails", "send limit exceeded", "sending limit", "too much mail", "messages+per hour", "per hour", "trop de messages", "sending rate"], RateLimited),
    (&[RcptTo, Data], EVERYWHERE, &["mailbox full", "mailbox+is full", "out of storage", "over quota", "overquota", "quota exceeded", "user quota", "inbox is full", "boite pleine", "boîte+pleine", "insufficient mailbox", "mailbox quota", "storage space"], RecipientMailboxFull),
    (MAIL, EVERYWHERE, &["message size exceeds", "message too large", "message is too long", "message too big", "size limit", "maximum+size", "too large", "size exceeds", "message file too big", "message trop"], MessageTooLarge),
    (&[RcptTo], EVERYWHERE, &["user unknown", "unknown user", "no such user", "does not exist", "mailbox unavailable", "mailbox not found", "no mailbox", "invalid recipient", "recipient rejected", "recipient address rejected", "blocked due to inactivity", "destinataire", "user not found", "recipient not found", "unknown recipient", "no such recipient", "address unknown", "inactive", "mailbox+disabled"], RecipientRejected),
    (&[MailFrom, RcptTo], EVERYWHERE, &["invalid email address", "bad address syntax", "malformed address", "syntax error in", "bad sender address syntax", "bad recipient address syntax", "invalid address", "address syntax"], AddressSyntax),
    (&[Data], EVERYWHERE, &["mailbox logon failure", "logonfailed"], OauthPermission),
    (MAIL, EVERYWHERE, &["spam", "virus", "malware", "rejete", "rejeté", "policy", "content rejected", "message rejected", "mail rejected", "blocked+content", "suspicious", "attachment", "phishing", "contenu", "message refused", "unsolicited"], MessageRejected),
    (ANY, EVERYWHERE, &["temporary+error", "temporary+failure", "temporary server error", "temporarily unavailable", "try again later", "internal error", "local error", "insufficient system", "server busy", "system not accepting", "maintenance", "overload"], ServerBusy),
];

/// The cause of the first rule that fits.
pub(super) fn in_words(stage: Stage, host: &str, reply: &Reply, words: &str) -> Option<Cause> {
    let words = match reply.enhanced {
        Some(code) => format!("{code} {words}"),
        None => words.to_owned(),
    };
    let holds = |pattern: &&str| pattern.split('+').all(|word| words.contains(word));
    let rule = RULES.iter().find(|(stages, hosts, patterns, _)| {
        (stages.is_empty() || stages.contains(&stage))
            && (hosts.is_empty() || hosts.iter().any(|end| host == *end || host.ends_with(&format!(".{end}"))))
            && patterns.iter().any(holds)
    })?;
    // Later is not never: a permanent refusal is not called busy.
    (rule.3 != ServerBusy || reply.is_transient()).then_some(rule.3)
}
