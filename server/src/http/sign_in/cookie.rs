//! Server side. The cookie that binds a browser to a sign-in.

use axum::http::HeaderMap;
use axum_extra::extract::CookieJar;

use crate::http::session::is_in_clear;

/// `SameSite=Lax`: it comes along when the provider leads back, which is a navigation from another site.
const NAME: &str = "__Host-facteur-sign-in";
/// The same where Facteur is served without TLS on this machine: Safari does not keep a `Secure` cookie there.
const IN_CLEAR: &str = "facteur-sign-in-in-clear";
/// As long as a sign-in lasts, in seconds.
const MAX_AGE: u32 = 600;

/// The header that gives a browser its cookie.
pub(super) fn set(public_origin: &str, value: &str) -> String {
    if is_in_clear(public_origin) {
        return format!("{IN_CLEAR}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={MAX_AGE}");
    }
    format!("{NAME}={value}; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age={MAX_AGE}")
}

/// The value that the browser sent.
pub(super) fn value(public_origin: &str, headers: &HeaderMap) -> Option<String> {
    let name = if is_in_clear(public_origin) { IN_CLEAR } else { NAME };
    CookieJar::from_headers(headers).get(name).map(|cookie| cookie.value().to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    #[test]
    fn it_is_this_host_s_and_needs_tls_elsewhere() {
        let header = set("https://facteur.exemple", "abc");
        assert_eq!(header, "__Host-facteur-sign-in=abc; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=600");
        let mut headers = HeaderMap::new();
        headers
            .insert(header::COOKIE, HeaderValue::from_static("facteur-sign-in-in-clear=x; __Host-facteur-sign-in=abc"));
        assert_eq!(value("https://facteur.exemple", &headers).as_deref(), Some("abc"));
        assert_eq!(value("http://127.0.0.1:3000", &headers).as_deref(), Some("x"));
        assert!(!set("http://127.0.0.1:3000", "abc").contains("Secure"));
    }
}
