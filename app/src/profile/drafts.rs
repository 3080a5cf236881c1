//! Server side. Where what was typed and is not saved is kept.

use async_trait::async_trait;

use super::draft::{Choice, KeptDraft};
use crate::{error::AppError, session::Person};

/// Keeps what was typed into a form and is not saved, by person: sessions end, tabs are closed. For a day; never a secret.
#[async_trait]
pub trait Drafts: Send + Sync {
    /// The name of a form that makes a new profile.
    fn new_form(&self) -> String;
    async fn keep(&self, who: &Person, draft: &KeptDraft) -> Result<(), AppError>;
    /// What was typed into the form, the newest first.
    async fn kept(&self, who: &Person) -> Result<Vec<KeptDraft>, AppError>;
    /// What was chosen on the page of this name.
    async fn choice(&self, who: &Person, form: &str) -> Result<Option<Choice>, AppError>;
    async fn forget(&self, who: &Person, form: &str) -> Result<(), AppError>;
}
