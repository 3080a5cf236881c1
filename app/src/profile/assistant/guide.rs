//! Browser side. The guide beside the password field, for the selected preset or the typed server.

use std::{cell::Cell, time::Duration};

use leptos::prelude::document;
use web_sys::{Element, Response};

use crate::{
    dom::{after, find, find_all, press::when_released, spawn, text},
    fetch,
};

/// How long a preset stays selected before its guide is requested: the arrow keys pass over others.
const PAUSE: Duration = Duration::from_millis(200);

/// Replaces the guide by a preset's, once it stays selected.
pub(super) fn fetch_guide(preset: String) {
    let asked = ASKED.get() + 1;
    ASKED.set(asked);
    let ask = guide_of(preset, String::new(), |_| {});
    let ask = move || {
        if ASKED.get() == asked {
            spawn(ask);
        }
    };
    after(PAUSE, ask);
}

thread_local! {
    /// The number of requests so far.
    static ASKED: Cell<u32> = const { Cell::new(0) };
}

/// Replaces the guide by a preset's, or by that of the provider at `host`. `then` gets the id of the guide's preset.
pub(super) async fn guide_of(preset: String, host: String, then: fn(String)) {
    let Some(guide) = find::<Element>("#guide") else { return };
    let host = String::from(js_sys::encode_uri_component(&host));
    let address = [&text(&guide, "data-src"), "preset=", &preset, "&host=", &host].concat();
    let asked = ASKED.get() + 1;
    ASKED.set(asked);
    let Some(response) = fetch::fetch(&address, None, None).await.filter(Response::ok) else { return };
    let Some(html) = fetch::text(&response).await else { return };
    when_released(move || {
        // Responses may arrive out of order: only the one to the last request counts.
        if ASKED.get() != asked {
            return;
        }
        guide.set_inner_html(&html);
        for hint in find_all::<Element>("#guide [data-hint]") {
            let place = document().get_element_by_id(&text(&hint, "data-hint"));
            // A text about a stored password is kept.
            if let Some(place) = place.filter(|it| it.child_element_count() == 0) {
                place.set_text_content(hint.text_content().as_deref());
            }
        }
        if let Ok(Some(preset)) = response.headers().get("preset") {
            then(preset);
        }
    });
}
