//! Server side. The built site: WebAssembly and its glue, the style sheet, the scripts. Embedded in the binary in a
//! release, read from the build's folder in development.
//!
//! `make site` puts the files into a folder named after their content, so they may be cached forever, each beside its
//! brotli version.

use std::sync::LazyLock;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;

use crate::http::Site;

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

/// `GET /favicon.svg`, and `/favicon.ico`, which browsers request when a page names none.
pub async fn favicon(headers: HeaderMap) -> Response {
    file("favicon.svg", &headers, "public, max-age=86400")
}

/// The placeholder in the element's script for the address of this Facteur.
const SERVED_BY: &str = "@FACTEUR@";

/// `GET /embed.js` and `/embed.mjs`: the element for portals' pages, as a script and as a module. The address of this
/// Facteur is inserted, so that a copy which another site serves or bundles sends its token here as well.
pub async fn embed(State(site): State<Site>) -> Response {
    let Some(element) = Files::get("embed.js") else { return StatusCode::NOT_FOUND.into_response() };
    let text = String::from_utf8_lossy(&element.data).replace(SERVED_BY, &quoted(&site.public_url()));
    let fixed = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        // Any page may load it, including one with a `Cross-Origin-Embedder-Policy`.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (fixed, [("cross-origin-resource-policy", "cross-origin")], text).into_response()
}

/// A text for use between the quotes of a script.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]".contains(c);
    text.chars().map(|c| if plain(c) { c.to_string() } else { format!("\\u{{{:x}}}", u32::from(c)) }).collect()
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
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let fixed = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, caching), (header::VARY, "accept-encoding")];
    (fixed, encoding, found.data.into_owned()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stays_between_its_quotes() {
        assert_eq!(quoted("https://facteur.exemple:8443/smtp"), "https://facteur.exemple:8443/smtp");
        assert_eq!(quoted("http://[::1]:7080"), "http://[::1]:7080");
        assert_eq!(quoted("x\";\\é`${"), "x\\u{22}\\u{3b}\\u{5c}\\u{e9}\\u{60}\\u{24}\\u{7b}");
    }
}
