//! Server side. The path that every page is below: empty, or one such as `/smtp` behind the portal's proxy.
//!
//! Every link, form action and redirect goes through [`at`]; the WebAssembly reads its addresses from
//! attributes.

use axum::http::request::Parts;
use leptos::prelude::use_context;

/// The path: empty, or one that begins with a slash and does not end in one. The server sets it for each request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BasePath(pub String);

/// The URL path of `path` for the current request.
pub fn at(path: &str) -> String {
    let base_path =
        use_context::<Parts>().and_then(|parts| parts.extensions.get::<BasePath>().cloned()).unwrap_or_default();
    base_path.0 + path
}

/// The folder of the built site, below the base path. A context of each page.
#[derive(Debug, Clone)]
pub struct Package(pub String);
