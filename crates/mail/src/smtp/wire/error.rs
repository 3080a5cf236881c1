//! Why a read or a write failed.

use model::cause::Cause;

/// Why there is no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::smtp) enum WireError {
    #[error("no reply in time")]
    Timeout,
    #[error("the connection was lost")]
    Lost,
    #[error("the reply is too long")]
    TooLarge,
    #[error("not a reply")]
    Malformed,
    #[error("an unsolicited reply")]
    Unasked,
}

impl WireError {
    pub(in crate::smtp) const fn cause(self) -> Cause {
        match self {
            Self::Timeout => Cause::Timeout,
            Self::Lost => Cause::ConnectionLost,
            Self::TooLarge => Cause::ReplyTooLarge,
            Self::Malformed | Self::Unasked => Cause::ProtocolError,
        }
    }

    /// Whether the same attempt may succeed later.
    pub(in crate::smtp) const fn is_transient(self) -> bool {
        matches!(self, Self::Timeout | Self::Lost)
    }
}
