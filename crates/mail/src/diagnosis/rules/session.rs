//! The limits of one connection: its messages, its duration, its idle time. A new connection helps at once, under any
//! code: `GoDaddy` says 550, IONOS 451, Amazon and Google 421 or 451.

use model::cause::Cause::{ConnectionLost, SessionLimit};

use super::{ANY, EVERYONE, Rule};

#[rustfmt::skip] // a table: a rule is stages, hosts, patterns, cause
pub(super) const RULES: &[Rule] = &[
    (ANY, EVERYONE, &[
        "per session|per connection|per smtp session|per smtp connection|in this session|in one session|\
         in a single session|in this connection|in one connection|in a single connection|on this connection|\
         over this connection|par session|par connexion|pro sitzung|pro verbindung|por sesion|por conexion|\
         per sessione|per connessione+@message|transactions|transaction|commands|mail from|max|maximum|limit|too many|\
         exceeded|recipients+!per second|per minute|per hour|rate",
        "open a new session|open a new connection|start a new session|new session and try|reconnect|try reconnecting|\
         please reconnect|new connection and try+!too many connections|concurrent",
        "session+transfer quota|open for too long|too long+!timeout",
        "connection|session+expired|lifetime|has been open too long|open too long|duration+!refused|tls|mail|message",
        "session|connection+time|age+limit|maximum|exceeded+!too many connections|concurrent",
        "too many nonmail commands|too many non mail commands",
        "mails per session|messages per session|message count per session",
    ], SessionLimit),
    (ANY, EVERYONE, &["idle|inactive|inactivity+closing|closed|timeout|too long|disconnect*+connection|channel|link"],
     ConnectionLost),
];
