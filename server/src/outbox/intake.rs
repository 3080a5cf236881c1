//! Server side. Accepts messages from portals: new ones, and those to send again.

use app::session::AccountId;
use mail::aside::{LARGE, aside};
use uuid::Uuid;

use super::{NoRoute, Outbox, content::Content, fresh::FreshContents, route::Route, status};
use crate::{
    credentials::VaultError,
    group_commit::Unwritten,
    ids,
    store::{
        StoreError,
        outbox::{Inserted, Lane, Queue, QueuedMessage, Recipient, ResendOutcome, ResendTimes},
    },
};

/// A message from a portal, after validation.
pub struct MessageDraft {
    pub lane: Lane,
    pub idempotency_key: Option<String>,
    pub request_hash: [u8; 32],
    pub reference: Option<String>,
    pub recipients: Vec<Recipient>,
    pub content: Content,
}

/// A message accepted from a portal.
pub struct IntakeReceipt {
    pub id: Uuid,
    pub message_id: String,
    /// `false`: a repeated request with the same idempotency key.
    pub fresh: bool,
}

/// Why a message was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error(transparent)]
    NoRoute(#[from] NoRoute),
    #[error("the key was used for another message")]
    KeyReused,
    #[error("the service is unavailable")]
    Unavailable,
    #[error("internal error")]
    Internal,
}

impl From<Unwritten> for Refused {
    fn from(unwritten: Unwritten) -> Self {
        match unwritten {
            Unwritten::Unavailable => Self::Unavailable,
            Unwritten::Rejected => Self::Internal,
        }
    }
}

impl Outbox {
    /// Enqueues a message. It is on disk when this returns.
    pub async fn enqueue(&self, given: MessageDraft) -> Result<IntakeReceipt, Refused> {
        let queue = Queue { lane: given.lane.clone(), fallback: false };
        let route = match self.route_of(&queue).await {
            Ok(found) => found.route,
            // A replayed idempotency key keeps its first answer, even if the account has no route now.
            Err(error) => return self.replayed(&given).await?.ok_or(error.into()),
        };
        let now = self.now();
        let id = ids::at(now);
        let account = &given.lane.account;
        let (subject, size) = (given.content.head.subject.clone(), given.content.size() as u64);
        let sealed = self.seal(account, id, given.content).map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "the vault failed");
            Refused::Unavailable
        })?;
        let message_id = format!("{}@{}", id.as_simple(), route.sender_domain());
        let copy = FreshContents::copy(&sealed);
        let message = QueuedMessage {
            id,
            message_id: message_id.clone(),
            lane: given.lane,
            idempotency_key: given.idempotency_key,
            request_hash: given.request_hash,
            reference: given.reference,
            subject,
            size,
            recipients: given.recipients,
            at: now,
            expires_at: now + self.options.give_up_after,
            sealed,
        };
        // A message for a server in back-off is only stored.
        let wakes = self.destinations.blocked(&route.id()).is_none();
        let inserting = self.writes.begin_to_insert(message).await?;
        if let Some(sealed) = copy.filter(|_| wakes) {
            self.fresh.put(id, sealed);
        }
        if wakes && inserting.claims_follow {
            // Early, so that the claim may share the transaction that stores the message.
            self.wake_lane(queue.clone(), &route);
        }
        let stored = inserting.stored().await?;
        match stored.inserted {
            Inserted::New => {
                self.metrics.accepted();
                // The dispatcher may have read the lane before the message was on disk.
                if wakes && !stored.claimed {
                    self.wake_lane(queue, &route);
                }
                Ok(IntakeReceipt { id, message_id, fresh: true })
            }
            Inserted::Known { id, same: true } => Ok(IntakeReceipt { id, message_id, fresh: false }),
            Inserted::Known { same: false, .. } => Err(Refused::KeyReused),
        }
    }

    fn wake_lane(&self, queue: Queue, route: &Route) {
        self.add(queue, route);
        self.work_available.notify_one();
    }

    /// The message of an earlier request with the same key.
    async fn replayed(&self, given: &MessageDraft) -> Result<Option<IntakeReceipt>, Refused> {
        let Some(key) = &given.idempotency_key else { return Ok(None) };
        let portal = &given.lane.account.portal;
        let known = self.store.message_by_key(portal, key, &given.request_hash).await;
        match known.map_err(StoreError::log).map_err(Unwritten::from)? {
            Some(Inserted::Known { id, same: true }) => {
                Ok(Some(IntakeReceipt { id, message_id: String::new(), fresh: false }))
            }
            Some(_) => Err(Refused::KeyReused),
            None => Ok(None),
        }
    }

    pub(super) fn seal(&self, account: &AccountId, id: Uuid, content: Content) -> Result<Vec<u8>, VaultError> {
        aside(content.size() > LARGE, || {
            let encoded = content.encode().map_err(|_| VaultError::DoesNotOpen)?;
            // Drop the files first, so that they are in memory only once.
            drop(content);
            self.vault.seal_content(account, id, encoded)
        })
    }

    /// Sends a finished message again to the recipients that did not get it.
    pub async fn resend(&self, portal: &str, id: Uuid) -> Result<ResendOutcome, Unwritten> {
        let now = self.now();
        let times = ResendTimes { now, expires_at: now + self.options.give_up_after };
        let resent = self.store.resend(portal, id, times, status::resend).await;
        let resent = resent.map_err(StoreError::log)?;
        self.work_available.notify_one();
        Ok(resent)
    }
}
