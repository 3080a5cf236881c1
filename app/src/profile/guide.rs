//! Server side. The guide beside the password field: how to get a provider's application password, and why its page may
//! be missing.
//!
//! The form shows the chosen preset's; for another one the assistant fetches the same HTML from
//! `/profiles/guide?preset=…`.

use leptos::prelude::*;

use super::{
    hints::hints,
    preset::{AppPassword, Catalogue, Guide, Preset, name_of_preset},
    screens::Screens,
    server_text,
};
use crate::{
    i18n,
    sign_in::{model::SignInWay, view::SignInButton, way::of_preset},
    t,
};

/// The guide of one provider.
#[component]
pub fn PresetGuide(
    preset: Option<Preset>,
    guide: Option<Guide>,
    /// Where its owners sign in, if the operator has a registration there.
    way: Option<SignInWay>,
) -> impl IntoView {
    let Some(preset) = preset else {
        return view! {
            {way.map(|way| view! { <SignInButton way /> })}
            <p>{t!("guide-other-server")}</p>
        }
        .into_any();
    };
    let locale = i18n::current();
    let local = |text: &Option<crate::i18n::Localised>| text.as_ref().map(|text| text.get(locale).to_owned());
    let note = local(&preset.note);
    // That no password is accepted does not matter here.
    let status = local(&preset.status_note).filter(|_| way.is_none());
    let host_hint = local(&preset.host_hint);
    let help = preset.help_url.clone();
    view! {
        {way.clone().map(|way| view! { <SignInButton way /> })}
        {(way.is_some() && guide.is_some()).then(|| view! { <p>{t!("sign-in-or-password")}</p> })}
        {status.map(|text| view! { <p class="notice warning">{text}</p> })}
        {host_hint.map(|text| view! { <p>{text}</p> })}
        {guide.map(|guide| view! { <SecretGuide preset=preset.clone() guide /> })}
        {note.map(|text| view! { <p>{text}</p> })}
        {help.map(|url| view! {
            <p><a href=url target="_blank" rel="noopener noreferrer">{t!("guide-help", provider = preset.card_name())}</a></p>
        })}
    }
    .into_any()
}

#[component]
fn SecretGuide(preset: Preset, guide: Guide) -> impl IntoView {
    let locale = i18n::current();
    let name = guide.secret_name.get(locale).to_owned();
    let title = match preset.app_password {
        AppPassword::Optional => t!("guide-secret-optional", provider = preset.card_name(), secret = name),
        _ => t!("guide-secret-required", provider = preset.card_name(), secret = name),
    };
    let provider = name_of_preset(&preset).to_owned();
    let open = preset.app_password_url.clone().map(|url| view! { <OpenPage url provider /> });
    let mut open = open.map(IntoAny::into_any);
    let steps = guide
        .steps
        .iter()
        .map(|step| {
            let text = step.get(locale);
            let button = text.contains("{url}").then(|| open.take()).flatten();
            view! { <li>{text.replace("{url}", "").trim().to_owned()} {button}</li> }
        })
        .collect_view();
    let missing: Vec<String> = guide.missing.iter().map(|reason| reason.get(locale).to_owned()).collect();
    view! {
        <h2>{title}</h2>
        {guide.picture.map(|picture| view! { <Screens picture /> })}
        <ol>{steps}</ol>
        {guide.shape.as_ref().map(|shape| view! { <p>{t!("guide-shape", shape = shape.get(locale))}</p> })}
        {(!missing.is_empty()).then(|| view! {
            <details>
                <summary>{t!("guide-missing")}</summary>
                <ul>{missing.into_iter().map(|reason| view! { <li>{reason}</li> }).collect_view()}</ul>
            </details>
        })}
    }
}

/// The button that opens the provider's own page.
#[component]
fn OpenPage(url: String, provider: String) -> impl IntoView {
    view! {
        <a class="button" href=url target="_blank" rel="noopener noreferrer">
            {t!("guide-open", provider = provider)} <span aria-hidden="true">" ↗"</span>
            <span class="visually-hidden">" (" {t!("guide-new-tab")} ")"</span>
        </a>
    }
}

/// The guide's HTML, with the fields' hints, and the id of its preset. `host`: a server that was typed by hand; its
/// provider's guide is used.
pub fn fragment<'a>(presets: &'a Catalogue, ways: &[SignInWay], id: &str, host: &str) -> (String, &'a str) {
    let host = server_text::read(host).host;
    let chosen = presets.get(id);
    let preset = if host.is_empty() {
        chosen
    } else {
        chosen.filter(|preset| preset.is_at(&host)).or_else(|| presets.by_host(&host))
    };
    let guide = preset.and_then(|preset| presets.guide(preset)).cloned();
    let way = preset.and_then(|preset| of_preset(ways, &preset.id)).cloned();
    let id = preset.map_or("", |preset| preset.id.as_str());
    let [login, secret] = hints(i18n::current(), preset, guide.as_ref());
    let html = view! {
        <PresetGuide preset=preset.cloned() guide way />
        <p hidden data-hint="login-hint">{login}</p>
        <p hidden data-hint="secret-hint">{secret}</p>
    };
    (html.to_html(), id)
}
