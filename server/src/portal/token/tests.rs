//! Valid tokens, and the many kinds of invalid ones.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::*;
use crate::portal::PortalKey;

mod challenge;
mod claims;
mod session;
mod signature;

const SECRET: [u8; 32] = [7; 32];
const ORIGIN: &str = "https://portail.exemple";
const NOW: i64 = 1_800_000_000;

fn portals() -> Vec<Portal> {
    vec![Portal {
        id: "demo".to_owned(),
        name: "Comptoir".to_owned(),
        origins: vec![ORIGIN.to_owned()],
        home: Some(format!("{ORIGIN}/")),
        time_zone: None,
        keys: vec![PortalKey::shared("k1", &SECRET).unwrap(), PortalKey::shared("k2", &[8; 32]).unwrap()],
        require_challenge: false,
        theme: app::theme::GivenTheme::default(),
        api_keys: vec![],
        relay: None,
        webhook: None,
    }]
}

fn claims() -> Value {
    json!({
        "iss": "demo", "aud": "facteur", "sub": "claire", "iat": NOW - 5, "exp": NOW + 115, "jti": "1",
        "account": { "id": "martin", "name": "Boulangerie Martin" }, "name": "Claire", "email": "claire@exemple.fr",
        "locale": "en-GB", "users": [{ "id": "karim", "name": "Karim" }],
        "return_url": "https://portail.exemple/reglages", "page": "profiles",
    })
}

fn header() -> Header {
    Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) }
}

fn signed(header: &Header, claims: &Value) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(&SECRET)).unwrap()
}

const FACTEUR: &str = "https://facteur.exemple";

fn verifier_of(portals: &[Portal]) -> TokenVerifier<'_> {
    TokenVerifier { portals, public_url: FACTEUR.to_owned() }
}

/// A token without a verifier.
fn bare(token: &str) -> Presented<'_> {
    Presented { token, verifier: "" }
}

fn check(token: &str) -> Result<Identity, TokenError> {
    check_with(token, "")
}

fn check_with(token: &str, verifier: &str) -> Result<Identity, TokenError> {
    let presented = Presented { token, verifier };
    verifier_of(&portals())
        .verify(&presented, ORIGIN, Timestamp::from_second(NOW).unwrap())
        .map(|(_, identity)| identity)
}

fn with(change: impl Fn(&mut Value)) -> Result<Identity, TokenError> {
    let mut claims = claims();
    change(&mut claims);
    check(&signed(&header(), &claims))
}
