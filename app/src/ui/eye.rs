//! Server side. The button that shows a password. It needs a script, which shows the button itself.

use leptos::prelude::*;

use crate::t;

/// For the password field with this id.
#[component]
pub fn Eye(#[prop(into)] field: String) -> impl IntoView {
    view! {
        <button type="button" class="eye" hidden aria-pressed="false" aria-controls=field>
            <svg viewBox="0 0 24 24" aria-hidden="true">
                <path d="M2 12q4-6.5 10-6.5T22 12q-4 6.5-10 6.5T2 12z" />
                <circle cx="12" cy="12" r="3" />
                <path class="stroke" d="M4 4l16 16" />
            </svg>
            <span class="visually-hidden">{t!("secret-show")}</span>
        </button>
    }
}
