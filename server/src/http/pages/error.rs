//! Server side. Error responses that are not rendered by the application.

use std::any::Any;

use app::{
    error::AppError,
    i18n::{Locale, Texts},
    shell::{FRAME_SCRIPT, FrameAncestors},
};
use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{DOCTYPE, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::assets;
use crate::{
    http::{
        Site,
        session::visit::{refusal_ancestors, refusal_look},
    },
    store::StoreError,
};

/// The response to a request from another origin.
pub fn forbidden() -> Response {
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/json")], r#"{"code":"forbidden"}"#).into_response()
}

/// The token that a page of `origin` posted did not open a session. The response is the same for every reason; in a
/// frame the portal's page learns that the token was refused.
pub fn token_refused(site: &Site, origin: &str, locale: Locale) -> Response {
    let title = locale.text("token-refused-title", &[]);
    let folder = format!("{}/{}", site.base_path.0, assets::package_folder());
    let (style, script) = (format!("{folder}/facteur.css"), format!("{folder}/{FRAME_SCRIPT}"));
    let FrameAncestors(origins) = refusal_ancestors(site, origin);
    let theme = refusal_look(site, origin);
    let css = format!(":root{{{}}}", theme.css());
    let page = html! {
        (DOCTYPE)
        html lang=(locale.tag()) data-theme=(theme.scheme().as_str()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="stylesheet" href=(style);
                link rel="icon" href={ (site.base_path.0) "/favicon.svg" } type="image/svg+xml";
                style { (PreEscaped(&css)) }
                @if !origins.is_empty() {
                    script src=(script) data-origins=(origins) data-visit="refused" data-place=(site.base_path.0) {}
                }
            }
            body {
                main id="content" {
                    h1 { (title) }
                    p class="lead" { (locale.text("token-refused-about", &[])) }
                }
            }
        }
    };
    let hash = BASE64_STANDARD.encode(Sha256::digest(css.as_bytes()));
    let ancestors = if origins.is_empty() { "'none'" } else { &origins };
    let policy = format!(
        "default-src 'none'; style-src 'self' 'sha256-{hash}'; script-src 'self'; img-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors {ancestors}"
    );
    (StatusCode::UNAUTHORIZED, [(header::CONTENT_SECURITY_POLICY, policy)], Html(page.into_string())).into_response()
}

/// An error as a program reads it: its code, with its status.
pub fn coded(error: AppError) -> Response {
    (error.status(), axum::Json(error)).into_response()
}

/// The store failed for a program's request: 503 if a retry may succeed, 500 if a row or a value is at fault
/// ([`StoreError::log`] distinguishes them).
pub fn store_failed(failure: StoreError) -> Response {
    coded(failure.log())
}

/// The store failed before there was a page: an error page with the same status.
pub fn store_failed_page(site: &Site, locale: Locale, failure: StoreError) -> Response {
    let error = failure.log();
    let text = if error == AppError::Internal { "trouble-internal" } else { "trouble-unavailable" };
    let title = locale.text("product-name", &[]);
    let style = format!("{}/{}/facteur.css", site.base_path.0, assets::package_folder());
    let page = html! {
        (DOCTYPE)
        html lang=(locale.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="stylesheet" href=(style);
            }
            body {
                main id="content" {
                    h1 { (title) }
                    p class="lead" { (locale.text(text, &[])) }
                }
            }
        }
    };
    let FrameAncestors(origins) = refusal_ancestors(site, "");
    let ancestors = if origins.is_empty() { "'none'" } else { &origins };
    let policy = format!(
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    );
    (error.status(), [(header::CONTENT_SECURITY_POLICY, policy)], Html(page.into_string())).into_response()
}

/// A handler panicked: the process goes on, and the caller does not learn why.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "application/json")], r#"{"code":"unavailable"}"#)
        .into_response()
}
