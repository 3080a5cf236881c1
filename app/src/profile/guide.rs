//! Server side. The guide beside the password field: how to get a provider's application password, and why its page may be
//! missing.
//!
//! The form shows the chosen preset's; for another one the assistant fetches the same HTML from `/profiles/guide?preset=…`.

use leptos::prelude::*;

use super::{
    preset::{AppPassword, Catalogue, Guide, LoginForm, Preset},
    server_text,
};
use crate::{i18n, t, ui::text::breakable};

/// The guide of one provider.
#[component]
pub fn PresetGuide(preset: Option<Preset>, guide: Option<Guide>) -> impl IntoView {
    let Some(preset) = preset else {
        return view! { <p>{t!("guide-other-server")}</p> }.into_any();
    };
    let locale = i18n::current();
    let local = |text: &Option<crate::i18n::Localised>| text.as_ref().map(|text| text.get(locale).to_owned());
    let note = local(&preset.note);
    let status = local(&preset.status_note);
    let host_hint = local(&preset.host_hint);
    let login = local(&preset.login_hint).or_else(|| {
        (preset.login == LoginForm::LocalPart).then(|| t!("guide-login-local-part", provider = preset.name.clone()))
    });
    let help = preset.help_url.clone();
    view! {
        {status.map(|text| view! { <p class="notice warning">{text}</p> })}
        {host_hint.map(|text| view! { <p>{text}</p> })}
        {login.map(|text| view! { <p>{text}</p> })}
        {guide.map(|guide| view! { <SecretGuide preset=preset.clone() guide /> })}
        {note.map(|text| view! { <p>{text}</p> })}
        {help.map(|url| view! {
            <p><a href=url target="_blank" rel="noopener noreferrer">{t!("guide-help", provider = preset.name.clone())}</a></p>
        })}
    }
    .into_any()
}

#[component]
fn SecretGuide(preset: Preset, guide: Guide) -> impl IntoView {
    let locale = i18n::current();
    let name = guide.secret_name.get(locale).to_owned();
    let title = match preset.app_password {
        AppPassword::Optional => t!("guide-secret-optional", provider = preset.name.clone(), secret = name),
        _ => t!("guide-secret-required", provider = preset.name.clone(), secret = name),
    };
    let url = preset.app_password_url.clone();
    let steps = guide
        .steps
        .iter()
        .map(|step| {
            let text = step.get(locale);
            match (text.split_once("{url}"), url.clone()) {
                (Some((before, after)), Some(url)) => {
                    let (before, after, shown) = (before.to_owned(), after.to_owned(), bare(&url));
                    view! { <li>{before}<a href=url target="_blank" rel="noopener noreferrer">{breakable(&shown)}</a>{after}</li> }
                        .into_any()
                }
                _ => view! { <li>{text.replace("{url}", "")}</li> }.into_any(),
            }
        })
        .collect_view();
    let missing: Vec<String> = guide.missing.iter().map(|reason| reason.get(locale).to_owned()).collect();
    view! {
        <h2>{title}</h2>
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

/// A URL without scheme and trailing slash.
fn bare(url: &str) -> String {
    url.trim_start_matches("https://").trim_end_matches('/').to_owned()
}

/// The guide's HTML and the id of its preset. `host`: a server that was typed by hand; the guide is its provider's.
pub fn fragment<'a>(presets: &'a Catalogue, id: &str, host: &str) -> (String, &'a str) {
    let host = server_text::read(host).host;
    let chosen = presets.get(id);
    let preset = if host.is_empty() {
        chosen
    } else {
        chosen.filter(|preset| preset.is_at(&host)).or_else(|| presets.by_host(&host))
    };
    let guide = preset.and_then(|preset| presets.guide(preset)).cloned();
    let id = preset.map_or("", |preset| preset.id.as_str());
    (view! { <PresetGuide preset=preset.cloned() guide /> }.to_html(), id)
}
