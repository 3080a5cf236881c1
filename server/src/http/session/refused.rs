//! Server side. The pages for a visitor who gets no session: the token was refused, or the database failed.

use app::{
    error::AppError,
    i18n::{Locale, Texts},
    shell::{FRAME_SCRIPT, FrameAncestors},
    theme::Theme,
};
use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{DOCTYPE, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::{
    http::{Site, pages::assets},
    portal::Portal,
    store::StoreError,
};

/// The portals that register this origin.
pub fn registered<'a>(site: &'a Site, origin: &str) -> Vec<&'a Portal> {
    site.portals.iter().filter(|portal| portal.registers(origin)).collect()
}

/// Which pages may frame the refusal of a post from this origin: its own, if a portal registers it. The list does not
/// reveal a portal's other origins; empty if the origin is unknown.
fn refusal_ancestors(site: &Site, origin: &str) -> FrameAncestors {
    FrameAncestors(if registered(site, origin).is_empty() { String::new() } else { origin.to_owned() })
}

/// The theme of that refusal.
fn refusal_look(site: &Site, origin: &str) -> Theme {
    let portals = registered(site, origin);
    Theme::read(if let [portal] = portals[..] { Some(&portal.theme) } else { None }).0
}

/// The page of the portal that the visitor comes from. A page that no portal registers learns of none.
fn way_back<'a>(site: &'a Site, origin: &str) -> Option<&'a str> {
    match registered(site, origin)[..] {
        [portal] => portal.home.as_deref(),
        _ => None,
    }
}

/// The token that a page of `origin` posted did not open a session. The response is the same for every reason; in a
/// frame the portal's page learns that the token was refused.
pub fn token_refused(site: &Site, origin: &str, locale: Locale, framed: bool) -> Response {
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
                    script src=(script) data-origins=(origins) data-visit="refused" data-base=(site.base_path.0) {}
                }
            }
            body {
                main id="content" {
                    h1 { (title) }
                    p class="lead" { (locale.text("token-refused-about", &[])) }
                    // In a frame the portal's page is around it.
                    @if let (false, Some(home)) = (framed, way_back(site, origin)) {
                        p class="actions" { a class="button primary" href=(home) { (locale.text("back-to-portal", &[])) } }
                    }
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
