//! What the codes and words of one provider mean; these lines come before those for all servers.
//!
//! Sources: Google's "SMTP error reference", Microsoft's "Email non-delivery reports", the postmaster pages of Orange,
//! La Poste, Yahoo and Apple, the help of each sending service.

use model::{
    cause::Cause::{
        AccountBlocked, AddressSyntax, AppPasswordRequired, AuthRequired, BadCredentials, BasicAuthDisabled,
        DomainAuthentication, EhloRejected, Greylisted, IpBlocked, IpNotAllowed, LoginBlocked, MessageMalformed,
        MessageRejected, MessageTooLarge, NotSubmissionServer, OauthPermission, ProtocolError, QuotaExceeded,
        RateLimited, RecipientMailboxFull, RecipientRejected, RelayDenied, SandboxRestricted, SenderNotVerified,
        SenderRejected, ServerBusy, SessionLimit, SmtpAuthDisabled, StarttlsRequired, TooManyConnections,
        TooManyRecipients, Unknown, WrongServer,
    },
    stage::Stage::{Auth, Data, Ehlo, Greeting, MailFrom, RcptTo},
};

use super::{ANY, MAIL, Rule};

const GOOGLE: &[&str] = &["google"];
/// Companies whose servers run software of their own.
const OWN_SOFTWARE: &[&str] = &["google", "microsoft", "yahoo", "aol", "icloud", "zoho", "sendgrid", "amazon-ses"];
const MICROSOFT: &[&str] = &["microsoft"];
const ORANGE: &[&str] = &["orange", "laposte"];
const LWS: &[&str] = &["lws"];
const FREE: &[&str] = &["free"];
const SFR: &[&str] = &["sfr", "bouygues"];
const IONOS: &[&str] = &["ionos", "gmx", "web-de", "mail-com"];
const T_ONLINE: &[&str] = &["t-online"];
const APPLE: &[&str] = &["icloud"];
const YAHOO: &[&str] = &["yahoo", "aol"];
const AMAZON: &[&str] = &["amazon-ses"];
const SENDGRID: &[&str] = &["sendgrid"];
const MAILGUN: &[&str] = &["mailgun"];
const BREVO: &[&str] = &["brevo"];
const TENCENT: &[&str] = &["qq"];
const NETEASE: &[&str] = &["netease"];
const GODADDY: &[&str] = &["godaddy"];
const YANDEX: &[&str] = &["yandex"];
const ZOHO: &[&str] = &["zoho"];

