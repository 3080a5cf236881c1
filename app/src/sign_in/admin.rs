//! Server side. What an administrator needs to allow the application for an organisation.

use leptos::prelude::*;

use crate::t;

/// The link for an administrator, and a text to send with it.
#[component]
pub fn ForAdmin(url: String, provider: String) -> impl IntoView {
    let text = t!("sign-in-admin-text", provider = provider, url = url.clone());
    view! {
        <label for="for-admin">{t!("sign-in-admin-label")}</label>
        <textarea id="for-admin" readonly=true rows="6">{text}</textarea>
    }
}
