//! Server side. The second step: **Encodage SMTP**.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    api::encoding_form,
    autosave::RestoredChoice,
    draft::Choice,
    encoding::Encoding,
    model::{Profile, ProfileId},
    preset::{Catalogue, Preset},
    warnings::Warning,
};
use crate::{
    base_path::at,
    error::AppError,
    i18n::DIGITS,
    services::services,
    session::session,
    t,
    ui::{
        form_owner::FormOwnerField,
        layout::{Loaded, Page, query},
        notice::{Kind, Notice, RequestNotice, is_stale, whole_number},
    },
};

/// **Encodage SMTP**. The profile is already saved when this page is shown.
#[component]
pub fn EncodingPage() -> impl IntoView {
    let id = query("id");
    let load = async move {
        let (session, services) = (session()?, services()?);
        let id = ProfileId::parse(&id).ok_or(AppError::NotFound)?;
        let profile = services.profiles.get(&session.account, id).await?.ok_or(AppError::NotFound)?;
        let mine = match services.drafts.choice(&session.who(), &encoding_form(id)).await? {
            Some(Choice::Encoding(mine)) if mine != profile.encoding || is_stale() => Some(mine),
            _ => None,
        };
        Ok(view! {
           <RequestNotice about=Some(profile.settings.title().to_owned()) />
           <Tidied profile=profile.clone() /> <Suspicious profile=profile.clone() />
           <Warned profile=profile.clone() presets=services.presets />
           {mine.map(|_| view! { <RestoredChoice form=encoding_form(id) /> })}
           <Choices profile mine />
        }
        .into_any())
    };
    view! {
        <Page title=t!("encoding-title")>
            <p class="step">{t!("form-step", step = 2)}</p>
            <Loaded content=load />
        </Page>
    }
}

/// The notice that the server's name was normalised.
#[component]
fn Tidied(profile: Profile) -> impl IntoView {
    let destination = profile.settings.destination;
    let port = format!("{}{DIGITS}", destination.port);
    (!query("tidied").is_empty()).then(|| {
        view! { <Notice kind=Kind::Done>{t!("form-host-tidied", host = destination.host, port = port)}</Notice> }
    })
}

/// Offers to remove characters of the secret that look superfluous. They are stored, because they may belong to it.
#[component]
fn Suspicious(profile: Profile) -> impl IntoView {
    let count = whole_number("suspicious");
    (count > 0).then(|| {
        view! {
            <form method="post" action=at("/api/profiles/clean-secret") class="notice warning">
                <FormOwnerField />
                <input type="hidden" name="id" value=profile.id.to_string() />
                <input type="hidden" name="revision" value=profile.revision.to_string() />
                <input type="hidden" name="count" value=count.to_string() />
                <p>{t!("secret-suspicious", count = count)}</p>
                <button>{t!("secret-remove")}</button>
            </form>
        }
    })
}

/// The warnings about the saved profile. The redirect carries their codes only.
#[component]
fn Warned(profile: Profile, presets: Arc<Catalogue>) -> impl IntoView {
    let codes = query("warn");
    let found: Vec<Warning> =
        Warning::ALL.into_iter().filter(|warning| codes.split(',').any(|code| code == warning.code())).collect();
    let settings = &profile.settings;
    let name = |preset: Option<&Preset>| preset.map(|preset| preset.name.clone()).unwrap_or_default();
    let (host, login) = (name(presets.provider_of(settings)), name(presets.by_address(&settings.destination.login)));
    let near = presets.near(&settings.destination.host).unwrap_or_default();
    let says = |warning: Warning| t!(&format!("warn-{}", warning.code()), host = host, login = login, near = near);
    let lines: Vec<String> = found.into_iter().map(says).collect();
    (!lines.is_empty()).then(|| {
        view! {
            <Notice kind=Kind::Warning>
                <p>{if query("suspicious").is_empty() { t!("warn-title") } else { t!("warn-title-also") }}</p>
                <ul>{lines.into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
                <p><a href=at(&format!("/profiles/edit?id={}", profile.id))>{t!("warn-edit")}</a></p>
            </Notice>
        }
    })
}

#[component]
fn Choices(profile: Profile, mine: Option<Encoding>) -> impl IntoView {
    let meanwhile = is_stale().then(|| {
        let text = match mine {
            Some(mine) => t!("stale-encoding", saved = profile.encoding.as_str(), mine = mine.as_str()),
            None => t!("stale-about"),
        };
        view! { <Notice kind=Kind::Warning>{text}</Notice> }
    });
    let shown = mine.unwrap_or(profile.encoding);
    // Most people keep the default, so Enter continues, unless something above should be read first.
    let next = ["warn", "suspicious", "stale", "tidied"].iter().all(|flag| query(flag).is_empty());
    let choices = Encoding::ALL.map(|encoding| {
        let code = encoding.as_str();
        let id = format!("encoding-{code}");
        let about = t!(&format!("encoding-{}-about", code.to_lowercase()));
        view! {
            <div class="choice">
                <input
                    type="radio" name="encoding" id=id.clone() value=code checked=shown == encoding
                    aria-describedby=format!("{id}-about")
                />
                <label for=id.clone()>{code}</label>
                <p id=format!("{id}-about")>{about}</p>
            </div>
        }
    });
    view! {
        <form method="post" action=at("/api/profiles/encoding") class="stack">
            <FormOwnerField />
            {meanwhile}
            <input type="hidden" name="id" value=profile.id.to_string() />
            <input type="hidden" name="was" value=profile.encoding.as_str() />
            <input type="hidden" name="revision" value=profile.revision.to_string() />
            <fieldset class="choices">
                <legend>{t!("encoding-legend")}</legend>
                {choices.into_iter().collect_view()}
                <p class="hint">{t!("encoding-beyond")}</p>
            </fieldset>
            <div class="actions">
                <button class="primary" autofocus=next>{t!("action-validate")}</button>
                <a class="button" href=at(&format!("/profiles/edit?id={}", profile.id))>{t!("action-back")}</a>
            </div>
        </form>
    }
}
