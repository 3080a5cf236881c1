//! Server side. The first step: presets, the server, **Vos Informations**.
//!
//! Every input is uncontrolled: what is typed before the WebAssembly arrives stays. The island around the form
//! ([`super::assistant`]) works on the DOM that this page renders.

use std::{collections::BTreeMap, sync::Arc};

use axum::http::request::Parts;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::{
    assistant::FormAssistant,
    conflict::Conflict,
    draft::{Choice, Draft, KeptDraft, is_form_name},
    field::{Field, FieldError},
    guide::PresetGuide,
    keeping::{Restored, merge_form, orphan},
    model::{ProfileId, SecretState},
    preset::{Catalogue, Preset},
    security::Security,
};
use crate::{
    base_path::at,
    error::AppError,
    services::{Services, services},
    session::{Session, SessionLeft, session},
    t,
    ui::{
        field::{FieldFault, FieldWarnings, InputState, TextField},
        layout::{Loaded, Page, query},
        moment::Moment,
        notice::{Kind, Notice, RequestNotice},
        session_over::SessionOver,
        whose::WhoseForm,
    },
};

mod presets;

use presets::Presets;

/// What can be a server's name, with a scheme or a port if need be ([`super::server_text`]); not an address.
const HOST: &str = r"\s*(\S+:\/\/\S+|[^@\s]+(\s*:?\s*[0-9]{1,5})?)\s*";
/// From 1 to 65535.
const PORT: &str = r"\s*0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])\s*";

/// What a form shows: the values, what is wrong with them, and what is known of the secret.
struct Content {
    /// The name of the form: what is typed is kept under it.
    form: String,
    profile: Option<ProfileId>,
    revision: Option<u32>,
    draft: Draft,
    errors: Vec<FieldError>,
    secret: SecretState,
    /// What was typed before and not saved is there again.
    restored: bool,
}

