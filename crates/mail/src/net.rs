//! The only ways out of the process. Everything that opens a connection uses them: mail, and HTTPS calls of programs
//! that use this library for more than mail.
//!
//! | module | what it is |
//! |---|---|
//! | [`host`], [`guard`] | which destinations may be dialled at all |
//! | `dns`, `dial`, `tls` | from a name to an encrypted stream |
//! | [`network`] | all of it in one call |

pub(crate) mod dial;
pub(crate) mod dns;
pub mod guard;
pub mod host;
pub mod network;
pub mod stream;
pub(crate) mod tls;

pub use guard::{Policy, Refusal};
pub use host::{Host, HostError};
pub use network::{Network, Patience, SetupError};
pub use stream::Stream;
