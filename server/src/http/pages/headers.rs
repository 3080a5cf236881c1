//! Server side. The headers of every response.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

use crate::http::Site;

/// The policy of responses that are not pages (a page sets its own, with its nonce).
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: a native form post must send its origin.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    // Tells nginx not to buffer the stream of a live test.
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

const UNLESS_SET: [(HeaderName, &str); 2] =
    [(header::CONTENT_SECURITY_POLICY, NOTHING), (header::CACHE_CONTROL, "no-store")];

/// Adds the headers, and blocks redirects to other sites.
pub async fn protect(State(site): State<Site>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.get(header::LOCATION).is_some_and(|to| !is_ours(to.as_bytes(), &site.base_path.0)) {
        tracing::error!("blocked an off-site redirect");
        let start = HeaderValue::try_from(format!("{}/", site.base_path.0));
        headers.insert(header::LOCATION, start.unwrap_or(HeaderValue::from_static("/")));
    }
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in UNLESS_SET {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // Temporary errors may be retried.
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("5"));
    }
    response
}

/// Whether an address is one of our paths. Browsers treat two slashes, or a backslash instead of a slash, as the start
/// of a host, and strip control characters.
fn is_ours(address: &[u8], base_path: &str) -> bool {
    let plain = address.iter().all(|byte| (b'!'..=b'~').contains(byte) && *byte != b'\\');
    let path = address.split(|byte| [b'?', b'#'].contains(byte)).next().unwrap_or_default();
    let below = path.strip_prefix(base_path.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'/'));
    let climbs = path.split(|byte| *byte == b'/').any(|part| part == b"." || part == b"..");
    plain && below && !climbs && !path.windows(2).any(|two| two == b"//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ours_is_a_path_below_our_own() {
        for (address, base_path, expected) in [
            ("/profiles?id=1&notice=saved#x", "", true),
            ("/", "", true),
            ("/smtp/profiles?to=//x", "/smtp", true),
            ("/smtp/", "/smtp", true),
            ("/profiles", "/smtp", false),
            ("/smtpx/profiles", "/smtp", false),
            ("/smtp", "/smtp", false),
            ("/smtp/../profiles", "/smtp", false),
            ("//evil.exemple/", "", false),
            ("/\\evil.exemple/", "", false),
            ("/\t/evil.exemple/", "", false),
            ("/.//evil.exemple", "", false),
            ("https://evil.exemple/", "", false),
            ("javascript:alert(1)", "", false),
            ("profiles", "", false),
            ("", "", false),
        ] {
            assert_eq!(is_ours(address.as_bytes(), base_path), expected, "{address:?} {base_path}");
        }
    }
}
