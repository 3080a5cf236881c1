//! Server side. The SMTP conversation, behind its guard. **Tester** and real sending use the same [`Submitter`].
//!
//! | module | what it is |
//! |---|---|
//! | [`host`], [`guard`] | which destinations may be dialled at all |
//! | `resolve`, `dial`, `tls` | from a name to an encrypted stream: the only way out of the process |
//! | `wire`, [`reply`], [`capabilities`] | what comes back, within limits, and not more than was asked for |
//! | `auth`, `envelope`, `session` | the stages, in the order of the protocol |
//! | `survey` | after a failure: do the other doors of the host answer? |
//! | `transcript` | what may be shown of it |
//! | [`compose`] | from a letter to the bytes of a message |
//!
//! To add a stage: a variant in `app::test_run::event::Stage`, a step in `session`, its texts in both languages, a
//! persona in `demo/sandbox`.

mod auth;
pub mod capabilities;
pub mod compose;
mod dial;
mod ehlo_name;
mod envelope;
pub mod guard;
pub mod host;
mod outgoing;
pub mod reply;
mod resolve;
mod session;
mod submit;
mod survey;
#[cfg(test)]
mod tests;
mod tls;
mod transcript;
mod wire;

pub use app::profile::mechanism::Mechanism;
pub use compose::{Attachment, ComposeError, Composed, Letter, compose, hides_a_control};
pub use ehlo_name::{EhloName, EhloNameError};
pub use guard::{Policy, Refusal};
pub use host::{Host, HostError};
pub use submit::{
    Connection, Credentials, Delivery, Depth, Gate, Limits, LoginGate, LoginOutcome, SetupError, Submission, Submitter,
    SubmitterOptions, until,
};
