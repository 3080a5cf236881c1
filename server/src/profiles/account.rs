//! Server side. What belongs to the account or the session rather than to a profile: the sending mode, the refused form.

use app::{
    error::AppError,
    profile::draft::RefusedDraft,
    sending_mode::{model::SendingMode, port::SendingModes},
    session::{AccountId, Drafts, Session},
};
use async_trait::async_trait;

use super::{ProfileBook, unavailable};

#[async_trait]
impl SendingModes for ProfileBook {
    async fn get(&self, account: &AccountId) -> Result<SendingMode, AppError> {
        Ok(self.store.sending_mode(account).await.map_err(unavailable)?.unwrap_or_default())
    }

    async fn set(&self, account: &AccountId, mode: SendingMode) -> Result<(), AppError> {
        self.store.set_sending_mode(account, mode).await.map_err(unavailable)
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
