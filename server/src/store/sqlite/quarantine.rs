//! Server side. Rows that cannot be decoded: set aside once, so that they neither fail nor delay what reads them.

use super::{SqliteStore, events, rows::encode, transaction::begin};
use crate::store::{
    QuarantineStore, StoreError,
    codec::quarantine::quarantined,
    outbox::{NewEvent, Quarantined},
};
use async_trait::async_trait;

#[async_trait]
impl QuarantineStore for SqliteStore {
    async fn newly_quarantined(&self, limit: u32) -> Result<Vec<Quarantined>, StoreError> {
        let rows = sqlx::query("SELECT kind, row, field, portal, account FROM quarantine WHERE told = 0 LIMIT ?")
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(quarantined).collect()
    }

    async fn quarantine_told(&self, rows: &[Quarantined], told: &[NewEvent]) -> Result<(), StoreError> {
        let mut transaction = begin(&self.writer).await?;
        let rows: Vec<_> = rows.iter().map(|Quarantined { table, row, .. }| (table, row)).collect();
        sqlx::query(
            "UPDATE quarantine SET told = 1 FROM json_each(?) AS given
             WHERE quarantine.kind = given.value ->> 0 AND quarantine.row = given.value ->> 1",
        )
        .bind(encode("quarantine", "row", &rows)?)
        .execute(&mut *transaction)
        .await?;
        events::insert(&mut transaction, told).await?;
        transaction.commit().await
    }
}
