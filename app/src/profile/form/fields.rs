//! Server side. The fields that are not plain text inputs: encryption, owner, password; and the optional ones.

use leptos::prelude::*;

use crate::{
    profile::{
        draft::Draft,
        field::{Field, FieldError},
        model::SecretState,
        moved::Moved,
        security::Security,
    },
    session::Session,
    t,
    ui::{
        field::{FieldFault, FieldWarnings, InputState, TextField},
        layout::query,
        moment::Moment,
        secret::SecretInput,
    },
};

/// An address, with or without a name ([`crate::profile::mailbox_text`]).
const ADDRESS: &str = r"\s*([^@]*<)?\s*[^@\s]+@[^@\s]+(\s*>)?\s*";

#[component]
pub(super) fn SecurityChoice(state: InputState) -> impl IntoView {
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
            <FieldFault field=Field::Security errors=state.errors />
            {choices.into_iter().collect_view()}
            <FieldWarnings field=Field::Security />
        </fieldset>
    }
}

#[component]
pub(super) fn OwnerChoice(state: InputState, session: Session) -> impl IntoView {
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
            <FieldFault field=Field::User errors=state.errors />
            <select id="user" name="draft[user]" aria-describedby="user-hint user-fault" aria-invalid=wrong autofocus=first>
                <option value="" selected=state.value.is_empty()>{t!("owner-shop")}</option>
                // A user whom the portal no longer lists stays selected, so that saving does not change the owner
                // unnoticed.
                {gone.then(|| view! { <option value=state.value.clone() selected=true>{t!("owner-gone")}</option> })}
                {users}
            </select>
            <p class="hint" id="user-hint">{t!("form-owner-hint")}</p>
        </div>
    }
}

/// **Mot de passe SMTP**. A stored password is never shown, not even as dots.
#[component]
pub(super) fn Secret(
    secret: SecretState,
    /// The saved profile, and what of it the form has changed.
    saved: Option<(Option<Moved>, Draft)>,
    host: String,
    /// The hint under it while none is stored.
    hint: String,
    errors: Vec<FieldError>,
) -> impl IntoView {
    let state = InputState { value: String::new(), errors: errors.clone() };
    let hint = match (secret, saved) {
        (SecretState::Missing, _) => hint.into_any(),
        (SecretState::Unreadable, _) => view! { <strong>{t!("form-secret-unreadable")}</strong> }.into_any(),
        (SecretState::Stored { changed_at }, saved) => {
            let (moved, saved) = saved.unwrap_or_default();
            let text = moved.map(|moved| t!(moved.key(), host = host));
            view! {
                <span id="secret-kept" hidden=moved.is_some()>
                    <strong>{t!("form-secret-stored")}</strong> " (" <Moment at=changed_at /> "). " {t!("form-secret-keep")}
                </span>
                <strong
                    id="secret-moved"
                    data-host=saved.host
                    data-port=saved.port
                    data-security=saved.security
                    data-login=saved.login
                    data-server-words=t!(Moved::Server.key(), host = "{host}")
                    data-login-words=t!(Moved::Login.key())
                >
                    {text}
                </strong>
            }
            .into_any()
        }
    };
    view! {
        <div class="field">
            <label for="secret">{t!("form-secret")}</label>
            <FieldFault field=Field::Secret errors />
            <SecretInput
                id="secret"
                required=matches!(secret, SecretState::Missing)
                described_by="secret-remark secret-hint secret-fault"
                wrong=state.is_wrong(Field::Secret)
                // A copy lacks only the password.
                focus=state.is_first_wrong(Field::Secret) || query("notice") == "duplicated"
            />
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
            <FieldWarnings field=Field::Secret />
        </div>
    }
}

/// The sender, the reply address and the name of the profile. Each is optional.
#[component]
pub(super) fn SenderFields(
    draft: Draft,
    errors: Vec<FieldError>,
    email: String,
    /// The owner signed in: the form has a mailbox, and no username.
    signed_in: bool,
) -> impl IntoView {
    let sender_hint = if signed_in { t!("signed-in-sender-hint") } else { t!("form-sender-address-hint") };
    let state = |value: String| InputState { value, errors: errors.clone() };
    view! {
        <TextField
            field=Field::SenderName label=t!("form-sender-name") hint=t!("form-sender-name-hint")
            state=state(draft.sender_name) optional=true maxlength=100
        />
        <TextField
            field=Field::SenderAddress label=t!("form-sender-address") hint=sender_hint
            state=state(draft.sender_address) inputmode="email" optional=true pattern=ADDRESS
        />
        <TextField
            field=Field::ReplyTo label=t!("form-reply-to") hint=t!("form-reply-to-hint", email = email)
            state=state(draft.reply_to) inputmode="email" optional=true pattern=ADDRESS
        />
        <TextField
            field=Field::Name label=t!("form-name") hint=t!("form-name-hint") state=state(draft.name)
            optional=true maxlength=100
        />
    }
}
