//! Server side. Composes the next message before the current one is sent, so that both share a round trip.

use std::{collections::HashSet, sync::Arc};

use mail::smtp::Submission;
use uuid::Uuid;

use super::{
    Next, ONCE_MORE, Turn, Worker,
    compose::Unsendable,
    next_in_turn,
    room::{Space, room_for},
};
use crate::{
    credentials::logins::{LoginGuard, Withheld},
    outbox::memory::Memory,
    store::{StoreError, outbox::StoredMessage},
};

/// Most bytes of a batch's contents that are read at once.
const READ_AT_ONCE: u64 = 512 * 1024;

/// A composed message that may be sent.
pub(super) struct Prepared {
    pub id: Uuid,
    /// The account's change count when it was composed.
    pub changes: u64,
    pub submission: Submission,
    pub login_gate: Option<Arc<LoginGuard>>,
}

impl Worker<'_> {
    /// Waits until a message may be sent, and composes it unless it was prepared. Also returns the guard that counts
    /// its logins, and its room in memory.
    pub(super) async fn ready(
        &mut self,
        message: &StoredMessage,
    ) -> Result<(Submission, Option<Arc<LoginGuard>>, Space), Next> {
        let prepared = self.ahead.take().filter(|prepared| prepared.id == message.id);
        match prepared {
            Some(_) => self.may_go_on(message).await?,
            None => self.may_send(message).await?,
        }
        let prepared = prepared.filter(|prepared| prepared.changes == self.changes);
        let Some(room) = room_for(self.outbox, message, &self.route) else {
            return Err(Next::GiveBack { this: true, after: ONCE_MORE });
        };
        let login_gate = match &prepared {
            Some(prepared) => prepared.login_gate.clone(),
            None => self.outbox.login_gate(&self.route),
        };
        if self.connection.is_none() && self.is_known_to_be_refused() {
            return Err(self.after_no_login(Withheld::Refused).await);
        }
        self.ensure_token().await?;
        let submission = match prepared {
            Some(prepared) => Ok(prepared.submission),
            None => self.submission(message, login_gate.clone()).await,
        };
        match submission {
            Ok(submission) => Ok((submission, login_gate, room)),
            Err(Unsendable::Store) => Err(Next::GiveBack { this: true, after: self.outbox.options.first_retry }),
            Err(Unsendable::Content) => Err(self.unsendable(message, self.outbox.now()).await),
        }
    }

    /// Reads the contents of small messages in one query. The others are read just before they are sent.
    pub(super) async fn read_contents(&mut self, messages: &[StoredMessage]) {
        let mut bytes = 0;
        let small = messages.iter().filter(|message| !Memory::counts(message.size)).take_while(|message| {
            bytes += message.size;
            bytes <= READ_AT_ONCE
        });
        let mut ids: Vec<Uuid> = small.map(|message| message.id).collect();
        ids.retain(|id| match self.outbox.fresh.take(*id) {
            Some(sealed) => self.contents.insert(*id, sealed).is_some(),
            None => true,
        });
        if ids.len() > 1 {
            let read = self.outbox.store.contents_of(&ids).await.map_err(StoreError::log);
            self.contents.extend(read.unwrap_or_default());
        }
    }

    /// Prepares the following message, so that its commands can be written with the end of this one. `None` when it may
    /// not be sent yet, or needs more than one transaction.
    pub(super) async fn prepare(&mut self, following: Option<&StoredMessage>) -> Option<Prepared> {
        let message = following?;
        // An earlier transaction of this message may have prepared it.
        let prepared = self.ahead.take().filter(|one| one.id == message.id && one.changes == self.changes);
        if prepared.is_some() {
            return prepared;
        }
        let id = self.route.id();
        if self.probe
            || Memory::counts(message.size)
            || self.outbox.stop.is_cancelled()
            || self.outbox.destinations.stumbles(&id)
            || self.outbox.destinations.blocked(&id).is_some()
        {
            return None;
        }
        let login_gate = self.outbox.login_gate(&self.route);
        let submission = self.submission(message, login_gate.clone()).await.ok()?;
        let Turn { waiting, together } = next_in_turn(&message.recipients, &HashSet::new());
        let most = self.outbox.recipient_limits.of(&id).unwrap_or(usize::MAX).min(together);
        let in_their_order = submission.to.iter().map(ToString::to_string).eq(waiting.iter().cloned());
        if waiting.len() > most || !in_their_order {
            return None;
        }
        self.outbox.acquire_permit(&id, &self.destination, self.route.per_minute).await.ok()?;
        Some(Prepared { id: message.id, changes: self.changes, submission, login_gate })
    }
}
