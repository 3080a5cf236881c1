//! Who may send: the account, the trial, the From.

use model::{
    cause::Cause::{
        AccountBlocked, AddressSyntax, OauthPermission, RecipientRejected, SandboxRestricted, SenderNotVerified,
        SenderRejected, Unknown,
    },
    stage::Stage::{self, Data, MailFrom, RcptTo},
};

use super::{ANY, EVERYONE, MAIL, Rule};

/// At these stages an account or mailbox without further words is the sender's.
const OURS: &[Stage] = &[MailFrom, Data];

#[rustfmt::skip] // a table: a rule is stages, hosts, patterns, cause
pub(super) const RULES: &[Rule] = &[
    (MAIL, EVERYONE, &[
        "~mapiexceptionlogonfailed|logon failure|logonfailed|sendasapp|~sendasapp",
        "service principal+permission",
    ], OauthPermission),
    // The trial
    (MAIL, EVERYONE, &[
        "sandbox|trial|demo|test mode|test account|testing emails|testing domain|test purposes|free account|\
         free accounts|mode test|mode essai|version d'essai|onboarding+recipient|recipients|only|own|restricted|\
         authorized|not allowed to send|sandbox mode|limited|owner|owners|destinataires|not verified+!activate|\
         expired|ended",
        "pending+approval",
        "only test recipients|until your account is approved",
        "authorized recipients|allowed test recipients|verified recipients|recipient is not verified|\
         recipient not verified|own email address|account owners|only send to yourself|only send testing",
        "testing email address|testing address|test address+please|use|only|instead",
    ], SandboxRestricted),
    // At the recipient stage, the words do not say whose account is meant.
    (&[RcptTo], EVERYONE, &[
        "this account|this user|user suspended|user is suspended+suspended+!your|sender|outgoing|sending|sent",
    ], Unknown),
    // The account
    (ANY, EVERYONE, &[
        "outgoing|outbound|outbound sender+blocked|suspended|bad|disabled|bloque*|gesperrt+!classified|virus|scanner|\
         filter|content|attachment|attachments|looks like|considered",
        "suspended|suspendu*|sospes*|suspendid*+@account|sending|outgoing|domain|envoi|envois|service+!recipient|\
         mailbox|recipient's|destinataire",
        "your account|your smtp account|account is under|your domain|your user|sending for|sender account|\
         votre compte|ihr konto|su cuenta|suo account|compte|konto+@barred|limited|compromised|abuse|\
         not allowed to send|not permitted to send|overdue|unpaid+!recipient|destinataire",
        "activate your|activation email|complete your registration|sending is disabled|sending disabled|\
         sending has been disabled|sending has been suspended|sending has been blocked|sending paused|\
         sending is paused|sending privileges|permission to send has been|banned sender|outboundspamexception|\
         ~outboundspamexception",
        "hacked|compromised+!link|links|url|urls|site|sites|website",
        "mail server|account|domain|user+has been suspended|outgoing mail suspension|mail suspension|main account+\
         !recipient",
        "main account+unavailable",
        "@account|domain|sender+past due|overdue|unpaid|balance|isn't allowed to send|is not allowed to send|\
         aren't allowed to send|cannot send|can't send|may not send|not allowed to send email+!recipient|as|from this|unverified|verify|\
         verified",
        "originating from your account|from your account+invalid recipients|bad recipients|spam|bounces|complaints",
    ], AccountBlocked),
    (MAIL, EVERYONE, &["not allowed to send+account|activate|suspended"], AccountBlocked),
    (OURS, EVERYONE, &[
        "unusual sending|sending activity|suspicious activity|suspicious sending|flagged for",
        "postfach|mailbox|boite|buzon|casella+@barred+versand|sending|envoi|envio|invio",
        "@account+@barred|not allowed to send|not permitted to send|not authorized to send|not authorised to send+\
         !recipient|destinataire|mailbox unavailable|smtp access|tried to reach|cannot be delivered|delivery error|\
         local mailbox|invalid mailbox",
    ], AccountBlocked),
    // Not verified
    (&[RcptTo], EVERYONE, &[
        "email address|user|account|mailbox|domain+not registered+!sender|from|expediteur",
    ], RecipientRejected),
    (MAIL, EVERYONE, &[
        "verified|validated|verify|validate|valider|validez|verifier|verifiez|verifie|verifiee|validee|confirmed|\
         confirm|registered|associated|sender signature|signature|verifiziert|bestatigt|verificado|verificada|\
         verificato|verificata|unverified|unconfigured|authenticated domain|whitelisted sender|approved+sender|from|\
         domain|domains|identity|identities|sender identity|email address|expediteur|emetteur|domaine|adresse|\
         absender|remitente|dominio|mittente+not|n't|isn't|must|unverified|unconfigured|please|veuillez|bitte|\
         please verify|need|before|does not match|pas|non|nicht|no|first|n'est|failed the check|required|only+\
         !recipient|unable to verify|could not verify|cannot verify|sender verify|callout|verification failed|\
         user unknown|relay|delivered from|ip address|recipient address",
        "is unverified|not verified|unverified sender|unverified domain|sender identity|unconfigured sending domain|\
         ~sender identity",
        "not authorized to perform",
        "not activated for sending|publish the dns|add the dns records|publish dns",
    ], SenderNotVerified),
    // The form of the From address
    (MAIL, EVERYONE, &[
        "=501|=553+@sender|address+invalid|not valid|bad+!not allowed|domain",
        "@sender+syntax|malformed|must contain a domain|domain name required|fully qualified|ill formed|unqualified|\
         not rfc|mal forme|mal formee|not fully",
        "domain name required|sender address must contain",
        "*.1.7+!rejected|undeliverable|unverified|no such|unknown|does not exist|said",
        "@sender|address+not a valid|isn't a valid|valid address is required",
    ], AddressSyntax),
    // This From is not allowed
    (MAIL, EVERYONE, &[
        "sendasdenied|~sendasdenied|mapiexceptionsendasdenied|~mapiexceptionsendasdenied|not owned by|not one of your|\
         not one of the identities|not one of the addresses|comme expediteur|als absender|como remitente|come mittente|\
         blank from|send as this sender|permissions to send as|permission to send as|send as|send on behalf|\
         send from this address|not your address|doesn't belong|does not belong|not belong to|identity not allowed|\
         invalid sender|emetteur invalide|expediteur invalide|invalid from|bad sender|bogus mail from|sender mismatch|\
         sender spoofing|forged sender|spoofed sender|fake sender|unknown sender|unknown sending domain|null sender|\
         empty sender|empty envelope|domain of sender|sender verify|sender verification|sender callout|\
         unrouteable sender|unroutable sender|unresolvable sender|sender is not local|use your own|mailfrom must|\
         mail from must|blank sender|blank senders|must equal|sender address rejected|sender rejected|sender denied|\
         sender refused|badmailfrom|provide a valid from|sender is in my black list|sender domain is empty|\
         email address has been blacklisted",
    ], SenderRejected),
    (MAIL, EVERYONE, &[
        "sender+black listed|blacklisted|on our black list|in black list",
        "unauthorized domain|unauthorised domain|illegal mx|illegal mx record|domain has bad mx",
        "incorrect sender|wrong sender|sender header",
        "from+match|matches|mismatch|owned|own|belong|belongs|differs|different",
        "@sender|domain of|sender domain|sender's domain|mail from domain|origin domain|originating domain|domaine|\
         send from|sending from|sending domain|sender's|relaying disallowed as+@refused|mismatch|match|matches|\
         ne correspond pas|owned|own|belong|belongs|not valid|invalid|differs|different|not registered|not local|\
         spoofed|must be|must match|should match|allowed to use|doit|appartient|gehort|stimmt nicht|pertenece|\
         corrisponde+!recipient|@client|mail from your|messages from|mail from this|@spam|access denied for|content|\
         reputation",
        "@sender|sender domain|domain of|sender's domain|mail from domain|from domain|domaine expediteur|\
         domaine de l'expediteur|absenderdomain|domaine+@unknown|not resolve|not be resolved|unresolvable|unroutable|\
         unrouteable|no mx|non valide|mx record|mx records|a record|dns|must exist|must resolve|does not accept|\
         blacklisted|not accepted|no valid|lookup|must be valid|null mx|nullmx+!recipient|destinataire|empfanger|\
         empfaenger|destinatario|rcpt|helo|user has blocked",
        "not allowed|not permitted|not authorized|not authorised|no permission|no permissions|unauthorized|cannot|\
         may not|can only|pas autorise*|non autorise*|nicht berechtigt|no puede+send as|send from|send mail from|\
         send email from|send emails from|send on behalf|use this address|use this sender|use this from|\
         use the address|use the from|d'envoyer|envoyer avec|utiliser l'adresse|senden als",
    ], SenderRejected),
    (&[MailFrom], EVERYONE, &[
        "invalid user|invalid mailbox|invalid account|undeliverable|unverified address|mailbox unavailable|\
         unknown user|user unknown|no such user|unrouteable address|unroutable address|\
         invalid dns mx|invalid dns|mailbox not found|does not exist|domain not found|domain does not exist|\
         cannot resolve|could not resolve|not resolve|no mx|not a valid domain|invalid domain|host not found|\
         address rejected|mailbox does not",
    ], SenderRejected),
];
