//! Server side. Grants.

use app::{profile::model::ProfileId, session::AccountId};
use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{PostgresStore, bind_all, limit, set_aside::set_aside, transaction::transaction};
use crate::store::{
    Grant, GrantCount, GrantEnd, GrantLease, GrantRow, GrantStore, GrantTokens, ProfileRow, Refreshed, SealedSecret,
    StoreError,
    codec::{
        grants::{GRANT, GRANT_KEY, access, attached, count, grant},
        profiles::{PROFILE, profile},
        quarantine::readable,
        without_nul,
    },
    flow::grants::{self as flow, GrantStatements},
};

#[async_trait]
impl GrantStore for PostgresStore {
    async fn grant(&self, id: Uuid) -> Result<Option<GrantRow>, StoreError> {
        const SQL: &str = formatcp!("SELECT {GRANT} FROM oauth_grant WHERE id = $1");
        let row = sqlx::query(SQL).bind(id.to_string()).fetch_optional(&self.pool).await?;
        row.as_ref().map(grant).transpose()
    }

    async fn lease_grant(&self, lease: GrantLease, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        let leased = sqlx::query(
            "UPDATE oauth_grant SET lease_token = $1, leased_until = $2
             WHERE id = $3 AND version = $4 AND attached_to IS NOT NULL AND coalesce(leased_until, 0) <= $5",
        )
        .bind(lease.token.to_string())
        .bind(until.as_millisecond())
        .bind(lease.id.to_string())
        .bind(i64::from(lease.version))
        .bind(now.as_millisecond())
        .execute(&self.pool)
        .await?;
        Ok(leased.rows_affected() == 1)
    }

    async fn release_grant(&self, lease: GrantLease) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE oauth_grant SET lease_token = NULL, leased_until = NULL
             WHERE id = $1 AND version = $2 AND lease_token = $3",
        )
        .bind(lease.id.to_string())
        .bind(i64::from(lease.version))
        .bind(lease.token.to_string())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn refresh_grant(
        &self,
        lease: GrantLease,
        answer: &Refreshed,
        destination: &str,
    ) -> Result<bool, StoreError> {
        transaction!(self, transaction, {
            let ended = flow::refresh(&mut *transaction, lease, answer, destination).await?;
            transaction.end(ended).await
        })
    }

    async fn end_grant(&self, lease: GrantLease, end: &GrantEnd) -> Result<bool, StoreError> {
        transaction!(self, transaction, {
            let ended = flow::end(&mut *transaction, lease, end).await?;
            transaction.end(ended).await
        })
    }

    async fn grants_to_refresh(&self, now: Timestamp, most: u32) -> Result<Vec<GrantRow>, StoreError> {
        const SQL: &str = formatcp!(
            "SELECT {GRANT} FROM oauth_grant
             WHERE attached_to IS NOT NULL AND cause IS NULL AND next_refresh_at <= $1
               AND NOT EXISTS (SELECT 1 FROM quarantine WHERE kind = 'oauth_grant' AND quarantine.row = oauth_grant.id)
             ORDER BY next_refresh_at LIMIT $2"
        );
        let rows = sqlx::query(SQL).bind(now.as_millisecond()).bind(limit(most)).fetch_all(&self.pool).await?;
        let (due, damaged) = readable(GRANT_KEY, &rows, grant)?;
        set_aside(&self.pool, &damaged).await?;
        Ok(due)
    }

    async fn postpone_refresh(&self, id: Uuid, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE oauth_grant SET next_refresh_at = $1 WHERE id = $2")
            .bind(at.as_millisecond())
            .bind(id.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn detached_grants(&self, after: Option<Uuid>, most: u32) -> Result<Vec<GrantRow>, StoreError> {
        const SQL: &str = formatcp!(
            "SELECT {GRANT} FROM oauth_grant
             WHERE attached_to IS NULL AND id > $1
               AND NOT EXISTS (SELECT 1 FROM quarantine WHERE kind = 'oauth_grant' AND quarantine.row = oauth_grant.id)
             ORDER BY id LIMIT $2"
        );
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let rows = sqlx::query(SQL).bind(after).bind(limit(most)).fetch_all(&self.pool).await?;
        let (detached, damaged) = readable(GRANT_KEY, &rows, grant)?;
        set_aside(&self.pool, &damaged).await?;
        Ok(detached)
    }

    async fn has_twin(&self, grant: &GrantRow) -> Result<bool, StoreError> {
        let twin = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM oauth_grant WHERE client = $1 AND subject = $2 AND issuer = $3 AND id <> $4
                            AND attached_to IS NOT NULL)",
        );
        let twin = twin.bind(&grant.client).bind(&grant.tokens.subject).bind(&grant.tokens.issuer);
        Ok(twin.bind(grant.id.to_string()).fetch_one(&self.pool).await?)
    }

    async fn forget_grant(&self, id: Uuid) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM oauth_grant WHERE id = $1 AND attached_to IS NULL")
            .bind(id.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn grants(&self, after: Option<Uuid>, most: u32) -> Result<Vec<GrantRow>, StoreError> {
        const SQL: &str = formatcp!("SELECT {GRANT} FROM oauth_grant WHERE id > $1 ORDER BY id LIMIT $2");
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let rows = sqlx::query(SQL).bind(after).bind(limit(most)).fetch_all(&self.pool).await?;
        rows.iter().map(grant).collect()
    }

    async fn replace_refresh(&self, id: Uuid, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        let replaced = sqlx::query("UPDATE oauth_grant SET refresh = $1 WHERE id = $2 AND refresh = $3")
            .bind(new)
            .bind(id.to_string())
            .bind(old);
        Ok(replaced.execute(&self.pool).await?.rows_affected() == 1)
    }

    async fn count_grants(&self) -> Result<Vec<GrantCount>, StoreError> {
        let rows = sqlx::query(
            "SELECT client, cause, count(*) AS grants FROM oauth_grant WHERE attached_to IS NOT NULL
             GROUP BY client, cause ORDER BY client, cause",
        );
        rows.fetch_all(&self.pool).await?.iter().map(count).collect()
    }
}

