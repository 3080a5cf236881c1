//! Server side. **Mode d'envoi des emails**: the portal's own server, or one's own SMTP accounts.

pub mod api;
pub mod model;
pub mod page;
pub mod port;
pub mod unproved;
pub mod way;
