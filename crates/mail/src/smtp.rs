//! The SMTP conversation. A live test and real sending use the same [`Submitter`].
//!
//! | module | what it is |
//! |---|---|
//! | `wire`, [`capabilities`] | replies, within limits, and never more than were asked for |
//! | `auth`, `envelope`, `session` | the stages, in the order of the protocol |
//! | `survey` | after a failure: which other ports of the host respond? |
//! | `transcript` | what may be shown of it |
//! | [`mod@compose`] | turns a letter into the bytes of a message |
//!
//! To add a stage: a variant in `model::stage::Stage`, a step in `session`, its texts in both languages, a persona in
//! the demo's sandbox.

mod auth;
pub mod capabilities;
pub mod compose;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod door;
mod ehlo_name;
mod envelope;
mod limits;
mod session;
mod submit;
mod survey;
#[cfg(test)]
mod tests;
mod transcript;
mod wire;

pub use compose::{Attachment, ComposeError, Composed, Letter, compose, hides_a_control};
pub use ehlo_name::{EhloName, EhloNameError};
pub use model::mechanism::Mechanism;
pub use submit::{
    CommitPoint, Connection, Credentials, Delivery, Depth, Fate, Limits, LoginGate, LoginOutcome, Parting, Submission,
    Submitter, SubmitterOptions, until,
};
