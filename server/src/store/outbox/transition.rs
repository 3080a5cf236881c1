//! Server side. States of messages that follow from stored values. Pure functions: the store binds the results.

use app::diagnosis::cause::Cause;

use super::MessageState;

impl MessageState {
    /// The state of a message that is released untried. With a cause, it was tried before, or held back.
    pub const fn released(cause: Option<Cause>) -> Self {
        if cause.is_some() { Self::Deferred } else { Self::Queued }
    }
}

/// Which stored messages are shown in a state. A queued message is shown as deferred while its lane, or the lane's
/// destination, is in a back-off that lasts beyond the message's own time
/// ([`StoredMessage::waits_for`](super::StoredMessage::waits_for)): its row does not say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFilter {
    /// Stored in one of these states, with or without a back-off.
    pub always: Vec<MessageState>,
    /// Stored in one of these states, with a back-off.
    pub while_resting: Vec<MessageState>,
    /// Stored in one of these states, without a back-off.
    pub unless_resting: Vec<MessageState>,
}

impl StateFilter {
    pub fn shown_as(state: MessageState) -> Self {
        let (always, while_resting, unless_resting) = match state {
            MessageState::Deferred => (vec![MessageState::Deferred], vec![MessageState::Queued], vec![]),
            MessageState::Queued => (vec![], vec![], vec![MessageState::Queued]),
            state => (vec![state], vec![], vec![]),
        };
        Self { always, while_resting, unless_resting }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store::contract::stored;

    #[test]
    fn what_was_tried_goes_back_as_deferred_and_what_was_not_as_queued() {
        assert_eq!(MessageState::released(None), MessageState::Queued);
        assert_eq!(MessageState::released(Some(Cause::Timeout)), MessageState::Deferred);
    }

    #[test]
    fn each_message_is_found_in_the_state_that_it_is_shown_in_and_in_no_other() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for state in MessageState::ALL {
            for rest in [at(0), at(9)] {
                let mut message = stored(*state, vec![]);
                message.next_at = state.is_waiting().then_some(at(5));
                message.waits_for(rest, None);
                let rests = rest > at(5);
                let found = |wanted: &&MessageState| {
                    let StateFilter { always, while_resting, unless_resting } = StateFilter::shown_as(**wanted);
                    always.contains(state)
                        || (while_resting.contains(state) && rests)
                        || (unless_resting.contains(state) && !rests)
                };
                let shown: Vec<_> = MessageState::ALL.iter().filter(found).collect();
                assert_eq!(shown, [&message.state], "{state:?}, resting: {rests}");
            }
        }
    }
}
