//! Server side. Sign-ins under way.
//!
//! A statement that returns rows is committed when it was read to its end, so each is read with `fetch_all`.

use async_trait::async_trait;
use const_format::formatcp;
use jiff::Timestamp;
use sqlx::SqlitePool;
use uuid::Uuid;

use super::{SqliteStore, bind_all, transaction::begin};
use crate::store::{
    SignInRow, SignInStore, StoreError, UsedState,
    codec::{
        sign_ins::{SIGN_IN, sign_in, values},
        without_nul,
    },
    retention::Cutoffs,
};

#[async_trait]
impl SignInStore for SqliteStore {
    async fn insert_sign_in(&self, row: &SignInRow, now: Timestamp, most: u32) -> Result<bool, StoreError> {
        const SQL: &str = formatcp!("INSERT INTO sign_in ({SIGN_IN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        let mut transaction = begin(&self.writer).await?;
        let open: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT 1 FROM sign_in WHERE session = ? AND expires_at > ? AND outcome IS NULL LIMIT ?)
                 AS counted",
        )
        .bind(&row.session[..])
        .bind(now.as_millisecond())
        .bind(most)
        .fetch_one(&mut *transaction)
        .await?;
        if open >= i64::from(most) {
            return Ok(false);
        }
        bind_all(sqlx::query(SQL), values(row)).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn sign_in(&self, id: Uuid) -> Result<Option<SignInRow>, StoreError> {
        const SQL: &str = formatcp!("SELECT {SIGN_IN} FROM sign_in WHERE id = ?");
        let row = sqlx::query(SQL).bind(id.to_string()).fetch_optional(&self.pool).await?;
        row.as_ref().map(sign_in).transpose()
    }

    async fn use_ticket(
        &self,
        ticket: &[u8; 32],
        browser: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<SignInRow>, StoreError> {
        const SQL: &str = formatcp!(
            "UPDATE sign_in SET ticket_used = 1, browser = ? WHERE ticket = ? AND ticket_used = 0 AND expires_at > ?
             RETURNING {SIGN_IN}"
        );
        let rows = sqlx::query(SQL)
            .bind(&browser[..])
            .bind(&ticket[..])
            .bind(now.as_millisecond())
            .fetch_all(&self.writer)
            .await?;
        rows.first().map(sign_in).transpose()
    }

    async fn use_state(&self, state: &[u8; 32], client: &str, now: Timestamp) -> Result<UsedState, StoreError> {
        const FIRST: &str = formatcp!(
            "UPDATE sign_in SET state_used = 1
             WHERE state = ? AND client = ? AND state_used = 0 AND browser IS NOT NULL AND expires_at > ?
             RETURNING {SIGN_IN}"
        );
        const AGAIN: &str =
            formatcp!("SELECT {SIGN_IN} FROM sign_in WHERE state = ? AND client = ? AND state_used = 1");
        let first = sqlx::query(FIRST).bind(&state[..]).bind(client).bind(now.as_millisecond());
        if let Some(row) = first.fetch_all(&self.writer).await?.first() {
            return Ok(UsedState::First(Box::new(sign_in(row)?)));
        }
        let again = sqlx::query(AGAIN).bind(&state[..]).bind(client).fetch_optional(&self.pool).await?;
        let again = again.as_ref().map(sign_in).transpose()?;
        Ok(again.map_or(UsedState::Unknown, |row| UsedState::Again(Box::new(row))))
    }

    async fn end_sign_in(&self, id: Uuid, outcome: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE sign_in SET outcome = ? WHERE id = ?")
            .bind(without_nul(outcome))
            .bind(id.to_string())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

pub(super) const SWEEP: &str =
    "DELETE FROM sign_in WHERE id IN (SELECT id FROM sign_in WHERE expires_at < ? LIMIT 500)";

pub(super) async fn sweep(pool: &SqlitePool, cutoffs: &Cutoffs) -> Result<(), StoreError> {
    sqlx::query(SWEEP).bind(cutoffs.sign_ins.as_millisecond()).execute(pool).await?;
    Ok(())
}
