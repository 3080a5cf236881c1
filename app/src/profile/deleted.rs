//! Server side. A deleted profile can be restored for ten seconds: by the person who deleted it, in the same session.

use async_trait::async_trait;
use jiff::SignedDuration;
use leptos::{prelude::*, server_fn::codec::PostUrl};

use super::{
    asked::existing,
    model::{Profile, ProfileId},
    port::Successor,
};
use crate::{
    base_path::at,
    error::{AppError, Ending, finish},
    services::services,
    session::{Session, session},
    t,
    ui::form_owner::FormOwnerField,
};

/// How long it can be restored. The style sheet hides the button after the same time.
pub const UNDO_LASTS: SignedDuration = SignedDuration::from_secs(10);

/// Deleting, and taking it back.
#[async_trait]
pub trait Deletions: Send + Sync {
    /// Deletes a profile if it still has this revision. If it was in use, the successor replaces it. For [`UNDO_LASTS`] it is kept
    /// aside, with its secret and its tests; then it is gone.
    async fn delete(
        &self,
        by: &Session,
        id: ProfileId,
        successor: Successor,
        revision: Option<u32>,
    ) -> Result<(), AppError>;

    /// A deleted profile that this session can still restore.
    async fn deleted(&self, by: &Session, id: ProfileId) -> Result<Option<Profile>, AppError>;

    /// Restores it, in use again where nobody has chosen another one meanwhile. [`AppError::NotFound`]: it is too late.
    async fn restore(&self, by: &Session, id: ProfileId) -> Result<(), AppError>;
}

/// **Annuler** of the notice that a profile is deleted.
#[server(name = RestoreProfile, prefix = "/api", endpoint = "profiles/restore", input = PostUrl)]
pub async fn restore_profile(#[server(default)] id: String) -> Result<(), AppError> {
    finish(restore(&id).await)
}

async fn restore(id: &str) -> Result<Ending, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    match services.deletions.restore(&session, id).await {
        Ok(()) => Ok(format!("/profiles?selected={id}&notice=restored").into()),
        Err(AppError::NotFound) => Ok(Ending::refused("/profiles?notice=restore-late".to_owned(), AppError::NotFound)),
        Err(error) => Err(error),
    }
}

/// The button that restores a profile.
#[component]
pub fn Undo(profile: Profile) -> impl IntoView {
    view! {
        <form method="post" action=at("/api/profiles/restore") class="undo">
            <FormOwnerField />
            <input type="hidden" name="id" value=profile.id.to_string() />
            <button>{t!("action-undo")}</button>
        </form>
    }
}
