//! Server side. The notice for a session that ends while its page is open, in a template that the islands insert.

use leptos::prelude::*;

use super::notice::{Kind, Notice};
use crate::{session::visit, t};

/// In a frame `frame.js` tells the portal's page, which renews the session; the notice then shows `renewed`. `typed`:
/// the page has input, so the link to the portal opens a new tab.
#[component]
pub fn SessionOver(#[prop(into)] text: String, #[prop(into)] renewed: String, typed: bool) -> impl IntoView {
    let (target, words) = if typed { ("_blank", "carry-portal") } else { ("_top", "back-to-portal") };
    let back = visit().return_url().map(|url| {
        view! {
            <p class="actions">
                <a class="button" href=url.to_owned() target=target rel="noopener">{t!(words)}</a>
            </p>
        }
    });
    view! {
        <template>
            <Notice kind=Kind::Error><div data-renewed=renewed><p>{text}</p> {back}</div></Notice>
            <i hidden data-event=r#"{"type":"visit","visit":"ended"}"# data-live="1"></i>
        </template>
    }
}
