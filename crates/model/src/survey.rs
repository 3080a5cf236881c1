//! What was found after a failure: is the setting, the server or our own network the cause?

use serde::{Deserialize, Serialize};

use crate::security::Security;

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Ipv4,
    Ipv6,
}

/// The state of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorState {
    /// A submission server responds there, encrypted, and offers a login that we support.
    Works,
    /// A server responds, but a password cannot be sent to it.
    Answers,
    /// The connection is refused.
    Refuses,
    /// No response.
    Silent,
    /// There is no route from here.
    Unreachable,
}

/// A port of the host, tried without a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    pub port: u16,
    pub security: Security,
    pub family: Family,
    pub state: DoorState,
}

/// Where the cause lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The settings: the same server responds on another port or with another encryption.
    Settings,
    /// The server, or the network on the way to it: other servers are reachable from here.
    Server,
    /// Our own network: the control host is not reachable either.
    Us,
    /// There is nothing to compare with.
    Unclear,
}

/// The result of a survey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    pub doors: Vec<Door>,
    /// Whether the operator's control host was reachable; `None` without one.
    pub control: Option<bool>,
    pub blame: Blame,
    /// How long it took, in milliseconds.
    pub ms: u32,
}

impl Survey {
    /// The first port that works, in the order of the attempts.
    pub fn working(&self) -> Option<&Door> {
        self.doors.iter().find(|door| door.state == DoorState::Works)
    }

    /// Whether the host has addresses of a family, and none of its ports responded there.
    pub fn is_mute(&self, family: Family) -> bool {
        let mut doors = self.doors.iter().filter(|door| door.family == family).peekable();
        doors.peek().is_some() && doors.all(|door| matches!(door.state, DoorState::Silent | DoorState::Unreachable))
    }
}
