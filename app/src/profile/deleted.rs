//! Server side. A deleted profile can be restored for ten seconds: by the person who deleted it, in the same session.

use leptos::{prelude::*, server_fn::codec::PostUrl};

use super::{asked::existing, model::Profile};
use crate::{
    base_path::at,
    error::{AppError, Ending, finish},
    services::services,
    session::session,
    t,
    ui::form_owner::FormOwnerField,
};

/// **Annuler** in the notice that a profile was deleted.
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
        Err(error @ AppError::TooManyProfiles { most }) => {
            Ok(Ending::refused(format!("/profiles?notice=full&count={most}"), error))
        }
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
