//! Server side. Profiles.

use app::{
    journal::model::Entry,
    profile::{model::ProfileId, port::Written},
    session::AccountId,
    test_run::port::TestRun,
};
use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;

use super::{
    SqliteStore,
    rows::{PROFILE, profile},
    set_aside::set_aside,
    transaction::begin,
};
use crate::store::{
    AccountProfile, Decide, Deletion, EntryFor, ProfileRow, ProfileStore, ProfileWithFailure, StoreError,
    codec::{
        profiles::{PROFILE_KEY, failure, profile_of_account, with_failure},
        quarantine::{Damaged, readable},
    },
    flow::profiles as flow,
};
use model::login::MOST_REFUSALS;

mod find;
mod write;

pub(super) use find::find_on;
use find::made_by;

#[async_trait]
impl ProfileStore for SqliteStore {
    async fn profiles(
        &self,
        account: &AccountId,
        after: Option<ProfileId>,
        limit: u32,
    ) -> Result<Vec<ProfileRow>, StoreError> {
        const SQL: &str =
            formatcp!("SELECT {PROFILE} FROM profile WHERE portal = ? AND account = ? AND id > ? ORDER BY id LIMIT ?");
        let rows = sqlx::query(SQL)
            .bind(&account.portal)
            .bind(&account.account)
            .bind(after.map(|id| id.to_string()).unwrap_or_default())
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(profile).collect()
    }

    async fn profiles_with_failures(
        &self,
        account: &AccountId,
        after: Option<ProfileId>,
        limit: u32,
    ) -> Result<Vec<ProfileWithFailure>, StoreError> {
        const SQL: &str = formatcp!(
            "SELECT {PROFILE},
                 CASE WHEN failures > 0 OR broken_at IS NOT NULL
                      THEN (SELECT content FROM last_failure WHERE last_failure.profile = profile.id) END AS last_failure
             FROM profile WHERE portal = ? AND account = ? AND id > ? ORDER BY id LIMIT ?"
        );
        let rows = sqlx::query(SQL)
            .bind(&account.portal)
            .bind(&account.account)
            .bind(after.map(|id| id.to_string()).unwrap_or_default())
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(with_failure).collect()
    }

