//! Server side. Which recipients come next, where a server takes only a few in a transaction.

use std::collections::HashSet;

use app::{
    diagnosis::cause::Cause,
    test_run::{event::Stage, report::Report},
};

use crate::store::outbox::{Recipient, RecipientState};

/// The pending recipients.
pub(super) fn waiting(recipients: &[Recipient]) -> impl Iterator<Item = &Recipient> {
    recipients.iter().filter(|recipient| recipient.state == RecipientState::Pending)
}

/// The recipients to try next, and how many of them may share a transaction.
pub(super) struct Turn {
    pub waiting: Vec<String>,
    pub together: usize,
}

/// The recipients of the next transaction, without those `refused` for now. Recipients refused by an earlier
/// transaction come last: a few of them would fill every transaction and leave no room for the others. Recipients on
/// whom the server hung up come after all the others, each in a transaction of its own.
pub(super) fn next_in_turn(recipients: &[Recipient], refused: &HashSet<String>) -> Turn {
    let was_refused = |one: &Recipient| one.stage == Some(Stage::RcptTo) && one.cause != Some(Cause::TooManyRecipients);
    let hung_up = |one: &Recipient| was_refused(one) && one.cause == Some(Cause::ConnectionLost) && one.reply.is_none();
    let mut next: Vec<&Recipient> = waiting(recipients).filter(|one| !refused.contains(&one.address)).collect();
    next.sort_by_key(|one| (hung_up(one), was_refused(one)));
    let others = next.iter().filter(|one| !hung_up(one)).count();
    let together = if others == 0 { 1 } else { others };
    Turn { waiting: next.into_iter().map(|one| one.address.clone()).collect(), together }
}

/// Recipients the server refused for now, except those over its recipient limit.
pub(super) fn refused_for_now(report: &Report) -> impl Iterator<Item = String> {
    let refused = report
        .recipients
        .iter()
        .filter(|one| !one.accepted && one.retryable && one.cause != Some(Cause::TooManyRecipients));
    refused.map(|one| one.address.clone())
}
