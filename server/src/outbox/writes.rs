//! Server side. The writes of the outbox.
//!
//! Every message is written four times: when it is given, when it is claimed, before its end is sent, and when it is known
//! what became of it. Each time somebody waits until it is on the disk.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    group_commit::{GroupCommit, Unavailable},
    store::{
        Store,
        outbox::{Claim, Claimed, Ending, Inserted, NewMessage, Settled, Settlement},
    },
};

/// The writes of the outbox.
pub struct Writes {
    inserts: GroupCommit<NewMessage, Inserted>,
    endings: GroupCommit<(Ending, Timestamp), bool>,
    settlements: GroupCommit<Settlement, Settled>,
    claims: GroupCommit<Claim, Claimed>,
}

impl Writes {
    pub fn new(store: &Arc<dyn Store>) -> Self {
        let (inserting, ending, settling, claiming) = (store.clone(), store.clone(), store.clone(), store.clone());
        Self {
            inserts: GroupCommit::sized(
                |message| message.sealed.len(),
                move |messages: Vec<NewMessage>| {
                    let store = inserting.clone();
                    async move {
                        let written = store.insert_messages(&messages).await;
                        (messages, written)
                    }
                },
            ),
            endings: GroupCommit::start(move |endings: Vec<(Ending, Timestamp)>| {
                let store = ending.clone();
                async move {
                    let now = endings.iter().map(|(.., at)| *at).max().unwrap_or_default();
                    let marks: Vec<_> = endings.iter().map(|(ending, _)| ending.clone()).collect();
                    let written = store.mark_ending(&marks, now).await;
                    (endings, written)
                }
            }),
            settlements: GroupCommit::start(move |settlements: Vec<Settlement>| {
                let store = settling.clone();
                async move {
                    let written = store.settle(&settlements).await;
                    (settlements, written)
                }
            }),
            claims: GroupCommit::start(move |claims: Vec<Claim>| {
                let store = claiming.clone();
                async move {
                    let written = store.claim_through(&claims).await;
                    (claims, written)
                }
            }),
        }
    }

    pub async fn insert(&self, message: NewMessage) -> Result<Inserted, Unavailable> {
        self.inserts.write(message).await
    }

    /// Notes that the end of a message is about to be sent; `false` when it is not ours any more.
    pub async fn mark_ending(&self, ending: Ending, now: Timestamp) -> Result<bool, Unavailable> {
        self.endings.write((ending, now)).await
    }

    pub async fn claim(&self, claim: Claim) -> Result<Claimed, Unavailable> {
        self.claims.write(claim).await
    }

    pub async fn settle(&self, settlement: Settlement) -> Result<Settled, Unavailable> {
        self.settlements.write(settlement).await
    }
}
