//! Server side. Tests, and the receipts of their mails.

use app::{profile::model::ProfileId, session::AccountId, test_run::port::TestRun};
use async_trait::async_trait;
use jiff::Timestamp;

use super::{EntryFor, Receipt, StoreError, TestRecord};

/// Tests, and the receipts of their mails.
#[async_trait]
pub trait TestRunStore: Send + Sync {
    /// Stores a test and updates the profile, which then counts as not received. A successful test makes a broken
    /// profile healthy. A test of settings that were changed meanwhile does not replace a result of the new ones: it is
    /// in the history only. The rule is `store::test_result::TestResult`.
    async fn record_test(
        &self,
        account: &AccountId,
        id: ProfileId,
        run: &TestRun,
        told: &TestRecord<'_>,
    ) -> Result<bool, StoreError>;
    /// Counts one try, and returns the receipt with the tries left; `None` if there is none, it has expired, or no try
    /// is left.
    async fn try_receipt(
        &self,
        account: &AccountId,
        id: ProfileId,
        now: Timestamp,
    ) -> Result<Option<Receipt>, StoreError>;
    /// Marks the profile as received and deletes the receipt, if it is still this one.
    async fn confirm_receipt(
        &self,
        account: &AccountId,
        id: ProfileId,
        receipt: &Receipt,
        now: Timestamp,
        entry_for: &EntryFor<'_>,
    ) -> Result<bool, StoreError>;
    async fn last_test(&self, account: &AccountId, id: ProfileId) -> Result<Option<TestRun>, StoreError>;
}
