//! Server side. The way to a password as three small screens. They are our own drawings rather than screenshots, so
//! they do not go out of date. Each has its caption, so the drawings are decoration.
//!
//! To add one: a variant of `Picture`, its screens in [`Screens`], texts `screen-…`.

use leptos::prelude::*;

use super::preset::Picture;
use crate::t;

/// A drawing inside a window of 64 × 44, and the key of its caption.
struct Screen(&'static str, &'static str);

const SECURITY: Screen = Screen("M32 14l9 3v7q0 7-9 11-9-4-9-11v-7zm-4 10l3 3 5-6", "screen-security");
const TWO_STEP: Screen = Screen("M26 13h12v24H26zm4 20h4M29 24l2.5 2.5L36 21", "screen-two-step");
const APP_PASSWORD: Screen = Screen(KEY, "screen-app-password");
const PASTE: Screen = Screen("M12 19h40v12H12zm5 6h.5m4 0h.5m4 0h.5m4 0h.5m4 0h.5m4-3v6", "screen-paste");
const ACCOUNT: Screen = Screen("M32 25a5 5 0 1 0-.1 0zm-10 11q0-8 10-8t10 8", "screen-account");
const ADDRESS: Screen = Screen("M20 16h24v18H20zm0 1l12 9 12-9", "screen-address");
const ITS_PASSWORD: Screen = Screen(KEY, "screen-its-password");
const SMTP: Screen = Screen("M14 18h36M14 26h36M14 34h36M22 15v6m20 2v6M28 31v6", "screen-smtp");
const NEW_KEY: Screen = Screen(KEY, "screen-new-key");
const KEY: &str = "M30 25a6 6 0 1 1-.1-1H48v5m-5-5v4";

/// The screens, in order.
#[component]
pub fn Screens(picture: Picture) -> impl IntoView {
    let screens = match picture {
        Picture::TwoStep => [SECURITY, TWO_STEP, APP_PASSWORD],
        Picture::AppPassword => [SECURITY, APP_PASSWORD, PASTE],
        Picture::Mailbox => [ACCOUNT, ADDRESS, ITS_PASSWORD],
        Picture::Key => [SMTP, NEW_KEY, PASTE],
    };
    let drawn = screens.map(|Screen(path, caption)| {
        view! {
            <li>
                <svg viewBox="0 0 64 44" aria-hidden="true">
                    <path d="M4 2h56a2 2 0 0 1 2 2v36a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2zM2 9h60M5 5.5h.5m3 0h.5" />
                    <path class="thing" d=path />
                </svg>
                {t!(caption)}
            </li>
        }
    });
    view! { <ul class="screens">{drawn.into_iter().collect_view()}</ul> }
}
