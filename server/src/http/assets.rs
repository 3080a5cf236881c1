//! Server side. The built site: WebAssembly, its glue, the style sheet, what speaks to the portal's page. Part of the binary in a release; read from the
//! build's folder in development.
//!
//! `make site` puts the files into a folder named after their content, so they may be cached for ever, each beside its
//! brotli form.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
#[allow_missing = true]
struct Files;

const FOREVER: &str = "public, max-age=31536000, immutable";

/// The folder of this build's files, without slashes around it: `pkg/<hash of the content>`.
pub fn package_folder() -> String {
    static FOLDER: LazyLock<String> = LazyLock::new(|| {
        Files::iter()
            .find_map(|path| path.strip_suffix("/facteur.css").map(str::to_owned))
            .unwrap_or_else(|| "pkg/missing".to_owned())
    });
    FOLDER.clone()
}

/// `GET /pkg/…`.
pub async fn package(Path(path): Path<String>, headers: HeaderMap) -> Response {
    file(&format!("pkg/{path}"), &headers, FOREVER)
}

/// `GET /favicon.svg`, and `/favicon.ico`, which browsers ask for where a page names none.
pub async fn favicon(headers: HeaderMap) -> Response {
    file("favicon.svg", &headers, "public, max-age=86400")
}

/// `GET /embed.js`: the element for portals' pages, as a script.
pub async fn embed(headers: HeaderMap) -> Response {
    element("embed.js", &headers)
}

/// `GET /embed.mjs`: the same, as a module.
pub async fn embed_module(headers: HeaderMap) -> Response {
    element("embed.mjs", &headers)
}

/// Any page may load it, also where it has to say so (`Cross-Origin-Embedder-Policy`).
fn element(path: &str, headers: &HeaderMap) -> Response {
    let open = [("access-control-allow-origin", "*"), ("cross-origin-resource-policy", "cross-origin")];
    (open, file(path, headers, "public, max-age=3600")).into_response()
}

fn file(path: &str, headers: &HeaderMap, caching: &'static str) -> Response {
    let takes_brotli = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|coding| coding.trim().starts_with("br")));
    let compressed = takes_brotli.then(|| Files::get(&format!("{path}.br"))).flatten();
    let encoding = compressed.is_some().then_some([(header::CONTENT_ENCODING, "br")]);
    let Some(found) = compressed.or_else(|| Files::get(path)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match path.rsplit('.').next() {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let fixed = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, caching), (header::VARY, "accept-encoding")];
    (fixed, encoding, found.data.into_owned()).into_response()
}
