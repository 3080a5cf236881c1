//! Server side. A notice after a redirect is shown once, and only if this server sent the redirect.
//!
//! A redirect names a notice in its address (`?notice=saved`), and the page that follows shows it and reports it to the
//! portal. An address can be bookmarked, restored with a tab, or made up in another site's link, and the page would
//! then state what never happened. So the redirect carries a proof: the time, and a MAC over it and the query under the
//! key of the session. Without a proof, only the parameters in [`FREE`] stay, which select what to show; all others are
//! removed before the page is rendered. A notice of an action needs a proof younger than [`LIFE`]; a remark that the
//! reader may still act upon ([`LASTING`]) stays for [`LONGER`], so that it survives a reload.
//!
//! The key of a session is the hash it is stored under. The session's owner could compute the proof, but would deceive
//! only themselves.

use std::borrow::Cow;

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
const LIFE: SignedDuration = SignedDuration::from_secs(60);
/// How long a reload shows a remark again.
const LONGER: SignedDuration = SignedDuration::from_mins(10);
/// The parameter with the proof.
const PROOF: &str = "told";
/// Parameters that any address may have: which page, profile, draft or choice. They state nothing.
const FREE: [&str; 17] = [
    "id", "selected", "form", "preset", "host", "domain", "near", "to", "after", "before", "draft", "dropped",
    "resume", "opening", "kind", "profile", "way",
];
/// Remarks that the reader may still act upon.
const LASTING: [&str; 4] = ["suspicious", "warn", "stale", "tidied"];

/// Checks the proof in a page's address, and adds one to the address of a redirect.
pub async fn check(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let visit = request.extensions().get::<Visit>();
    // A provider's answer has parameters of its own, and shows no notice.
    let is_answer = request.uri().path().starts_with("/oauth/");
    let is_page = visit.is_some() && !is_answer && matches!(*request.method(), Method::GET | Method::HEAD);
    let key = match visit {
        Some(Visit::Open(session)) => Some(session.key),
        _ => None,
    };
    let now = (site.clock)();
    if is_page && let Some(believed) = believed(request.uri(), key.as_ref(), now) {
        *request.uri_mut() = believed;
    }
    let mut response = next.run(request).await;
    let address = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    if let (Some(key), Some(address)) = (key, address)
        && let Some(proved) = proved(address, &key, now).and_then(|address| HeaderValue::try_from(address).ok())
    {
        response.headers_mut().insert(header::LOCATION, proved);
    }
    response
}

/// The parameters of a query as they are written, each with its decoded name.
fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let name = form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name);
        (name.unwrap_or_default(), pair)
    })
}

fn is_free(name: &str) -> bool {
    FREE.contains(&name)
}

/// `None` only for an invalid key length, which HMAC does not have.
fn mac(key: &[u8; 32], query: &str, seconds: i64) -> Option<Hmac<Sha256>> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).ok()?;
    mac.update(b"facteur notice\n");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b"\n");
    mac.update(query.as_bytes());
    Some(mac)
}

/// The address with a proof; `None` if it needs none.
fn proved(address: &str, key: &[u8; 32], now: Timestamp) -> Option<String> {
    let (address, fragment) = address.split_once('#').map_or((address, None), |(rest, end)| (rest, Some(end)));
    let (path, query) = address.split_once('?')?;
    if pairs(query).all(|(name, _)| is_free(&name)) || pairs(query).any(|(name, _)| name == PROOF) {
        return None;
    }
    let seconds = now.as_second();
    let proof = BASE64_URL_SAFE_NO_PAD.encode(&mac(key, query, seconds)?.finalize().into_bytes()[..16]);
    let fragment = fragment.map(|end| format!("#{end}")).unwrap_or_default();
    Some(format!("{path}?{query}&{PROOF}={seconds}.{proof}{fragment}"))
}

/// The address without unproved parameters; `None` if it may stay as it is.
fn believed(uri: &Uri, key: Option<&[u8; 32]>, now: Timestamp) -> Option<Uri> {
    let query = uri.query()?;
    if pairs(query).all(|(name, _)| is_free(&name)) {
        return None;
    }
    let said = pairs(query).filter(|(name, _)| name != PROOF).map(|(_, pair)| pair).collect::<Vec<_>>().join("&");
    let proof = pairs(query).filter(|(name, _)| name == PROOF).map(|(_, pair)| pair).last();
    let proof = proof.and_then(|pair| pair.strip_prefix(PROOF)?.strip_prefix('='));
    let proved_at = key.zip(proof).and_then(|(key, proof)| proved_at(proof, key, &said));
    let age = proved_at.map_or(SignedDuration::MAX, |at| at.duration_until(now).abs());
    if age <= LIFE {
        return None;
    }
    let stays = |name: &str| is_free(name) || (age <= LONGER && LASTING.contains(&name));
    let left: Vec<&str> = pairs(query).filter(|(name, _)| stays(name)).map(|(_, pair)| pair).collect();
    let address = if left.is_empty() { uri.path().to_owned() } else { format!("{}?{}", uri.path(), left.join("&")) };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(address).ok()?);
    Uri::from_parts(parts).ok()
}

