//! Browser side. The guide beside the password field, of the chosen preset or of the server that was typed.

use std::cell::Cell;

use web_sys::{Element, Response};

use crate::{
    dom::{find, spawn, text},
    fetch,
};

/// Replaces the guide by a preset's.
pub(super) fn fetch_guide(preset: String) {
    spawn(async move {
        guide_of(&preset, "").await;
    });
}

thread_local! {
    /// How many guides have been requested.
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
    response.headers().get("preset").ok()?
}
