//! Server side. **Annuler**: discards the draft; the list offers once to restore it.

use leptos::{prelude::*, server_fn::codec::PostUrl};

use super::{
    asked::{profile_id, shown_revision},
    draft::{Draft, KeptDraft, is_form_name},
};
use crate::{
    base_path::at,
    error::{AppError, Ending, finish},
    services::services,
    session::session,
    t,
    ui::{
        layout::query,
        notice::{Kind, Notice},
    },
};

/// **Annuler** of the form. The draft is kept but marked as discarded: only the next page offers it.
#[server(name = CancelProfile, prefix = "/api", endpoint = "profiles/cancel", input = PostUrl)]
pub async fn cancel_profile(
    #[server(default)] id: String,
    #[server(default)] form: String,
    #[server(default)] revision: String,
    #[server(default)] draft: Draft,
) -> Result<(), AppError> {
    finish(cancel(&id, &form, &revision, draft).await)
}

async fn cancel(id: &str, form: &str, revision: &str, draft: Draft) -> Result<Ending, AppError> {
    let (session, services) = (session()?, services()?);
    let profile = profile_id(id)?;
    let stored = match profile {
        Some(id) => services.profiles.get(&session.account, id).await?,
        None => None,
    };
    let form = profile.map_or_else(|| form.to_owned(), |id| id.to_string());
    let typed = match &stored {
        Some(stored) => !draft.differences(&Draft::of(stored)).is_empty(),
        None => draft.has_something(&session.account_name),
    };
    let list = profile.map_or_else(|| "/profiles".to_owned(), |id| format!("/profiles?selected={id}"));
    // Deleted meanwhile: the input is kept all the same.
    let ending = |page: String| match (&stored, profile) {
        (None, Some(_)) => Ending::refused(page, AppError::NotFound),
        _ => page.into(),
    };
    if !typed || !is_form_name(&form) {
        services.drafts.forget(&session.who(), &form).await?;
        return Ok(ending(list));
    }
    let kept = KeptDraft {
        form: form.clone(),
        profile: profile.map(|id| id.to_string()),
        revision: shown_revision(revision),
        draft,
        dropped: true,
        ..KeptDraft::default()
    };
    services.drafts.keep(&session.who(), &kept).await?;
    let and = if list.contains('?') { '&' } else { '?' };
    Ok(ending(format!("{list}{and}dropped={form}")))
}

/// The notice on the list that a draft was discarded, with a link that restores it.
#[component]
pub fn Dropped(kept: Vec<KeptDraft>) -> impl IntoView {
    let form = query("dropped");
    let KeptDraft { form, profile, .. } = kept.into_iter().find(|kept| kept.dropped && kept.form == form)?;
    let page = match profile {
        Some(id) => format!("/profiles/edit?id={id}&resume=1"),
        None => format!("/profiles/new?form={form}"),
    };
    Some(view! {
        <Notice kind=Kind::Done>
            <p>{t!("draft-dropped")} " " <a href=at(&page)>{t!("draft-take-back")}</a></p>
        </Notice>
    })
}
