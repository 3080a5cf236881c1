//! Server side. The password field beside its refusal.

use std::sync::atomic::{AtomicU32, Ordering};

use leptos::prelude::*;

use crate::{
    base_path::at,
    profile::model::ProfileId,
    t,
    ui::{form_owner::FormOwnerField, secret::SecretInput},
};

/// Creates ids of inputs: a page may have two cards of one profile, for its test and for its last message.
static INPUTS: AtomicU32 = AtomicU32::new(0);

/// **Enregistrer et retester**: saves the password and runs the test again.
#[component]
pub fn Retype(id: ProfileId) -> impl IntoView {
    let field = format!("secret-{}", INPUTS.fetch_add(1, Ordering::Relaxed));
    view! {
        <form method="post" action=at("/api/test/secret") class="retype">
            <FormOwnerField />
            <input type="hidden" name="id" value=id.to_string() />
            <label for=field.clone()>{t!("form-secret")}</label>
            <SecretInput id=field required=true />
            <button class="primary" data-test="">{t!("action-retype")}</button>
        </form>
    }
}