/// A new profile. Its form has a name of its own in the address, so that going back to it finds what it made.
#[component]
pub fn NewPage() -> impl IntoView {
    let (form, chosen) = (query("form"), query("preset"));
    let notice = query("notice");
    let load = async move {
        let (session, services) = (session()?, services()?);
        let kept = services.drafts.kept(&session.who()).await?;
        if !is_form_name(&form) {
            let begun = kept.iter().find(|kept| kept.profile.is_none() && !kept.dropped && chosen.is_empty()).cloned();
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

/// Whether a browser loads the page, as browsers say by themselves; a program gets the form where it asks for it.
fn is_navigation() -> bool {
    use_context::<Parts>()
        .is_some_and(|parts| parts.headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate"))
}

/// Leads to another page.
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
        restored: false,
    };
    if let Some(preset) = services.presets.get(chosen) {
        content.draft.fill(preset);
    }
    content.resume(kept);
    content
}

/// A profile that exists.
#[component]
pub fn EditPage() -> impl IntoView {
    let (id, stale, resumed) = (query("id"), !query("stale").is_empty(), !query("resume").is_empty());
    let load = async move {
        let (session, services) = (session()?, services()?);
        let id = ProfileId::parse(&id).ok_or(AppError::NotFound)?;
        let form = id.to_string();
        let kept = services.drafts.kept(&session.who()).await?.into_iter().find(|kept| kept.form == form);
        let Some(profile) = services.profiles.get(&session.account, id).await? else {
            // Deleted under a form: what was typed can still become a profile.
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
        // What was given up comes back only when that is asked for.
        let kept = kept.filter(|kept| !kept.dropped || resumed);
        let mut content = Content {
            form,
            profile: Some(id),
            revision: Some(profile.revision),
            draft: stored,
            errors: Vec::new(),
            secret: profile.secret,
            restored: false,
        };
        content.resume(kept);
        Ok(page(content, &session, services.presets))
    };
    view! {
        <Page title=t!("form-title-edit")>
            <p class="step">{t!("form-step", step = 1)}</p>
            <Loaded content=load />
        </Page>
    }
}

impl Content {
    /// Puts back what was typed.
    fn resume(&mut self, kept: Option<KeptDraft>) {
        let Some(kept) = kept else { return };
        self.restored = kept.errors.is_empty() && query("draft").is_empty();
        self.draft = kept.draft;
        self.errors = kept.errors;
    }
}

fn page(mut content: Content, session: &Session, presets: Arc<Catalogue>) -> AnyView {
    content.draft.settle_preset(&presets);
    let refusal = refusal(&content.errors);
    let session = session.clone();
    let restored = content.restored.then(|| {
        let profile = content.profile.map(|id| id.to_string()).unwrap_or_default();
        view! { <Restored form=content.form.clone() profile /> }
    });
    view! {
        <RequestNotice />
        {restored}
        {refusal.map(|text| view! { <Notice kind=Kind::Error>{text}</Notice> })}
        <FormAssistant>
            <Form content session presets />
        </FormAssistant>
    }
    .into_any()
}

#[component]
fn Form(content: Content, session: Session, presets: Arc<Catalogue>) -> impl IntoView {
    let Content { form, profile, revision, draft, errors, secret, restored: _ } = content;
    let left = use_context::<Parts>().and_then(|parts| parts.extensions.get::<SessionLeft>().copied());
    // Whose server is typed by hand, has that one's guide.
    let chosen: Option<Preset> = presets.get(&draft.preset).or_else(|| presets.by_host(draft.host.trim())).cloned();
    let guide = chosen.as_ref().and_then(|preset| presets.guide(preset)).cloned();
    let state = |value: &str| InputState { value: value.to_owned(), errors: errors.clone() };
    let email = session.email.clone();
    view! {
        <form
            method="post"
            action=at("/api/profiles/save")
            id="profile-form"
            data-check=at("/api/profiles/check")
            data-seconds=left.map(|SessionLeft(seconds)| seconds)
            data-required-host=t!("error-required-host")
            data-required-port=t!("error-required-port")
            data-required-login=t!("error-required-login")
            data-required-secret=t!("error-required-secret")
            data-address=t!("error-address-invalid")
            data-port=t!("error-port-invalid")
            data-host=t!("error-host-invalid")
            data-tidied=t!("form-tidied")
            data-tidied-port=t!("form-tidied-port", port = "{port}")
            data-w-port=t!("warn-port")
            data-w-other=t!("warn-other", login = "{login}", host = "{host}")
            data-w-account=t!("warn-account", host = "{host}")
            data-w-alike=t!("warn-alike")
            data-w-sender=t!("warn-sender", host = "{host}")
        >
            // Enter presses the first button of a form: it must be Valider, not the one of the presets.
            <noscript><button class="visually-hidden" tabindex="-1" aria-hidden="true"></button></noscript>
            <WhoseForm />
            <input type="hidden" name="id" value=profile.map(|id| id.to_string()).unwrap_or_default() />
            <input type="hidden" name="form" value=form />
            <input type="hidden" name="revision" value=revision.map(|revision| revision.to_string()).unwrap_or_default() />
            <Presets presets=presets.all().to_vec() chosen=draft.preset.clone() />
            <fieldset class="section">
                <legend>{t!("form-server")}</legend>
                <div class="columns">
                    <TextField
                        field=Field::Host label=t!("form-host") hint=t!("form-host-hint") state=state(&draft.host)
                        inputmode="url" maxlength=300 required=true pattern=HOST
                    />
                    <TextField
                        field=Field::Port label=t!("form-port") state=state(&draft.port) inputmode="numeric"
                        pattern=PORT maxlength=8 required=true
                    />
                </div>
                <SecurityChoice state=state(&draft.security) />
            </fieldset>
            <fieldset class="section">
                <legend>{t!("form-yours")}</legend>
                // The grid is inside: WebKit takes a fieldset that is a grid for its legend's frame.
                <div class="with-guide">
                <OwnerChoice state=state(&draft.user) session=session.clone() />
                <TextField
                    field=Field::Login label=t!("form-login") hint=t!("form-login-hint") state=state(&draft.login)
                    inputmode="email" required=true
                />
                <Secret secret errors=errors.clone() />
                <aside id="guide" class="guide" data-src=at("/profiles/guide?") aria-label=t!("guide-title")>
                    <PresetGuide preset=chosen guide />
                </aside>
                <TextField
                    field=Field::SenderName label=t!("form-sender-name") hint=t!("form-sender-name-hint")
                    state=state(&draft.sender_name) optional=true maxlength=100
                />
                <TextField
                    field=Field::SenderAddress label=t!("form-sender-address") hint=t!("form-sender-address-hint")
                    state=state(&draft.sender_address) inputmode="email" optional=true pattern="\\s*[^@\\s]+@[^@\\s]+\\s*"
                />
                <TextField
                    field=Field::ReplyTo label=t!("form-reply-to") hint=t!("form-reply-to-hint", email = email)
                    state=state(&draft.reply_to) inputmode="email" optional=true pattern="\\s*[^@\\s]+@[^@\\s]+\\s*"
                />
                </div>
            </fieldset>
            <p
                class="assistant"
                id="assistant"
                role="status"
                data-replaced=t!("preset-replaced", names = "{name}")
                data-left=t!("preset-left", name = "{name}")
                data-undo=t!("preset-undo")
                data-proposal=t!("preset-proposal", name = "{name}")
                data-choose=t!("preset-choose")
            >
                <span></span>
                <button type="button" hidden></button>
            </p>
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

/// What to say above a form that was refused. It comes back without its secret; unless that was what was wrong, this
/// must be said.
fn refusal(errors: &[FieldError]) -> Option<String> {
    let secret_is_wrong = errors.iter().any(|error| error.field == Field::Secret);
    match (errors.len(), secret_is_wrong) {
        (0, _) => None,
        (count, true) => Some(t!("form-refused", count = count)),
        (count, false) => Some(format!("{} {}", t!("form-refused", count = count), t!("form-secret-again"))),
    }
}

#[component]
fn SecurityChoice(state: InputState) -> impl IntoView {
    let choices = Security::ALL.map(|security| {
        let code = security.as_str();
        let id = format!("security-{code}");
        view! {
            <span class="option">
                <input
                    type="radio" name="draft[security]" id=id.clone() value=code
                    checked=state.value == code || (state.value.is_empty() && security == Security::Tls)
                />
                <label for=id>{t!(&format!("security-{code}"))}</label>
            </span>
        }
    });
    let wrong = state.is_wrong(Field::Security).then_some("true");
    let first = state.is_first_wrong(Field::Security);
    view! {
        <fieldset class="field options" id="security" tabindex="-1" aria-describedby="security-fault" aria-invalid=wrong autofocus=first>
            <legend>{t!("form-security")}</legend>
            {choices.into_iter().collect_view()}
            <FieldFault field=Field::Security errors=state.errors />
            <FieldWarnings field=Field::Security />
        </fieldset>
    }
}

#[component]
fn OwnerChoice(state: InputState, session: Session) -> impl IntoView {
    let users = session
        .users
        .iter()
        .map(
            |user| view! { <option value=user.id.clone() selected=state.value == user.id>{user.name.clone()}</option> },
        )
        .collect_view();
    let gone = !state.value.is_empty() && session.user_name(&state.value).is_none();
    let wrong = state.is_wrong(Field::User).then_some("true");
    let first = state.is_first_wrong(Field::User);
    view! {
        <div class="field">
            <label for="user">{t!("form-owner")}</label>
            <select id="user" name="draft[user]" aria-describedby="user-hint user-fault" aria-invalid=wrong autofocus=first>
                <option value="" selected=state.value.is_empty()>{t!("owner-shop")}</option>
                // A user whom the portal no longer lists is shown, so that the profile does not change hands unseen.
                {gone.then(|| view! { <option value=state.value.clone() selected=true>{t!("owner-gone")}</option> })}
                {users}
            </select>
            <p class="hint" id="user-hint">{t!("form-owner-hint")}</p>
            <FieldFault field=Field::User errors=state.errors />
        </div>
    }
}

/// **Mot de passe SMTP**. What is stored is never shown, not even as dots.
#[component]
fn Secret(secret: SecretState, errors: Vec<FieldError>) -> impl IntoView {
    let state = InputState { value: String::new(), errors: errors.clone() };
    let hint = match secret {
        SecretState::Missing => view! { {t!("form-secret-hint")} }.into_any(),
        SecretState::Stored { changed_at } => {
            view! { <strong>{t!("form-secret-stored")}</strong> " (" <Moment at=changed_at /> "). " {t!("form-secret-keep")} }.into_any()
        }
        SecretState::Unreadable => view! { <strong>{t!("form-secret-unreadable")}</strong> }.into_any(),
    };
    view! {
        <div class="field">
            <label for="secret">{t!("form-secret")}</label>
            <span class="secret">
                <input
                    type="password"
                    id="secret"
                    name="secret"
                    required=matches!(secret, SecretState::Missing)
                    maxlength="1024"
                    // "new-password" keeps the browser from putting the portal's password here.
                    autocomplete="new-password"
                    autocapitalize="none"
                    spellcheck="false"
                    data-1p-ignore=""
                    data-lpignore="true"
                    aria-describedby="secret-remark secret-hint secret-fault"
                    aria-invalid=state.is_wrong(Field::Secret).then_some("true")
                    autofocus=state.is_first_wrong(Field::Secret)
                />
                <button type="button" class="eye" hidden aria-pressed="false" aria-controls="secret">
                    <svg viewBox="0 0 24 24" aria-hidden="true">
                        <path d="M2 12q4-6.5 10-6.5T22 12q-4 6.5-10 6.5T2 12z" />
                        <circle cx="12" cy="12" r="3" />
                        <path class="stroke" d="M4 4l16 16" />
                    </svg>
                    <span class="visually-hidden">{t!("secret-show")}</span>
                </button>
            </span>
            <p
                class="remark"
                id="secret-remark"
                role="status"
                data-removed-one=t!("secret-removed-one", n = "{n}")
                data-removed-many=t!("secret-removed-many", n = "{n}")
                data-found-one=t!("secret-found-one", n = "{n}")
                data-found-many=t!("secret-found-many", n = "{n}")
            >
                <span></span>
                <button type="button" hidden>{t!("secret-remove")}</button>
            </p>
            <p class="hint" id="secret-hint">{hint}</p>
            <FieldFault field=Field::Secret errors />
            <FieldWarnings field=Field::Secret />
        </div>
    }
}
