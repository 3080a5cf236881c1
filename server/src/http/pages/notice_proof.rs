//! Server side. A notice in an address is shown only with a proof that an action of this session has just led to it.
//!
//! A redirect names a notice in its address (`?notice=saved`), and the page that follows shows it and tells the portal.
//! An address can be bookmarked, restored with a tab, or forged in a link, and the page would then state what never
//! happened. So the redirect carries a proof: the time, and a MAC over it and the query under the key of the session.
//! Without a valid proof that is younger than [`LIFETIME`] the notice is taken out of the address before the page is rendered.
//!
//! The key of a session is the hash that it is stored under. Its owner could compute the proof, and would deceive nobody
//! but themselves.

use app::session::Visit;
use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, Uri, header, uri::PathAndQuery},
    middleware::Next,
    response::Response,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use crate::http::Site;

/// How long a page may take to follow its redirect, and how long a reload shows the notice again.
const LIFETIME: SignedDuration = SignedDuration::from_secs(60);
/// The parameter with the proof.
const PROOF: &str = "told";
/// The parameter that is worth nothing without it.
const NOTICE: &str = "notice";
/// Parameters that state what has just happened.
const STATEMENTS: [&str; 3] = [NOTICE, "warn", "suspicious"];

/// Checks the proof of a page's address, and adds one to the address that an answer leads to.
pub async fn check(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let key = match request.extensions().get::<Visit>() {
        Some(Visit::Open(session)) => Some(session.key),
        _ => None,
    };
    let now = (site.clock)();
    if matches!(*request.method(), Method::GET | Method::HEAD)
        && let Some(address) = without_unproved_notice(request.uri(), key.as_ref(), now)
    {
        *request.uri_mut() = address;
    }
    let mut response = next.run(request).await;
    let address = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    if let (Some(key), Some(address)) = (key, address)
        && let Some(proved) = with_proof(address, &key, now).and_then(|address| HeaderValue::try_from(address).ok())
    {
        response.headers_mut().insert(header::LOCATION, proved);
    }
    response
}

/// The parameters of a query, as they stand there.
fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| (pair.split('=').next().unwrap_or_default(), pair))
}

/// Nothing only where the key cannot be one, which HMAC has for no length.
fn mac(key: &[u8; 32], query: &str, seconds: i64) -> Option<Hmac<Sha256>> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).ok()?;
    mac.update(b"facteur notice\n");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b"\n");
    mac.update(query.as_bytes());
    Some(mac)
}

/// The address with a proof; nothing where it says nothing that needs one.
fn with_proof(address: &str, key: &[u8; 32], now: Timestamp) -> Option<String> {
    let (address, fragment) = address.split_once('#').map_or((address, None), |(rest, end)| (rest, Some(end)));
    let (path, query) = address.split_once('?')?;
    if !pairs(query).any(|(name, _)| STATEMENTS.contains(&name)) || pairs(query).any(|(name, _)| name == PROOF) {
        return None;
    }
    let seconds = now.as_second();
    let proof = BASE64_URL_SAFE_NO_PAD.encode(&mac(key, query, seconds)?.finalize().into_bytes()[..16]);
    let fragment = fragment.map(|end| format!("#{end}")).unwrap_or_default();
    Some(format!("{path}?{query}&{PROOF}={seconds}.{proof}{fragment}"))
}

/// The address without what is not proved; nothing where it may stay as it is.
fn without_unproved_notice(uri: &Uri, key: Option<&[u8; 32]>, now: Timestamp) -> Option<Uri> {
    let query = uri.query()?;
    if !pairs(query).any(|(name, _)| name == NOTICE || name == PROOF) {
        return None;
    }
    let said = pairs(query).filter(|(name, _)| *name != PROOF).map(|(_, pair)| pair).collect::<Vec<_>>().join("&");
    let proof = pairs(query).filter(|(name, _)| *name == PROOF).map(|(_, pair)| &pair[PROOF.len()..]).last();
    if let (Some(key), Some(proof)) = (key, proof)
        && is_valid(proof.trim_start_matches('='), key, &said, now)
    {
        return None;
    }
    let left: Vec<&str> =
        pairs(query).filter(|(name, _)| *name != NOTICE && *name != PROOF).map(|(_, pair)| pair).collect();
    let address = if left.is_empty() { uri.path().to_owned() } else { format!("{}?{}", uri.path(), left.join("&")) };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(address).ok()?);
    Uri::from_parts(parts).ok()
}

fn is_valid(proof: &str, key: &[u8; 32], said: &str, now: Timestamp) -> bool {
    let Some((seconds, proof)) = proof.split_once('.') else { return false };
    let (Ok(seconds), Ok(proof)) = (seconds.parse::<i64>(), BASE64_URL_SAFE_NO_PAD.decode(proof)) else { return false };
    let Ok(at) = Timestamp::from_second(seconds) else { return false };
    let is_fresh = at.duration_until(now).abs() <= LIFETIME;
    is_fresh
        && proof.len() == 16
        && mac(key, said, seconds).is_some_and(|mac| mac.verify_truncated_left(&proof).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [1; 32];

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn seen(address: &str, key: Option<&[u8; 32]>, second: i64) -> String {
        let uri: Uri = address.parse().unwrap();
        without_unproved_notice(&uri, key, at(second)).unwrap_or(uri).to_string()
    }

    #[test]
    fn a_notice_needs_a_proof() {
        let proof = with_proof("/profiles?selected=7&notice=saved#top", &KEY, at(0)).unwrap();
        let (address, fragment) = proof.split_once('#').unwrap();
        assert_eq!(fragment, "top");
        assert_eq!(seen(address, Some(&KEY), 0), address);
        assert_eq!(seen(address, Some(&KEY), 60), address, "a reload");
        for (key, second) in [(Some(&KEY), 61), (Some(&KEY), -61), (Some(&[2; 32]), 0), (None, 0)] {
            assert_eq!(seen(address, key, second), "/profiles?selected=7", "{key:?} {second}");
        }
        let another = address.replace("saved", "deleted");
        assert_eq!(seen(&another, Some(&KEY), 0), "/profiles?selected=7");
        assert_eq!(seen(&format!("{address}&notice=deleted"), Some(&KEY), 0), "/profiles?selected=7");
        assert_eq!(
            seen(
                &format!("notice=deleted&{address}").replace("notice=deleted&/profiles?", "/profiles?notice=deleted&"),
                Some(&KEY),
                0
            ),
            "/profiles?selected=7"
        );
        assert_eq!(seen("/profiles?notice=saved", Some(&KEY), 0), "/profiles");
        for odd in ["told", "told=", "told=.", "told=x.y", "told=1800000000.", "told=1800000000.AA", "notice"] {
            assert_eq!(seen(&format!("/profiles?{odd}"), Some(&KEY), 0), "/profiles", "{odd}");
        }
    }

    #[test]
    fn other_addresses_stay_as_they_are() {
        for address in
            ["/profiles", "/profiles?", "/profiles?selected=7", "/profiles?noticed=1", "https://x.example/?a=b"]
        {
            assert_eq!(with_proof(address, &KEY, at(0)), None, "{address}");
            assert_eq!(seen(address, Some(&KEY), 0), address);
        }
        assert!(with_proof("/profiles/encoding?id=7&warn=x", &KEY, at(0)).is_some());
    }
}
