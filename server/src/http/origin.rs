//! Server side. State changes only at the request of our own pages.
//!
//! The cookie is `SameSite=None`, because the pages live in frames of other sites. So every request that may change
//! something must say that it is same-origin (`Sec-Fetch-Site`, else `Origin`). There are five exceptions, each with a
//! rule of its own: `/oauth/go` takes a one-time ticket from our own pages only, `/session` takes a token from the pages of registered portals only, `/session/tab` takes one from
//! our own pages, the revocation of sessions takes one from a portal's server, and the API takes a portal's key. None
//! of them acts for the user of the cookie.
//!
//! Only a `POST` to a path that takes one may change something. Everything else ends in 404 or 405, as the route table
//! says: no route takes another method than `GET`, `HEAD` and `POST`.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::Response,
};

use super::{Site, forms::takes_forms, pages::error};

/// The paths our own pages post to, besides forms.
const GUARDED: [&str; 3] = ["/session/theme", "/session/renew", "/session/again"];

/// Refuses requests of other origins with 403.
pub async fn same_origin(State(site): State<Site>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let guarded = *request.method() == Method::POST && (takes_forms(path) || GUARDED.contains(&path));
    if !guarded || is_ours(request.headers(), &site.public_origin) {
        next.run(request).await
    } else {
        tracing::warn!(path = request.uri().path(), "request from another origin refused");
        error::forbidden()
    }
}

/// Whether a form of our own pages was posted. Only `Origin` counts: Safari treats a tab that a frame opens as coming
/// from the site around the frame.
pub fn is_our_form(headers: &HeaderMap, public_origin: &str) -> bool {
    headers.get(header::ORIGIN).is_some_and(|origin| origin == public_origin)
}

fn is_ours(headers: &HeaderMap, public_origin: &str) -> bool {
    let value = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (value("sec-fetch-site"), value(header::ORIGIN.as_str())) {
        (Some(site), None) => site == "same-origin",
        (Some(site), Some(origin)) => site == "same-origin" && origin == public_origin,
        (None, Some(origin)) => origin == public_origin,
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::http::{api, forms};

    /// The paths other origins may post to, each with a rule of its own.
    const EXCEPTED: [&str; 2] = ["/session", "/session/tab"];
    /// Takes a ticket from our own pages.
    const TICKET: [&str; 1] = ["/oauth/go"];

    #[test]
    fn whatever_takes_a_post_is_guarded_or_an_exception() {
        let table = include_str!("../http.rs");
        let posts: Vec<&str> = table
            .match_indices(", post(")
            .filter_map(|(at, _)| table[..at].rsplit_once(".route(").map(|(_, path)| path.trim_matches('"')))
            .filter(|path| !["resume::PATH", "api::v1::sessions::PATH"].contains(path))
            .collect();
        assert_eq!(posts, [&EXCEPTED[..], &GUARDED[..], &TICKET[..]].concat(), "in the order of the route table");
        assert!(takes_forms(forms::resume::PATH) && api::is_v1(api::v1::sessions::PATH));
        for other in ["put(", "patch(", "delete(", "MethodFilter"] {
            assert!(!table.contains(other), "{other}: only GET, HEAD and POST are covered");
        }
        let functions = leptos::server_fn::axum::server_fn_paths();
        for (path, method) in functions {
            assert!(method == Method::POST && takes_forms(path), "{method} {path}");
        }
    }

    #[test]
    fn only_our_own_pages_may_change_something() {
        let own = "https://facteur.exemple";
        for (site, origin, expected) in [
            (Some("same-origin"), Some(own), true),
            (Some("same-origin"), None, true),
            (None, Some(own), true),
            (None, None, false),
            (Some("none"), None, false),
            (Some("same-site"), Some(own), false),
            (Some("cross-site"), Some(own), false),
            (Some("same-origin"), Some("https://evil.exemple"), false),
            (None, Some("null"), false),
            (None, Some("https://facteur.exemple.evil.exemple"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(site) = site {
                headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(is_ours(&headers, own), expected, "{site:?} {origin:?}");
        }
    }
}
