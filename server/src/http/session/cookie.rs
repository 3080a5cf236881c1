//! Server side. The session's cookie: its name, its attributes, and the session it names.

use axum::{
    http::{HeaderMap, HeaderName, header},
    response::AppendHeaders,
};
use axum_extra::extract::CookieJar;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// `__Host-`: only this host, only over a secure connection, every path.
const SECURE: &str = "__Host-facteur";
/// A second cookie, only where Facteur is served without TLS on this machine: Safari does not keep a `Secure` cookie
/// from such a page, other browsers do. Without `SameSite`: `None` is refused without `Secure`.
const IN_CLEAR: &str = "facteur-in-clear";

/// The headers that give a browser its session.
pub fn set(public_origin: &str, value: [u8; 32]) -> AppendHeaders<Vec<(HeaderName, String)>> {
    let value = BASE64_URL_SAFE_NO_PAD.encode(value);
    let mut cookies = vec![format!("{SECURE}={value}; Path=/; HttpOnly; Secure; SameSite=None; Partitioned")];
    if is_in_clear(public_origin) {
        cookies.push(format!("{IN_CLEAR}={value}; Path=/; HttpOnly"));
    }
    AppendHeaders(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)).collect())
}

/// The key of the session that the request's cookie names. The second name counts only without TLS: another host under
/// the same domain could set it.
pub fn key(public_origin: &str, headers: &HeaderMap) -> Option<[u8; 32]> {
    let jar = CookieJar::from_headers(headers);
    let in_clear = is_in_clear(public_origin).then_some(IN_CLEAR);
    let cookie = [Some(SECURE), in_clear].into_iter().flatten().find_map(|name| jar.get(name))?;
    let value = BASE64_URL_SAFE_NO_PAD.decode(cookie.value()).ok()?;
    (value.len() == 32).then(|| Sha256::digest(value).into())
}

/// Whether Facteur is served over plain HTTP, which is possible on this machine only.
pub fn is_in_clear(public_origin: &str) -> bool {
    let Some(authority) = public_origin.strip_prefix("http://") else { return false };
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    ["localhost", "127.0.0.1", "[::1]"].contains(&host)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn cookies(public_origin: &str) -> Vec<String> {
        let AppendHeaders(headers) = set(public_origin, [7; 32]);
        headers.into_iter().map(|(_, value)| value).collect()
    }

    fn read(public_origin: &str, cookie: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        key(public_origin, &headers) == Some(Sha256::digest([7; 32]).into())
    }

    #[test]
    fn a_cookie_without_secure_exists_in_clear_on_this_machine_only() {
        let value = BASE64_URL_SAFE_NO_PAD.encode([7; 32]);
        for origin in ["http://127.0.0.1:3000", "http://localhost", "http://[::1]:3000"] {
            let cookies = cookies(origin);
            assert!(cookies[0].starts_with("__Host-facteur=") && cookies[0].ends_with("; Partitioned"), "{cookies:?}");
            assert_eq!(cookies[1..], [format!("facteur-in-clear={value}; Path=/; HttpOnly")], "{origin}");
            assert!(read(origin, &format!("facteur-in-clear={value}")), "{origin}");
            assert!(read(origin, &format!("facteur-in-clear=other; __Host-facteur={value}")), "the secure one wins");
        }
        for origin in [
            "https://facteur.exemple",
            "https://localhost",
            "http://facteur.exemple",
            "http://localhost.evil.exemple",
            "http://127.0.0.1.evil.exemple:80",
        ] {
            assert_eq!(
                cookies(origin),
                [format!("__Host-facteur={value}; Path=/; HttpOnly; Secure; SameSite=None; Partitioned")],
                "{origin}"
            );
            assert!(!read(origin, &format!("facteur-in-clear={value}")), "{origin}");
            assert!(read(origin, &format!("__Host-facteur={value}")), "{origin}");
        }
    }
}
