//! Server side. The input for a password, with the eye that shows it.

use leptos::prelude::*;

use crate::t;

/// Keeps the browser's and password managers' own passwords out: a different one belongs here.
#[component]
pub fn SecretInput(
    #[prop(into)] id: String,
    required: bool,
    /// The ids of the elements that explain it.
    #[prop(optional)]
    described_by: Option<&'static str>,
    #[prop(optional)] wrong: bool,
    #[prop(optional)] focus: bool,
) -> impl IntoView {
    view! {
        <span class="secret">
            <input
                type="password"
                id=id.clone()
                name="secret"
                required=required
                maxlength="1024"
                autocomplete="new-password"
                autocapitalize="none"
                spellcheck="false"
                data-1p-ignore=""
                data-lpignore="true"
                aria-describedby=described_by
                aria-invalid=wrong.then_some("true")
                autofocus=focus
            />
            // Hidden until the script that it needs is loaded.
            <button type="button" class="eye" hidden aria-pressed="false" aria-controls=id>
                <svg viewBox="0 0 24 24" aria-hidden="true">
                    <path d="M2 12q4-6.5 10-6.5T22 12q-4 6.5-10 6.5T2 12z" />
                    <circle cx="12" cy="12" r="3" />
                    <path class="stroke" d="M4 4l16 16" />
                </svg>
                <span class="visually-hidden">{t!("secret-show")}</span>
            </button>
        </span>
    }
}
