//! Server side. The order in which outcomes of attempts are written: one transaction for a whole group, the same in every
//! database.

use std::{collections::BTreeMap, iter::zip};

use app::{
    profile::{model::ProfileId, sending::HealthTransition},
    session::AccountId,
    test_run::port::TestRun,
};
use async_trait::async_trait;
use jiff::Timestamp;

use crate::store::{
    AccountProfile, ProfileRow, StoreError,
    codec::settlements::{JudgedHealth, JudgedProfiles},
    outbox::{CommitMark, HealthReport, NewEvent, Settled, Settlement, TransitionEvent},
};

/// The statements, in a transaction that is open.
#[async_trait]
pub trait SettlementStatements: Send {
    /// Which of the settlements may be made. Their messages are locked.
    async fn held(&mut self, settlements: &[&Settlement]) -> Result<Vec<bool>, StoreError>;
    /// Moves the messages, keeps their attempts, and deletes the contents that are not needed any more.
    async fn write_outcomes(&mut self, done: &[&Settlement]) -> Result<(), StoreError>;
    /// The profiles that exist and can be decoded, with their accounts. They are locked in the same order in every transaction.
    async fn locked_profiles(&mut self, ids: &[ProfileId]) -> Result<Vec<AccountProfile>, StoreError>;
    async fn write_healths(&mut self, healths: &[JudgedHealth<'_>]) -> Result<(), StoreError>;
    /// Keeps the last failure of each profile.
    async fn keep_failures(&mut self, failures: &[(ProfileId, &TestRun)]) -> Result<(), StoreError>;
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
    }
    let mut judging = Judging::default();
    let reported = done.iter().filter_map(|one| one.health.as_ref().map(|report| report.profile));
    judging.read(database, reported.collect()).await?;
    let mut outcomes = Vec::with_capacity(settlements.len());
    for (Settlement { lane, at, transition_event, health: report, .. }, done) in zip(settlements, held) {
        // Reports about one profile follow each other: the second one sees what the first one left.
        let report = report.as_ref().filter(|_| done);
        let transition = report.and_then(|report| judging.judge(&lane.account, report, *at, *transition_event));
        outcomes.push(Settled { done, transition });
    }
    let events: Vec<&NewEvent> = done.iter().filter_map(|settlement| settlement.event.as_ref()).collect();
    judging.write(database, &events).await?;
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
    let mut judging = Judging::default();
    match row {
        Some(row) => judging.profiles.read(account, row),
        None => judging.read(database, vec![report.profile]).await?,
    }
    let transition = judging.judge(account, report, at, transition_event);
    judging.write(database, &[]).await?;
    Ok(transition)
}

/// Applies the reports of a group: reads all profiles first, and writes everything at the end.
#[derive(Default)]
struct Judging<'r> {
    profiles: JudgedProfiles,
    /// The last one of each profile.
    failures: BTreeMap<ProfileId, &'r TestRun>,
    events: Vec<NewEvent>,
}

impl<'r> Judging<'r> {
    async fn read(
        &mut self,
        database: &mut (impl SettlementStatements + ?Sized),
        mut ids: Vec<ProfileId>,
    ) -> Result<(), StoreError> {
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(());
        }
        for AccountProfile { account, row } in database.locked_profiles(&ids).await? {
            self.profiles.read(&account, row);
        }
        Ok(())
    }

    fn judge(
        &mut self,
        account: &AccountId,
        report: &'r HealthReport,
        at: Timestamp,
        transition_event: Option<TransitionEvent>,
    ) -> Option<HealthTransition> {
        let (transition, event) = self.profiles.take(account, report, at, transition_event)?;
        if let Some(run) = &report.failure {
            self.failures.insert(report.profile, run);
        }
        self.events.extend(event);
        transition
    }

    async fn write(
        self,
        database: &mut (impl SettlementStatements + ?Sized),
        events: &[&NewEvent],
    ) -> Result<(), StoreError> {
        let failures: Vec<_> = self.failures.into_iter().collect();
        if !failures.is_empty() {
            database.keep_failures(&failures).await?;
        }
        let healths: Vec<_> = self.profiles.changed().collect();
        if !healths.is_empty() {
            database.write_healths(&healths).await?;
        }
        let events: Vec<&NewEvent> = self.events.iter().chain(events.iter().copied()).collect();
        database.tell(&events).await
    }
}
