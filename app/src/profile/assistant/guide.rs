//! Browser side. The guide beside the password field, of the chosen preset or of the server that was typed.

use std::{cell::Cell, time::Duration};

use leptos::prelude::{document, set_timeout};
use web_sys::{Element, Response};

use crate::{
    dom::{find, find_all, spawn, text},
    fetch,
};

/// How long a choice stands before its guide is requested: the arrow keys pass over others.
const PAUSE: Duration = Duration::from_millis(200);

/// Replaces the guide by a preset's, once the reader stays with it.
pub(super) fn fetch_guide(preset: String) {
    let asked = ASKED.get() + 1;
    ASKED.set(asked);
    let ask = async move {
        guide_of(&preset, "").await;
    };
    set_timeout(
        move || {
            if ASKED.get() == asked {
                spawn(ask);
            }
        },
        PAUSE,
    );
}

thread_local! {
    /// How many guides have been wanted.
    static ASKED: Cell<u32> = const { Cell::new(0) };
}

/// Replaces the guide by a preset's, or by that of the provider at `host`. The id of the preset whose guide came.
pub(super) async fn guide_of(preset: &str, host: &str) -> Option<String> {
    let guide = find::<Element>("#guide")?;
    let host = String::from(js_sys::encode_uri_component(host));
    let address = [&text(&guide, "data-src"), "preset=", preset, "&host=", &host].concat();
    let asked = ASKED.get() + 1;
    ASKED.set(asked);
    let response = fetch::fetch(&address, None, None).await.filter(Response::ok)?;
    let html = fetch::text(&response).await?;
    // Responses may arrive out of order: only the one to the last request counts.
    if ASKED.get() != asked {
        return None;
    }
    guide.set_inner_html(&html);
    for hint in find_all::<Element>("#guide [data-hint]") {
        // What is said of a stored password stays.
        let place = document().get_element_by_id(&text(&hint, "data-hint")).filter(|it| it.child_element_count() == 0);
        if let Some(place) = place {
            place.set_text_content(hint.text_content().as_deref());
        }
    }
    response.headers().get("preset").ok()?
}
