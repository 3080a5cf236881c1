//! The recipient: one that does not exist, or that may not be written to.

use model::{
    cause::Cause::{AddressSyntax, IpBlocked, RecipientRejected, ServerBusy, Unknown},
    stage::Stage::{self, Data, MailFrom, RcptTo},
};

use super::{EVERYONE, Rule};

const RECIPIENT: &[Stage] = &[RcptTo];
const AFTER: &[Stage] = &[RcptTo, Data];

#[rustfmt::skip] // a table: a rule is stages, hosts, patterns, cause
pub(super) const RULES: &[Rule] = &[
    (AFTER, EVERYONE, &[
        "verification in progress|unverified address",
        "=4+unable to verify|could not verify|cannot verify|verification+recipient|address|user",
    ], ServerBusy),
    (&[MailFrom, RcptTo], EVERYONE, &[
        "syntax|syntactically|malformed|ill formed|badly formed|illegal|unqualified|not rfc|fully qualified|mal forme*|\
         syntaxe|syntaxfehler|sintaxis|invalid character|invalid characters|bad characters|domain missing|\
         missing domain|is missing|missing final|unbalanced+address|addresses|mailbox|recipient|sender|parameter|\
         parameters|adresse|direccion|indirizzo|domain|local part|empfanger|command+!command unrecognized|helo",
        "invalid email address|invalid address|bad address|invalid e mail address|not a valid email|\
         not a valid address|not a valid e mail|adresse invalide+!recipient",
        "smtputf8|unicode address|internationalized address|internationalised address|eai",
        "must contain a domain|illegal character*|not a valid rfc|restricted character*|expected after",
        "*.1.3+!unknown|not found|does not exist",
    ], AddressSyntax),
    (AFTER, EVERYONE, &[
        "@recipient|address|adresse|account|email account|mail box|mailbox name|email address|addresses|person|\
         alias|subscriber|direccion|indirizzo|cuenta|compte|konto|boite|mail address+@unknown|unavailable|\
         not listed|not available|not local|not valid|not a valid|not our|disabled|deactivated|inactive|suspended|\
         discontinued|expired|closed|no longer|moved|archived|archivee|terminated|refuses|not accepting|not accept|\
         does not accept|doesn't have|no account|unrouteable|unroutable|not deliverable|undeliverable|\
         cannot be delivered|banned|locked|blocked|frozen|removed|deleted|obsolete|not active|inconnue|desactive*|\
         ferme|fermee|supprime*|nicht verfugbar|nicht vorhanden|deaktiviert|gesperrt|no disponible|deshabilitad*|\
         non disponibile|disabilitat*|restricted|members only|only accepts|not configured+!sender|@client|relay|\
         spam|virus|content|attachment|expediteur|your account",
        "domain|host|hostname|domaine|dominio+@unknown|not configured|unreachable|not reachable|does not accept|\
         doesn't accept|no mx|undeliverable+!sender|@client|relay|from",
        "no mailbox|no such mailbox|no such address|no such person|nobody here|no one here|unknown or illegal alias|\
         unknown local part|unrouteable address|unroutable address|not a known user",
        "address rejected|user unknown|unknown user|user doesn't have|account that you tried to reach|\
         recipient domain|domain has no|null mx|nullmx|no mx record|banned recipient|invalid recipient|\
         bad recipient|recipient suspend*|badrcptto|validrcptto|not a valid mailbox|address no longer|\
         bad destination|no route to|delivery not authorized|not our customer|not our user|is no longer valid|\
         definitively does not want|recipient address reserved",
        "isn't allowed to receive|not allowed to receive|cannot receive|receiver denied|invalid rcptto|any mx|\
         have any mx records|does not have any mx",
        "email not exist|address not exist|user not exist|dosn't exist|doesnt exist|not exists|isn't a local account|\
         is not a local account|honeypot|unsubscribed|unsubscribe from|recipient doesn't want|rejected by recipient|\
         rejected by recipients|rejected by the recipient|recipient's server refused|invalid to field|\
         address blacklisted|address is on the suppression",
        "not present in directory|can't accept user|not an active address|mailbox not present|mailbox unavaiable|\
         nessun utente|no existe dicha|no mail box|not a local address|no one at this address|badrecipientto|\
         only accepting mail from|not currently being accepted for|is not accepting any mail|user rules|\
         bounced address|address not present|user has blocked|recipient has blocked",
    ], RecipientRejected),
    (AFTER, EVERYONE, &[
        "recipient|recipients|recipient address|rcpt|user|this address|group|list|destinataire|empfanger|\
         destinatario+@refused|does not want|only accept|only accepts|refuses|members|restricted|not a member+\
         !sender|@client|spam|virus|content|message|encoding|from your|@spam|policy|messages",
    ], RecipientRejected),
    (RECIPIENT, EVERYONE, &[
        "mailbox unavailable|not local|user not local|domain not found|not found|does not exist|doesn't exist|\
         unknown|*.1.1|*.1.2|*.1.6|*.1.10+!sender|helo|spam|relay|command|message",
    ], RecipientRejected),
    (AFTER, EVERYONE, &["client host rejected"], Unknown),
    (&[MailFrom, RcptTo], EVERYONE, &["@client+@refused|blocked"], IpBlocked),
];
