//! Browser side. A request, with what the islands need of it: the browser's own `fetch`, without a library between.

use leptos::prelude::window;
use wasm_bindgen::JsCast;
use web_sys::{AbortSignal, RequestInit, Response, UrlSearchParams};

/// Asks for what is at `address`; with a form's fields it is a POST. `None` when there was no answer.
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

/// The whole of an answer.
pub(crate) async fn text(response: &Response) -> Option<String> {
    response.text().ok()?.await.ok()?.as_string()
}
