//! What was found elsewhere after a failure: is it this setting, this server, or our own network?

use serde::{Deserialize, Serialize};

use crate::security::Security;

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Ipv4,
    Ipv6,
}

/// What a port does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorState {
    /// A submission server answers there, encrypted, and offers a login that we speak.
    Works,
    /// Something answers, but not so that a password could be sent.
    Answers,
    /// It refuses the connection.
    Refuses,
    /// Nothing comes back.
    Silent,
    /// There is no way there from here.
    Unreachable,
}

/// A port of the host, tried without login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    pub port: u16,
    pub security: Security,
    pub family: Family,
    pub state: DoorState,
}

/// At whom it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The settings: the same server answers elsewhere.
    Settings,
    /// The server, or somebody on the way to it: others can be reached from here.
    Server,
    /// Our own network: the control host cannot be reached either.
    Us,
    /// There is nothing to compare with.
    Unclear,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    pub doors: Vec<Door>,
    /// Whether the operator's control host could be reached; `None` when there is none.
    pub control: Option<bool>,
    pub blame: Blame,
    /// How long it took, in milliseconds.
    pub ms: u32,
}

impl Survey {
    /// The first door that works, in the order in which they were tried.
    pub fn working(&self) -> Option<&Door> {
        self.doors.iter().find(|door| door.state == DoorState::Works)
    }

    /// Whether the host has addresses of a family, and none of its doors there gave a sign.
    pub fn is_mute(&self, family: Family) -> bool {
        let mut doors = self.doors.iter().filter(|door| door.family == family).peekable();
        doors.peek().is_some() && doors.all(|door| matches!(door.state, DoorState::Silent | DoorState::Unreachable))
    }
}
