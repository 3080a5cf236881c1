//! Server side. What belongs to the account or a person rather than to a profile: the sending mode, drafts.

use app::{
    error::AppError,
    journal::{
        filter::Filter,
        model::{Action, Author},
        port::{Journal, PAGE_SIZE, Page},
    },
    profile::{
        draft::{Choice, KeptDraft},
        drafts::Drafts,
    },
    sending_mode::{model::SendingMode, port::SendingModes},
    session::{AccountId, Person},
};
use async_trait::async_trait;
use uuid::Uuid;

use super::ProfileService;
use crate::store::{DRAFTS_LAST, StoreError};

/// How often entries are read for one filtered page: a thousand entries at most.
const MOST_READ: usize = 20;

#[async_trait]
impl SendingModes for ProfileService {
    async fn get(&self, account: &AccountId) -> Result<SendingMode, AppError> {
        Ok(self.store.sending_mode(account).await.map_err(StoreError::log)?.unwrap_or_default())
    }

    async fn set(&self, by: Author<'_>, mode: SendingMode, expected: Option<SendingMode>) -> Result<(), AppError> {
        if SendingModes::get(self, by.account).await? == mode {
            return Ok(());
        }
        let entry = self.entry(by, Action::ModeChanged { mode }, None);
        if !self.store.set_sending_mode(by.account, mode, expected, &entry).await.map_err(StoreError::log)? {
            return Err(AppError::Stale);
        }
        self.changed(by.account).await;
        Ok(())
    }

    fn portal_sends(&self, account: &AccountId) -> bool {
        self.listener().is_some_and(|listener| listener.has_relay(account))
    }
}

#[async_trait]
impl Journal for ProfileService {
    async fn page(&self, account: &AccountId, before: Option<Uuid>, filter: &Filter) -> Result<Page, AppError> {
        let (mut page, mut older) = (Page::default(), before);
        for _ in 0..MOST_READ {
            let read = self.store.journal(account, older, PAGE_SIZE).await.map_err(StoreError::log)?;
            older = read.last().map(|entry| entry.id).filter(|_| read.len() == PAGE_SIZE as usize);
            page.entries.extend(read.into_iter().filter(|entry| filter.shows(entry)));
            if older.is_none() || page.entries.len() >= PAGE_SIZE as usize {
                break;
            }
        }
        Ok(Page { older, ..page })
    }
}

#[async_trait]
impl Drafts for ProfileService {
    fn new_form(&self) -> String {
        self.new_id().to_string()
    }

    async fn keep(&self, who: &Person, draft: &KeptDraft) -> Result<(), AppError> {
        self.store.keep_draft(who, draft, (self.clock)()).await.map_err(StoreError::log)
    }

    async fn kept(&self, who: &Person) -> Result<Vec<KeptDraft>, AppError> {
        let all = self.store.drafts(who, (self.clock)() - DRAFTS_LAST).await.map_err(StoreError::log)?;
        Ok(all.into_iter().filter(|kept| kept.choice.is_none()).collect())
    }

    async fn choice(&self, who: &Person, form: &str) -> Result<Option<Choice>, AppError> {
        let all = self.store.drafts(who, (self.clock)() - DRAFTS_LAST).await.map_err(StoreError::log)?;
        Ok(all.into_iter().find(|kept| kept.form == form).and_then(|kept| kept.choice))
    }

    async fn forget(&self, who: &Person, form: &str) -> Result<(), AppError> {
        self.store.forget_draft(who, form).await.map_err(StoreError::log)
    }
}
