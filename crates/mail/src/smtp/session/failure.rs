//! Why a conversation ended early, and what that means for the message.

use model::{cause::Cause, report::Finding, stage::Stage};

use crate::smtp::wire::WireError;

/// Why the conversation ended early.
#[derive(Debug)]
pub(super) struct Failure {
    /// Where the conversation ended.
    pub stage: Stage,
    /// Why it ended.
    pub cause: Cause,
    /// The server's reply, cleaned for display.
    pub reply: Option<String>,
    /// What we found ourselves, when no reply of the server says it.
    pub finding: Option<Finding>,
    /// What the failure means for the message.
    pub fate: Fate,
}

/// What a failure means for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The server does not have it. `retryable`: the same attempt may succeed later.
    NotSent { retryable: bool },
    /// The server may have it, so it must not be sent again.
    MaybeSent,
    /// The commit point refused: the end of the message was not sent.
    Withheld,
    /// The server lost track of a group of commands, and does not have the message: one command at a time may work.
    /// `retryable` applies if there is no second try.
    OutOfStep { retryable: bool },
}

impl Fate {
    /// Whether the same attempt may succeed later, without the risk of sending the message twice.
    pub(super) const fn is_retryable(self) -> bool {
        match self {
            Self::NotSent { retryable } | Self::OutOfStep { retryable } => retryable,
            Self::Withheld => true,
            Self::MaybeSent => false,
        }
    }

    /// Whether it is certain that the server does not have the message.
    pub(super) const fn is_certain(self) -> bool {
        matches!(self, Self::NotSent { .. } | Self::OutOfStep { .. })
    }

    pub(super) const fn is_out_of_step(self) -> bool {
        matches!(self, Self::OutOfStep { .. })
    }

    /// What the failure of one command means for its group of commands.
    ///
    /// `may_have_message`: the message was in the group, and nothing shows that the server did not accept it. `lost`:
    /// the command got no reply, or an acceptance of something else. `stumbled`: the server refused the command because
    /// of its position in the group.
    pub(super) const fn in_a_group(self, may_have_message: bool, lost: bool, stumbled: bool) -> Self {
        match self {
            Self::NotSent { .. } if may_have_message && lost => Self::MaybeSent,
            Self::NotSent { retryable } if lost || stumbled => Self::OutOfStep { retryable },
            fate => fate,
        }
    }
}

impl Failure {
    pub(super) fn new(stage: Stage, cause: Cause, retryable: bool) -> Self {
        Self { stage, cause, reply: None, finding: None, fate: Fate::NotSent { retryable } }
    }

    pub(super) fn found(stage: Stage, cause: Cause, finding: Finding) -> Self {
        Self { finding: Some(finding), ..Self::new(stage, cause, false) }
    }

    pub(super) fn wire(stage: Stage, error: WireError) -> Self {
        Self::new(stage, error.cause(), error.is_transient())
    }

    /// Whether the replies answered other commands: more came than commands were sent, or an acceptance of something
    /// else.
    pub(super) fn is_shifted(&self) -> bool {
        let yes = self.reply.as_deref().is_some_and(|words| words.starts_with(['2', '3']));
        self.finding == Some(Finding::UnaskedReply)
            || (self.stage >= Stage::MailFrom && self.cause == Cause::ProtocolError && yes)
    }

    /// The same failure, when the server may have the message.
    pub(super) fn maybe_sent(self) -> Self {
        Self { fate: Fate::MaybeSent, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: Fate = Fate::NotSent { retryable: true };

    #[test]
    fn a_lost_answer_is_uncertain_only_if_the_message_had_left() {
        assert_eq!(REFUSED.in_a_group(true, true, false), Fate::MaybeSent);
        assert_eq!(REFUSED.in_a_group(false, true, false), Fate::OutOfStep { retryable: true });
        assert_eq!(REFUSED.in_a_group(true, false, true), Fate::OutOfStep { retryable: true });
        assert_eq!(REFUSED.in_a_group(true, false, false), REFUSED);
    }

    #[test]
    fn what_was_certain_stays_so_in_a_group() {
        for fate in [Fate::MaybeSent, Fate::Withheld, Fate::OutOfStep { retryable: false }] {
            for flags in 0..8 {
                assert_eq!(fate.in_a_group(flags & 1 > 0, flags & 2 > 0, flags & 4 > 0), fate);
            }
        }
    }

    #[test]
    fn what_may_have_left_is_never_retried() {
        assert!(!Failure::new(Stage::Data, Cause::Timeout, true).maybe_sent().fate.is_retryable());
        assert!(Fate::Withheld.is_retryable() && REFUSED.is_retryable());
        assert!(!Fate::OutOfStep { retryable: false }.is_retryable());
    }
}
