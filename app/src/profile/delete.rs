//! Server side. **Supprimer** asks first, and says what depends on the profile.

use leptos::prelude::*;

use super::{
    list::owner_name,
    model::{Profile, ProfileId},
};
use crate::{
    error::AppError,
    place::at,
    services::services,
    session::session,
    t,
    ui::layout::{Loaded, Page, query},
};

/// The question before a profile is deleted.
#[component]
pub fn DeletePage() -> impl IntoView {
    let id = query("id");
    let load = async move {
        let (session, services) = (session()?, services()?);
        let id = ProfileId::parse(&id).ok_or(AppError::NotFound)?;
        let profile = services.profiles.get(&session.account, id).await?.ok_or(AppError::NotFound)?;
        let successor = services.profiles.successor(&session.account, id).await?;
        let owner = owner_name(&profile, &session);
        Ok(view! { <Question profile owner successor /> }.into_any())
    };
    view! {
        <Page title=t!("delete-title")>
            <Loaded content=load />
        </Page>
    }
}

#[component]
fn Question(profile: Profile, owner: String, successor: Option<Profile>) -> impl IntoView {
    let destination = &profile.settings.destination;
    let consequence = match (profile.in_use, successor) {
        (false, _) => t!("delete-unused"),
        (true, Some(next)) => t!(
            "delete-successor",
            owner = owner.clone(),
            sender = next.settings.sender_address,
            host = next.settings.destination.host
        ),
        (true, None) => t!("delete-last", owner = owner.clone()),
    };
    let id = profile.id.to_string();
    view! {
        <p class="lead">
            {t!("delete-question", sender = profile.settings.sender_address.clone(), host = destination.host.clone())}
        </p>
        <p>{consequence}</p>
        <p>{t!("delete-secret")}</p>
        <form method="post" action=at("/api/profiles/delete") class="actions">
            <input type="hidden" name="id" value=id.clone() />
            <button class="danger primary">{t!("action-delete")}</button>
            <a class="button" href=at(&format!("/profiles?selected={id}"))>{t!("action-cancel")}</a>
        </form>
    }
}
