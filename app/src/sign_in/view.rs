//! Server side. The button **Se connecter avec …**, and the form of a profile whose owner signed in.

use leptos::prelude::*;

use super::{admin::ForAdmin, model::SignInWay, signed_in::SignedIn};
use crate::{
    base_path::at,
    diagnosis::cause::Cause,
    profile::{
        draft::Draft,
        field::{Field, FieldError},
    },
    t,
    ui::{
        field::{InputState, TextField},
        form_owner::FormOwnerField,
        moment::Moment,
    },
};

/// The first way for a provider at which owners can sign in. It posts the form that it is in.
#[component]
pub fn SignInButton(way: SignInWay) -> impl IntoView {
    view! {
        <p class="sign-in">
            <button
                class="primary" formaction=at("/api/sign-in/begin") formnovalidate=true
                data-opens=t!("sign-in-opens", provider = way.provider.clone())
            >
                {t!("sign-in-with", provider = way.provider)}
            </button>
        </p>
    }
}

/// What replaces server, login and password: who signed in, and what can be done about it.
#[component]
pub fn SignedInFields(
    signed_in: SignedIn,
    draft: Draft,
    errors: Vec<FieldError>,
    /// Why the permission no longer works, in a sentence.
    why: Option<String>,
    /// The form with a password instead.
    password: String,
) -> impl IntoView {
    let state = InputState { value: draft.login.clone(), errors };
    let ended = signed_in.ended;
    let admin = signed_in.admin_consent_url.clone().filter(|_| ended == Some(Cause::OauthAdmin));
    let provider = signed_in.provider.clone();
    let hidden = [("preset", draft.preset), ("host", draft.host), ("port", draft.port), ("security", draft.security)];
    let hidden =
        hidden.map(|(name, value)| view! { <input type="hidden" name=format!("draft[{name}]") value=value /> });
    let login = if signed_in.shared_mailboxes {
        view! {
            <TextField
                field=Field::Login label=t!("signed-in-mailbox") hint=t!("signed-in-mailbox-hint") state
                inputmode="email"
            />
        }
        .into_any()
    } else {
        view! { <input type="hidden" name="draft[login]" value=state.value /> }.into_any()
    };
    let class = if ended.is_some() { "notice error" } else { "notice done" };
    view! {
        {hidden.into_iter().collect_view()}
        // The assistant empties it before it submits the form elsewhere.
        <input type="hidden" id="secret" name="secret" value="" />
        <fieldset class="section">
            <legend>{provider.clone()}</legend>
            <div class=class>
                <p>
                    <strong>{t!("signed-in-as", identity = signed_in.identity.clone())}</strong> " (" <Moment at=signed_in.since /> ")"
                </p>
                {why.map(|why| view! { <p>{t!("signed-in-ended", why = why)}</p> })}
                {signed_in.code.clone().map(|code| view! { <p class="hint">{t!("sign-in-code", code = code)}</p> })}
            </div>
            <p class="hint">{t!("signed-in-about", provider = provider.clone())}</p>
            {admin.map(|url| view! { <ForAdmin url provider=provider.clone() /> })}
            {login}
            <p class="actions">
                <button
                    class=ended.is_some().then_some("primary") formaction=at("/api/sign-in/begin") formnovalidate=true
                    data-opens=t!("sign-in-opens", provider = provider.clone())
                >
                    {t!("signed-in-again")}
                </button>
                <button formaction=at("/api/sign-in/out") formnovalidate=true>{t!("signed-in-out")}</button>
                <a class="button" href=password>{t!("signed-in-password")}</a>
            </p>
            {signed_in.permissions_page.map(|url| view! {
                <p class="hint">
                    <a href=url target="_blank" rel="noopener noreferrer">{t!("signed-in-permissions", provider = provider)}</a>
                </p>
            })}
        </fieldset>
    }
}

/// Signing in again, from a page that is not the form.
#[component]
pub fn SignInAgain(id: String, signed_in: SignedIn) -> impl IntoView {
    let SignedIn { client, provider, .. } = signed_in;
    view! { <SignInForm id client provider /> }
}

/// Signing in instead of the password that is stored.
#[component]
pub fn SignInFirst(id: String, way: SignInWay) -> impl IntoView {
    let SignInWay { client, provider, .. } = way;
    view! { <SignInForm id client provider /> }
}

#[component]
fn SignInForm(id: String, client: String, provider: String) -> impl IntoView {
    view! {
        <form method="post" action=at("/api/sign-in/begin")>
            <FormOwnerField />
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="client" value=client />
            <p class="actions">
                <button class="primary" data-opens=t!("sign-in-opens", provider = provider.clone())>
                    {t!("sign-in-with", provider = provider)}
                </button>
            </p>
        </form>
    }
}
