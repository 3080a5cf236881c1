//! Server side. Where the pages are below their origin: at its root, or under a path such as `/smtp` behind the portal's
//! own proxy.
//!
//! Every link, form action and redirect goes through [`at`]; the WebAssembly reads its addresses from
//! attributes.

use axum::http::request::Parts;
use leptos::prelude::use_context;

/// The path: empty, or one that begins with a slash and does not end in one. Given by the server with each request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BasePath(pub String);

/// The address of a path of ours for the request being answered.
pub fn at(path: &str) -> String {
    let base_path =
        use_context::<Parts>().and_then(|parts| parts.extensions.get::<BasePath>().cloned()).unwrap_or_default();
    base_path.0 + path
}
