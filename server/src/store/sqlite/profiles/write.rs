//! Server side. The statements that write profiles: see `flow::profiles`.

use app::{
    journal::model::Entry,
    profile::{model::ProfileId, sending::Health},
    session::AccountId,
};
use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::{
    super::{bind_all, grants, journal, logins},
    find::{find_on, of_owner},
};
use crate::store::{
    Aside, Grant, GrantTokens, ProfileRow, StoreError,
    codec::values::{self, set_by_owner},
    flow::{AccountStatements, profiles::ProfileStatements},
};

#[async_trait]
impl AccountStatements for SqliteConnection {
    async fn locked_profile(&mut self, account: &AccountId, id: ProfileId) -> Result<Option<ProfileRow>, StoreError> {
        find_on(self, account, id).await
    }

    async fn note(&mut self, account: &AccountId, entry: &Entry) -> Result<(), StoreError> {
        journal::note(self, account, entry).await
    }
}

#[async_trait]
impl ProfileStatements for SqliteConnection {
    async fn has_room(&mut self, account: &AccountId, most: u32) -> Result<bool, StoreError> {
        let has: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT 1 FROM profile WHERE portal = ? AND account = ? LIMIT ?) AS counted",
        )
        .bind(&account.portal)
        .bind(&account.account)
        .bind(i64::from(most))
        .fetch_one(&mut *self)
        .await?;
        Ok(has < i64::from(most))
    }

    async fn is_created(&mut self, account: &AccountId, creation: &str) -> Result<bool, StoreError> {
        let created = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM profile WHERE portal = ? AND account = ? AND creation = ?)",
        );
        let created = created.bind(&account.portal).bind(&account.account).bind(creation);
        Ok(created.fetch_one(&mut *self).await?)
    }

    async fn insert(&mut self, account: &AccountId, row: &ProfileRow) -> Result<(), StoreError> {
        let insert = sqlx::query(
            "INSERT INTO profile (user, preset, host, port, security, login, mechanism, sender_name, sender_address,
             reply_to, name, encoding, secret, secret_changed_at, login_key, max_connections, per_minute, per_day,
             check_hourly, fallback, grant_id, grant_client, grant_identity, granted_at, grant_access_ends_at, grant_cause,
             grant_code, id, portal, account, creation, in_use)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        );
        bind_all(insert, set_by_owner(row))
            .bind(row.id.to_string())
            .bind(&account.portal)
            .bind(&account.account)
            .bind(&row.creation)
            .execute(&mut *self)
            .await?;
        Ok(())
    }

    async fn update(&mut self, row: &ProfileRow) -> Result<(), StoreError> {
        let update = sqlx::query(
            "UPDATE profile SET user = ?, preset = ?, host = ?, port = ?, security = ?, login = ?, mechanism = ?,
             sender_name = ?, sender_address = ?, reply_to = ?, name = ?, encoding = ?, secret = ?, secret_changed_at = ?,
             login_key = ?, max_connections = ?, per_minute = ?, per_day = ?, check_hourly = ?, fallback = ?,
             grant_id = ?, grant_client = ?, grant_identity = ?, granted_at = ?, grant_access_ends_at = ?, grant_cause = ?,
             grant_code = ?, in_use = ?, revision = ?
         WHERE id = ?",
        );
        bind_all(update, set_by_owner(row))
            .bind(row.in_use)
            .bind(i64::from(row.revision))
            .bind(row.id.to_string())
            .execute(&mut *self)
            .await?;
        Ok(())
    }

    async fn write_health(&mut self, id: ProfileId, health: &Health) -> Result<(), StoreError> {
        let update = sqlx::query(
            "UPDATE profile SET failures = ?, failing_cause = ?, broken_at = ?, sent_at = ?, failed_at = ?, failed_cause = ?,
                 checked_at = ?
             WHERE id = ?",
        );
        bind_all(update, values::health(health)).bind(id.to_string()).execute(&mut *self).await?;
        Ok(())
    }

    async fn of_owner(&mut self, account: &AccountId, user: Option<&str>) -> Result<Vec<ProfileRow>, StoreError> {
        of_owner(self, account, user).await
    }

    async fn use_if_free(
        &mut self,
        account: &AccountId,
        user: Option<&str>,
        id: ProfileId,
    ) -> Result<bool, StoreError> {
        let taken = sqlx::query(
            "UPDATE profile SET in_use = 1
         WHERE id = ?4 AND portal = ?1 AND account = ?2 AND user IS ?3
           AND NOT EXISTS (SELECT 1 FROM profile
                           WHERE portal = ?1 AND account = ?2 AND ifnull(user, '') = ifnull(?3, '') AND user IS ?3
                             AND in_use = 1)",
        )
        .bind(&account.portal)
        .bind(&account.account)
        .bind(user)
        .bind(id.to_string())
        .execute(&mut *self)
        .await?;
        Ok(taken.rows_affected() == 1)
    }

    async fn end_use(&mut self, account: &AccountId, user: Option<&str>) -> Result<(), StoreError> {
        let end =
            sqlx::query("UPDATE profile SET in_use = 0 WHERE portal = ? AND account = ? AND user IS ? AND in_use = 1");
        end.bind(&account.portal).bind(&account.account).bind(user).execute(&mut *self).await?;
        Ok(())
    }

    async fn set_in_use(&mut self, account: &AccountId, id: ProfileId, in_use: bool) -> Result<(), StoreError> {
        sqlx::query("UPDATE profile SET in_use = ? WHERE id = ? AND portal = ? AND account = ?")
            .bind(in_use)
            .bind(id.to_string())
            .bind(&account.portal)
            .bind(&account.account)
            .execute(&mut *self)
            .await?;
        Ok(())
    }

    async fn forgive(&mut self, key: &[u8; 32]) -> Result<(), StoreError> {
        logins::forgive(self, key).await
    }

    async fn attach_grant(
        &mut self,
        account: &AccountId,
        id: ProfileId,
        grant: &Grant,
        tokens: &GrantTokens,
    ) -> Result<(), StoreError> {
        grants::attach(self, account, id, grant, tokens).await
    }

    async fn detach_grant(&mut self, id: ProfileId) -> Result<(), StoreError> {
        grants::detach(self, id).await
    }

    async fn put_aside(&mut self, id: ProfileId, aside: Aside) -> Result<(), StoreError> {
        // The form that created it may create another one.
        sqlx::query(
            "UPDATE profile SET portal = '', deleted_portal = portal, deleted_session = ?1, deleted_until = ?2,
             deleted_in_use = in_use, in_use = 0, creation = NULL
         WHERE id = ?3",
        )
        .bind(&aside.session[..])
        .bind(aside.until.as_millisecond())
        .bind(id.to_string())
        .execute(&mut *self)
        .await?;
        Ok(())
    }

    async fn note_successor(&mut self, id: ProfileId, successor: Option<ProfileId>) -> Result<(), StoreError> {
        sqlx::query("UPDATE profile SET deleted_successor = ? WHERE id = ? AND portal = ''")
            .bind(successor.map(|id| id.to_string()))
            .bind(id.to_string())
            .execute(&mut *self)
            .await?;
        Ok(())
    }
}
