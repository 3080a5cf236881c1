//! Server side. All writes that wait for the writer, in one transaction.

use async_trait::async_trait;

use super::{SqliteStore, messages::insert_messages, queue::claim, settlements::Settling, transaction::begin};
use crate::store::{
    StoreError,
    flow::settlements::settle_and_mark,
    one_writer::{Batch, OneWriter, Written},
};

#[async_trait]
impl OneWriter for SqliteStore {
    async fn write(&self, batch: &Batch<'_>) -> Result<Written, StoreError> {
        let Batch { messages, settlements, marks, marked_at, claims } = batch;
        let mut transaction = begin(&self.writer).await?;
        let inserted =
            if messages.is_empty() { Vec::new() } else { insert_messages(&mut transaction, messages).await? };
        let mut settling = Settling::new(&mut transaction, &self.outcomes, !marks.is_empty());
        let (settled, marked) = settle_and_mark(&mut settling, settlements, marks, *marked_at).await?;
        let appended = std::mem::take(&mut settling.appended);
        let claimed = claim(&mut transaction, claims).await?;
        // Before the commit makes the outcomes visible.
        self.will_move(&appended);
        if let Err(error) = transaction.commit().await {
            self.outcomes.take_back(&appended);
            return Err(error);
        }
        Ok(Written { inserted, settled, marked, claimed })
    }
}

#[cfg(test)]
mod tests {
    use crate::store::{
        aggregates::*,
        contract::queue::{LEASE, commit_mark, lane, message, queue, settlement},
        outbox::{Claim, Inserted, MessageState},
        sqlite::SqliteStore,
    };

    use super::*;

    fn at(second: i64) -> jiff::Timestamp {
        jiff::Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn claim(second: i64) -> Claim {
        Claim {
            queue: queue(&lane("martin", None)),
            destination: None,
            lease_token: LEASE.to_owned(),
            now: at(second),
            until: at(second + 30),
            limit: 9,
        }
    }

    #[tokio::test]
    async fn everything_is_written_or_nothing() {
        let (store, shop) = (SqliteStore::in_memory().await.unwrap(), lane("martin", None));
        store.insert_messages(&[message(1, &shop, 1), message(2, &shop, 1)]).await.unwrap();
        store.claim_through(&[claim(2)]).await.unwrap();
        let (new, settled) = (message(3, &shop, 3), settlement(1, &shop, MessageState::Accepted, 3));
        let (mark, next) = (commit_mark(2, LEASE, None), claim(4));
        let batch = |messages| Batch {
            messages,
            settlements: vec![&settled],
            marks: vec![&mark],
            marked_at: at(3),
            claims: vec![&next],
        };
        // A duplicate message fails the whole batch.
        let again = message(1, &shop, 3);
        assert!(store.write(&batch(vec![&new, &again])).await.unwrap_err().is_about_a_row());
        let of = async |number| store.message("demo", uuid::Uuid::from_u128(number)).await.unwrap();
        assert_eq!(of(1).await.unwrap().state, MessageState::Sending);
        assert!(of(2).await.unwrap().ending_at.is_none() && of(3).await.is_none());
        let written = store.write(&batch(vec![&new])).await.unwrap();
        assert_eq!((written.inserted, written.marked), (vec![Inserted::New], vec![true]));
        assert!(written.settled[0].done);
        let claimed: Vec<_> = written.claimed[0].messages.iter().map(|message| message.id).collect();
        assert_eq!(claimed, [new.id], "a claim sees messages inserted in the same transaction");
    }
}
