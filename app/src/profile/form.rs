//! Server side. The first step: presets, the server, **Vos Informations**.
//!
//! Every input is uncontrolled: input from before the WebAssembly arrives is kept. The island beside the form
//! ([`super::assistant`]) works on the DOM that this page renders.

use std::{collections::BTreeMap, sync::Arc};

use axum::http::request::Parts;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::{
    assistant::FormAssistant,
    autosave::{Restored, merge_form, orphan},
    conflict::Conflict,
    draft::{Choice, Draft, KeptDraft, is_form_name},
    field::{Field, FieldError},
    model::{ProfileId, SecretState},
    preset::Catalogue,
};
use crate::{
    base_path::at,
    error::AppError,
    services::{Services, services},
    session::{Session, session},
    sign_in::signed_in::SignedIn,
    t,
    ui::{
        field::Wrong,
        layout::{Loaded, Page, query},
        notice::RequestNotice,
    },
};

mod fields;
mod presets;
mod view;

use view::Form;

/// What the form shows: the values, their errors, the state of the secret.
struct Content {
    /// The name of the form, under which its input is kept.
    form: String,
    profile: Option<ProfileId>,
    revision: Option<u32>,
    draft: Draft,
    errors: Vec<FieldError>,
    secret: SecretState,
    /// The saved profile: its password is for that server and login.
    saved: Option<Draft>,
    /// Who signed in, unless the form is for a password.
    signed_in: Option<SignedIn>,
    /// Whether it shows an earlier draft.
    restored: bool,
}

/// A new profile. The URL contains the form's name, so that going back to it finds the profile it created.
#[component]
pub fn NewPage() -> impl IntoView {
    let (form, chosen) = (query("form"), query("preset"));
    let notice = query("notice");
    let load = async move {
        let (session, services) = (session()?, services()?);
        let kept = services.drafts.kept(&session.who()).await?;
        if !is_form_name(&form) {
            let begun = kept.iter().find(|kept| kept.profile.is_none() && !kept.dropped && chosen.is_empty()).cloned();
            let begun = unless_saved(&session, &services, begun).await?;
            let form = begun.as_ref().map_or_else(|| services.drafts.new_form(), |kept| kept.form.clone());
            if is_navigation() {
                let preset: String = form_urlencoded::byte_serialize(chosen.as_bytes()).collect();
                let preset = if chosen.is_empty() { String::new() } else { format!("&preset={preset}") };
                return Ok(lead(&format!("/profiles/new?form={form}{preset}")));
            }
            return Ok(page(new_content(&session, &services, form, &chosen, begun), &session, services.presets));
        }
        if let Some(made) = services.profiles.made_by(&session.account, &form).await? {
            return Ok(lead(&format!("/profiles/edit?id={}&notice=saved-already", made.id)));
        }
        let mine = kept.into_iter().find(|kept| kept.form == form);
        let mut content = new_content(&session, &services, form, &chosen, mine);
        content.restored &= notice.is_empty();
        Ok(page(content, &session, services.presets))
    };
    view! {
        <Page title=t!("form-title-new")>
            <p class="step">{t!("form-step", step = 1)}</p>
            <Loaded content=load />
        </Page>
    }
}

/// A draft, unless its form has created its profile: what was kept late is of no use then.
async fn unless_saved(
    session: &Session,
    services: &Services,
    begun: Option<KeptDraft>,
) -> Result<Option<KeptDraft>, AppError> {
    let Some(draft) = begun else { return Ok(None) };
    if services.profiles.made_by(&session.account, &draft.form).await?.is_none() {
        return Ok(Some(draft));
    }
    services.drafts.forget(&session.who(), &draft.form).await?;
    Ok(None)
}