/// Inserts a new grant that this profile uses.
pub(super) async fn attach(
    connection: &mut PgConnection,
    account: &AccountId,
    id: ProfileId,
    grant: &Grant,
    tokens: &GrantTokens,
) -> Result<(), StoreError> {
    let insert = sqlx::query(
        "INSERT INTO oauth_grant (id, profile, attached_to, portal, account, client, issuer, subject, scopes, refresh,
             next_refresh_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    );
    bind_all(insert, attached(account, id, grant, tokens)).execute(connection).await?;
    Ok(())
}

/// Takes the grant away from this profile. A refresh under way writes nothing any more.
pub(super) async fn detach(connection: &mut PgConnection, id: ProfileId) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE oauth_grant SET attached_to = NULL, lease_token = NULL, leased_until = NULL WHERE attached_to = $1",
    )
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

#[async_trait]
impl GrantStatements for PgConnection {
    async fn profile_of_lease(&mut self, lease: GrantLease) -> Result<Option<ProfileRow>, StoreError> {
        const SQL: &str = formatcp!(
            "SELECT {PROFILE} FROM profile WHERE id = (SELECT attached_to FROM oauth_grant WHERE id = $1) AND grant_id = $1
             FOR UPDATE OF profile"
        );
        let row = sqlx::query(SQL).bind(lease.id.to_string()).fetch_optional(&mut *self).await?;
        let Some(row) = row.as_ref().map(profile).transpose()? else { return Ok(None) };
        // It may have been detached while this waited for the profile.
        let held = sqlx::query(
            "SELECT 1 FROM oauth_grant WHERE id = $1 AND version = $2 AND lease_token = $3 AND attached_to = $4 FOR UPDATE",
        )
        .bind(lease.id.to_string())
        .bind(i64::from(lease.version))
        .bind(lease.token.to_string())
        .bind(row.id.to_string())
        .fetch_optional(&mut *self)
        .await?;
        Ok(held.map(|_| row))
    }

    async fn write_refresh(&mut self, lease: GrantLease, answer: &Refreshed) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE oauth_grant SET refresh = coalesce($1::bytea, refresh), version = version + 1, lease_token = NULL,
                 leased_until = NULL, next_refresh_at = $2, cause = NULL
             WHERE id = $3",
        )
        .bind(answer.refresh.as_deref())
        .bind(answer.next_refresh_at.as_millisecond())
        .bind(lease.id.to_string())
        .execute(&mut *self)
        .await?;
        Ok(())
    }

    async fn write_access(
        &mut self,
        profile: ProfileId,
        token: Option<(&SealedSecret, Timestamp)>,
    ) -> Result<(), StoreError> {
        let update = sqlx::query(
            "UPDATE profile SET secret = $1, secret_changed_at = $2, login_key = $3, grant_access_ends_at = $4,
                 grant_cause = NULL, grant_code = NULL
             WHERE id = $5",
        );
        bind_all(update, access(token)).bind(profile.to_string()).execute(&mut *self).await?;
        Ok(())
    }

    async fn write_end(&mut self, lease: GrantLease, profile: ProfileId, end: &GrantEnd) -> Result<(), StoreError> {
        sqlx::query("UPDATE oauth_grant SET cause = $1, lease_token = NULL, leased_until = NULL WHERE id = $2")
            .bind(end.cause.as_str())
            .bind(lease.id.to_string())
            .execute(&mut *self)
            .await?;
        sqlx::query("UPDATE profile SET grant_cause = $1, grant_code = $2 WHERE id = $3")
            .bind(end.cause.as_str())
            .bind(without_nul(&end.code))
            .bind(profile.to_string())
            .execute(&mut *self)
            .await?;
        Ok(())
    }
}
