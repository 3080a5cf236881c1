//! Server side. The order in which outcomes of attempts are written: one transaction for a whole group, the same in every
//! database.

use std::iter::zip;

use app::{
    profile::{
        model::ProfileId,
        sending::{Health, HealthTransition},
    },
    session::AccountId,
    test_run::port::TestRun,
};
use async_trait::async_trait;
use jiff::Timestamp;

use crate::store::{
    ProfileRow, StoreError,
    codec::settlements::JudgedProfiles,
    outbox::{CommitMark, HealthReport, NewEvent, Settled, Settlement, TransitionEvent},
};

/// The statements, in a transaction that is open.
#[async_trait]
pub trait SettlementStatements: Send {
    /// Which of the settlements may be made. Their messages are locked.
    async fn held(&mut self, settlements: &[&Settlement]) -> Result<Vec<bool>, StoreError>;
    /// Moves the messages, keeps their attempts, and deletes the contents that are not needed any more.
    async fn write_outcomes(&mut self, done: &[&Settlement]) -> Result<(), StoreError>;
    /// Locks the profiles that the reports are about, in the same order in every transaction.
    async fn lock_profiles(&mut self, done: &[&Settlement]) -> Result<(), StoreError>;
    /// `None`: it is gone, or cannot be decoded.
    async fn profile(&mut self, account: &AccountId, id: ProfileId) -> Result<Option<ProfileRow>, StoreError>;
    async fn write_health(&mut self, id: ProfileId, health: &Health, signed: &[u8; 32]) -> Result<(), StoreError>;
    async fn keep_failure(&mut self, id: ProfileId, run: &TestRun) -> Result<(), StoreError>;
    async fn tell(&mut self, events: &[&NewEvent]) -> Result<(), StoreError>;
    /// Notes that the end of each message is about to be sent; `false` where the lease does not hold any more.
    async fn mark(&mut self, marks: &[&CommitMark], now: Timestamp) -> Result<Vec<bool>, StoreError>;
}

/// Writes what became of attempts, then the marks of other messages.
pub async fn settle_and_mark(
    database: &mut (impl SettlementStatements + ?Sized),
    settlements: &[&Settlement],
    marks: &[&CommitMark],
    now: Timestamp,
) -> Result<(Vec<Settled>, Vec<bool>), StoreError> {
    let settled = if settlements.is_empty() { Vec::new() } else { settle(database, settlements).await? };
    let marked = if marks.is_empty() { Vec::new() } else { database.mark(marks, now).await? };
    Ok((settled, marked))
}

async fn settle(
    database: &mut (impl SettlementStatements + ?Sized),
    settlements: &[&Settlement],
) -> Result<Vec<Settled>, StoreError> {
    let held = database.held(settlements).await?;
    let done: Vec<&Settlement> = zip(settlements, &held).filter(|(_, held)| **held).map(|(one, _)| *one).collect();
    if !done.is_empty() {
        database.write_outcomes(&done).await?;
        database.lock_profiles(&done).await?;
    }
    let mut outcomes = Vec::with_capacity(settlements.len());
    let mut profiles = JudgedProfiles::default();
    for (Settlement { lane, at, transition_event, health: report, .. }, done) in zip(settlements, held) {
        // Reports about one profile follow each other: the second one sees what the first one left.
        let transition = match report.as_ref().filter(|_| done) {
            Some(report) => {
                let told = (*at, *transition_event);
                judge(database, &mut profiles, &lane.account, report, told).await?
            }
            None => None,
        };
        outcomes.push(Settled { done, transition });
    }
    write_healths(database, &profiles).await?;
    let told: Vec<&NewEvent> = done.iter().filter_map(|settlement| settlement.event.as_ref()).collect();
    database.tell(&told).await?;
    Ok(outcomes)
}

/// Applies one health signal, and writes the event of a transition. A profile that was changed, deleted or damaged since is left
/// as it is. `row`: the locked profile, if it was read already.
pub async fn take_health(
    database: &mut (impl SettlementStatements + ?Sized),
    account: &AccountId,
    row: Option<ProfileRow>,
    report: &HealthReport,
    at: Timestamp,
    transition_event: Option<TransitionEvent>,
) -> Result<Option<HealthTransition>, StoreError> {
    let mut profiles = JudgedProfiles::default();
    if let Some(row) = row {
        profiles.read(account, row);
    }
    let transition = judge(database, &mut profiles, account, report, (at, transition_event)).await?;
    write_healths(database, &profiles).await?;
    Ok(transition)
}

/// The same for one report of a group; [`write_healths`] ends it.
async fn judge(
    database: &mut (impl SettlementStatements + ?Sized),
    profiles: &mut JudgedProfiles,
    account: &AccountId,
    report: &HealthReport,
    (at, transition_event): (Timestamp, Option<TransitionEvent>),
) -> Result<Option<HealthTransition>, StoreError> {
    if !profiles.knows(account, report.profile)
        && let Some(row) = database.profile(account, report.profile).await?
    {
        profiles.read(account, row);
    }
    let Some((transition, event)) = profiles.take(account, report, at, transition_event) else { return Ok(None) };
    if let Some(run) = &report.failure {
        database.keep_failure(report.profile, run).await?;
    }
    database.tell(event.as_slice().iter().collect::<Vec<_>>().as_slice()).await?;
    Ok(transition)
}

async fn write_healths(
    database: &mut (impl SettlementStatements + ?Sized),
    profiles: &JudgedProfiles,
) -> Result<(), StoreError> {
    for (id, health, fingerprint) in profiles.changed() {
        database.write_health(id, health, fingerprint).await?;
    }
    Ok(())
}
