//! Server side. The password, typed again where its refusal is read.

use leptos::prelude::*;

use crate::{
    base_path::at,
    profile::model::ProfileId,
    t,
    ui::{eye::Eye, form_owner::FormOwnerField},
};

/// **Enregistrer et retester**: saves the password and runs the test again.
#[component]
pub fn Retype(id: ProfileId) -> impl IntoView {
    let field = format!("secret-{id}");
    view! {
        <form method="post" action=at("/api/test/secret") class="retype">
            <FormOwnerField />
            <input type="hidden" name="id" value=id.to_string() />
            <label for=field.clone()>{t!("form-secret")}</label>
            <span class="secret">
                <input
                    type="password"
                    id=field.clone()
                    name="secret"
                    required
                    maxlength="1024"
                    autocomplete="new-password"
                    autocapitalize="none"
                    spellcheck="false"
                    data-1p-ignore=""
                    data-lpignore="true"
                />
                <Eye field />
            </span>
            <button class="primary" data-test="">{t!("action-retype")}</button>
        </form>
    }
}
