//! Server side. Unsaved input: stored while the user types, offered again, deleted on request.

use std::collections::BTreeMap;

use leptos::{prelude::*, server_fn::codec::PostUrl};

use super::{
    asked::{existing, profile_id, shown_revision},
    draft::{Draft, KeptDraft, is_form_name},
    field::{Fault, Field, FieldError},
    model::ProfileId,
};
use crate::{
    base_path::at,
    error::{AppError, Ending, finish},
    services::{Services, services},
    session::{Session, session},
    t,
    ui::{
        form_owner::FormOwnerField,
        notice::{Kind, Notice, is_asked_again},
    },
};

/// Stores the form and validates it: returns pairs of a field's id and an error text. The page calls it while the user
/// types, and before it submits the form, so that a typed password stays in its field until the form is valid. `typed`:
/// whether a password was typed; the password itself is not sent here. `sends`: the form is about to be submitted.
#[server(name = CheckProfile, prefix = "/api", endpoint = "profiles/check", input = PostUrl)]
pub async fn check_profile(
    #[server(default)] id: String,
    #[server(default)] form: String,
    #[server(default)] revision: String,
    #[server(default)] draft: Draft,
    #[server(default)] typed: String,
    #[server(default)] sends: String,
) -> Result<Vec<(String, String)>, AppError> {
    let (session, services) = (session()?, services()?);
    let flags = (!typed.is_empty(), !sends.is_empty());
    check(&session, &services, (&id, &form, &revision), draft, flags).await.map_err(crate::error::answer)
}

async fn check(
    session: &Session,
    services: &Services,
    (id, form, revision): (&str, &str, &str),
    mut draft: Draft,
    (typed, sends): (bool, bool),
) -> Result<Vec<(String, String)>, AppError> {
    let profile = profile_id(id)?;
    let form = profile.map_or_else(|| form.to_owned(), |id| id.to_string());
    let stored = match profile {
        Some(id) => services.profiles.get(&session.account, id).await?,
        None => None,
    };
    // The form may have been submitted meanwhile: then its profile is saved.
    let saved = match &stored {
        Some(stored) => draft.differences(&Draft::of(stored)).is_empty(),
        None => profile.is_none() && services.profiles.made_by(&session.account, &form).await?.is_some(),
    };
    if saved {
        services.drafts.forget(&session.who(), &form).await?;
    } else if is_form_name(&form) {
        let kept = KeptDraft {
            form,
            profile: profile.map(|id| id.to_string()),
            revision: shown_revision(revision),
            draft: draft.clone(),
            ..KeptDraft::default()
        };
        // A request still in progress when the form was cancelled is discarded, too.
        let mut stored = services.drafts.kept(&session.who()).await?.into_iter();
        if !stored.any(|earlier| earlier.dropped && earlier.form == kept.form && earlier.draft == kept.draft) {
            services.drafts.keep(&session.who(), &kept).await?;
            // A form that was submitted between the look and the write has forgotten its draft already.
            if profile.is_none() && services.profiles.made_by(&session.account, &kept.form).await?.is_some() {
                services.drafts.forget(&session.who(), &kept.form).await?;
            }
        }
    }
    // Deleted meanwhile, while the input is kept: the page that the form leads to explains it.
    if profile.is_some() && stored.is_none() {
        return Err(AppError::NotFound);
    }
    draft.tidy();
    let mut errors = draft.check(session, &services.presets, services.profiles.policy()).err().unwrap_or_default();
    if sends && !errors.is_empty() {
        // As for a refused form.
        services.profiles.note_blocked(session.author(), (&draft.host, &draft.port), &errors).await?;
    }
    if !typed && let Some(stored) = &stored {
        let (then, now) = (Draft::of(stored), &draft);
        let moved = [Field::Host, Field::Port, Field::Security, Field::Login]
            .into_iter()
            .any(|field| then.value(field).map(str::to_lowercase) != now.value(field).map(str::to_lowercase));
        if moved && stored.is_ready() {
            errors.push(FieldError::new(Field::Secret, Fault::SecretForNewServer));
        }
    }
    Ok(errors.into_iter().map(|error| (error.field.id().to_owned(), t!(error.key()))).collect())
}

