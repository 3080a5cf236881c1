//! Server side. Whose turn it is, where a server takes only a few recipients in a transaction.

use std::collections::HashSet;

use app::{
    diagnosis::cause::Cause,
    test_run::{event::Stage, report::Report},
};

use crate::store::outbox::{Recipient, RecipientState};

/// Those who are to get it.
pub(super) fn waiting(recipients: &[Recipient]) -> impl Iterator<Item = &Recipient> {
    recipients.iter().filter(|recipient| recipient.state == RecipientState::Pending)
}

/// Who is asked next, and how many of them may share a transaction.
pub(super) struct Turn {
    pub waiting: Vec<String>,
    pub together: usize,
}

/// Those who have the next transaction, without those who were `refused` for now. Who was refused by an earlier one
/// comes last: a few such would fill every transaction, and the others would have none. On whom the server hung up comes
/// after everybody else, and in a transaction of its own.
pub(super) fn next_in_turn(recipients: &[Recipient], refused: &HashSet<String>) -> Turn {
    let was_refused = |one: &Recipient| one.stage == Some(Stage::RcptTo) && one.cause != Some(Cause::TooManyRecipients);
    let hung_up = |one: &Recipient| was_refused(one) && one.cause == Some(Cause::ConnectionLost) && one.reply.is_none();
    let mut next: Vec<&Recipient> = waiting(recipients).filter(|one| !refused.contains(&one.address)).collect();
    next.sort_by_key(|one| (hung_up(one), was_refused(one)));
    let others = next.iter().filter(|one| !hung_up(one)).count();
    let together = if others == 0 { 1 } else { others };
    Turn { waiting: next.into_iter().map(|one| one.address.clone()).collect(), together }
}

/// Whom the server refused for now, and not because they are too many.
pub(super) fn refused_for_now(report: &Report) -> impl Iterator<Item = String> {
    let refused = report
        .recipients
        .iter()
        .filter(|one| !one.accepted && one.retryable && one.cause != Some(Cause::TooManyRecipients));
    refused.map(|one| one.address.clone())
}
