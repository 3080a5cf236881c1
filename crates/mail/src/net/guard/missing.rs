//! Which settings would allow a destination. For the operator only: to an account all refusals look the same.

use std::fmt;

use super::{Policy, Refusal, literal};
use crate::net::host::Host;

/// A refused line, and the setting that would allow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// As written in the configuration: `host = "localhost"`.
    line: String,
    setting: &'static str,
    value: String,
}

impl Missing {
    fn new(line: String, setting: &'static str, value: impl Into<String>) -> Self {
        Self { line, setting, value: value.into() }
    }

    /// All of them in one sentence.
    pub fn list(missing: &[Self]) -> String {
        missing.iter().map(Self::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, setting, value } = self;
        write!(formatter, "{line} is refused, unless smtp.{setting} has {value}")
    }
}

impl Policy {
    /// The settings that a destination lacks; `password_in_clear`: a login without encryption. Empty when it lacks
    /// none, and when `typed` is not a host at all.
    pub fn missing(&self, typed: &str, port: Option<u16>, password_in_clear: bool) -> Vec<Missing> {
        let mut missing = Vec::new();
        let name = literal(typed).map(Host::of_address).or_else(|| Host::of_any_name(typed));
        let line = |host: &Host| format!("host = \"{host}\"");
        if let (Some(host), Err(Refusal::HostNotAllowed)) = (&name, self.check_host(typed)) {
            missing.push(Missing::new(line(host), "allow_hosts", format!("\"{host}\"")));
        }
        if let Some(port) = port.filter(|port| self.check_port(*port).is_err()) {
            missing.push(Missing::new(format!("port = {port}"), "allow_ports", port.to_string()));
        }
        if let Some(host) = name.filter(|host| password_in_clear && !self.plaintext_allowed(host)) {
            let what = format!("a password without encryption to {host}");
            missing.push(Missing::new(what, "plaintext_hosts", format!("\"{host}\"")));
        }
        missing
    }
}
