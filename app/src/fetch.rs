//! Browser side. The browser's own `fetch`, as far as the islands need it, without an HTTP library in the WebAssembly.

use leptos::prelude::window;
use wasm_bindgen::JsCast;
use web_sys::{AbortSignal, RequestInit, Response, UrlSearchParams};

/// GET of `address`, or a POST if there are fields. `None` without a response.
pub(crate) async fn fetch(
    address: &str,
    fields: Option<&UrlSearchParams>,
    signal: Option<&AbortSignal>,
) -> Option<Response> {
    let how = RequestInit::new();
    if let Some(fields) = fields {
        how.set_method("POST");
        how.set_body(fields);
    }
    if signal.is_some() {
        how.set_signal(signal);
    }
    window().fetch_with_str_and_init(address, &how).await.ok()?.dyn_into().ok()
}

/// The body of a response.
pub(crate) async fn text(response: &Response) -> Option<String> {
    response.text().ok()?.await.ok()?.as_string()
}
