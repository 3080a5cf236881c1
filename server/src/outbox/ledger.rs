//! Server side. Many small writes as few large ones.
//!
//! Every message is written three times: when it is given, before its end is sent, and when it is known what became of
//! it; each time somebody waits until it is on the disk. Whatever comes while the disk is busy is written together.

use std::{future::Future, sync::Arc};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::store::{
    Store, StoreError,
    outbox::{Inserted, NewMessage, Settled, Settlement},
};

/// At most so many in one transaction.
const MOST_AT_ONCE: usize = 256;

/// The store did not take it; that was logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store does not answer")]
pub struct Unavailable;

type Waiting<T, R> = (T, oneshot::Sender<Result<R, Unavailable>>);

/// Collects what is to be written.
struct Collector<T, R>(mpsc::Sender<Waiting<T, R>>);

impl<T: Send + 'static, R: Send + 'static> Collector<T, R> {
    /// `write` gets what has come, and gives one result for each.
    fn start<F>(write: impl Fn(Vec<T>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Vec<R>, StoreError>> + Send,
    {
        let (sender, mut receiver) = mpsc::channel::<Waiting<T, R>>(MOST_AT_ONCE);
        tokio::spawn(async move {
            let mut waiting = Vec::new();
            while receiver.recv_many(&mut waiting, MOST_AT_ONCE).await > 0 {
                let (items, senders): (Vec<T>, Vec<_>) = waiting.drain(..).unzip();
                match write(items).await {
                    Ok(results) => {
                        for (sender, result) in senders.into_iter().zip(results) {
                            let _ = sender.send(Ok(result));
                        }
                    }
                    Err(error) => {
                        tracing::error!(error = &error as &dyn std::error::Error, "the store failed");
                        for sender in senders {
                            let _ = sender.send(Err(Unavailable));
                        }
                    }
                }
            }
        });
        Self(sender)
    }

    /// Waits until it is written.
    async fn write(&self, item: T) -> Result<R, Unavailable> {
        let (sender, result) = oneshot::channel();
        self.0.send((item, sender)).await.map_err(|_| Unavailable)?;
        result.await.map_err(|_| Unavailable)?
    }
}

/// The writes of the outbox.
pub struct Ledger {
    inserts: Collector<NewMessage, Inserted>,
    endings: Collector<(Uuid, String, Timestamp), bool>,
    settlements: Collector<Settlement, Settled>,
}

impl Ledger {
    pub fn new(store: &Arc<dyn Store>) -> Self {
        let (inserting, ending, settling) = (store.clone(), store.clone(), store.clone());
        Self {
            inserts: Collector::start(move |messages: Vec<NewMessage>| {
                let store = inserting.clone();
                async move { store.insert_messages(&messages).await }
            }),
            endings: Collector::start(move |endings: Vec<(Uuid, String, Timestamp)>| {
                let store = ending.clone();
                async move {
                    let now = endings.iter().map(|(.., at)| *at).max().unwrap_or_default();
                    let endings: Vec<_> = endings.into_iter().map(|(id, owner, _)| (id, owner)).collect();
                    store.mark_ending(&endings, now).await
                }
            }),
            settlements: Collector::start(move |settlements: Vec<Settlement>| {
                let store = settling.clone();
                async move { store.settle(&settlements).await }
            }),
        }
    }

    pub async fn insert(&self, message: NewMessage) -> Result<Inserted, Unavailable> {
        self.inserts.write(message).await
    }

    /// Notes that the end of a message is about to be sent; `false` when it is not ours any more.
    pub async fn mark_ending(&self, id: Uuid, owner: &str, now: Timestamp) -> Result<bool, Unavailable> {
        self.endings.write((id, owner.to_owned(), now)).await
    }

    pub async fn settle(&self, settlement: Settlement) -> Result<Settled, Unavailable> {
        self.settlements.write(settlement).await
    }
}
