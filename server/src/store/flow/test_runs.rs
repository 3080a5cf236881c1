//! Server side. Recording a test, and confirming that its e-mail arrived.

use app::{profile::model::ProfileId, session::AccountId, test_run::port::TestRun};
use async_trait::async_trait;
use jiff::Timestamp;

use super::{AccountStatements, Ended, settlements::SettlementStatements, settlements::take_health};
use crate::store::{
    EntryFor, Receipt, StoreError, TestRecord,
    outbox::NewEvent,
    test_result::{KEPT_TESTS, TestResult},
};

/// The statements.
#[async_trait]
pub trait TestRunStatements: AccountStatements + SettlementStatements {
    /// Writes the result into the profile. `received_at`: the delivery that is still confirmed.
    async fn write_result(
        &mut self,
        id: ProfileId,
        run: &TestRun,
        fingerprint: &[u8; 32],
        received_at: Option<Timestamp>,
    ) -> Result<(), StoreError>;
    /// Stores the test, and deletes the oldest ones beyond `most`.
    async fn keep_test(&mut self, id: ProfileId, run: &TestRun, most: u32) -> Result<(), StoreError>;
    /// The profile's receipt, locked.
    async fn locked_receipt(&mut self, account: &AccountId, id: ProfileId) -> Result<Option<Receipt>, StoreError>;
    /// Replaces the profile's receipt; `None` deletes it.
    async fn write_receipt(&mut self, id: ProfileId, receipt: Option<&Receipt>) -> Result<(), StoreError>;
    async fn write_received(&mut self, id: ProfileId, at: Timestamp) -> Result<(), StoreError>;
}

/// Stores a test and what it says of the profile; `false`: there is no such profile.
pub async fn record(
    database: &mut impl TestRunStatements,
    account: &AccountId,
    id: ProfileId,
    run: &TestRun,
    record: &TestRecord<'_>,
) -> Result<Ended<bool>, StoreError> {
    let Some(row) = database.locked_profile(account, id).await? else { return Ok(Ended::RollBack(false)) };
    let result = TestResult::of(&row, run, record.fingerprint);
    if result.is_latest {
        database.write_result(id, run, record.fingerprint, result.received_at).await?;
        database.keep_test(id, run, KEPT_TESTS).await?;
        database.write_receipt(id, record.receipt).await?;
    }
    if let Some(report) = &result.health {
        take_health(database, account, Some(row), report, run.at, record.transition_event).await?;
    }
    database.tell(&record.events.iter().collect::<Vec<&NewEvent>>()).await?;
    database.note(account, record.entry).await?;
    Ok(Ended::Commit(true))
}

/// Counts one try of a receipt's code.
pub async fn try_receipt(
    database: &mut impl TestRunStatements,
    account: &AccountId,
    id: ProfileId,
    now: Timestamp,
) -> Result<Ended<Option<Receipt>>, StoreError> {
    let stored = database.locked_receipt(account, id).await?;
    let Some(receipt) = stored.and_then(|stored| stored.after_try(now)) else { return Ok(Ended::RollBack(None)) };
    database.write_receipt(id, Some(&receipt)).await?;
    Ok(Ended::Commit(Some(receipt)))
}

/// Marks the profile's e-mail as received, if its receipt is still this one.
pub async fn confirm_receipt(
    database: &mut impl TestRunStatements,
    account: &AccountId,
    id: ProfileId,
    receipt: &Receipt,
    now: Timestamp,
    entry_for: &EntryFor<'_>,
) -> Result<Ended<bool>, StoreError> {
    // The profile is locked first, as in `record`: two transactions never wait for each other.
    let Some(row) = database.locked_profile(account, id).await? else { return Ok(Ended::RollBack(false)) };
    let stored = database.locked_receipt(account, id).await?;
    if !stored.is_some_and(|stored| stored.is_of(receipt)) {
        return Ok(Ended::RollBack(false));
    }
    database.write_receipt(id, None).await?;
    database.write_received(id, now).await?;
    let mut received = row;
    if let Some(tested) = &mut received.tested {
        tested.received_at = Some(now);
    }
    database.note(account, &entry_for(&received)).await?;
    Ok(Ended::Commit(true))
}
