//! Server side. What belongs to the account or the session rather than to a profile: the sending mode, the refused form.

use app::{
    error::AppError,
    journal::{
        model::{Action, Entry},
        port::{Journal, PAGE_SIZE},
    },
    profile::draft::RefusedDraft,
    sending_mode::{model::SendingMode, port::SendingModes},
    session::{AccountId, Drafts, Session},
};
use async_trait::async_trait;
use uuid::Uuid;

use super::{ProfileBook, unavailable};

#[async_trait]
impl SendingModes for ProfileBook {
    async fn get(&self, account: &AccountId) -> Result<SendingMode, AppError> {
        Ok(self.store.sending_mode(account).await.map_err(unavailable)?.unwrap_or_default())
    }

    async fn set(&self, account: &AccountId, mode: SendingMode) -> Result<(), AppError> {
        self.store.set_sending_mode(account, mode).await.map_err(unavailable)?;
        self.changed(account).await;
        Ok(())
    }
}

#[async_trait]
impl Journal for ProfileBook {
    async fn note(&self, session: &Session, action: Action, profile: Option<String>) -> Result<(), AppError> {
        let entry = Entry {
            id: self.new_id().0,
            at: (self.clock)(),
            person: session.person.id.clone(),
            person_name: session.person.name.clone(),
            profile,
            action,
        };
        self.store.note(&session.account, &entry).await.map_err(unavailable)
    }

    async fn page(&self, account: &AccountId, before: Option<Uuid>) -> Result<Vec<Entry>, AppError> {
        self.store.journal(account, before, PAGE_SIZE).await.map_err(unavailable)
    }
}

#[async_trait]
impl Drafts for ProfileBook {
    async fn keep(&self, session: &Session, draft: &RefusedDraft) -> Result<(), AppError> {
        self.store.keep_draft(&session.key, Some(draft)).await.map_err(unavailable)
    }

    async fn kept(&self, session: &Session) -> Result<Option<RefusedDraft>, AppError> {
        self.store.draft(&session.key).await.map_err(unavailable)
    }

    async fn forget(&self, session: &Session) -> Result<(), AppError> {
        self.store.keep_draft(&session.key, None).await.map_err(unavailable)
    }
}
