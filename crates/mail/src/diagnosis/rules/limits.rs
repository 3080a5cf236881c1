//! How much, how many, how fast, how large.

use model::{
    cause::Cause::{
        MessageTooLarge, QuotaExceeded, RateLimited, RecipientMailboxFull, RecipientRejected, ServerBusy,
        TooManyRecipients, Unknown,
    },
    stage::Stage::{Data, MailFrom, RcptTo},
};

use super::{ANY, EVERYONE, MAIL, Rule};

#[rustfmt::skip] // a table: a rule is stages, hosts, patterns, cause
pub(super) const RULES: &[Rule] = &[
    (ANY, EVERYONE, &[
        "daily limit|daily send limit|daily sending limit",
        "limit|quota|maximum|limite|grenze|kontingent+tomorrow|demain|morgen|manana|domani|amanha|24h|24 h|past 24h|\
         current period|this period|billing period|recharge|first time recipients+!try again later",
    ], QuotaExceeded),
    // An hourly limit is a rate: it ends by itself and is no used-up quota.
    (ANY, EVERYONE, &[
        "per hour|hourly|par heure|per minute|per second|pro stunde|por hora|all'ora|in the last hour|an hour|\
         this hour|last hour|this minute|hour limit|hourly limit+!login|logins|failed|per day|back in|maintenance|\
         restart*",
        "outgoing messages|outgoing mails|outgoing emails|outgoing mail|messages sent|mails sent|emails sent+exceed*|\
         limit|limits|too many",
        "rate control|rate controlled",
        "per time unit|in 60 minutes|last 60 minutes|60 minutes|em 60|60 minuto|60 minutos|60 minuten|per hr|\
         an hour ago|per 10 minutes|per 5 minutes|minuto s|last hour",
        "tls sessions|new sessions+too many",
        "too many bad recipients|too many invalid recipients|too many unknown recipients",
        "throttling quota",
        "limit of+exceeded+!@recipient|connections|connection|size|bytes|mb",
        "too many requests|too many failures|too many same|too many errors in|message limit exceeded|\
         messages limit exceeded|too many messages for this|has been deferred for",
        "try again|retry|wait+in+seconds|secs|second",
        "message|messages+quota+later",
    ], RateLimited),
    // The sender's
    (ANY, EVERYONE, &[
        "@day+quota|limit|limits|limite|exceeded|exceeds|exceed|reached|maximum|max|too many|atteint|atteinte|\
         depasse|depassee|uberschritten|ueberschritten|erreicht|superado|superada|alcanzado|excedido|superato|\
         raggiunto|quota d'envoi+!recipient's|receiving|receive limit|mailbox|try again tomorrow|virus|phishing|\
         classified|looks like",
        "@day+too many|trop de|zu viele|demasiados|troppi|envoye",
        "monthly plan|monthly volume|monthly allowance|daily allowance",
        "@day+used|used up|all been sent|buy more|exhausted+emails|mails|messages|volume",
        "@day+only+messages|mails|emails|recipients+!@spam",
    ], QuotaExceeded),
    (MAIL, EVERYONE, &[
        "sending quota|sending limit|send quota|submission quota|outbound quota|outgoing quota|outgoing limits|\
         outgoing limit|message quota|messages quota|message count quota|email quota|emails quota|relay quota|\
         smtp quota|sender quota|sender's quota|quota d'envoi|quota d'emails|versandlimit|sendelimit|\
         limite de envio|limite di invio|limite d'envoi|email limit|emails limit|sending allowance|allowance+!hour|\
         hourly|minute|second|rate|mailbox is|storage|later|temporarily",
        "free quota|quota of+used up|mails|emails",
        "mail limit|mails limit|email limit|emails limit|message limit|smtp limit|messages quota|limite de correo+\
         reached|exceeded|exceeds|exhausted|used up+!hour|minute|second|rate|later|size|mailbox",
        "quota+sending|sent|send|submission|outbound|outgoing|purchase|upgrade|envoi+!mailbox|storage|later|hour",
    ], QuotaExceeded),
    (MAIL, EVERYONE, &[
        "recipients|recipient|rcpt|destinataires|empfanger|empfaenger|destinatarios|destinatari+@hour|rate|throttl*+\
         @too_many|throttl*",
        "too many recipients from",
    ], RateLimited),
    (MAIL, EVERYONE, &[
        "recipients|rcpt|rcpts|addressees|destinataires|empfanger|empfaenger|destinatarios|destinatari|recipient list|\
         address list|number of rcpts+over size|too many|limit|exceeded|exceeds|maximum|max|more than|trop de|limite|zu viele|demasiados|troppi|\
         too long+!size|sending quota|rejected by|valid|invalid|unknown|authorized|authorised|rewrite|not on|not in|\
         was not|were not|mailbox",
        "multiple destination domains|separate transaction|recipient limit|one recipient|single recipient|\
         reciplimit|~reciplimit",
    ], TooManyRecipients),
    (&[RcptTo, Data], EVERYONE, &[
        "receiving mail+too quickly|rate|quickly",
        "recipient|user|account+receiving|receive+limit|rate|quota|too many|too quickly|exceeded",
    ], RateLimited),
    // The recipient's
    (MAIL, EVERYONE, &[
        "marked as inactive|inactive recipient|inactive recipients|inactive addresses|suppression list|suppressed",
    ], RecipientRejected),
    (&[RcptTo], EVERYONE, &[
        "user|recipient|recipient's|recipients|account|destinataire|utilisateur|empfanger|empfaenger|benutzer|\
         destinatario|usuario|utente+full|over quota|overquota|quota|no space|storage space|disk space|enough space|\
         storage|over the|plein|pleine|voll|lleno|pieno|espacio|spazio|speicherplatz+!system storage|sending|sent",
        "quota exceeded|exceeded quota|quota full|over quota|overquota|quota depasse|quota violation+!message|\
         messages|mails|sending|count|queue|policy",
        "*.2.2",
    ], RecipientMailboxFull),
    (&[RcptTo, Data], EVERYONE, &[
        "@mailbox|recipient|recipient's|destinataire|empfanger|empfaenger|destinatario|disk|disc|storage+full|\
         over quota|overquota|out of storage|quota|space|storage|over the|over its|exceeded storage|\
         exceeds allowed size|too large|pleine|plein|saturee|voll|uberfullt|llena|lleno|pieno|piena|spazio|espacio|\
         almacenamiento|speicherplatz|size limit|too many messages+!system storage|sending|message size|sent|\
         message too large|message exceeds|mail system|@spam|subject",
        "mailbox limit|mailbox quota",
        "mailfull|domain size limit|too many messages on the server|diskspace quota|exceeded the local limit|\
         allowed quota|mailfolder is full|space has been used up|does not have enough space|\
         exceeded storage allocation|storage allocation exceeded|storage limit|mailbox size|diskquota|~overquota*|\
         user is over quota|user over quota",
        "*.2.2+!submission",
    ], RecipientMailboxFull),
    // At `DATA`, an unspecific "quota exceeded" may be the sender's or the recipient's.
    (MAIL, EVERYONE, &["quota exceeded|exceeded quota|over quota|overquota|quota+!@spam"], Unknown),
    // Size
    (MAIL, EVERYONE, &[
        "@message|size|taille|grosse|tamano|dimensione|data|header|headers|attachment|attachments|file|piece jointe|\
         anhang|adjunto|allegato+too large|too big|too long|too great|exceed|exceeds|exceeded|exceeding|larger than|\
         bigger than|maximum|max|limit|limite|trop volumineux|trop gros|trop grand|trop long|trop lourd|zu gross|\
         zu groß|uberschreitet|ueberschreitet|demasiado grande|excede|supera|troppo grande|oversized|over sized+size|\
         sized|large|big|bytes|kb|mb|octets|taille|volumineux|gros|grand|lourd|gross|grosse|grande|tamano|dimensione|\
         long|databytes|length|administrative limit|maxsizeerror|larger|bigger+!line|lines|mailbox size|number of|\
         reputation|rate|mailbox|header line|subject",
        "bytes long|mailsize|mail size|mailsize limit|larger than the current|stream is more than",
        "message size|oversize message|max message size|file too big|~maxsizeerror",
        "*.3.4+!account|activity|blocked",
        "exceed|exceeds|exceeded|maximum|above+size limit|max size|maximum size",
    ], MessageTooLarge),
    // How fast
    (ANY, EVERYONE, &[
        "rate limit*|ratelimit*|rate limited|rate exceeded|sending rate|message rate|submission rate|\
         connection rate|connect rate|throttl*|too fast|too quickly|slow down|slower|excessive volume|\
         unexpected volume|unusual rate|high volume|frequency limit*|frequency limited|too frequent*|too often|\
         flood*|send limit|sending limit|sending limits|envois trop|maximum rate",
        "rate+exceed*",
        "too many|too much|trop de|zu viele|demasiados|troppi+@message|nachrichten+!size|mailbox|storage|large|hops|\
         headers|recipients|spam|errors|long|link|links|url|urls|attachment|attachments|images|received|loop|bad|\
         data|on the server|unwanted|invalid|liens|pieces jointes",
        "limit|maximum|exceeded|reached+messages|mails|emails|e mails+sent|send|sending|sends|number of|allowed+\
         !size|mailbox|storage|large|recipients|long",
        "cadence",
        "=4+limit|limits+exceeded|reached|hit|over+!size|storage|mailbox|message size|line|hop|time|timeout",
        "*.7.28",
    ], RateLimited),
    (&[MailFrom, RcptTo, Data], EVERYONE, &[
        "=4+insufficient|no space|disk full|not enough|low on|out of+storage|space|memory|disk|resources|system",
        "disk full|no space left on device|mail system full|insufficient system",
    ], ServerBusy),
];
