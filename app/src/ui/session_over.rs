//! Server side. What a page says when its session has ended under it, before it knows: the words wait in a template that
//! the islands open.

use leptos::prelude::*;

use super::notice::{Kind, Notice};
use crate::{session::visit, t};

/// `tell`: the portal's page around the frame hears of it too, and opens the configurator again. Not where something is
/// typed: the page would be gone.
#[component]
pub fn SessionOver(#[prop(into)] text: String, tell: bool) -> impl IntoView {
    let target = if tell { "_top" } else { "_blank" };
    let back = visit().return_url().map(|url| {
        view! {
            <p class="actions">
                <a class="button" href=url.to_owned() target=target rel="noopener">{t!("back-to-portal")}</a>
            </p>
        }
    });
    let mark = tell.then(|| view! { <i hidden data-tells=r#"{"type":"visit","visit":"ended"}"# data-live="1"></i> });
    view! {
        <template>
            <Notice kind=Kind::Error><p>{text}</p> {back}</Notice>
            {mark}
        </template>
    }
}