    async fn profile(&self, account: &AccountId, id: ProfileId) -> Result<Option<ProfileRow>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        find_on(&mut connection, account, id).await
    }

    async fn insert_profile(
        &self,
        account: &AccountId,
        row: &ProfileRow,
        most: u32,
        entry: &Entry,
    ) -> Result<Option<bool>, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let ended = flow::insert(&mut *transaction, account, row, most, entry).await?;
        transaction.end(ended).await
    }

    async fn change_profile(
        &self,
        account: &AccountId,
        id: ProfileId,
        decide: &mut Decide<'_>,
    ) -> Result<bool, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let ended = flow::change(&mut *transaction, account, id, decide).await?;
        transaction.end(ended).await
    }

    async fn put_in_use(
        &self,
        account: &AccountId,
        id: ProfileId,
        expected: Option<u32>,
        entry_for: &EntryFor<'_>,
    ) -> Result<Written, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let ended = flow::put_in_use(&mut *transaction, account, id, expected, entry_for).await?;
        transaction.end(ended).await
    }

    async fn delete_profile(
        &self,
        account: &AccountId,
        id: ProfileId,
        deletion: Deletion,
        entry_for: &EntryFor<'_>,
    ) -> Result<Written, StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let ended = flow::delete(&mut *transaction, account, id, deletion, entry_for).await?;
        transaction.end(ended).await
    }

    async fn profile_made_by(&self, account: &AccountId, creation: &str) -> Result<Option<ProfileRow>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        made_by(&mut connection, account, creation).await
    }

    async fn others_of_owner(&self, account: &AccountId, id: ProfileId) -> Result<Vec<ProfileRow>, StoreError> {
        const SQL: &str = formatcp!(
            "SELECT {PROFILE} FROM profile WHERE portal = ?1 AND account = ?2 AND id <> ?3
                 AND EXISTS (SELECT 1 FROM profile AS one WHERE one.portal = ?1 AND one.account = ?2 AND one.id = ?3
                             AND one.user IS profile.user)
             ORDER BY id"
        );
        let rows = sqlx::query(SQL)
            .bind(&account.portal)
            .bind(&account.account)
            .bind(id.to_string())
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(profile).collect()
    }

    async fn profiles_in_use(&self, account: &AccountId) -> Result<Vec<ProfileRow>, StoreError> {
        const SQL: &str =
            formatcp!("SELECT {PROFILE} FROM profile WHERE portal = ? AND account = ? AND in_use = 1 ORDER BY id");
        let rows = sqlx::query(SQL).bind(&account.portal).bind(&account.account).fetch_all(&self.pool).await?;
        rows.iter().map(profile).collect()
    }

    async fn profile_in_use(&self, account: &AccountId, user: Option<&str>) -> Result<Option<ProfileRow>, StoreError> {
        const SQL: &str = formatcp!(
            "SELECT {PROFILE} FROM profile
             WHERE portal = ? AND account = ? AND ifnull(user, '') = ifnull(?3, '') AND user IS ?3 AND in_use = 1"
        );
        let row =
            sqlx::query(SQL).bind(&account.portal).bind(&account.account).bind(user).fetch_optional(&self.pool).await?;
        let Some(row) = row else { return Ok(None) };
        match profile(&row) {
            Ok(profile) => Ok(Some(profile)),
            Err(error) => {
                let damaged = Damaged::of(PROFILE_KEY, &row, error)?;
                let inconsistent = damaged.error();
                set_aside(&self.writer, &[damaged]).await?;
                Err(inconsistent)
            }
        }
    }

    async fn last_failure(&self, account: &AccountId, id: ProfileId) -> Result<Option<TestRun>, StoreError> {
        let content: Option<String> = sqlx::query_scalar(
            "SELECT last_failure.content FROM last_failure JOIN profile ON profile.id = last_failure.profile
             WHERE profile.portal = ? AND profile.account = ? AND profile.id = ?",
        )
        .bind(&account.portal)
        .bind(&account.account)
        .bind(id.to_string())
        .fetch_optional(&self.pool)
        .await?;
        content.map(|content| failure(&content, id)).transpose()
    }

    async fn sent_since(&self, id: ProfileId, since: Timestamp) -> Result<u64, StoreError> {
        self.move_outcomes().await;
        let sent: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM message WHERE state = 'accepted' AND profile = ? AND finished_at >= ? AND fallback = 0",
        )
        .bind(id.to_string())
        .bind(since.as_millisecond())
        .fetch_one(&self.pool)
        .await?;
        Ok(u64::try_from(sent).unwrap_or_default())
    }

    async fn profiles_to_check(&self, before: Timestamp, limit: u32) -> Result<Vec<AccountProfile>, StoreError> {
        const SQL: &str = formatcp!(
            "SELECT portal, account, {PROFILE} FROM profile
             WHERE (check_hourly = 1 OR broken_at IS NOT NULL) AND (secret IS NOT NULL OR grant_id IS NOT NULL) AND grant_cause IS NULL
               AND portal <> ''
               AND (SELECT count(*) FROM login WHERE login.key = profile.login_key AND login.until IS NULL) < ?
               AND ifnull(checked_at, 0) < ?
               AND NOT EXISTS (SELECT 1 FROM quarantine WHERE kind = 'profile' AND row = profile.id)
             ORDER BY ifnull(checked_at, 0) LIMIT ?"
        );
        let rows = sqlx::query(SQL)
            .bind(MOST_REFUSALS)
            .bind(before.as_millisecond())
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        let (due, damaged) = readable(PROFILE_KEY, &rows, profile_of_account)?;
        set_aside(&self.writer, &damaged).await?;
        Ok(due)
    }
}
