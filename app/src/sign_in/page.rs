//! Server side. A sign-in under way: the button that opens the provider's window, and how it ended.

use leptos::prelude::*;

use super::{
    admin::ForAdmin,
    model::{Outcome, Progress, SignIn, SignInId},
    watch::SignInWatch,
};
use crate::{
    base_path::at,
    diagnosis::advice::who,
    error::AppError,
    i18n::{self, Texts},
    services::services,
    session::session,
    t,
    ui::{
        form_owner::FormOwnerField,
        layout::{Loaded, Page, query},
        notice::{Kind, Notice},
    },
};

#[component]
pub fn SignInPage() -> impl IntoView {
    let id = query("id");
    let load = async move {
        let (session, services) = (session()?, services()?);
        let id = SignInId::parse(&id).ok_or(AppError::NotFound)?;
        let sign_in = services.sign_ins.get(&session, id).await?.ok_or(AppError::NotFound)?;
        if let Progress::Ended(Outcome::Connected { profile, expected: None, new, .. }) = &sign_in.progress {
            leptos_axum::redirect(&at(&after(&profile.to_string(), *new)));
            return Ok(().into_any());
        }
        Ok(view! { <State sign_in /> }.into_any())
    };
    view! {
        <Page title=t!("sign-in-page-title")>
            <Loaded content=load />
        </Page>
    }
}

/// The page that follows: a new profile goes on with its encoding, as after **Valider**.
fn after(profile: &str, new: bool) -> String {
    if new {
        format!("/profiles/encoding?id={profile}&notice=signed-in")
    } else {
        format!("/profiles?selected={profile}&notice=signed-in")
    }
}

/// The form that the sign-in was begun from, with what was typed.
fn back(sign_in: &SignIn) -> String {
    let page = match sign_in.profile {
        Some(id) => format!("/profiles/edit?id={id}&draft=1"),
        None => format!("/profiles/new?form={}&draft=1", sign_in.form),
    };
    at(&page)
}

#[component]
fn State(sign_in: SignIn) -> impl IntoView {
    let provider = sign_in.way.provider.clone();
    let back = back(&sign_in);
    match sign_in.progress.clone() {
        Progress::Ready { ticket } => view! { <Ready sign_in ticket back /> }.into_any(),
        Progress::Open => view! {
            <p class="lead" role="status">{t!("sign-in-waiting", provider = provider)}</p>
            <Waiting sign_in back />
        }
        .into_any(),
        Progress::Expired => view! {
            <Notice kind=Kind::Warning><p>{t!("sign-in-expired")}</p></Notice>
            <Again sign_in back />
        }
        .into_any(),
        Progress::Ended(Outcome::Connected { profile, identity, expected, new }) => {
            let expected = expected.unwrap_or_default();
            let go_on = at(&after(&profile.to_string(), new));
            view! { <OtherAccount sign_in profile=profile.to_string() identity expected go_on /> }.into_any()
        }
        Progress::Ended(outcome) => view! { <Failed outcome sign_in back /> }.into_any(),
    }
}

/// The provider's window is opened by a form of its own: with or without scripts, in a frame too.
#[component]
fn Ready(sign_in: SignIn, ticket: String, back: String) -> impl IntoView {
    let provider = sign_in.way.provider.clone();
    view! {
        <p class="lead">{t!("sign-in-about", provider = provider.clone())}</p>
        <form method="post" action=at("/oauth/go") target="_blank" id="sign-in-open">
            <FormOwnerField />
            <input type="hidden" name="ticket" value=ticket />
            <p class="actions">
                <button class="primary" autofocus=true>
                    {t!("sign-in-open", provider = provider)} <span aria-hidden="true">" ↗"</span>
                    <span class="visually-hidden">" (" {t!("guide-new-tab")} ")"</span>
                </button>
            </p>
        </form>
        <Waiting sign_in back />
    }
}

