//! Server side. **Vous pouvez choisir une configuration pré-saisie (optionnel)**: the usual providers as cards, the
//! others behind a disclosure, "another server" last among the usual ones. One group of radio buttons, so exactly one is chosen.
//! The provider's mark comes from a style sheet of its own (`style/marks.css`, written from the table of providers).

use leptos::prelude::*;

use crate::{
    base_path::{Package, at},
    profile::{
        preset::{Preset, Status, hint, search_words},
        preset_hint::PresetHint,
        warnings::Warning,
    },
    sign_in::{model::SignInWay, way::of_preset},
    t,
    ui::field::{Remark, WarningPlace},
};

#[component]
pub fn Presets(presets: Vec<Preset>, ways: Vec<SignInWay>, chosen: String) -> impl IntoView {
    let (usual, others): (Vec<Preset>, Vec<Preset>) = presets.into_iter().partition(|preset| preset.usual.is_some());
    let open = others.iter().any(|preset| preset.id == chosen);
    let count = others.len();
    let marks = use_context::<Package>().map(|Package(folder)| at(&format!("/{folder}/marks.css")));
    let choice = |preset: Preset| {
        let checked = preset.id == chosen;
        let signs_in = of_preset(&ways, &preset.id).is_some();
        view! { <Choice preset checked signs_in /> }
    };
    view! {
        <fieldset class="section presets" id="presets">
            <legend>{t!("form-presets")}</legend>
            <p class="search">
                <label for="preset-search">{t!("preset-search")}</label>
                <input type="search" id="preset-search" autocomplete="off" />
                <span role="status" data-none=t!("preset-none-found")></span>
            </p>
            <div class="cards">
                {usual.into_iter().map(choice).collect_view()}
                <label class="card-choice">
                    <input type="radio" name="draft[preset]" value="" checked=chosen.is_empty() />
                    <i aria-hidden="true"></i>
                    <span>{t!("preset-other-server")}</span>
                </label>
            </div>
            <details open=open class="others">
                <summary>{t!("preset-others", count = count)}</summary>
                <div class="cards all">{others.into_iter().map(choice).collect_view()}</div>
            </details>
            <Remark at="presets" />
            <WarningPlace warning=Warning::PasswordOver />
            // After the cards, which do not wait for it.
            {marks.map(|href| view! { <link rel="stylesheet" href=href /> })}
            <noscript>
                <button formaction=at("/api/profiles/fill") formnovalidate=true>{t!("preset-fill")}</button>
            </noscript>
        </fieldset>
    }
}

#[component]
fn Choice(
    preset: Preset,
    checked: bool,
    /// Its owners can sign in here.
    signs_in: bool,
) -> impl IntoView {
    let words = Some(search_words(&preset)).filter(|words| !words.is_empty());
    // That a provider accepts no password does not matter where its owners sign in.
    let hint = PresetHint { over: preset.status == Status::OauthOnly && !signs_in, ..hint(&preset) };
    view! {
        <label class="card-choice" data-s=words>
            <input type="radio" name="draft[preset]" value=preset.id.clone() checked=checked data-p=hint.encode() />
            <i aria-hidden="true"></i>
            <span>{preset.card_name().to_owned()}</span>
            {tag(&preset, signs_in).map(|(class, words)| view! { <small class=class>{words}</small> })}
        </label>
    }
}

/// What a shop owner must know before choosing: the class and the text.
fn tag(preset: &Preset, signs_in: bool) -> Option<(&'static str, String)> {
    match preset.status {
        _ if preset.is_closed() && signs_in => Some(("sign-in", t!("preset-sign-in"))),
        _ if preset.is_closed() => Some(("closed", t!("preset-closed"))),
        Status::Ending | Status::Deprecated => Some(("ending", t!("preset-ending"))),
        _ => None,
    }
}
