//! The message, or one of its headers, breaks a rule of the format (RFC 5322): the program that composed it
//! must be corrected.

use model::{
    cause::Cause::{MessageMalformed, ProtocolError},
    stage::Stage::{self, Data, MailFrom, RcptTo},
};

use super::{EVERYONE, Rule};

const BODY: &[Stage] = &[Data];

#[rustfmt::skip] // a table: a rule is stages, hosts, patterns, cause
pub(super) const RULES: &[Rule] = &[
    (&[MailFrom, RcptTo, Data], EVERYONE, &[
        "bare lf|bare lfs|bare lf's|bare cr|bare linefeed|bare linefeeds|bare newline|bare line feed|bare line feeds|\
         bare carriage return|stray newline|~smtplf|~barelinefeedsareillegal|nul characters|nul character|null bytes|\
         nul bytes|contains nul",
    ], MessageMalformed),
    (BODY, EVERYONE, &[
        "from header|from field|from line|header from|in from|a from+missing|multiple|more than one|several|two|no|\
         without|duplicate|absent|one from+!spf|dkim|dmarc|match|allowed to|be the same|authenticated|authentication|must end|must be",
        "rfc 5322|rfc5322|rfc 2822|rfc2822|rfc 822|rfc822|rfc 2045|rfc 2046|rfc 2047|rfc 6532|~rfcmessagenoncompliant+\
         !@block_list|spf|dkim|dmarc|relay",
        "header|headers|entete|en tete|kopfzeile|kopfzeilen|cabecera|encabezado|intestazione|field|fields|\
         from line|date line+missing|multiple|duplicate|duplicated|duplicates|more than one|not exactly one|\
         one or no|exactly one|several|two|no|without|absent|lacks|lack|malformed|syntax|syntactically|invalid|illegal|\
         incorrect|required|not found|non compliant|broken|improper|bad|manquant*|fehlt|fehlend*|doppelt|falta|mancante|\
         too long|too many|empty|unparseable|unparsable|not parseable|8 bit|8bit|non ascii|raw|unencoded+!@spam|spf|\
         dkim fail*|dmarc|reputation|sender header|list unsubscribe|received headers|hop|hops|loop|loops|\
         too many received|size|bytes|large|@block_list|recipients|authentication|authenticated|be the same|match|\
         owned|allowed|address",
        "line|lines|ligne|lignes|zeile|zeilen|linea|righe|riga+too long|length|longer than|exceed|exceeds|exceeding|\
         exceeded|maximum|998|1000|trop long*|zu lang*+!subject line+!size limit|mail server|command line",
        "mime|multipart|content transfer encoding|base64|quoted printable|boundary|encoding|charset+invalid|malformed|\
         broken|bad|error|illegal|not valid|improper|incorrect|missing|unsupported|violat*|corrupt*|unterminated+\
         !virus|attachment type|banned|@spam",
        "message id|date header|date field|subject header|content type+missing|required|invalid|malformed|\
         not valid|bad|no|duplicate|multiple|must|absent+!dkim|dmarc|spf",
        "duplicate header|malformed message|message is malformed|malformed mail|malformed email|not well formed|\
         message format|invalid message format|message data format|data format error|invalid data in message|\
         syntactically invalid message|message syntax|standards compliant|not standards compliant|\
         does not conform to|doesn't conform to|non compliant message|not compliant with|internet message format|\
         email format|mal forme|message mal|ungultiges format|format incorrect|without any headers|no headers|\
         header syntax|8 bit data|8bit data|raw 8 bit|non ascii characters in",
        "expected+got",
        "failed to parse|could not parse|cannot parse|unable to parse|can't parse+message|header|headers|mail|from",
        "does not contain*|doesn't contain*|contains no+header|headers",
        "crlf terminated|not crlf|invalid bare|smtp smuggling|end of line|line ending|line endings",
        "multiple from|from addresses|multiple addresses+!recipient|blank|valid from",
        "=501|=500|=554+line too long|line is too long",
    ], MessageMalformed),
    (&[MailFrom, RcptTo], EVERYONE, &["line too long|line length|command line too long"], ProtocolError),
];