/// When this server made the proof; `None` if it did not.
fn proved_at(proof: &str, key: &[u8; 32], said: &str) -> Option<Timestamp> {
    let (seconds, proof) = proof.split_once('.')?;
    let (seconds, proof) = (seconds.parse().ok()?, BASE64_URL_SAFE_NO_PAD.decode(proof).ok()?);
    let at = Timestamp::from_second(seconds).ok()?;
    let holds = proof.len() == 16 && mac(key, said, seconds)?.verify_truncated_left(&proof).is_ok();
    holds.then_some(at)
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
        believed(&uri, key, at(second)).unwrap_or(uri).to_string()
    }

    #[test]
    fn a_notice_needs_a_proof() {
        let proof = proved("/profiles?selected=7&notice=saved#top", &KEY, at(0)).unwrap();
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
    fn a_name_is_read_as_the_pages_read_it() {
        for spelt in ["%6eotice=deleted", "n%6Ftice=deleted&%74old=1", "%74ested=1", "notice&notice=x", "st%61le=1"] {
            assert_eq!(seen(&format!("/profiles?id=7&{spelt}"), Some(&KEY), 0), "/profiles?id=7", "{spelt}");
        }
        let proof = proved("/profiles?id=7&notice=saved", &KEY, at(0)).unwrap();
        assert_eq!(seen(&proof.replace("told", "%74old"), Some(&KEY), 0), "/profiles?id=7");
        assert_eq!(seen(&format!("{proof}&%6eotice=deleted"), Some(&KEY), 0), "/profiles?id=7");
    }

    #[test]
    fn a_remark_lasts_longer_and_needs_a_proof_as_well() {
        let remark = "suspicious=3&warn=port&tidied=1&stale=1";
        let address = proved(&format!("/profiles/edit?id=7&{remark}&notice=x&count=3"), &KEY, at(0)).unwrap();
        assert_eq!(seen(&address, Some(&KEY), 30), address);
        assert_eq!(seen(&address, Some(&KEY), 600), format!("/profiles/edit?id=7&{remark}"));
        assert_eq!(seen(&address, Some(&KEY), 601), "/profiles/edit?id=7");
        assert_eq!(seen(&address, Some(&[2; 32]), 30), "/profiles/edit?id=7");
        let tested = proved("/profiles/report?id=7&tested=1", &KEY, at(0)).unwrap();
        assert_eq!(seen(&tested, Some(&KEY), 0), tested);
        assert_eq!(seen(&tested, Some(&KEY), 61), "/profiles/report?id=7");
    }

    /// Every parameter that a page reads, from the sources.
    #[test]
    fn without_a_proof_an_address_says_nothing_but_where_to_go() {
        let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../app/src"))];
        let mut read = std::collections::BTreeSet::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let Ok(source) = std::fs::read_to_string(&path) else { continue };
                for call in ["query(\"", "whole_number(\"", "query(flag), \""] {
                    let names = source.split(call).skip(1).filter_map(|rest| rest.split('"').next());
                    read.extend(names.map(str::to_owned));
                }
            }
        }
        read.remove(PROOF);
        assert!(read.len() > 15, "{read:?}");
        // Parameters that select something and state nothing. Decide for each new parameter whether it belongs here.
        let free = [
            "after", "before", "dropped", "form", "host", "id", "kind", "preset", "profile", "resume", "selected",
            "to", "way",
        ];
        for name in read {
            let without = seen(&format!("/profiles?id=7&{name}=1"), Some(&KEY), 0);
            let stays = without != "/profiles?id=7";
            assert_eq!(stays, free.contains(&name.as_str()) || name == "draft", "{name}");
        }
    }

    #[test]
    fn other_addresses_stay_as_they_are() {
        for address in [
            "/profiles",
            "/profiles?",
            "/profiles?selected=7",
            "/profiles/new?form=a&draft=1",
            "https://x.example/?id=b",
        ] {
            assert_eq!(proved(address, &KEY, at(0)), None, "{address}");
            assert_eq!(seen(address, Some(&KEY), 0), address);
        }
        assert!(proved("/profiles/encoding?id=7&warn=x", &KEY, at(0)).is_some());
    }
}
