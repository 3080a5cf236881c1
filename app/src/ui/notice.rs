//! Server side. A sentence that must not be missed.

use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::{event::RequestEvent, layout::query};
use crate::{error::AppError, t};

/// How serious it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Done,
    Warning,
    Error,
}

/// A notice. Errors are announced at once, the others when the reader pauses.
#[component]
pub fn Notice(kind: Kind, children: Children) -> impl IntoView {
    let (class, role) = match kind {
        Kind::Done => ("notice done", "status"),
        Kind::Warning => ("notice warning", "status"),
        Kind::Error => ("notice error", "alert"),
    };
    view! { <div class=class role=role>{children()}</div> }
}

/// What an action that ended in a redirect has to say: `?notice=<code>`. Codes that are not in this list say nothing.
#[component]
pub fn RequestNotice() -> impl IntoView {
    view! { <RequestEvent /> {requested()} }
}

fn requested() -> Option<impl IntoView> {
    let code = query("notice");
    let kind = match code.as_str() {
        "mode-saved" | "mode-own" | "saved" | "saved-only" | "received" | "deleted" | "deleted-heir" | "duplicated"
        | "in-use" | "in-use-now" | "cleaned" | "merged" | "saved-already" => Kind::Done,
        "secret-removed" => Kind::Done,
        "was-deleted"
        | "in-use-later"
        | "deleted-shop"
        | "deleted-portal"
        | "deleted-nobody"
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
        "secret-unreadable" | "secret-refused" | "malformed" | "unknown-field" | "unavailable" => Kind::Error,
        _ => return None,
    };
    let text = match code.as_str() {
        "limited" => t!("notice-limited", seconds = whole_number("seconds")),
        "code-wrong" => t!("notice-code-wrong", left = whole_number("left")),
        "secret-removed" => t!("notice-secret-removed", count = whole_number("count")),
        "cleaned" => t!("notice-cleaned", count = whole_number("count")),
        "full" => t!("notice-full", count = whole_number("count")),
        _ => t!(&format!("notice-{code}")),
    };
    Some(view! { <Notice kind>{text}</Notice> })
}

/// Whether what was sent last was about something that had changed meanwhile. The answer says so too: 409.
pub fn is_stale() -> bool {
    let stale = !query("stale").is_empty();
    if stale && let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(AppError::Stale.status());
    }
    stale
}

/// Whether the page shows what was typed into it before: something was wrong with it, or had changed.
pub fn is_asked_again() -> bool {
    ["draft", "stale"].iter().any(|flag| !query(flag).is_empty())
}

/// A number of the URL; zero for anything else.
pub fn whole_number(name: &str) -> u32 {
    query(name).parse().unwrap_or_default()
}
