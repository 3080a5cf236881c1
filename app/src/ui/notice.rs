//! Server side. Notices.

use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::{event::RequestEvent, layout::query};
use crate::{error::AppError, t};

/// The severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Done,
    Warning,
    Error,
}

/// A notice. Screen readers announce errors at once (`alert`), others at the next pause (`status`).
#[component]
pub fn Notice(kind: Kind, children: Children) -> impl IntoView {
    let (class, role) = match kind {
        Kind::Done => ("notice done", "status"),
        Kind::Warning => ("notice warning", "status"),
        Kind::Error => ("notice error", "alert"),
    };
    view! { <div class=class role=role>{children()}</div> }
}

/// The notice of an action that redirected here: `?notice=<code>`. Unknown codes are ignored.
#[component]
pub fn RequestNotice(
    /// The name of the profile concerned, if the page knows it.
    #[prop(optional_no_strip)]
    about: Option<String>,
    /// What follows the text.
    #[prop(optional_no_strip)]
    also: Option<AnyView>,
) -> impl IntoView {
    view! { <RequestEvent /> {requested(about, also)} }
}

/// Stands for an unknown name in the texts. An address is never this.
const NOBODY: &str = "none";

fn requested(about: Option<String>, also: Option<AnyView>) -> Option<impl IntoView> {
    let code = query("notice");
    let kind = match code.as_str() {
        "mode-saved" | "mode-own" | "saved" | "sending-saved" | "saved-only" | "received" | "deleted"
        | "deleted-successor" | "duplicated" | "in-use" | "in-use-now" | "cleaned" | "merged" | "saved-already" => {
            Kind::Done
        }
        "secret-removed" | "restored" | "signed-in" => Kind::Done,
        "was-deleted"
        | "signed-out"
        | "in-use-later"
        | "in-use-failing"
        | "in-use-later-failing"
        | "deleted-shop"
        | "deleted-portal"
        | "deleted-nobody"
        | "restore-late"
        | "secret-missing"
        | "gone"
        | "limited"
        | "full"
        | "tests-of-yours"
        | "tests-of-account"
        | "tests-of-all"
        | "stale"
        | "code-wrong"
        | "code-invalid"
        | "code-gone"
        | "session-renewed"
        | "session-renewed-secret"
        | "session-renewed-press" => Kind::Warning,
        "secret-unreadable" | "secret-refused" | "secret-invalid" | "malformed" | "unknown-field" | "unavailable" => {
            Kind::Error
        }
        _ => return None,
    };
    let text = match code.as_str() {
        "limited" => t!("notice-limited", seconds = whole_number("seconds")),
        "code-wrong" => t!("notice-code-wrong", left = whole_number("left")),
        "secret-removed" => {
            let saved = t!("notice-saved", name = about.as_deref().unwrap_or(NOBODY));
            format!("{saved} {}", t!("notice-secret-removed", count = whole_number("count")))
        }
        "cleaned" => t!("notice-cleaned", count = whole_number("count")),
        "full" => t!("notice-full", count = whole_number("count")),
        _ => t!(&format!("notice-{code}"), name = about.as_deref().unwrap_or(NOBODY)),
    };
    Some(view! { <Notice kind><p>{text}</p>{also}</Notice> })
}

/// Whether the last post was stale. Sets the status 409.
pub fn is_stale() -> bool {
    let stale = !query("stale").is_empty();
    if stale && let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(AppError::Stale.status());
    }
    stale
}

/// Whether the page shows refused input again.
pub fn is_asked_again() -> bool {
    ["draft", "stale"].iter().any(|flag| !query(flag).is_empty())
}

/// A number in the query string; 0 for anything else.
pub fn whole_number(name: &str) -> u32 {
    query(name).parse().unwrap_or_default()
}
