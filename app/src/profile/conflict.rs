//! Server side. The merge page: two people, or two tabs, changed the same profile; the user chooses field by field.

use std::{collections::BTreeMap, sync::Arc};

use leptos::prelude::*;

use super::{draft::Draft, field::Field, model::Profile, preset::Catalogue};
use crate::{
    base_path::at,
    session::Session,
    t,
    ui::{
        form_owner::FormOwnerField,
        notice::{Kind, Notice, RequestNotice},
    },
};

/// A field's value as text.
fn words(field: Field, draft: &Draft, session: &Session, presets: &Catalogue) -> String {
    let text = draft.value(field).unwrap_or_default().trim();
    match field {
        Field::Security if !text.is_empty() => t!(&format!("security-{text}")),
        Field::User if text.is_empty() => t!("owner-shop"),
        Field::User => session.user_name(text).map_or_else(|| t!("owner-gone"), str::to_owned),
        Field::Preset => presets.get(text).map_or_else(|| t!("preset-other-server"), |preset| preset.name.clone()),
        _ if text.is_empty() => t!("conflict-empty"),
        _ => text.to_owned(),
    }
}

/// The merge page. It saves nothing: it redirects to the form with the chosen values.
#[component]
pub fn Conflict(
    profile: Profile,
    mine: Draft,
    /// The choices made before the page was shown again, by field.
    taken: BTreeMap<String, String>,
    session: Session,
    presets: Arc<Catalogue>,
) -> impl IntoView {
    let stored = Draft::of(&profile);
    let fields = mine.differences(&stored);
    let same = fields.is_empty();
    let choices = fields.into_iter().map(|field| {
        let name = format!("take[{}]", field.id());
        let chosen = taken.get(field.id()).map_or("typed", |taken| if taken == "saved" { "saved" } else { "typed" });
        let option = |value: &'static str, label: String, draft: &Draft| {
            let id = format!("{}-{value}", field.id());
            let text = words(field, draft, &session, &presets);
            view! {
                <span class="option">
                    <input type="radio" name=name.clone() id=id.clone() value=value checked=value == chosen />
                    <label for=id><span class="hint">{label}</span> " " <strong>{text}</strong></label>
                </span>
            }
        };
        view! {
            <fieldset class="field conflict">
                <legend>{t!(field.label())}</legend>
                {option("typed", t!("conflict-mine"), &mine)}
                {option("saved", t!("conflict-theirs"), &stored)}
            </fieldset>
        }
    });
    let id = profile.id.to_string();
    view! {
        <RequestNotice />
        <Notice kind=Kind::Warning>
            <p>{if same { t!("conflict-same") } else { t!("conflict-about") }}</p>
        </Notice>
        <form method="post" action=at("/api/profiles/merge") class="stack">
            <FormOwnerField />
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="revision" value=profile.revision.to_string() />
            {choices.collect_view()}
            <p class="hint">{t!("conflict-secret")}</p>
            <div class="actions">
                <button class="primary">{t!("conflict-continue")}</button>
                <button formaction=at("/api/profiles/forget")>{t!("draft-as-saved")}</button>
            </div>
        </form>
    }
}
