//! Server side. Events for portals, in the form of Standard Webhooks: type, timestamp, data.
//!
//! Ids, codes and the portal's own references only: no address, subject or name of a customer. To add an event: a
//! function here, its line in `docs/messages.md`, its type in [`TYPES`].

use std::collections::BTreeSet;

use app::{
    diagnosis::cause::Cause,
    profile::{model::ProfileId, sending::HealthTransition},
    session::AccountId,
    test_run::report::{Report, Verdict},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    ids,
    store::{
        ProfileRow,
        outbox::{
            Attempt, MessageState, MessageStatus, NewEvent, Quarantined, Recipient, RecipientState, StoredMessage,
        },
    },
};

/// Every type of event.
pub const TYPES: [&str; 7] = [
    "message.accepted",
    "message.failed",
    "message.unknown",
    "message.quarantined",
    "profile.broken",
    "profile.recovered",
    "test.finished",
];

fn event(portal: &str, kind: &str, at: Timestamp, data: &Value) -> NewEvent {
    let content = json!({ "type": kind, "timestamp": at.to_string(), "data": data }).to_string();
    NewEvent { id: ids::at(at), portal: portal.to_owned(), content, at }
}

/// A message is finished. The state and the counts of recipients agree: both are computed from the recipients.
pub fn message_finished(
    row: &StoredMessage,
    status: &MessageStatus,
    recipients: &[Recipient],
    attempt: &Attempt,
    at: Timestamp,
) -> Option<NewEvent> {
    let kind = match status.state {
        MessageState::Accepted => "message.accepted",
        MessageState::Failed => "message.failed",
        MessageState::DeliveryUnknown => "message.unknown",
        MessageState::Queued | MessageState::Sending | MessageState::Deferred | MessageState::Quarantined => {
            return None;
        }
    };
    let of = |state| recipients.iter().filter(move |recipient| recipient.state == state);
    let causes: BTreeSet<&str> =
        of(RecipientState::Failed).filter_map(|recipient| recipient.cause).map(Cause::as_str).collect();
    let data = json!({
        "message": row.id,
        "account": row.lane.account.account,
        "user": row.lane.user,
        "reference": row.reference,
        "message_id": row.message_id,
        "state": status.state,
        "profile": attempt.profile,
        "via": attempt.via,
        "stage": status.stage,
        "cause": status.cause,
        "recipients": recipients.len(),
        "recipients_accepted": of(RecipientState::Accepted).count(),
        "recipients_refused": of(RecipientState::Failed).count(),
        "recipients_unknown": of(RecipientState::DeliveryUnknown).count(),
        "refused_causes": causes,
    });
    Some(event(&row.lane.account.portal, kind, at, &data))
}

/// A message's row cannot be decoded. Its columns cannot be trusted, so the event has no more than its id.
pub fn message_quarantined(row: &Quarantined, at: Timestamp) -> Option<NewEvent> {
    let account = row.account.as_ref().filter(|_| row.table == "message")?;
    let data = json!({ "message": row.row, "account": account.account, "state": MessageState::Quarantined });
    Some(event(&account.portal, "message.quarantined", at, &data))
}

/// A profile broke, or works again.
pub fn profile_transition(
    account: &AccountId,
    row: &ProfileRow,
    transition: HealthTransition,
    at: Timestamp,
) -> NewEvent {
    let (kind, cause) = match transition {
        HealthTransition::Broke(cause) => ("profile.broken", Some(cause)),
        HealthTransition::Recovered => ("profile.recovered", None),
    };
    let data = json!({
        "profile": row.id,
        "account": account.account,
        "user": row.settings.user,
        "cause": cause,
    });
    event(&account.portal, kind, at, &data)
}

/// A test of the **Tester** button has ended.
pub fn test_finished(account: &AccountId, profile: ProfileId, report: &Report, at: Timestamp) -> NewEvent {
    let succeeded = matches!(report.verdict, Verdict::Accepted | Verdict::DryRunOk);
    let data = json!({
        "profile": profile,
        "account": account.account,
        "verdict": report.verdict,
        "succeeded": succeeded,
        "stage": report.stage,
        "cause": report.cause,
    });
    event(&account.portal, "test.finished", at, &data)
}
