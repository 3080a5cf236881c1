//! Server side. The statements that write profiles: see `flow::profiles`.

use app::{
    journal::model::Entry,
    profile::{model::ProfileId, sending::Health},
    session::AccountId,
};
use async_trait::async_trait;
use sqlx::PgConnection;

use super::{
    super::{bind_all, grants, journal, logins},
    find::{find_locked, of_owner},
};
use crate::store::{
    Aside, Grant, GrantTokens, ProfileRow, StoreError,
    codec::values::{self, set_by_owner},
    flow::{AccountStatements, profiles::ProfileStatements},
};

#[async_trait]
impl AccountStatements for PgConnection {
    async fn locked_profile(&mut self, account: &AccountId, id: ProfileId) -> Result<Option<ProfileRow>, StoreError> {
        find_locked(self, account, id).await
    }

    async fn note(&mut self, account: &AccountId, entry: &Entry) -> Result<(), StoreError> {
        journal::note(self, account, entry).await
    }
}

#[async_trait]
impl ProfileStatements for PgConnection {
    async fn has_room(&mut self, account: &AccountId, most: u32) -> Result<bool, StoreError> {
        let has: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT 1 FROM profile WHERE portal = $1 AND account = $2 LIMIT $3) AS counted",
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
            "SELECT EXISTS (SELECT 1 FROM profile WHERE portal = $1 AND account = $2 AND creation = $3)",
        );
        let created = created.bind(&account.portal).bind(&account.account).bind(creation);
        Ok(created.fetch_one(&mut *self).await?)
    }

    async fn insert(&mut self, account: &AccountId, row: &ProfileRow) -> Result<(), StoreError> {
        let insert = sqlx::query(
            r#"INSERT INTO profile ("user", preset, host, port, security, login, mechanism, sender_name, sender_address,
             reply_to, name, encoding, secret, secret_changed_at, login_key, max_connections, per_minute, per_day,
             check_hourly, fallback, grant_id, grant_client, grant_identity, granted_at, grant_access_ends_at, grant_cause,
             grant_code, id, portal, account, creation, in_use)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
             $23, $24, $25, $26, $27, $28, $29, $30, $31, FALSE)"#,
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
            r#"UPDATE profile SET "user" = $1, preset = $2, host = $3, port = $4, security = $5, login = $6, mechanism = $7,
               sender_name = $8, sender_address = $9, reply_to = $10, name = $11, encoding = $12, secret = $13, secret_changed_at = $14,
               login_key = $15, max_connections = $16, per_minute = $17, per_day = $18, check_hourly = $19, fallback = $20,
               grant_id = $21, grant_client = $22, grant_identity = $23, granted_at = $24, grant_access_ends_at = $25,
               grant_cause = $26, grant_code = $27, in_use = $28, revision = $29
           WHERE id = $30"#,
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
            "UPDATE profile SET failures = $1, failing_cause = $2, broken_at = $3, sent_at = $4, failed_at = $5,
                 failed_cause = $6, checked_at = $7
             WHERE id = $8",
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
            r#"UPDATE profile SET in_use = TRUE
           WHERE id = $4 AND portal = $1 AND account = $2 AND "user" IS NOT DISTINCT FROM $3
             AND NOT EXISTS (SELECT 1 FROM profile AS one
                             WHERE one.portal = $1 AND one.account = $2 AND coalesce(one."user", '') = coalesce($3, '')
                               AND one."user" IS NOT DISTINCT FROM $3 AND one.in_use)"#,
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
        let end = sqlx::query(
            r#"UPDATE profile SET in_use = FALSE
               WHERE portal = $1 AND account = $2 AND "user" IS NOT DISTINCT FROM $3 AND in_use"#,
        );
        end.bind(&account.portal).bind(&account.account).bind(user).execute(&mut *self).await?;
        Ok(())
    }

    async fn set_in_use(&mut self, account: &AccountId, id: ProfileId, in_use: bool) -> Result<(), StoreError> {
        sqlx::query("UPDATE profile SET in_use = $1 WHERE id = $2 AND portal = $3 AND account = $4")
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
            "UPDATE profile SET portal = '', deleted_portal = portal, deleted_session = $1, deleted_until = $2,
             deleted_in_use = in_use, in_use = FALSE, creation = NULL
         WHERE id = $3",
        )
        .bind(&aside.session[..])
        .bind(aside.until.as_millisecond())
        .bind(id.to_string())
        .execute(&mut *self)
        .await?;
        Ok(())
    }

    async fn note_successor(&mut self, id: ProfileId, successor: Option<ProfileId>) -> Result<(), StoreError> {
        sqlx::query("UPDATE profile SET deleted_successor = $1 WHERE id = $2 AND portal = ''")
            .bind(successor.map(|id| id.to_string()))
            .bind(id.to_string())
            .execute(&mut *self)
            .await?;
        Ok(())
    }
}
