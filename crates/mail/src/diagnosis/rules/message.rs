//! The message itself; then the protocol and the server's own state, which are the least specific.

use model::{
    cause::Cause::{ConnectionLost, EhloRejected, MessageRejected, ProtocolError, ServerBusy, Unknown},
    stage::Stage::{self, Data, Ehlo, RcptTo},
};

use super::{ANY, EVERYONE, MAIL, Rule};

const AFTER: &[Stage] = &[RcptTo, Data];

#[rustfmt::skip] // a table: a rule is stages, hosts, patterns, cause
pub(super) const RULES: &[Rule] = &[
    (ANY, EVERYONE, &[
        "bare lf|bare cr|bare linefeed|bare newline|bare line feed|pipelining|synchronization|synchronisation|\
         protocol error|protocol violation|~smtpprotocolviolation|bad sequence|out of sequence|wrong sequence|\
         sequence of commands|mauvaise sequence|falsche reihenfolge|need mail|need rcpt|rcpt first|mail first|\
         need helo|need ehlo|polite people|say hello|send helo|send ehlo|nested mail|sender already|already specified|\
         no valid recipients|no recipients|without recipients|no transaction|unrecognized command|unrecognised command|\
         command unrecognized|command unrecognised|command not recognized|command not recognised|unknown command|\
         invalid command|bad command|~smtplf|unrecognized commands|unauthenticated commands|command not implemented|\
         not implemented|unimplemented|unsupported option|unsupported parameter|too many errors|too many invalid|\
         too many bad|too many syntax|too many unrecognized|too many protocol|too many nonsense|commande inconnue|\
         unbekannter befehl|comando desconocido|synchronization error|command out of|bdat|chunking|nul characters|\
         null bytes|pregreet",
    ], ProtocolError),
    (ANY, EVERYONE, &[
        "timeout|timed out|time out|idle too long|delai depasse|zeituberschreitung+closing|exceeded|waiting|\
         connection|data|idle|client|read|input+!plugin|upstream|backend|dns|lookup|relay|milter|content filter",
        "connection lost|lost connection|connection reset|*.4.2+timeout|connection|closing",
    ], ConnectionLost),
    (MAIL, EVERYONE, &[
        "could not be|couldn't be|cannot be|unable to|failed to+saved|save|stored|store|queued|queue",
        "=4+anti virus|scanner|virus scanner|content scanner|oletools|filter+malfunction|not ready|retry later",
        "=4+scanner|scan|scanning|milter|filter|antivirus|clamav|rspamd|spamd|engine+unavailable|not available|\
         failed|failure|timeout|timed out|unreachable|error|temporar*|overload*|busy",
    ], ServerBusy),
    (MAIL, EVERYONE, &[
        "@spam|~uribl|~dbl|~rhsbl|~surbl|policy|policies|heuristic|blocked url|url|urls|uri|uris|filter|filtered|\
         filtering|inacceptable|undesirable|indesirable|indesirables|forbidden content|executable|content rejected|\
         content denied|content restrictions|bounced due to|organization settings|blacklisted url|recurrent pattern|\
         mime|rfc 5322|rfc5322|rfc 2822|rfc2822|rfc 822|rfc822|non compliant|noncompliant|not compliant|complaints|\
         reputation|profanity|score|administrative prohibition|politique|reglas|richtlinie|richtlinien|politica|\
         ~unsolicitedmessageerror|~blockedmessage|header|headers|subject|message id|date header|from header|\
         multiple addresses|loop|too many hops|hop count|line length|line too long|lines too long|signature|bounce*|\
         8bit|smtputf8|utf8|non ascii|encoding+!temporar*|policy server|policy service|policyd|command header|\
         server configuration|relay|sender is not|helo|account",
    ], MessageRejected),
    (&[Data], EVERYONE, &["nested attachments|too many attachments|viral|credential leak|zip|zips|rar|password protected|mime content|delivery requirements|\
     policy violation|mailpolicy violation"], MessageRejected),
    (&[Data], EVERYONE, &["archive|archives|link|links|liens|banned|content+@refused|too many|trop de|contains|\
         compromised|malicious"], MessageRejected),
    (&[Data], EVERYONE, &["message line is too long|reject id|rejecting banned|conform|conforms|standards|\
         compliance"], MessageRejected),
    (MAIL, EVERYONE, &["@block_list+in your message|in the message|message body|content|domain|\
         mailfrom"], MessageRejected),
    (MAIL, EVERYONE, &[
        "@message+@refused|filtered|discarded|not queued|unacceptable|not delivered+!from your|from this|temporar*|\
         try again|for this user|service|not available|for now|unknown|@client|requested mail action|\
         mail transaction|your access|account|user|authenticated|sender|from|expired",
    ], MessageRejected),
    (&[Ehlo], EVERYONE, &["=501|=504|=550+domain|name|host|invalid|argument"], EhloRejected),
    // Temporary, and not about the server.
    (MAIL, EVERYONE, &[
        "=4+account|domain|denied|disabled|limit|limits|exceeded|policy|verified|permission|authorized|allowed|\
         quota|credit|billing|subscription|sender|expediteur|absender+!temporar*|@later|busy|unavailable|internal|\
         lookup|dns|error|system|server|service",
    ], Unknown),
    // A permanent refusal is not reported as "busy": retrying will not help.
    (ANY, EVERYONE, &[
        "=4+temporar*|@later|busy|overload*|load|maintenance|shutting down|shutdown|unavailable|not available|\
         internal|local error|local problem|error in processing|server error|system error|system problem|\
         configuration|misconfigured|resources|queue|queues|processing|plugin|timeout|timed out|connection refused|\
         relay failed|lookup|dns|host name|host not found|service|system|indisponible|occupe|surcharge|wartung|\
         ausgelastet|nicht verfugbar|no disponible|mantenimiento|sobrecargado|occupato|manutenzione|non disponibile|\
         database|backend|milter|content filter|policy server|policy service|aborted|deferred|unable|could not|\
         mail loop",
    ], ServerBusy),
    (AFTER, EVERYONE, &["*.7.1+=5"], Unknown),
];
