//! Before the login: greeting, `EHLO`, `STARTTLS`; and refusals of our own IP address, which servers send at any stage.

use model::{
    cause::Cause::{
        EhloRejected, Greylisted, IpBlocked, NotSubmissionServer, ProtocolError, RateLimited, ServerBusy,
        StarttlsNotOffered, StarttlsRequired, TlsHandshakeFailed, TlsPortMismatch, TlsVersionUnsupported,
        TooManyConnections, Unknown, WrongServer,
    },
    stage::Stage::{self, Ehlo, Greeting, Starttls},
};

use super::{ANY, EVERYONE, Rule};

const OPENING: &[Stage] = &[Greeting, Ehlo];

#[rustfmt::skip] // a table: a rule is stages, hosts, patterns, cause
pub(super) const RULES: &[Rule] = &[
    (ANY, EVERYONE, &[
        "ssl|tls+attempted|handshake|hello|clienthello+non ssl|plain|plaintext|unencrypted|not expected|wrong port",
    ], TlsPortMismatch),
    (ANY, EVERYONE, &["only allowed|only available|only offered+submission port|submission ports|port 587|port 465"],
     NotSubmissionServer),
    // STARTTLS
    (ANY, EVERYONE, &[
        "tls 1 2|tls 1 3|tls1 2|tls1 3|tlsv1 2|tlsv1 3|tls version|cipher|ciphers|cipher suite+@required|or greater|\
         or higher|or later|or newer|minimum|at least|high strength|too weak|weak|insufficient",
        "tls version|ssl version|tls 1 0|tls 1 1|sslv3|tlsv1|tls protocol|protocol version+@refused|low|old|lower|\
         unsupported|not supported|no longer|deprecated|at least|higher|minimum|or later|upgrade",
    ], TlsVersionUnsupported),
    (&[Starttls], EVERYONE, &[
        "handshake|negotiation|negotiate|negotiating+failed|failure|error|unable|cannot",
    ], TlsHandshakeFailed),
    (&[Starttls], EVERYONE, &["already|active|repeated|no parameters"], ProtocolError),
    (&[Starttls], EVERYONE, &[
        "=5+not enabled|not offered|not available|unavailable|not supported|unsupported|not implemented|unimplemented|\
         not advertised|unrecognized|unrecognised|not recognized|not recognised|unknown command|disabled|not permitted|\
         not allowed|not configured|command unknown|not understood|security subsystem|inconnue|unbekannt|desconocido",
    ], StarttlsNotOffered),
    // A network or a hosting company that redirects the connection
    (ANY, EVERYONE, &[
        "redirected|redirects|intercepted|intercepts|transparent proxy|transparently|detourne*|umgeleitet+connection|\
         connections|smtp|port|traffic|connexion|verbindung+!redirected to spam|recipient|mailbox",
    ], WrongServer),
    // A different service
    (ANY, EVERYONE, &[
        "incoming mail only|inbound mail only|mx only|only accepts incoming|no submission",
    ], NotSubmissionServer),
    (OPENING, EVERYONE, &[
        "ftp|ftpd|vsftpd|proftpd|filezilla server|user and pass|not accept mail|not accept email|no mail service|\
         does not receive mail|not a mail server|not a submission server",
    ], NotSubmissionServer),
    // Our EHLO name
    (ANY, EVERYONE, &[
        "!=503+helo|ehlo+@refused|@unknown|@wrong|not resolve|not resolvable|unresolvable|required|syntactically|\
         syntax|fully qualified|fqdn|bogus|forged|argument|hostname|host name|mismatch|must|expected+\
         !invalid command|not recognized|unrecognized|relay",
        "helo command rejected",
    ], EhloRejected),
    (&[Ehlo], EVERYONE, &[
        "domain name|hostname|host name|fqdn|fully qualified|nom de domaine|domain|name|argument|arguments|\
         parameter|parameters+@wrong|@refused|@unknown|need|required|syntax|syntactically|error",
    ], EhloRejected),
    // Simultaneous connections
    (ANY, EVERYONE, &[
        "connections|sessions|connexions|verbindungen|conexiones|connessioni+@too_many|lower the number+!@encryption|\
         timeout|timed out|idle|rate|frequency|frequent|recipients|login|logins|failed|tentative*|quota|size",
        "connection limit|connection limits|connection count|session limit|maximum connection|max connection|\
         concurrent connection|simultaneous connection|concurrent+@too_many",
        "connection at a time",
        "connected clients|clients connected|thread limit|threads+@too_many|exceeding",
        "aup cxcnct|aup in 1310",
        "maximum number of concurrent",
        "all server ports are busy",
        "concurrency limit",
        "concurrency+@too_many",
        "=4|=550|=554+connections|sessions+per client|per ip|per host|per address|per user",
    ], TooManyConnections),
    (OPENING, EVERYONE, &[
        "too many|too frequently|too frequent|too often|rate|throttl*|slow down|trop de+!failed|login|logins|errors|\
         spam|spams",
    ], RateLimited),
    // Try again later
    (ANY, EVERYONE, &[
        "greylist*|graylist*|grey list*|gray list*|greylst|postgrey|liste grise|listes grises|lista gris|\
         lista grigia|~postgrey|~greylisting|~greylist",
        "not yet authorized to deliver",
        "grise+active",
        "=4+first contact|first attempt|first time|sender recipient pair|triplet|unknown triplet|deferring unknown",
    ], Greylisted),
    // Our IP address
    (ANY, EVERYONE, &[
        "@reverse_name+!no such user|spf|dkim|dmarc|sender domain|sender address",
        "host|hostname|ip+lookup|resolve|resolves|name+cannot|could not|unable|failed|not+client|your|connecting|\
         remote+!recipient|destination|*.4.*|*.1.2",
    ], IpBlocked),
    (ANY, EVERYONE, &[
        "@block_list+!url|urls|uri|uribl|link|in your message|in the message|message body|content|message contains|\
         links|whitelist|white list|sender address|sender email|envelope sender|from address|return path|mailfrom|\
         sender|address that has been|email address has been|~dbl|~rhsbl|~surbl|~uribl|\
         recipient address is blacklisted|definitively does not want|your email address|sender domain|from domain|helo",
        "@block_list+@client|host|client|server|network",
        "~spamhaus|~sorbs+mail from+rejected",
        "@client|host|hosts|is|currently+listed|listing+!not listed|unlisted|recipient|user|mailbox|url|urls|domain|\
         sender|directory|whitelist",
    ], IpBlocked),
    (ANY, EVERYONE, &[
        "@client+reputation|banned|blocked|blocking|bloquee|bloque|gesperrt|blockiert|bloqueada|bloccato|abuse|\
         abusive|abusing|open proxy|dynamic|residential|dialup|untrusted|suspicious|spammer|spammers|spamming|spams|\
         unsolicited|policy list|denied access|access denied|not accepting|not accepted from|temporarily deferred|\
         deferred due+!login|logon|logins|authentication|account|recipient|credentials|password|user|url",
        "poor reputation|bad reputation|low reputation|reputation score+!domain|url|message|content|sender",
        "dynamic ip|dynamic ips|dynamic address|dynamic addresses|dial up|dialup|open proxy|generic hostname|\
         generic rdns|direct to mx|residential ip",
        "client host|client host rejected+blocked|spam|abus|abuse|listed|poor|policy",
        "blocked using+!@sender|~dbl|~rhsbl|~surbl",
        "~dnsbl|~rbl|~sorbs|~spamcop+sender+@refused",
        "your access to+rejected|denied|refused|blocked",
        "bad ip|ip profile|sender ip address|sender ip|no access from mail server|\
         not currently accepting mail from your|currently sending spam|you are sending spam|suspiciously like spammer|\
         unwanted messages",
        "sender score|not allowed to connect|host network|poor reputation sender|block for spam|\
         ask your postmaster for help|in prison",
        "black ip|listed at|listed as abusive|forged hostname|unknown tld|mail is not welcome|mail from your location|\
         ip is rejected|your mailserver+!authenticat*|login|recipient|user|domain is|url|urls",
        "aup cdrbl|aup cxbl|aup bl",
        "your mailserver|your mail server|your server+rejected|denied|refused",
        "fix reverse dns|geoip|junkemailfilter|~ipcheck|~dnsbl lookup",
        "too many spams from",
        "not accepting mail from your|does not accept mail from your|connections from your|connection from your+\
         !too many|concurrent",
        "permanently deferred|errors from your ip|errors from your host|spams from your",
        "use the smtp server of your isp|use your isp|use your provider's|smarthost of your",
    ], IpBlocked),
    (OPENING, EVERYONE, &["@spam|abuse|abusive|reputation|banned|bad ip", "@client+@refused"], IpBlocked),
    // Encryption, a login
    (OPENING, EVERYONE, &["@encryption+@required"], StarttlsRequired),
    (OPENING, EVERYONE, &[
        "too soon|out of turn|pregreet|protocol error|protocol violation|early talker|earlytalker|before greeting|synchronization|\
         pipelining|unrecognized|unrecognised|bad sequence|garbage|out of order|before banner|too early|\
         not recognized|unknown command|invalid command",
    ], ProtocolError),
    (OPENING, EVERYONE, &[
        "=4+@later|busy|load|overload*|shutting down|maintenance|temporar*|unavailable|not available|resources|\
         system|error|problem|not accepting|occupe|indisponible|wartung|mantenimiento",
    ], ServerBusy),
    (OPENING, EVERYONE, &[
        "no smtp service|transaction failed|not accepting|access denied|service unavailable|service not available|\
         not permitted|go away|closing|@refused",
    ], Unknown),
];