#[rustfmt::skip] // a table: a rule is stages, providers, patterns, cause
pub(super) const RULES: &[Rule] = &[
    // A greeting or words of software that these companies do not run: another server responds in their place.
    (&[Greeting], OWN_SOFTWARE, &[
        "exim|postfix|sendmail|opensmtpd|courier|qmail|haraka|zimbra|plesk|directadmin|cpanel|use of this system",
    ], WrongServer),
    (&[Auth], OWN_SOFTWARE, &["incorrect authentication data", "sasl plain|sasl login|sasl authentication"], WrongServer),
    // Google
    (&[Auth], GOOGLE, &["~webloginrequired", "*.7.14", "web browser"], LoginBlocked),
    (&[Auth], GOOGLE, &["~invalidsecondfactor", "*.7.9"], AppPasswordRequired),
    (&[Auth], GOOGLE, &["~badcredentials"], BadCredentials),
    (&[Ehlo], GOOGLE, &["try again later"], EhloRejected),
    (ANY, GOOGLE, &["5.4.5"], QuotaExceeded),
    (MAIL, GOOGLE, &["mail relay denied|relay denied|invalid credentials for relay"], RelayDenied),
    (MAIL, GOOGLE, &["mail sending denied|email sending denied"], SenderRejected),
    (MAIL, GOOGLE, &["*.7.29", "tls required"], StarttlsRequired),
    (MAIL, GOOGLE, &["peak smtp relay limit"], RateLimited),
    (ANY, GOOGLE, &["ip not in whitelist"], IpBlocked),
    (ANY, GOOGLE, &["*.7.28+!from your ip|your ip address"], RateLimited),
    (MAIL, GOOGLE, &["multiple destination domains"], TooManyRecipients),
    (MAIL, GOOGLE, &["*.7.26|*.7.27|*.7.30|*.7.32|*.7.40|*.7.24"], DomainAuthentication),
    (MAIL, GOOGLE, &[
        "*.7.25",
        "not authorized to send email directly",
        "ip address has been temporarily blocked|rate limited due to ip reputation",
    ], IpBlocked),
    (MAIL, GOOGLE, &["reputation of the sending domain", "policy that prohibited the mail"], MessageRejected),
    (MAIL, GOOGLE, &["unauthenticated commands"], ProtocolError),
    // Microsoft
    (ANY, MICROSOFT, &["5.7.30"], BasicAuthDisabled),
    (&[Auth], MICROSOFT, &["federated|unreachable"], ServerBusy),
    (&[Auth], MICROSOFT, &["\
         user credentials were incorrect", "5.7.3+!token|permission|locked|\
         sign in"], BadCredentials),
    (&[Auth], MICROSOFT, &["5.7.139+!basic|smtpclientauthentication|tls"], LoginBlocked),
    (MAIL, MICROSOFT, &["5.7.57", "client was not authenticated"], AuthRequired),
    (MAIL, MICROSOFT, &[
        "~mapiexceptionlogonfailed|~mapiexceptionnoaccess|mailbox logon failure",
        "sendasapp|~sendasapp",
    ], OauthPermission),
    (MAIL, MICROSOFT, &["5.7.60|5.2.252", "~mapiexceptionsendasdenied|~sendasdenied"], SenderRejected),
    (MAIL, MICROSOFT, &["5.7.64|5.7.54|5.7.51"], RelayDenied),
    (MAIL, MICROSOFT, &["5.7.750", "unregistered domains"], SenderNotVerified),
    (MAIL, MICROSOFT, &[
        "5.1.8|5.7.501|5.7.502|5.7.503|5.7.700|5.7.701|5.7.702|5.7.703|5.7.704|5.7.705|5.7.706|5.7.707",
        "~outboundspamexception",
    ], AccountBlocked),
    (MAIL, MICROSOFT, &[
        "5.7.504|5.7.505|5.7.513|5.7.124|5.7.133|5.7.134|5.7.135|5.7.136|5.1.10|5.4.1",
    ], RecipientRejected),
    (ANY, MICROSOFT, &["5.7.506"], EhloRejected),
    (ANY, MICROSOFT, &[
        "5.7.507|5.7.511|5.7.606|5.7.708|4.7.650|4.7.651|4.7.652|4.7.25|5.7.25",
        "banned sending ip|part of their network",
    ], IpBlocked),
    (MAIL, MICROSOFT, &["5.7.509|5.7.515|5.7.23|5.7.26"], DomainAuthentication),
    (MAIL, MICROSOFT, &["5.7.510"], Unknown),
    (MAIL, MICROSOFT, &["5.7.512"], MessageMalformed),
    (MAIL, MICROSOFT, &["5.7.520"], MessageRejected),
    // `STOREDRV.Submission`: the sender's own mailbox is full. `STOREDRV.Deliver`: the recipient's.
    (MAIL, MICROSOFT, &["mailbox full|quotaexceeded*+submission|~submission"], QuotaExceeded),
    (MAIL, MICROSOFT, &["5.1.90|5.7.232|5.7.233|5.7.236", "submission quota|~submissionquota*"], QuotaExceeded),
    (MAIL, MICROSOFT, &["5.2.121|5.2.122|4.5.127|5.7.508"], RateLimited),
    (ANY, MICROSOFT, &["4.3.2+concurrent|connections"], TooManyConnections),
    (MAIL, MICROSOFT, &["4.7.500|4.7.3"], ServerBusy),
    // Orange and La Poste: the trailing number decides the cause; the enhanced code is ignored.
    (ANY, ORANGE, &["104"], TooManyConnections),
    (&[Auth], ORANGE, &["305"], BadCredentials),
    (MAIL, ORANGE, &["spf|dkim|dmarc|517"], DomainAuthentication),
    (MAIL, ORANGE, &["402"], AuthRequired),
    (MAIL, ORANGE, &["415|421|emetteur invalide+!spf"], SenderRejected),
    (MAIL, ORANGE, &["416|420"], RecipientRejected),
    (MAIL, ORANGE, &["514"], MessageTooLarge),
    (MAIL, ORANGE, &["506|513|510"], MessageRejected),
    (ANY, ORANGE, &["101|102|103|105|109|630", "source bloquee"], IpBlocked),
    // LWS ("Email error codes", help.lws.net). L-HB: too many messages came back.
    (ANY, LWS, &["~l rate*|~l rcpt*"], RateLimited),
    (ANY, LWS, &["~l size*"], QuotaExceeded),
    (ANY, LWS, &["~l spam00"], MessageRejected),
    (ANY, LWS, &["~l spam*|~l hb*"], AccountBlocked),
    (ANY, LWS, &["~l ip*"], IpBlocked),
    // Free, SFR
    (ANY, FREE, &["too many errors from|too many spams from"], IpBlocked),
    (ANY, SFR, &["abus detecte|gu eib*"], IpBlocked),
    // IONOS, GMX and Web.de are one company: most of their refusals are titled "mailbox unavailable".
    (ANY, IONOS, &["ptr|black listed|blacklisted"], IpBlocked),
    // The reason is the parameter `c` of the link (postmaster.gmx.net, "Error messages").
    (ANY, IONOS, &["~c rdns|~c r0201|~c r0301|~c r0401|~c r0501"], IpBlocked),
    (MAIL, IONOS, &["~c r1601"], RecipientRejected),
    (MAIL, IONOS, &["~c r1503"], RecipientMailboxFull),
    (MAIL, IONOS, &["~c r1102"], SenderRejected),
    (MAIL, IONOS, &["~c hi"], MessageMalformed),
    (MAIL, IONOS, &["send limit exceeded|failure sending mail"], RateLimited),
    (MAIL, IONOS, &["sender address is not allowed|invalid dns"], SenderRejected),
    (&[Data], IONOS, &["reject due to policy"], MessageRejected),
    (ANY, T_ONLINE, &["grey defer"], Greylisted),
    (MAIL, T_ONLINE, &["send quota"], QuotaExceeded),
    (&[Greeting], T_ONLINE, &["a problem occurred"], IpBlocked),
    // Apple, Yahoo
    (&[Greeting], APPLE, &["not accepting connections"], IpBlocked),
    (MAIL, APPLE, &["not one of your addresses"], SenderRejected),
    (MAIL, YAHOO, &["tss04|tss05|ts01|ts02|ts03|ts04|tss*"], RateLimited),
    (MAIL, YAHOO, &["ph01"], MessageRejected),
    (&[MailFrom], YAHOO, &["request failed"], SenderRejected),
    (MAIL, YAHOO, &["request failed"], Unknown),
    // Sending services
    (&[Auth], AMAZON, &["temporary authentication"], ServerBusy),
    (MAIL, AMAZON, &["transaction failed+missing final|illegal address|invalid address|illegal character|\
         control or whitespace"], AddressSyntax),
    (MAIL, AMAZON, &["not authorized to perform|is not verified"], SenderNotVerified),
    (&[Auth], AMAZON, &["not subscribed"], AccountBlocked),
    (&[Auth], SENDGRID, &["passwords deprecated"], AppPasswordRequired),
    (MAIL, SENDGRID, &["verified sender identity"], SenderNotVerified),
    (MAIL, MAILGUN, &["not allowed to send+test purposes|authorized recipients"], SandboxRestricted),
    (MAIL, MAILGUN, &["activate your mailgun account", "not allowed to send+account|disabled"], AccountBlocked),
    (&[Auth, MailFrom], BREVO, &["unauthorized ip|*.7.1+=525"], IpNotAllowed),
    (&[Auth], TENCENT, &["account is abnormal"], BadCredentials),
    (&[Auth], TENCENT, &["authorization code"], AppPasswordRequired),
    (&[Auth], NETEASE, &["no permission"], SmtpAuthDisabled),
    (&[Auth, Greeting], NETEASE, &["auth error limit|too much fail authentication"], LoginBlocked),
    (MAIL, NETEASE, &["mail from must|local user only|null sender|mi spb"], SenderRejected),
    // NetEase, "Bounce codes" (help.163.com): the letters before the colon are the stage, those after it the reason.
    (ANY, NETEASE, &["hl icc"], TooManyConnections),
    (ANY, NETEASE, &["mi dmc|mi ccl|rp ccl|rp drc"], SessionLimit),
    (ANY, NETEASE, &["hl ifc|hl mep|hl rep|mi cel|mi sfq|mi stc|rp cel|rp qrc"], RateLimited),
    (ANY, NETEASE, &["hl ipb|dt rbl|wm bli"], IpBlocked),
    (ANY, NETEASE, &["rp trc"], QuotaExceeded),
    (ANY, NETEASE, &["rp rcl"], TooManyRecipients),
    (MAIL, NETEASE, &["rp frl"], RelayDenied),
    (ANY, NETEASE, &["mi nhd"], EhloRejected),
    (ANY, NETEASE, &["mi spf|mi dma"], DomainAuthentication),
    (ANY, NETEASE, &["mi imf"], AddressSyntax),
    (MAIL, NETEASE, &["dt spm|dt sum|hl ihu"], MessageRejected),
    (&[Auth], GODADDY, &["ib401|inbound"], NotSubmissionServer),
    (ANY, GODADDY, &["ib007"], TooManyConnections),
    (ANY, GODADDY, &["ib607|ib504"], RateLimited),
    (ANY, GODADDY, &["ib510"], SessionLimit),
    (ANY, GODADDY, &["=5+ib1*"], IpBlocked),
    (&[Auth], YANDEX, &["eula|looks like spam|prove you are not a robot"], LoginBlocked),
    (MAIL, ZOHO, &["outgoing blocked"], AccountBlocked),
    (&[RcptTo], GOOGLE, &["*.2.2"], RecipientMailboxFull),
    (&[RcptTo], GOOGLE, &["*.5.3"], TooManyRecipients),
];