/// What to do while the window is open. A script finds the end by itself.
#[component]
fn Waiting(sign_in: SignIn, back: String) -> impl IntoView {
    let progress = at(&format!("/oauth/progress?id={}", sign_in.id));
    view! {
        <p class="actions" id="sign-in-waits" data-progress=progress>
            <a class="button" href=at(&sign_in.id.page())>{t!("sign-in-finished")}</a>
            <a class="button" href=back>{t!("action-cancel")}</a>
        </p>
        <SignInWatch />
    }
}

/// The button that begins once more.
#[component]
fn Again(sign_in: SignIn, back: String) -> impl IntoView {
    view! {
        <p class="actions">
            <a class="button primary" href=back>{t!("sign-in-again", provider = sign_in.way.provider)}</a>
        </p>
    }
}

/// Another account signed in than the form named: the owner decides.
#[component]
fn OtherAccount(
    sign_in: SignIn,
    profile: String,
    identity: String,
    expected: String,
    /// The page that follows.
    go_on: String,
) -> impl IntoView {
    let provider = sign_in.way.provider.clone();
    let words = t!("sign-in-other", identity = identity.clone(), expected = expected.clone());
    let keep = t!("sign-in-other-keep", identity = identity.clone());
    let shared = sign_in.way.shared_mailboxes.then(|| {
        view! {
            <form method="post" action=at("/api/sign-in/mailbox")>
                <FormOwnerField />
                <input type="hidden" name="id" value=profile.clone() />
                <input type="hidden" name="mailbox" value=expected.clone() />
                <p class="actions"><button>{t!("sign-in-other-shared", expected = expected.clone())}</button></p>
                <p class="hint">{t!("sign-in-other-shared-hint", expected = expected.clone(), identity = identity.clone())}</p>
            </form>
        }
    });
    view! {
        <Notice kind=Kind::Warning>
            <p>{words}</p>
        </Notice>
        <p class="actions"><a class="button primary" href=go_on>{keep}</a></p>
        {shared}
        <form method="post" action=at("/api/sign-in/begin")>
            <FormOwnerField />
            <input type="hidden" name="id" value=profile />
            <input type="hidden" name="client" value=sign_in.way.client />
            <p class="actions"><button>{t!("sign-in-other-account", provider = provider)}</button></p>
        </form>
    }
}

/// A sign-in that brought nothing.
#[component]
fn Failed(outcome: Outcome, sign_in: SignIn, back: String) -> impl IntoView {
    let provider = sign_in.way.provider.clone();
    let local = |key: String| i18n::current().text(&key, &[("provider", provider.clone())]);
    let (title, what, next, acts, code) = match &outcome {
        Outcome::Refused { cause, code } => {
            let key = cause.as_str().replace('_', "-");
            let text = |part: &str| local(format!("cause-{key}-{part}"));
            (text("title"), text("what"), Some(text("next")), Some(t!(who(*cause).key())), Some(code.clone()))
        }
        other => {
            let key = other.key();
            let most = match other {
                Outcome::TooMany { most } => most.to_string(),
                _ => String::new(),
            };
            let arguments = [("provider", provider.clone()), ("count", most), ("identity", String::new())];
            let text = |part: &str| i18n::current().text(&format!("sign-in-{key}-{part}"), &arguments);
            (text("title"), text("about"), None, None, None)
        }
    };
    let needs_admin = matches!(&outcome, Outcome::Refused { cause: crate::diagnosis::cause::Cause::OauthAdmin, .. });
    let admin = sign_in
        .admin_consent_url
        .clone()
        .filter(|_| needs_admin)
        .map(|url| view! { <ForAdmin url provider=provider.clone() /> });
    view! {
        <section class="card bad" data-verdict="failed">
            {acts.map(|text| view! { <p class="who">{text}</p> })}
            <h2 tabindex="-1" autofocus=true>{title}</h2>
            <p>{what}</p>
            {next.map(|text| view! { <p><strong>{t!("card-next")}</strong> " " {text}</p> })}
            {admin}
            {code.map(|code| view! { <p class="hint">{t!("sign-in-code", code = code)}</p> })}
            <Again sign_in back />
        </section>
    }
}