/// Whether a browser navigates here (`Sec-Fetch-Mode`). A program gets the form without a redirect.
fn is_navigation() -> bool {
    use_context::<Parts>()
        .is_some_and(|parts| parts.headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate"))
}

/// Redirects to another page.
fn lead(page: &str) -> AnyView {
    leptos_axum::redirect(&at(page));
    ().into_any()
}

fn new_content(session: &Session, services: &Services, form: String, chosen: &str, kept: Option<KeptDraft>) -> Content {
    let mut content = Content {
        form,
        profile: None,
        revision: None,
        draft: Draft { sender_name: session.account_name.clone(), ..Draft::default() },
        errors: Vec::new(),
        secret: SecretState::Missing,
        saved: None,
        signed_in: None,
        restored: false,
    };
    if let Some(preset) = services.presets.get(chosen) {
        content.draft.fill(preset);
    }
    content.resume(kept);
    content
}

/// An existing profile.
#[component]
pub fn EditPage() -> impl IntoView {
    let title = if query("notice") == "duplicated" { t!("form-title-copy") } else { t!("form-title-edit") };
    let (id, stale, resumed) = (query("id"), !query("stale").is_empty(), !query("resume").is_empty());
    let load = async move {
        let (session, services) = (session()?, services()?);
        let id = ProfileId::parse(&id).ok_or(AppError::NotFound)?;
        let form = id.to_string();
        let kept = services.drafts.kept(&session.who()).await?.into_iter().find(|kept| kept.form == form);
        let Some(profile) = services.profiles.get(&session.account, id).await? else {
            // Deleted while its form was open: the input can still become a new profile.
            return match kept {
                Some(KeptDraft { draft, dropped: false, .. }) => {
                    Ok(lead(&orphan(&session, &services, &form, draft).await?))
                }
                _ => Err(AppError::NotFound),
            };
        };
        let stored = Draft::of(&profile);
        if let Some(kept) = &kept
            && (!kept.dropped || resumed)
            && kept.revision.is_some_and(|shown| shown != profile.revision)
            && (stale || !kept.draft.differences(&stored).is_empty())
        {
            if stale && let Some(response) = use_context::<ResponseOptions>() {
                response.set_status(AppError::Stale.status());
            }
            let mine = kept.draft.clone();
            let taken = match services.drafts.choice(&session.who(), &merge_form(id)).await? {
                Some(Choice::Merge(taken)) => taken,
                _ => BTreeMap::new(),
            };
            let session = (*session).clone();
            return Ok(view! { <Conflict profile mine taken session presets=services.presets /> }.into_any());
        }
        let kept = kept.filter(|kept| !kept.errors.is_empty() || !kept.draft.differences(&stored).is_empty());
        // A discarded draft is restored on request only.
        let kept = kept.filter(|kept| !kept.dropped || resumed);
        let mut content = Content {
            form,
            profile: Some(id),
            revision: Some(profile.revision),
            draft: stored.clone(),
            errors: Vec::new(),
            // A password replaces a sign-in: none is stored.
            secret: if profile.signed_in.is_some() { SecretState::Missing } else { profile.secret },
            saved: Some(stored),
            signed_in: profile.signed_in.filter(|_| query("way") != "password"),
            restored: false,
        };
        // A failed test suggests a server's name. Only a known one is used: a link must not choose a server of its
        // author.
        let host = query("host");
        if kept.is_none() && services.presets.by_host(&host).is_some() {
            content.draft.host = host;
        }
        content.resume(kept);
        Ok(page(content, &session, services.presets))
    };
    view! {
        <Page title=title>
            <p class="step">{t!("form-step", step = 1)}</p>
            <Loaded content=load />
        </Page>
    }
}

impl Content {
    /// Restores a draft.
    fn resume(&mut self, kept: Option<KeptDraft>) {
        let Some(kept) = kept else { return };
        self.restored = kept.errors.is_empty() && query("draft").is_empty();
        self.draft = kept.draft;
        self.errors = kept.errors;
    }
}

fn page(mut content: Content, session: &Session, presets: Arc<Catalogue>) -> AnyView {
    content.draft.settle_preset(&presets);
    let mut wrong: Vec<Field> = content.errors.iter().map(|error| error.field).collect();
    wrong.dedup();
    // The password must be entered again.
    let secret_again = !wrong.contains(&Field::Secret);
    let wrong: Vec<_> = wrong.into_iter().map(|field| (field.id(), t!(field.label()))).collect();
    let session = session.clone();
    let restored = content.restored.then(|| {
        let profile = content.profile.map(|id| id.to_string()).unwrap_or_default();
        view! { <Restored form=content.form.clone() profile /> }
    });
    view! {
        <RequestNotice />
        {restored}
        <Wrong fields=wrong secret_again />
        <Form content session presets />
        <FormAssistant />
    }
    .into_any()
}
