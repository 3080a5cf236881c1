//! Server side. The portal's own mail server, for accounts that have none.

use app::profile::model::Destination;
use lettre::message::Mailbox;
use secrecy::SecretString;

/// The mail server of the portal itself.
#[derive(Debug, Clone)]
pub struct Relay {
    pub destination: Destination,
    /// `None`: no login is needed.
    pub secret: Option<SecretString>,
    pub sender: Mailbox,
    pub connections: Option<u32>,
    pub per_minute: Option<u32>,
}
