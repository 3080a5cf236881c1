//! Server side. The store of unsaved input.

use async_trait::async_trait;

use super::draft::{Choice, KeptDraft};
use crate::{error::AppError, session::Person};

/// Stores the unsaved input of forms, for each person and for one day, because sessions end and tabs are closed. Never
/// a secret.
#[async_trait]
pub trait Drafts: Send + Sync {
    /// Creates a name for the form of a new profile.
    fn new_form(&self) -> String;
    async fn keep(&self, who: &Person, draft: &KeptDraft) -> Result<(), AppError>;
    /// The person's drafts, the latest first.
    async fn kept(&self, who: &Person) -> Result<Vec<KeptDraft>, AppError>;
    /// The unsaved input of the page with this name.
    async fn choice(&self, who: &Person, form: &str) -> Result<Option<Choice>, AppError>;
    async fn forget(&self, who: &Person, form: &str) -> Result<(), AppError>;
}
