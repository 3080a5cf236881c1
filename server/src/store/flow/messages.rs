//! Server side. Sending a message again.

use async_trait::async_trait;
use uuid::Uuid;

use super::Ended;
use crate::store::{
    StoreError,
    codec::messages::RequeuedRow,
    outbox::{ResendOutcome, ResendRule, ResendTimes, StoredMessage},
};

/// The statements.
#[async_trait]
pub trait MessageStatements: Send {
    /// The message, locked.
    async fn locked_message(&mut self, portal: &str, id: Uuid) -> Result<Option<StoredMessage>, StoreError>;
    /// Whether its content is kept.
    async fn has_content(&mut self, id: Uuid) -> Result<bool, StoreError>;
    async fn requeue(&mut self, row: &RequeuedRow) -> Result<(), StoreError>;
}

/// Queues a message again where `rule` allows it.
pub async fn resend(
    database: &mut impl MessageStatements,
    portal: &str,
    id: Uuid,
    times: ResendTimes,
    rule: ResendRule,
) -> Result<Ended<ResendOutcome>, StoreError> {
    let Some(message) = database.locked_message(portal, id).await? else {
        return Ok(Ended::RollBack(ResendOutcome::NotFound));
    };
    let kept = database.has_content(id).await?;
    match rule(&message, kept) {
        Ok(resend) => database.requeue(&RequeuedRow::of(id, &resend, times)?).await?,
        Err(refused) => return Ok(Ended::RollBack(refused)),
    }
    Ok(Ended::Commit(ResendOutcome::Done))
}