/// **Recommencer**, **Oublier**: deletes the draft.
#[server(name = ForgetDraft, prefix = "/api", endpoint = "profiles/forget", input = PostUrl)]
pub async fn forget_draft(
    #[server(default)] id: String,
    #[server(default)] form: String,
    #[server(default)] to: String,
) -> Result<(), AppError> {
    finish(forget(&id, &form, &to).await)
}

async fn forget(id: &str, form: &str, to: &str) -> Result<Ending, AppError> {
    let (session, services) = (session()?, services()?);
    let form = if id.is_empty() { form } else { id };
    let known = match profile_id(id) {
        Ok(None) => true,
        Ok(Some(profile)) => services.profiles.get(&session.account, profile).await?.is_some(),
        Err(_) => false,
    };
    let known = known || services.drafts.kept(&session.who()).await?.iter().any(|kept| kept.form == form);
    services.drafts.forget(&session.who(), form).await?;
    let page = page_of_choice(form).unwrap_or_else(|| page_after(id, to));
    Ok(if known { page.into() } else { Ending::refused(page, AppError::NotFound) })
}

/// The page after **Recommencer** and **Oublier**.
fn page_after(id: &str, to: &str) -> String {
    match (to, profile_id(id)) {
        ("list", _) => "/profiles".to_owned(),
        (_, Ok(Some(id))) => format!("/profiles/edit?id={id}"),
        _ => "/profiles/new".to_owned(),
    }
}

/// The page of the choice with this name.
fn page_of_choice(form: &str) -> Option<String> {
    let of = |page: &'static str| {
        ProfileId::parse(form.strip_prefix(page)?.strip_prefix('-')?).map(|id| format!("/profiles/{page}?id={id}"))
    };
    if form == crate::sending_mode::api::FORM {
        return Some("/sending-mode".to_owned());
    }
    ["encoding", "sending"].into_iter().find_map(of)
}

/// The name under which the choices of the merge page are stored.
pub fn merge_form(id: ProfileId) -> String {
    format!("merge-{id}")
}

/// Merges two changes of the same profile: for each field, `saved` takes the stored value; anything else keeps the
/// typed one.
#[server(name = MergeProfile, prefix = "/api", endpoint = "profiles/merge", input = PostUrl)]
pub async fn merge_profile(
    #[server(default)] id: String,
    #[server(default)] revision: String,
    #[server(default)] take: BTreeMap<String, String>,
) -> Result<(), AppError> {
    finish(merge(&id, &revision, &take).await)
}

async fn merge(id: &str, revision: &str, take: &BTreeMap<String, String>) -> Result<Ending, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    let stored = services.profiles.get(&session.account, id).await?.ok_or(AppError::NotFound)?;
    let stored = Draft::of(&stored);
    let form = id.to_string();
    let kept = services.drafts.kept(&session.who()).await?.into_iter().find(|kept| kept.form == form);
    let Some(mut kept) = kept else {
        return Ok(Ending::refused(format!("/profiles/edit?id={id}"), AppError::Stale));
    };
    for field in Field::TYPED {
        if take.get(field.id()).is_some_and(|taken| taken == "saved") {
            kept.draft.take(field, &stored);
        }
    }
    // The revision that the page showed: a later change leads to the merge page again.
    kept.revision = shown_revision(revision);
    kept.errors.clear();
    services.drafts.keep(&session.who(), &kept).await?;
    services.drafts.forget(&session.who(), &merge_form(id)).await?;
    Ok(format!("/profiles/edit?id={id}&draft=1&notice=merged").into())
}

