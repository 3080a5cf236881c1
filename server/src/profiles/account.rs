//! Server side. What belongs to the account or the session rather than to a profile: the sending mode, the refused form.

use app::{
    error::AppError,
    journal::{
        model::{Action, Author, Entry},
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

    async fn set(&self, by: Author<'_>, mode: SendingMode) -> Result<(), AppError> {
        let entry = self.entry(by, Action::ModeChanged { mode }, None);
        self.store.set_sending_mode(by.account, mode, &entry).await.map_err(unavailable)?;
        self.changed(by.account).await;
        Ok(())
    }
}

#[async_trait]
impl Journal for ProfileBook {
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
