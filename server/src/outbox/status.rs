//! Server side. Computes a message's status from its recipients. Pure functions: nothing here waits or writes.
//!
//! The state of a message, its stage, cause and reply, and its event all come from [`status_of`], so they cannot
//! contradict each other. The recipients decide, in this order:
//!
//! 1. A recipient is pending: `deferred`, with the cause of the first pending one that has a cause; `queued` if none
//!    has.
//! 2. For a recipient it is unknown whether the message arrived: `delivery_unknown`.
//! 3. A recipient was accepted: `accepted`, without a cause. The other ones are `failed`, each with its own cause.
//! 4. All recipients failed: `failed`.

use app::{diagnosis::cause::Cause, test_run::event::Stage};

use crate::store::outbox::{
    MessageState, MessageStatus, Recipient, RecipientState, Resend, ResendOutcome, StoredMessage,
};

#[cfg(test)]
mod tests;

/// The status of a message with these recipients.
pub fn status_of(recipients: &[Recipient]) -> MessageStatus {
    let first = |state| recipients.iter().find(|recipient| recipient.state == state);
    let waiting =
        recipients.iter().find(|recipient| recipient.state == RecipientState::Pending && recipient.cause.is_some());
    let (state, decides) = if let Some(waiting) = waiting {
        (MessageState::Deferred, waiting)
    } else if first(RecipientState::Pending).is_some() {
        return MessageStatus::new(MessageState::Queued);
    } else if let Some(unknown) = first(RecipientState::DeliveryUnknown) {
        (MessageState::DeliveryUnknown, unknown)
    } else if let Some(accepted) = first(RecipientState::Accepted) {
        (MessageState::Accepted, accepted)
    } else if let Some(failed) = recipients.first() {
        (MessageState::Failed, failed)
    } else {
        return MessageStatus::new(MessageState::Failed);
    };
    MessageStatus { state, stage: decides.stage, cause: decides.cause, reply: decides.reply.clone() }
}

/// Fails the pending recipients: the time to try is over, or the message cannot be sent. `cause` and `stage` apply to
/// recipients without any, and to those meant for the next transaction, which never came: no server refused them.
pub fn give_up(recipients: &mut [Recipient], cause: Option<Cause>, stage: Option<Stage>) {
    for recipient in recipients.iter_mut().filter(|recipient| recipient.state == RecipientState::Pending) {
        recipient.state = RecipientState::Failed;
        let was_to_follow = recipient.cause == Some(Cause::TooManyRecipients) && recipient.reply.is_none();
        if recipient.cause.is_none() || (was_to_follow && cause.is_some()) {
            (recipient.cause, recipient.stage) = (Some(cause.unwrap_or(Cause::Unknown)), stage);
        }
    }
}

/// The recipients of a message whose sending was interrupted. Those whose transaction was about to end may have it; the
/// others stay pending.
pub fn interrupted(row: &StoredMessage) -> Vec<Recipient> {
    let Some(_) = row.ending_at else { return row.recipients.clone() };
    let may_have_it = |address: &str| row.ending_to.as_ref().is_none_or(|to| to.iter().any(|known| known == address));
    let mut recipients = row.recipients.clone();
    for recipient in recipients.iter_mut().filter(|one| one.state == RecipientState::Pending) {
        if may_have_it(&recipient.address) {
            is_unknown(recipient);
        } else if recipient.cause.is_none() {
            // It was meant for the next transaction.
            (recipient.cause, recipient.stage) = (Some(Cause::ConnectionLost), Some(Stage::RcptTo));
        }
    }
    recipients
}

/// The recipients of a message that waited in a restored backup: each of them may have it since.
pub fn disowned(row: &StoredMessage) -> Vec<Recipient> {
    let mut recipients = row.recipients.clone();
    recipients.iter_mut().filter(|one| one.state == RecipientState::Pending).for_each(is_unknown);
    recipients
}

fn is_unknown(recipient: &mut Recipient) {
    recipient.state = RecipientState::DeliveryUnknown;
    (recipient.cause, recipient.reply, recipient.stage) = (None, None, Some(Stage::Data));
}

/// Whether the content may still be needed: a recipient without the message may get it again.
pub fn needs_its_content(recipients: &[Recipient]) -> bool {
    recipients.iter().any(|recipient| recipient.state != RecipientState::Accepted)
}

/// Resends a finished message to the recipients that are not accepted; the others get no second copy.
/// `kept`: the content is still there.
pub fn resend(row: &StoredMessage, kept: bool) -> Result<Resend, ResendOutcome> {
    if !row.state.is_final() || !needs_its_content(&row.recipients) {
        return Err(ResendOutcome::NotFinished);
    }
    if !kept {
        return Err(ResendOutcome::ContentGone);
    }
    let mut recipients = row.recipients.clone();
    for recipient in recipients.iter_mut().filter(|one| one.state != RecipientState::Accepted) {
        recipient.state = RecipientState::Pending;
        (recipient.cause, recipient.reply, recipient.stage) = (None, None, None);
    }
    Ok(Resend { status: status_of(&recipients), recipients })
}
