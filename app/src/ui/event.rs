//! Server side. Events for the portal's page around a frame.
//!
//! An event is an attribute in the page, and `frame.js` posts it once. Ids and codes only: no name, no address, no
//! setting. To add one: a variant here, where it happens, its name in `packages/embed/embed.js` and `index.d.ts`.

use leptos::prelude::*;
use serde::Serialize;

use super::layout::query;
use crate::{profile::model::ProfileId, sending_mode::model::SendingMode, test_run::report::Verdict};

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// A profile was created or changed.
    ProfileSaved {
        id: ProfileId,
    },
    ProfileDeleted {
        id: ProfileId,
    },
    ModeChanged {
        mode: SendingMode,
    },
    TestSucceeded {
        id: ProfileId,
    },
    /// `cause` is a code of the diagnosis, or `delivery_unknown`.
    TestFailed {
        id: ProfileId,
        cause: &'static str,
    },
}

impl Event {
    /// The end of a test.
    pub fn tested(id: ProfileId, report: &crate::test_run::report::Report) -> Self {
        match report.verdict {
            Verdict::Accepted | Verdict::DryRunOk => Self::TestSucceeded { id },
            Verdict::DeliveryUnknown => Self::TestFailed { id, cause: "delivery_unknown" },
            Verdict::Failed => Self::TestFailed { id, cause: report.cause.map_or("unknown", |cause| cause.as_str()) },
        }
    }
}

/// The event of the action that redirected to this page.
///
/// The server removes `told` from the URL unless it has just redirected the browser there.
fn requested() -> Option<Event> {
    if query("told").is_empty() {
        return None;
    }
    let id = |name: &str| ProfileId::parse(&query(name));
    let saved = || id("id").or_else(|| id("selected")).map(|id| Event::ProfileSaved { id });
    match query("notice").as_str() {
        "saved"
        | "saved-only"
        | "sending-saved"
        | "restored"
        | "signed-in"
        | "signed-out"
        | "secret-removed"
        | "cleaned"
        | "duplicated"
        | "in-use"
        | "in-use-later"
        | "in-use-later-failing" => saved(),
        "in-use-failing" => SendingMode::parse(&query("mode")).map(|mode| Event::ModeChanged { mode }).or_else(saved),
        "deleted" | "deleted-successor" | "deleted-shop" | "deleted-portal" | "deleted-nobody" => {
            id("id").map(|id| Event::ProfileDeleted { id })
        }
        "mode-saved" | "mode-own" | "in-use-now" => {
            SendingMode::parse(&query("mode")).map(|mode| Event::ModeChanged { mode })
        }
        // Saved with warnings.
        "" if !query("warn").is_empty() || !query("suspicious").is_empty() => saved(),
        _ => None,
    }
}

/// Marks an event for `frame.js`. `live`: it happens in a loaded page, so it is posted even if the page was reloaded.
#[component]
pub fn Happened(event: Event, live: bool) -> impl IntoView {
    let event = serde_json::to_string(&event).unwrap_or_default();
    view! { <i hidden data-event=event data-live=live.then_some("1")></i> }
}

/// Marks the event of the redirect to this page.
#[component]
pub fn RequestEvent() -> impl IntoView {
    requested().map(|event| view! { <Happened event live=false /> })
}