/// The profile of a form was deleted: the input becomes the draft of a new profile. Returns the page that shows it.
pub async fn orphan(session: &Session, services: &Services, former: &str, draft: Draft) -> Result<String, AppError> {
    let form = services.drafts.new_form();
    let page = format!("/profiles/new?form={form}&draft=1&notice=was-deleted");
    let kept = KeptDraft { form, draft, ..KeptDraft::default() };
    services.drafts.keep(&session.who(), &kept).await?;
    services.drafts.forget(&session.who(), former).await?;
    Ok(page)
}

/// The notice that the form shows an earlier draft, with a button to start over.
#[component]
pub fn Restored(form: String, profile: String) -> impl IntoView {
    let (text, button) = if profile.is_empty() {
        (t!("draft-restored"), t!("draft-begin-anew"))
    } else {
        (t!("draft-restored-edit"), t!("draft-as-saved"))
    };
    view! {
        <Notice kind=Kind::Warning>
            <p>{text}</p>
            <form method="post" action=at("/api/profiles/forget")>
                <FormOwnerField />
                <input type="hidden" name="id" value=profile />
                <input type="hidden" name="form" value=form />
                <button>{button}</button>
            </form>
        </Notice>
    }
}

/// The same for a page with a few choices, unless it already explains why they are selected.
#[component]
pub fn RestoredChoice(form: String) -> impl IntoView {
    (!is_asked_again()).then(|| {
        view! {
            <Notice kind=Kind::Warning>
                <p>{t!("draft-restored-edit")}</p>
                <form method="post" action=at("/api/profiles/forget")>
                    <FormOwnerField />
                    <input type="hidden" name="form" value=form />
                    <button>{t!("draft-as-saved")}</button>
                </form>
            </Notice>
        }
    })
}

/// An unsaved draft.
#[derive(Debug, Clone)]
pub struct Begun {
    kept: KeptDraft,
    /// Its name: that of the saved profile if there is one, because a typed name is not saved yet.
    name: Option<String>,
}

impl Begun {
    pub async fn of(services: &Services, session: &Session, kept: Vec<KeptDraft>) -> Result<Option<Self>, AppError> {
        let Some(kept) = kept.into_iter().find(|kept| !kept.dropped) else { return Ok(None) };
        let name = match kept.profile.as_deref().map(ProfileId::parse) {
            None => {
                let Draft { login, sender_address, host, .. } = &kept.draft;
                [login, sender_address, host].into_iter().find(|text| !text.trim().is_empty()).cloned()
            }
            Some(id) => {
                let saved = services.profiles.get(&session.account, id.ok_or(AppError::NotFound)?).await?;
                saved.map(|saved| saved.settings.title().to_owned())
            }
        };
        Ok(Some(Self { kept, name }))
    }
}

/// Offers to resume an unsaved draft, on the pages that a visit starts with.
#[component]
pub fn DraftOffer(begun: Option<Begun>) -> impl IntoView {
    let Begun { kept: KeptDraft { form, profile, .. }, name } = begun?;
    let text = match (&profile, name) {
        (Some(_), Some(name)) => t!("draft-offer-edit", name = name),
        (None, Some(name)) => t!("draft-offer-named", name = name),
        (_, None) => t!("draft-offer"),
    };
    let page = match &profile {
        Some(id) => format!("/profiles/edit?id={id}"),
        None => format!("/profiles/new?form={form}"),
    };
    Some(view! {
        <Notice kind=Kind::Warning>
            <p>{text}</p>
            <form method="post" action=at("/api/profiles/forget") class="actions">
                <FormOwnerField />
                <a class="button" href=at(&page)>{t!("draft-resume")}</a>
                <input type="hidden" name="id" value=profile.unwrap_or_default() />
                <input type="hidden" name="form" value=form />
                <input type="hidden" name="to" value="list" />
                <button>{t!("draft-forget")}</button>
            </form>
        </Notice>
    })
}
