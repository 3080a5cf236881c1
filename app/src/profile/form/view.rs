//! Server side. The form itself.

use std::sync::Arc;

use axum::http::request::Parts;
use leptos::prelude::*;

use super::{
    Content,
    fields::{OwnerChoice, Secret, SecurityChoice, SenderFields},
    presets::Presets,
};
use crate::{
    base_path::at,
    diagnosis::card::cause_title,
    i18n,
    profile::{
        field::Field,
        guide::PresetGuide,
        hints::hints,
        moved::Moved,
        port::DestinationPolicy,
        preset::{Catalogue, Preset},
    },
    services::services,
    session::{Session, SessionLeft},
    sign_in::{view::SignedInFields, way::of_draft},
    t,
    ui::{
        field::{InputState, TextField},
        form_owner::FormOwnerField,
        session_over::SessionOver,
    },
};

/// A server's name, optionally with a scheme or a port ([`crate::profile::server_text`]); not an e-mail address.
const HOST: &str = r"\s*(\S+:\/\/\S+|[^@\s]+(\s*:?\s*[0-9]{1,5})?)\s*";
/// Comes before [`HOST`] where private addresses are refused (RFC 1918, and loopback): the browser says so at once.
const NOT_PRIVATE: &str = r"(?!\s*(10|127|192\.168|172\.(1[6-9]|2[0-9]|3[01]))\.[0-9.]+\s*$)";

/// What the browser takes for a server and a port, so that the operator's policy is met before anything is sent.
fn patterns(policy: &dyn DestinationPolicy) -> (String, String) {
    let refused = policy.host("10.0.0.1").is_err();
    let ports = policy.ports().iter().map(u16::to_string).collect::<Vec<_>>().join("|");
    (format!("{}{HOST}", if refused { NOT_PRIVATE } else { "" }), format!(r"\s*0*({ports})\s*"))
}

#[component]
pub(super) fn Form(content: Content, session: Session, presets: Arc<Catalogue>) -> impl IntoView {
    let Content { form, profile, revision, draft, errors, secret, saved, signed_in, restored: _ } = content;
    let saved = saved.map(|saved| (Moved::between(&saved, &draft), saved));
    let left = use_context::<Parts>().and_then(|parts| parts.extensions.get::<SessionLeft>().copied());
    // A server that was typed by hand shows its provider's guide.
    let chosen: Option<Preset> = presets.get(&draft.preset).or_else(|| presets.by_host(draft.host.trim())).cloned();
    let guide = chosen.as_ref().and_then(|preset| presets.guide(preset)).cloned();
    let [login_hint, secret_hint] = hints(i18n::current(), chosen.as_ref(), guide.as_ref());
    let is_signed_in = signed_in.is_some();
    let state = |value: &str| InputState { value: value.to_owned(), errors: errors.clone() };
    let email = session.email.clone();
    let ways = services().map(|services| services.sign_ins.ways(&session.account.portal)).unwrap_or_default();
    let way = of_draft(&ways, &presets, &draft).cloned();
    let (host_pattern, port_pattern) = match services() {
        Ok(services) => patterns(services.profiles.policy()),
        Err(_) => (HOST.to_owned(), String::new()),
    };
    view! {
        <form
            method="post"
            action=at("/api/profiles/save")
            id="profile-form"
            // No `novalidate`: without a script only the browser can prevent that a small mistake loses the password.
            data-check=at("/api/profiles/check")
            data-provider=at("/profiles/provider?domain=")
            data-seconds=left.map(|SessionLeft(seconds)| seconds)
            data-required-host=t!("error-required-host")
            data-required-port=t!("error-required-port")
            data-required-login=t!("error-required-login")
            data-required-secret=t!("error-required-secret")
            data-address=t!("error-address-invalid")
            data-port=t!("error-port-not-allowed")
            data-host=t!("error-host-invalid")
            data-tidied=t!("form-tidied")
            data-tidied-port=t!("form-tidied-port", port = "{port}")
            data-replaced=t!("preset-replaced", names = "{name}")
            data-left=t!("preset-left", name = "{name}")
            data-undo=t!("preset-undo")
            data-proposal=t!("preset-proposal", name = "{name}")
            data-choose=t!("preset-choose")
        >
            // Enter submits with the form's first button: it must be Valider, not that of the presets or of a sign-in.
            <button class="visually-hidden" tabindex="-1" aria-hidden="true"></button>
            <FormOwnerField />
            <input type="hidden" name="id" value=profile.map(|id| id.to_string()).unwrap_or_default() />
            <input type="hidden" name="form" value=form />
            <input type="hidden" name="revision" value=revision.map(|revision| revision.to_string()).unwrap_or_default() />
            {signed_in.map(|signed_in| {
                let id = profile.map(|id| id.to_string()).unwrap_or_default();
                let password = at(&format!("/profiles/edit?id={id}&way=password"));
                let why = signed_in.ended.map(|cause| cause_title(Some(cause)));
                view! { <SignedInFields signed_in draft=draft.clone() errors=errors.clone() why password /> }
            })}
            {(!is_signed_in).then(|| view! { <Presets presets=presets.all().to_vec() ways chosen=draft.preset.clone() /> })}
            {(!is_signed_in).then(|| view! { <fieldset class="section">
                <legend>{t!("form-server")}</legend>
                <div class="columns">
                    <TextField
                        field=Field::Host label=t!("form-host") hint=t!("form-host-hint") state=state(&draft.host)
                        inputmode="url" maxlength=300 pattern=host_pattern
                    />
                    <TextField
                        field=Field::Port label=t!("form-port") state=state(&draft.port) inputmode="numeric"
                        pattern=port_pattern maxlength=8
                    />
                </div>
                <SecurityChoice state=state(&draft.security) />
            </fieldset> })}
            <fieldset class="section">
                <legend>{t!("form-yours")}</legend>
                // The grid is a child: WebKit lays out a `fieldset` with `display: grid` wrongly.
                <div class="with-guide">
                <OwnerChoice state=state(&draft.user) session=session.clone() />
                {(!is_signed_in).then(|| view! {
                    <TextField
                        field=Field::Login label=t!("form-login") hint=login_hint state=state(&draft.login)
                        inputmode="email"
                    />
                    <Secret secret saved hint=secret_hint host=draft.host.clone() errors=errors.clone() />
                    <aside id="guide" class="guide" data-src=at("/profiles/guide?") aria-label=t!("guide-title")>
                        <PresetGuide preset=chosen guide way />
                    </aside>
                })}
                <SenderFields draft=draft.clone() errors=errors.clone() email signed_in=is_signed_in />
                </div>
            </fieldset>
            <p
                class="notice warning"
                id="ending"
                role="alert"
                hidden
                data-ending=t!("form-session-ending")
                data-offline=t!("form-offline")
            ></p>
            <div id="over"></div>
            <SessionOver text=t!("form-session-over") renewed=t!("form-session-renewed") typed=true />
            <div class="actions">
                <button class="primary">{t!("action-validate")}</button>
                <button formaction=at("/api/profiles/cancel") formnovalidate=true>{t!("action-cancel")}</button>
            </div>
        </form>
    }
}
