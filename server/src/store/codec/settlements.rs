//! Server side. What of settlements every database does in the same way.

use std::{collections::HashMap, iter::zip};

use app::{
    diagnosis::cause::Cause,
    profile::{
        model::ProfileId,
        sending::{Health, HealthTransition},
    },
    session::AccountId,
    test_run::event::Stage,
};
use jiff::Timestamp;
use serde::Serialize;

use super::{Columns, cause, encode, instant, logins::hexadecimal, without_nul};
use crate::store::{
    ProfileRow, StoreError,
    outbox::{HealthReport, Lease, MessageState, NewEvent, Precondition, Settlement, TransitionEvent},
};

/// Which of the settlements may be made, by the rows of their messages (`id`, `state`, `lease_owner`, `lease_until`), which
/// are locked. Of several settlements of one message the first that may be made is.
pub fn held<R: Columns>(settlements: &[&Settlement], rows: &[R]) -> Result<Vec<bool>, StoreError> {
    let mut leases: HashMap<String, (MessageState, Lease)> = HashMap::new();
    for row in rows {
        let id = row.text("id")?;
        let state = MessageState::parse(&row.text("state")?);
        let state =
            state.ok_or_else(|| StoreError::Inconsistent { table: "message", column: "state", row: id.clone() })?;
        leases.insert(id, (state, lease(row)?));
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

/// What a settlement writes into the message's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettledRow {
    pub id: String,
    pub state: &'static str,
    pub recipients: String,
    pub stage: Option<&'static str>,
    pub cause: Option<&'static str>,
    pub reply: Option<String>,
    pub profile: Option<String>,
    pub fallback: bool,
    /// Added to the tries.
    pub counts: i64,
    pub next_at: Option<i64>,
    pub at: i64,
    pub finished_at: Option<i64>,
    /// The next transaction of the same message follows under the same lease.
    pub keeps_lease: bool,
    /// Its content goes with it.
    pub forgets: bool,
}

impl SettledRow {
    pub fn of(settlement: &Settlement) -> Result<Self, StoreError> {
        let Settlement { id, at, attempt, status, recipients, next_at, counts, fallback, content_done, .. } =
            settlement;
        Ok(Self {
            id: id.to_string(),
            state: status.state.as_str(),
            recipients: encode("message", "recipients", recipients)?,
            stage: status.stage.map(Stage::as_str),
            cause: status.cause.map(Cause::as_str),
            reply: status.reply.as_deref().map(without_nul),
            profile: attempt.as_ref().and_then(|attempt| attempt.profile).map(|id| id.to_string()),
            fallback: *fallback,
            counts: i64::from(*counts),
            next_at: next_at.map(Timestamp::as_millisecond),
            at: at.as_millisecond(),
            finished_at: status.state.is_final().then_some(at.as_millisecond()),
            keeps_lease: status.state == MessageState::Sending,
            forgets: *content_done,
        })
    }
}

/// A message that is given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Released {
    pub id: String,
    pub state: &'static str,
}

/// The messages among these rows (`id`, `state`, `cause`, `lease_owner`, `lease_until`), which are locked, that the holder of
/// a lease may give back, and the states that they have then.
pub fn released<R: Columns>(rows: &[R], lease_token: &str) -> Result<Vec<Released>, StoreError> {
    let own = Precondition::Lease(lease_token.to_owned());
    let mut released = Vec::with_capacity(rows.len());
    for row in rows {
        // A state that cannot be decoded has no lease to give back.
        let Some(state) = MessageState::parse(&row.text("state")?) else { continue };
        if own.holds(state, &lease(row)?) {
            let state = MessageState::released(cause(row.text_if_any("cause")?));
            released.push(Released { id: row.text("id")?, state: state.as_str() });
        }
    }
    Ok(released)
}

fn lease(row: &impl Columns) -> Result<Lease, StoreError> {
    let until = row.number_if_any("lease_until")?.map(instant);
    Ok(Lease { token: row.text_if_any("lease_owner")?, until })
}

/// A profile's health after a report, and the settings that the report was about.
#[derive(Debug, Clone, Copy)]
pub struct JudgedHealth<'a> {
    pub profile: ProfileId,
    pub health: &'a Health,
    pub signed: &'a [u8; 32],
}

/// What a report writes into the profile's row.
#[derive(Debug, Serialize)]
pub struct HealthRow {
    pub id: String,
    pub failures: i64,
    pub failing_cause: Option<&'static str>,
    pub broken_at: Option<i64>,
    pub sent_at: Option<i64>,
    pub failed_at: Option<i64>,
    pub failed_cause: Option<&'static str>,
    pub checked_at: Option<i64>,
    /// In hexadecimal.
    pub signed: String,
}

impl HealthRow {
    pub fn of(JudgedHealth { profile, health, signed }: &JudgedHealth<'_>) -> Self {
        Self {
            id: profile.to_string(),
            failures: i64::from(health.failures),
            failing_cause: health.failing_cause.map(Cause::as_str),
            broken_at: health.broken_at.map(Timestamp::as_millisecond),
            sent_at: health.sent_at.map(Timestamp::as_millisecond),
            failed_at: health.failed_at.map(Timestamp::as_millisecond),
            failed_cause: health.failed_cause.map(Cause::as_str),
            checked_at: health.checked_at.map(Timestamp::as_millisecond),
            signed: hexadecimal(*signed),
        }
    }
}

/// The profiles that a batch of reports is about, as the reports before left them: each is read once and written once.
#[derive(Default)]
pub struct JudgedProfiles(HashMap<(AccountId, ProfileId), Judged>);

struct Judged {
    row: ProfileRow,
    /// The settings that the last report was about; `None`: no report was about them.
    fingerprint: Option<[u8; 32]>,
}

impl JudgedProfiles {
    pub fn read(&mut self, account: &AccountId, row: ProfileRow) {
        self.0.insert((account.clone(), row.id), Judged { row, fingerprint: None });
    }

    /// Takes a report in. `None`: its profile is gone, or has other settings now.
    pub fn take(
        &mut self,
        account: &AccountId,
        report: &HealthReport,
        at: Timestamp,
        transition_event: Option<TransitionEvent>,
    ) -> Option<(Option<HealthTransition>, Option<NewEvent>)> {
        let judged = self.0.get_mut(&(account.clone(), report.profile))?;
        let (health, transition) = health_after(&judged.row, report, at)?;
        let event = transition.zip(transition_event);
        let event = event.map(|(transition, event)| event(account, &judged.row, transition, at));
        (judged.row.health, judged.fingerprint) = (health, Some(report.fingerprint));
        Some((transition, event))
    }

    /// What is to be written.
    pub fn changed(&self) -> impl Iterator<Item = JudgedHealth<'_>> {
        let changed = self.0.values().filter_map(|judged| Some((&judged.row, judged.fingerprint.as_ref()?)));
        changed.map(|(row, signed)| JudgedHealth { profile: row.id, health: &row.health, signed })
    }
}

/// What a report makes of a profile's health; `None`: it is about other settings, which the profile had before.
fn health_after(row: &ProfileRow, report: &HealthReport, at: Timestamp) -> Option<(Health, Option<HealthTransition>)> {
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
