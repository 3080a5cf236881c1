//! Server side. Everything that waits for the writer, in one transaction.

use async_trait::async_trait;

use super::{SqliteStore, messages::insert_messages, queue::claim_one, transaction::begin};
use crate::store::{
    StoreError,
    codec::settling::settle_and_mark,
    one_writer::{Batch, OneWriter, Written},
};

#[async_trait]
impl OneWriter for SqliteStore {
    async fn write(&self, batch: &Batch<'_>) -> Result<Written, StoreError> {
        let Batch { messages, settlements, marks, marked_at, claims } = batch;
        let mut transaction = begin(&self.writer).await?;
        let inserted =
            if messages.is_empty() { Vec::new() } else { insert_messages(&mut transaction, messages).await? };
        let (settled, marked) = settle_and_mark(&mut *transaction, settlements, marks, *marked_at).await?;
        let mut claimed = Vec::with_capacity(claims.len());
        for claim in claims {
            claimed.push(claim_one(&mut transaction, claim).await?);
        }
        transaction.commit().await?;
        Ok(Written { inserted, settled, marked, claimed })
    }
}
