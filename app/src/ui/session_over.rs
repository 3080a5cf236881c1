//! Server side. What a page says when its session has ended under it, before it knows: the words wait in a template that
//! the islands put into the page.

use leptos::prelude::*;

use super::notice::{Kind, Notice};
use crate::{session::visit, t};

/// In a frame the portal's page hears of it (`frame.js` finds the mark) and renews the session; the page stays as it is,
/// and then says `renewed`. `typed`: something is typed in the page, so the way to the portal opens another one.
#[component]
pub fn SessionOver(#[prop(into)] text: String, #[prop(into)] renewed: String, typed: bool) -> impl IntoView {
    let target = if typed { "_blank" } else { "_top" };
    let back = visit().return_url().map(|url| {
        view! {
            <p class="actions">
                <a class="button" href=url.to_owned() target=target rel="noopener">{t!("back-to-portal")}</a>
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
