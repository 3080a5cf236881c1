//! Server side. Rows that cannot be decoded: set aside once, so that they neither fail nor delay what reads them.

use async_trait::async_trait;

use super::{PostgresStore, events, limit, transaction::transaction};
use crate::store::{
    QuarantineStore, StoreError,
    codec::quarantine::quarantined,
    outbox::{NewEvent, Quarantined},
};

#[async_trait]
impl QuarantineStore for PostgresStore {
    async fn newly_quarantined(&self, most: u32) -> Result<Vec<Quarantined>, StoreError> {
        let rows = sqlx::query(r#"SELECT kind, "row", field, portal, account FROM quarantine WHERE NOT told LIMIT $1"#)
            .bind(limit(most))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(quarantined).collect()
    }

    async fn quarantine_told(&self, rows: &[Quarantined], told: &[NewEvent]) -> Result<(), StoreError> {
        transaction!(self, transaction, {
            sqlx::query(
                "UPDATE quarantine SET told = TRUE FROM unnest($1::text[], $2::text[]) AS given (kind, id)
                 WHERE quarantine.kind = given.kind AND quarantine.row = given.id",
            )
            .bind(rows.iter().map(|row| row.table.clone()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.row.clone()).collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await?;
            events::insert(&mut transaction, told).await?;
            transaction.commit().await?;
            Ok(())
        })
    }
}
