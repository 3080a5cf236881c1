//! Server side. Forms that were filled in and not saved yet.

use app::{profile::draft::KeptDraft, session::Person};
use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;

/// Forms that were filled in and not saved yet.
#[async_trait]
pub trait DraftStore: Send + Sync {
    /// Keeps what a person typed into a form, replacing an earlier draft of the same form.
    async fn keep_draft(&self, who: &Person, draft: &KeptDraft, now: Timestamp) -> Result<(), StoreError>;
    /// The person's drafts kept since then, the newest first.
    async fn drafts(&self, who: &Person, since: Timestamp) -> Result<Vec<KeptDraft>, StoreError>;
    async fn forget_draft(&self, who: &Person, form: &str) -> Result<(), StoreError>;
}
