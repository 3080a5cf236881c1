//! What servers say to `AUTH` (RFC 4954).

use model::{
    cause::Cause::{
        AccountBlocked, AppPasswordRequired, AuthMechanismUnsupported, AuthNotOffered, AuthRequired, BadCredentials,
        BasicAuthDisabled, IpNotAllowed, LoginBlocked, OauthPermission, ProtocolError, QuotaExceeded, RateLimited,
        SenderNotVerified, ServerBusy, SmtpAuthDisabled, StarttlsRequired, Unknown,
    },
    stage::Stage::{self, Auth, MailFrom},
};

use super::{ANY, EVERYONE, Rule};

const LOGIN: &[Stage] = &[Auth];
/// Providers that do not check the account at `AUTH` report it at `MAIL FROM`.
const ACCOUNT: &[Stage] = &[Auth, MailFrom];

#[rustfmt::skip] // a table: a rule is stages, hosts, patterns, cause
pub(super) const RULES: &[Rule] = &[
    // What is missing before a login
    (LOGIN, EVERYONE, &[
        "@encryption+@required|before|unless|without|non|disallowed",
        "plaintext|cleartext|clear text|unencrypted|insecure|en clair|klartext+disallowed|not allowed|disabled|\
         prohibited|not permitted|refused|rejected|connection|session|channel|interdit*|nicht erlaubt",
        "*.7.11",
        "=538",
    ], StarttlsRequired),
    (LOGIN, EVERYONE, &[
        "already authenticated|already logged|already done|deja authentifie|identity changes|\
         during a mail transaction|mail transaction|already in progress|bad sequence|out of sequence|wrong state|\
         nested",
        "base64|decode|decoding|malformed|cancelled|canceled|aborted|line too long|too long|syntax|expected|\
         unexpected|invalid response|invalid argument|invalid arguments|invalid parameter|bad parameter|\
         bad protocol|optional argument|argument not+!@account|password|mechanism",
    ], ProtocolError),
    (LOGIN, EVERYONE, &[
        "=5+!=535|=534+not enabled|not advertised|not available|not supported|not implemented|unimplemented|\
         not recognized|not recognised|unrecognized command|unrecognised command|unknown command|command unknown|\
         unsupported command|not understood|not offered|not configured+authentication|auth|command|unimplemented|\
         commande|smtp auth+!mechanism|type|basic|mailbox|account|password|method|for the|for this|for your",
        "=502|=500+unimplemented|command|not implemented",
        "invalid command",
    ], AuthNotOffered),
    // Not this kind of password, no password at all
    (LOGIN, EVERYONE, &[
        "application specific|app specific|授权码|app password|app passwords|apppassword|application password|\
         application passwords|apps password|mot de passe d'application|mots de passe d'application|\
         mot de passe applicatif|mot de passe specifique|mot de passe dedie|anwendungsspezifisch*|app passwort|\
         anwendungspasswort|anwendungskennwort|app kennwort|contrasena de aplicacion|contrasena de la aplicacion|\
         contrasenas de aplicacion|contrasena especifica|password per le app|password per app|\
         password dell'applicazione|password specifica|device password|device specific|third party password|\
         external app password|password for external|password for mail programs|secure mail key|authorization code|\
         authorisation code|auth code to login|client authorization",
        "two factor|2 factor|second factor|two step|2 step|two phase|2fa|mfa|tfa|multi factor|multifactor|\
         deux etapes|deux facteurs|double authentification|zwei faktor|zweifaktor|dos pasos|dos factores|\
         due fattori|due passaggi|~invalidsecondfactor",
        "have a generated password|generate password|generate a password|generated password yet",
        "use|require|required|requires|need|must+api key|api token|access token|token as|key as+password",
    ], AppPasswordRequired),
    (ANY, EVERYONE, &[
        "basic authentication|basic auth|legacy authentication|legacy auth|password authentication|password auth|\
         password based authentication|password login|simple authentication|authentification de base|\
         authentification basique|standardauthentifizierung|autenticacion basica|autenticazione di base+@off|\
         not supported|no longer|deprecated|retired|removed|unsupported|discontinued|nicht unterstutzt|\
         plus prise en charge|plus acceptee|no se admite|non supportata",
        "passwords+no longer",
        "password only|passwords only+@off|turned off|not allowed|no longer",
        "oauth|oauth2|oauth 2 0|xoauth2|modern authentication|modern auth|authentification moderne+only|switch|\
         required|must|use|requires|instead|mandatory|enforced|obligatoire|requise|erforderlich+!unsupported|\
         invalid|expired|refresh|scope|to use oauth|to use oauth2|for oauth|for oauth2",
        "less secure app|less secure apps|less secure sign in",
    ], BasicAuthDisabled),
    (ANY, EVERYONE, &["smtpclientauthentication+@off"], SmtpAuthDisabled),
    (LOGIN, EVERYONE, &[
        "smtp|pop3 and imap|imap and pop3|smtp auth|smtp authentication|smtp access|imap smtp|pop3 imap smtp|pop smtp|\
         authenticated smtp|client submission|envoi smtp|acces smtp|smtp zugriff|smtp versand|smtp client+@off|denied|\
         enable|activate|activez|activer|turn on|freischalten|aktivieren|activar|habilitar|attivare|not authorized|\
         not authorised|no access|no permission|not permit|does not permit+!starttls|tls|command|mechanism|@wrong",
        "service+not open|not opened|not enabled|closed",
        "open smtp|smtp flag|smtp service+please|first|open",
        "sending disabled|sending is disabled+mailbox|account|user",
        "user has no permission",
        "not authorized|not authorised|not allowed|not permitted|no permission|no right|not entitled|access rights|\
         pas autorise|pas le droit+smtp|envoyer|d'envoyer|authenticate|authentication|relay access|send mail|\
         use this service|this service+!ip|address|mechanism|method|credentials|client host|location|country|\
         authentication is required|authentication required",
        "external|third party+access|login|logins|programs|clients+@off|activate|enable",
    ], SmtpAuthDisabled),
    // Mechanisms
    (LOGIN, EVERYONE, &[
        "mechanism|mechanisms|authentication type|authentication method|auth type|auth method|authentication scheme|\
         methode d'authentification|mecanisme|mechanismus|verfahren|mecanismo|meccanismo|xoauth|xoauth2|cram md5|\
         digest md5|plain|ntlm+not supported|unsupported|unknown|unrecognized|unrecognised|not recognized|invalid|\
         not available|unavailable|too weak|disabled|not enabled|not allowed|prohibited|no longer|not implemented|not acceptable|\
         unimplemented|requested|no worthy|no|inconnu|non supporte|pas supporte|nicht unterstutzt|unbekannt|\
         no soportado|no admitido|non supportato+!succeeded|internal|user|username|password|credentials",
        "unrecognized authentication|unrecognised authentication|unsupported authentication|unsupported auth|\
         authentication not supported|auth not supported|password transition|no worthy mechs|\
         no supported authentication|no suitable authentication",
    ], AuthMechanismUnsupported),
    // Where from, how often
    (LOGIN, EVERYONE, &[
        "ip|ip address|ips|client address|source address|from this address|your address|adresse ip|your host|\
         your network+@refused|not whitelisted|not in|not on|whitelist|white list|allowlist|allow list|allowed list|\
         not listed|unlisted|outside|may not be used|not registered|restricted+!e mail|email|blacklist*|temporarily|\
         banned|blocked|login attempts|too many|sender|suspicious|authentication rejected|authentication refused|\
         authentication denied|login rejected|login refused|login denied|@wrong",
        "unauthorized ip|unauthorised ip|unrecognized ip|unknown ip|unrecognised ip",
    ], IpNotAllowed),
    (LOGIN, EVERYONE, &[
        "auto banned|autobanned|auto blocked|automatically blocked|temporarily banned|temporarily locked|\
         temporarily blocked|locked out|lockout|account locked|blocked due to+!suspended",
    ], LoginBlocked),
    (LOGIN, EVERYONE, &[
        "@too_many+login|logins|logon|logons|sign in|sign ins|attempts|attempt|authentication|authentications|auth|\
         failures|failed|tries|requests|bad|tentatives|connexions|essais|errors|versuche|anmeldeversuche|\
         fehlversuche|intentos|tentativi+!credits|quota|user limit|plan|will block|will be|max connections",
        "rate limit*|ratelimit*|rate exceeded|throttl*|too fast|too quickly|slow down|too frequent*|\
         frequency limit*|frequency+limited+!incorrect|login fail",
    ], RateLimited),
    (ANY, EVERYONE, &[
        "credits|credit+exceeded|insufficient|not enough|no more|exhausted|used up|out of|maximum|depleted|left|\
         remaining|epuise*|insuffisant*|no",
        "plan|subscription|trial|package|abonnement|forfait+limit|exceeded|exhausted|expired|expire|ended|over+\
         !account|recipients",
    ], QuotaExceeded),
    (LOGIN, EVERYONE, &["quota|allowance+exceeded|exhausted|reached|used up|depasse"], QuotaExceeded),
    (LOGIN, EVERYONE, &["domain+unverified|not verified|verification record|missing txt"], SenderNotVerified),
    // A person must act
    (ACCOUNT, EVERYONE, &[
        "account|user|tenant|customer|api key|compte|konto|kunde|cuenta+suspended|suspension|terminated|closed|banned|\
         frozen|not activated|not yet activated|not active|inactive|deactivated|on hold|under review|under validation|\
         unpaid|overdue|billing|payment|impaye|abuse|fraud|suspendu*|desactive*|gesperrt|deaktiviert|suspendid*|\
         sospes*|blocked for|disabled for|disabled due|has been disabled|has been blocked|is blocked|account disabled|\
         account blocked|is disabled|user disabled|user is disabled|temporarily disabled|bloque|bloquee|bloquead*|\
         bloccat*+!report|report abuse|login from|logins from|outbound|recipient|sender|smtp access|pop3|imap|\
         by your organization|sign in|login blocked|login is blocked",
        "mailbox|boite|postfach|casella|buzon+suspended|suspendu*|suspendid*|sospes*|gesperrt+!recipient",
        "trial|trial period+ended|expired|is over",
        "disabled user",
        "user|account|alias|mailbox+is locked|has been locked|is disabled|was disabled+!temporarily|too many|minutes|\
         attempts|smtp|login|recipient|policy|organization's",
        "main account+unavailable",
        "not subscribed",
        "@account|@mailbox+@barred+spam|spamming|abuse|abus|phishing|compromised+!login from|policy",
        "compte+expire",
        "past due|overdue|unpaid|outstanding balance",
        "pending approval|awaiting approval|pending review|pending activation",
    ], AccountBlocked),
    (LOGIN, EVERYONE, &[
        "security defaults|conditional access|web browser|browser|web login|webmail|web interface|web site|website|\
         ~webloginrequired|navigateur|navegador|suspicious|unusual|unfamiliar|compromised|suspect|inhabituelle|\
         verdachtig|verify your identity|verify your account|verify it's you|confirm your identity|captcha|\
         security policy|security policies|security reasons|raisons de securite|sicherheitsgrunden|\
         motivos de seguridad|access policy|policy violation|login disabled|login blocked|login is blocked|\
         logins are blocked|authentication is suspended|access has been blocked|access blocked|locked|verrouille*|\
         login disallowed|country|countries|geo|location|region|pays|criteria to be authenticated+!could not verify|\
         couldn't verify|will be locked|may be locked|will be blocked|may be blocked",
        "eula|terms of service|terms of use|terms|conditions|cgu+accept*|agree|violat*|breach|updated|new|must|need|\
         required|acceptez|approuve*",
        "login denied+!@wrong|@unknown",
        "password|mot de passe|passwort|kennwort|contrasena|credentials+expired|expire|change your|changed|\
         must be changed|needs to be changed|doit etre change|muss geandert|leak|leaked|reset|abgelaufen|caducado|\
         scadut*+!@wrong|forgot|forgotten|oublie|vergessen",
        "sign in|log in|login+blocked|prevented|not permitted|stopped|denied by|web|contact",
    ], LoginBlocked),
    (LOGIN, EVERYONE, &[
        "logon failure|logonfailed|~mapiexceptionlogonfailed|sendasapp|service principal+!user name|username|password",
        "scope|scopes|permission|permissions|privilege+missing|insufficient|lacks|lack|no",
    ], OauthPermission),
    // Failures of the server itself
    (LOGIN, EVERYONE, &[
        "=4+temporar*|temporaire*|ldap|unreachable|unable|unavailable|not available|later|connection lost|\
         generic failure|internal|local|system|service|error|problem|failure|timeout|timed out|moment|busy|backend|\
         database|try again|incapable|momentanement|indisponible|vorubergehend|nicht verfugbar|spater",
    ], ServerBusy),
    (LOGIN, EVERYONE, &[
        "internal|ldap|database|backend|sql|generic failure|generic error|connection lost|unreachable|timed out|\
         timeout|unavailable|indisponible|not reachable|misconfigured|configuration error|server error|system error|\
         unexpected error|exception|try again later|try later|another step|auxprop|saslauthd|temporar*+\
         !reason unavailable",
    ], Unknown),
    // Not a wrong password, but the reason is unclear.
    (LOGIN, EVERYONE, &[
        "ip|license|licence|country|device|certificate|subscription|subscribed|plan|quota|policy|access rights|\
         permission|permissions|not permitted|not allowed|disabled|restricted|blocked|administrator|package+!@wrong|\
         password|credentials|please check|authentication rejected|authentication refused",
    ], Unknown),
    // Wrong
    (LOGIN, EVERYONE, &[
        "=5+!=500|=501|=502|=503|=504+@wrong|@failed|unknown|not found|no such|does not exist|doesn't exist|expired|\
         revoked|unauthorized|no match|not recognised|inconnu|inconnue|unbekannt|desconocido|sconosciuto+username|\
         user name|user|users|userid|mailbox|password|passwords|passwd|credential|credentials|login|logon|account|\
         authentication|authentication data|authenticate|auth|authorization|authorisation|api key|api token|token|\
         secret|identity|identifiants|identifiant|utilisateur|mot de passe|mots de passe|code|authentification|\
         anmeldung|anmeldedaten|benutzername|benutzer|kennwort|passwort|zugangsdaten|authentifizierung|usuario|\
         contrasena|credenciales|clave|autenticacion|utente|credenziali|autenticazione|key|grant",
        "badcredentials|bad credentials|~badcredentials|user and password|username and password|username or password|\
         login or password|identifiant ou|no authentication type succeeded|cannot authenticate|can't authenticate|\
         could not authenticate|couldn't authenticate|unable to authenticate|not authenticated|auth failure|\
         could not log you in|unable to log you in|cannot log you in|check your username|check your password|\
         check your credentials|verify your credentials|verify your username|verifiez vos identifiants|\
         authenticationfailed",
        "sasl+failed",
        "alias+does not exist|not found|unknown",
        "username|user name|login+must be|should be|full|complete",
    ], BadCredentials),
    (LOGIN, EVERYONE, &[
        "authentication required|authentication is required|must authenticate|must be authenticated",
    ], AuthRequired),
    (LOGIN, EVERYONE, &[
        "ip|policy|license|licence|administrator|plan|country|device|certificate|error code|access denied|account|\
         konto|compte|cuenta|user|utente|permission|disabled|domain|not allowed|not permitted|blocked|@spam",
    ], Unknown),
];
