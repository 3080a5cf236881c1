//! Server side. What of settlements every database does in the same way.

use std::{collections::HashMap, iter::zip};

use app::profile::sending::{Health, HealthTransition};
use jiff::Timestamp;

use super::{Columns, instant};
use crate::store::{
    ProfileRow, StoreError,
    outbox::{HealthReport, Lease, MessageState, Settlement},
};

/// Which of the settlements may be made, by the rows of their messages (`id`, `state`, `lease_owner`, `lease_until`), which
/// are locked. Of several settlements of one message the first that may be made is.
pub fn held<R: Columns>(settlements: &[Settlement], rows: &[R]) -> Result<Vec<bool>, StoreError> {
    let mut leases: HashMap<String, (MessageState, Lease)> = HashMap::new();
    for row in rows {
        let id = row.text("id")?;
        let state = MessageState::parse(&row.text("state")?);
        let state =
            state.ok_or_else(|| StoreError::Inconsistent { table: "message", column: "state", row: id.clone() })?;
        let until = row.number_if_any("lease_until")?.map(instant);
        leases.insert(id, (state, Lease { token: row.text_if_any("lease_owner")?, until }));
    }
    let ids = settlements.iter().map(|settlement| settlement.id.to_string());
    let holds = zip(settlements, ids).map(|(settlement, id)| {
        let held = leases.get(&id).is_some_and(|(state, lease)| settlement.precondition.holds(*state, lease));
        if held {
            leases.remove(&id);
        }
        held
    });
    Ok(holds.collect())
}

/// What a report makes of a profile's health; `None`: it is about other settings, which the profile had before.
pub fn health_after(
    row: &ProfileRow,
    report: &HealthReport,
    at: Timestamp,
) -> Option<(Health, Option<HealthTransition>)> {
    if row.fingerprint() != report.fingerprint {
        return None;
    }
    let mut health = row.health;
    let transition = health.take(report.signal, at);
    if report.check {
        health.checked_at = Some(at);
    }
    Some((health, transition))
}
