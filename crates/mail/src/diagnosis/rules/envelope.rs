//! What a server requires before it accepts mail: encryption, a login, permission to relay; and SPF, DKIM and DMARC of
//! the sender's domain, which replies mention together with these.

use model::cause::Cause::{
    AuthRequired, DomainAuthentication, IpNotAllowed, RateLimited, RelayDenied, SenderRejected, ServerBusy,
    StarttlsRequired,
};

use super::{EVERYONE, MAIL, Rule};

#[rustfmt::skip] // a table: a rule is stages, hosts, patterns, cause
pub(super) const RULES: &[Rule] = &[
    (MAIL, EVERYONE, &["unusual rate|*.7.28"], RateLimited),
    (MAIL, EVERYONE, &[
        "=4+spf|dkim|dmarc+milter|filter|dkim service|spf service|dmarc service|policy service+unavailable|failure|\
         failed|timeout|error|down",
    ], ServerBusy),
    (MAIL, EVERYONE, &[
        "spf|dkim|dmarc|sender policy framework|domainkeys|domainkey|sender id|openspf|~openspf|\
         dkim signature|arc+!content rejected|spam score|spf pass dkim pass|too many messages",
    ], DomainAuthentication),
    (MAIL, EVERYONE, &[
        "authentication level|authentication requirements|authentication checks|authentication results|\
         authentication information",
        "sending domain|sender's domain+authentication|unauthenticated",
        "unauthenticated email|unauthenticated mail|unauthenticated message|sender is unauthenticated|\
         email authentication|sender authentication|domain authentication|authentication check|\
         authentication checks|authentication level|authentication results|*.7.26|*.7.20|*.7.21|*.7.22|*.7.23|\
         *.7.24+!smtp authentication|required|log in|login|this range",
    ], DomainAuthentication),
    // The sender is not the one that logged in.
    (MAIL, EVERYONE, &[
        "from|sender|mail from|mailfrom|envelope|envelope domain|address|return path|act as+match|matches|belong|\
         belongs|same|conform|conforms|owned|differs|correspond|corresponds|allowed to act+authenticated|\
         authentication|auth|authenticated user|authenticated domain|logged in|login|authorized user|username+!mx|\
         spf|dkim|dmarc|recipient",
        "must match authenticated|match the authenticated|match authenticated|match auth|not allowed to act as|\
         incorrect authentication for specified",
    ], SenderRejected),
    (MAIL, EVERYONE, &["lack of security|insufficient security"], StarttlsRequired),
    (MAIL, EVERYONE, &[
        "@encryption+required|requires|require|must|needed|need|first|mandatory|only|enforced|requis|requise|\
         necessaire|obligatoire|erforderlich|requerido|requerida|richiesta|richiesto|debe|deve|doit|muss|devez+\
         !recipient|attachment|attachments|archive|archives|file|files|zip|pdf|piece jointe|pieces jointes|anhang",
        "@encryption+activez|activer|utilisez|utiliser|aktivieren|activar|attivare",
        "over a tls connection|without tls|without encryption|insecure connection|starttls first|issue a starttls|\
         issue starttls|use starttls|utilisez starttls|*.7.11|*.7.10",
    ], StarttlsRequired),
    (MAIL, EVERYONE, &[
        "authentication|authenticate|authenticated|authenticating|authentification|authentifier|authentifie|\
         authentifizierung|authentifizieren|authentisierung|autenticacion|autenticarse|autenticazione|autenticarsi|\
         smtp auth|auth|anmeldung|anmelden|connecter|identifier+required|requires|require|must|need|needs|needed|first|\
         please authenticate|please log|please login|please sign|please use|please turn|please enable|\
         please check your|please provide|necessary|mandatory|before|without|turn on|enable|proper|exige|requis|\
         requise|necessaire|obligatoire|veuillez|d'abord|vous devez|erforderlich|bitte|mussen|zuerst|requerida|\
         requiere|necesaria|necesario|obligatoria|richiesta|necessaria|prima+!mechanism|credentials|your domain|\
         votre domaine|not owned|not found|does not match|do not match|must match|be the same|must be identical|\
         too many|quota|daily|slow down|succeeded|not authorized to send|disabled|failed|results",
        "unauthenticated sender|unauthenticated senders|unauthenticated user|unauthenticated users|\
         unauthenticated connection|not logged in|not authenticated|isn't authenticated|was not authenticated|\
         don't authenticate|did not authenticate|authentication failed|authentication rejected|haven't authenticated|\
         have not authenticated|client was not authenticated|anonymous users|anonymous sending|anonymous senders|\
         anonymous mail|client not authenticated|sender not authenticated|unauthenticated client|pop before smtp|\
         check your mail first|check for new mail|non authentifie|nicht angemeldet|nicht authentifiziert|\
         no autenticado|non autenticato|log on",
        "unauthenticated+range",
        "anonymous user|anonymous access|anonymous login|auth fail|try to auth first|auth first",
        "authorization required|authorization is required|authorisation required|without authorization|\
         without authorisation",
        "login required|must login|must log in|must log on|please login|please log on|please log in|need to log in|\
         need to login|logon required|sign in first|login first|send auth first|auth command first|smtp auth first",
        "=530+!starttls|tls|ssl|encrypt*|encryption|chiffrement|access denied|sender|from",
    ], AuthRequired),
    (MAIL, EVERYONE, &[
        "ip|ip address|client ip|host|adresse ip|network+not allowed to send|not authorized to send|\
         not allowed to use|not authorized to use|not authorised to use|not authorized for|not authorised for|\
         n'est pas autorise*|not in the list|not registered|not in the list of allowed|not whitelisted|not in your|\
         not in the allow*|not in our allow*|unauthorized ip|not permitted to send|may not be used+!spf|recipient|\
         directly to our|sender|from address",
    ], IpNotAllowed),
    (MAIL, EVERYONE, &[
        "relay|relaying|relayed|relais|relayage|relayer|relaye|weiterleitung|weiterleiten|reenvio|retransmision|\
         inoltro+@refused|deny|unable|cannot|can't|couldn't|no|not|won't|closed|prohibited|illegal|attempt|as a|pas|\
         nicht|kein|open relay|unauthorized|through+!recipient table|unknown|failed|lost|temporarily|@spam|quota|limit|\
         suspended|your account|content",
        "relay disabled|don't relay|do not relay|not relay+!temporar*",
        "relay access denied|relaying denied|not served here|relay denied|insecure mail relay|relaying mail to|\
         allowed rcpthost|not configured to relay|credentials for relay|rcpthosts|cannot deliver mail for|\
         can't deliver mail for|non accepted domain|not a local domain|not local domain|don't handle mail for|\
         do not handle mail for|not a gateway|not an open relay|not a local host|not local host|non local|isn't local|\
         specified domain is not allowed|we do not relay|no relay|relay not permitted|not hosted here|\
         not a valid local domain|we do not accept mail for|not our domain|not one of our domains",
    ], RelayDenied),
];
