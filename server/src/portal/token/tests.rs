//! Valid tokens, and the many kinds of invalid ones.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::*;

const SECRET: [u8; 32] = [7; 32];
const ORIGIN: &str = "https://portail.exemple";
const NOW: i64 = 1_800_000_000;

fn portals() -> Vec<Portal> {
    vec![Portal {
        id: "demo".to_owned(),
        name: "Comptoir".to_owned(),
        origins: vec![ORIGIN.to_owned()],
        home: Some(format!("{ORIGIN}/")),
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

fn door(portals: &[Portal]) -> Door<'_> {
    Door { portals, public_url: FACTEUR.to_owned() }
}

/// A token and nothing beside it.
fn bare(token: &str) -> Presented<'_> {
    Presented { token, verifier: "" }
}

fn check(token: &str) -> Result<Identity, TokenError> {
    check_with(token, "")
}

fn check_with(token: &str, verifier: &str) -> Result<Identity, TokenError> {
    let presented = Presented { token, verifier };
    verify(&door(&portals()), &presented, ORIGIN, Timestamp::from_second(NOW).unwrap()).map(|(_, identity)| identity)
}

fn with(change: impl Fn(&mut Value)) -> Result<Identity, TokenError> {
    let mut claims = claims();
    change(&mut claims);
    check(&signed(&header(), &claims))
}

#[test]
fn a_good_token_says_who_is_asking() {
    let identity = check(&signed(&header(), &claims())).unwrap();
    assert_eq!(identity.account, AccountId { portal: "demo".to_owned(), account: "martin".to_owned() });
    assert_eq!((identity.email.as_str(), identity.locale), ("claire@exemple.fr", Some(Locale::En)));
    assert_eq!((identity.page, identity.users.len()), (StartPage::Profiles, 1));
    assert_eq!(identity.return_url.as_deref(), Some("https://portail.exemple/reglages"));
    let second = Header { kid: Some("k2".to_owned()), ..header() };
    let token = jsonwebtoken::encode(&second, &claims(), &EncodingKey::from_secret(&[8; 32])).unwrap();
    assert!(check(&token).is_ok(), "two keys are valid at once");
}

#[test]
fn times_are_checked() {
    for (name, value) in
        [("exp", NOW - 60), ("iat", NOW + 60), ("exp", NOW + 3_600), ("nbf", NOW + 60), ("exp", i64::MAX)]
    {
        assert_eq!(with(|claims| claims[name] = json!(value)), Err(TokenError::Time), "{name} {value}");
    }
}

#[test]
fn wrong_claims_are_refused() {
    for (name, value) in [("iss", json!("other")), ("aud", json!("other")), ("aud", json!(["x", "y"]))] {
        assert_eq!(with(|claims| claims[name] = value.clone()), Err(TokenError::Signature), "{name} {value}");
    }
    for name in ["iss", "aud", "sub", "exp", "iat", "jti", "account", "email"] {
        assert!(with(|claims| drop(claims.as_object_mut().unwrap().remove(name))).is_err(), "without {name}");
    }
    for (name, value) in [
        ("jti", json!("")),
        ("email", json!("nowhere")),
        ("email", json!("a@exemple.fr\r\nBcc: b@exemple.fr")),
        ("account", json!({ "id": "", "name": "x" })),
        ("account", json!({ "id": "x".repeat(300), "name": "x" })),
        ("users", json!(vec![json!({ "id": "a", "name": "a" }); 1_001])),
        ("users", json!([{ "id": "", "name": "a" }])),
    ] {
        assert_eq!(with(|claims| claims[name] = value.clone()), Err(TokenError::Claims), "{name}");
    }
}

#[test]
fn nobody_is_sent_elsewhere() {
    for url in [
        "https://evil.exemple/",
        "https://portail.exemple.evil.exemple/",
        "javascript:alert(1)",
        "//evil.exemple",
        "https://portail.exemple@evil.exemple/",
    ] {
        let identity = with(|claims| claims["return_url"] = json!(url)).unwrap();
        assert_eq!(identity.return_url.as_deref(), Some("https://portail.exemple/"), "{url}");
    }
}

#[test]
fn an_array_is_taken_for_no_object() {
    for (name, array) in [
        ("account", json!(["martin", "Boulangerie Martin"])),
        ("users", json!([["karim", "Karim"]])),
        ("users", json!([{ "id": "karim", "name": "Karim" }, ["zoé", "Zoé"]])),
    ] {
        assert_eq!(with(|claims| claims[name] = array.clone()), Err(TokenError::Claims), "{name}");
    }
    let themed = with(|claims| claims["theme"] = json!(["dark", { "radius": "3px" }])).unwrap();
    assert_eq!(themed.theme, GivenTheme::default(), "a theme that does not read keeps nobody out");
    let mut ending = claims();
    ending["account"] = json!(["martin"]);
    let now = Timestamp::from_second(NOW).unwrap();
    let refused = verify_sign_out(&door(&portals()), &signed(&header(), &ending), now);
    assert_eq!(refused.err(), Some(TokenError::Claims));
    assert!(check(&signed(&header(), &json!(claims().as_object().unwrap().values().collect::<Vec<_>>()))).is_err());
}

#[test]
fn headers_cannot_choose_how_they_are_checked() {
    let claims = claims();
    for kid in [None, Some("k9".to_owned()), Some("../k1".to_owned())] {
        assert_eq!(check(&signed(&Header { kid, ..header() }, &claims)), Err(TokenError::UnknownKey));
    }
    let other = Header { alg: Algorithm::HS512, ..header() };
    assert_eq!(check(&signed(&other, &claims)), Err(TokenError::Signature));
    let typ = Header { typ: Some("at+jwt".to_owned()), ..header() };
    assert_eq!(check(&signed(&typ, &claims)), Err(TokenError::Malformed));
    let jku = Header { jku: Some("https://evil.exemple/keys".to_owned()), ..header() };
    assert!(check(&signed(&jku, &claims)).is_ok(), "a key's address is not followed: the key is ours");
    for crit in [&["x"][..], &["b64"], &[]] {
        let crit = Some(crit.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(check(&signed(&Header { crit, ..header() }, &claims)), Err(TokenError::Malformed));
    }
    // alg: none
    let token = signed(&header(), &claims);
    let (_, rest) = token.split_once('.').unwrap();
    let (body, _) = rest.split_once('.').unwrap();
    assert!(check(&format!("eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.{body}.")).is_err());
}

#[test]
fn foreign_origins_and_nonsense_are_refused() {
    let token = signed(&header(), &claims());
    let now = Timestamp::from_second(NOW).unwrap();
    for origin in ["", "null", "https://evil.exemple", "http://portail.exemple", "https://portail.exemple/"] {
        assert_eq!(verify(&door(&portals()), &bare(&token), origin, now).err(), Some(TokenError::Origin), "{origin}");
    }
    for nonsense in ["", ".", "a.b.c", &"x".repeat(70_000), &format!("{token}x")] {
        assert!(check(nonsense).is_err());
    }
    let forged = jsonwebtoken::encode(&header(), &claims(), &EncodingKey::from_secret(&[9; 32])).unwrap();
    assert_eq!(check(&forged), Err(TokenError::Signature));
}

fn two_portals() -> Vec<Portal> {
    let mut portals = portals();
    portals.push(Portal {
        id: "other".to_owned(),
        origins: vec!["https://autre.exemple".to_owned()],
        keys: vec![PortalKey::shared("k1", &[9; 32]).unwrap()],
        ..portals[0].clone()
    });
    portals
}

#[test]
fn a_renewal_is_of_the_session_s_portal() {
    let now = Timestamp::from_second(NOW).unwrap();
    let token = signed(&header(), &claims());
    assert_eq!(verify_renewal(&door(&two_portals()), &bare(&token), "demo", now).unwrap().person.id, "claire");
    for portal in ["other", "nobody", ""] {
        assert!(verify_renewal(&door(&two_portals()), &bare(&token), portal, now).is_err(), "{portal}");
    }
    let old = Timestamp::from_second(NOW + 600).unwrap();
    assert_eq!(verify_renewal(&door(&two_portals()), &bare(&token), "demo", old), Err(TokenError::Time));
}

#[test]
fn a_sign_out_needs_no_page_and_no_address() {
    let now = Timestamp::from_second(NOW).unwrap();
    let short = json!({
        "iss": "other", "aud": "facteur", "sub": "claire", "iat": NOW, "exp": NOW + 60, "jti": "1",
        "account": { "id": "martin" },
    });
    let sign = |key: [u8; 32], claims: &Value| {
        jsonwebtoken::encode(&header(), claims, &EncodingKey::from_secret(&key)).unwrap()
    };
    // Two portals call their keys by the same name.
    let found = verify_sign_out(&door(&two_portals()), &sign([9; 32], &short), now).unwrap();
    assert_eq!((found.account.portal.as_str(), found.person.as_str()), ("other", "claire"));
    assert!(verify_sign_out(&door(&two_portals()), &sign([7; 32], &short), now).is_err(), "signed by another portal");
    for name in ["iss", "aud", "sub", "iat", "exp", "jti", "account"] {
        let mut claims = short.clone();
        claims.as_object_mut().unwrap().remove(name);
        assert!(verify_sign_out(&door(&two_portals()), &sign([9; 32], &claims), now).is_err(), "without {name}");
    }
    let mut opening = short.clone();
    opening["challenge"] = json!("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    for challenge in [opening["challenge"].clone(), json!(""), json!(7), json!(["x"])] {
        opening["challenge"] = challenge;
        assert_eq!(verify_sign_out(&door(&two_portals()), &sign([9; 32], &opening), now), Err(TokenError::NotASignOut));
    }
    opening["challenge"] = Value::Null;
    assert!(verify_sign_out(&door(&two_portals()), &sign([9; 32], &opening), now).is_ok(), "null is none");
    let mut empty = short.clone();
    empty["account"]["id"] = json!("");
    assert_eq!(verify_sign_out(&door(&two_portals()), &sign([9; 32], &empty), now), Err(TokenError::Claims));
}

#[test]
fn a_token_may_be_for_this_facteur_only() {
    for aud in [json!(FACTEUR), json!(["facteur"]), json!([FACTEUR, "https://autre.exemple"])] {
        assert!(with(|claims| claims["aud"] = aud.clone()).is_ok(), "{aud}");
    }
    for aud in [
        json!("https://autre.exemple"),
        json!(["facteur", "https://autre.exemple"]),
        json!(format!("{FACTEUR}.evil.exemple")),
        json!([]),
    ] {
        assert_eq!(with(|claims| claims["aud"] = aud.clone()), Err(TokenError::Signature), "{aud}");
    }
    assert!(with(|claims| claims["aud"] = json!({ "facteur": true })).is_err());
}

#[test]
fn a_token_with_a_challenge_needs_its_verifier() {
    let sign = |challenge: Value| {
        let mut claims = claims();
        claims["challenge"] = challenge;
        signed(&header(), &claims)
    };
    // RFC 7636, appendix B.
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let token = sign(json!("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    assert!(check_with(&token, verifier).is_ok());
    for other in ["", "x", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"] {
        assert_eq!(check_with(&token, other), Err(TokenError::Proof), "{other}");
    }
    let (portals, now) = (portals(), Timestamp::from_second(NOW).unwrap());
    for (verifier, expected) in [(verifier, None), ("", Some(TokenError::Proof))] {
        let presented = Presented { token: &token, verifier };
        assert_eq!(verify_renewal(&door(&portals), &presented, "demo", now).err(), expected, "a renewal");
        assert_eq!(verify_from_our_page(&door(&portals), &presented, now).err(), expected, "a tab");
    }
    for malformed in [json!(""), json!("x"), json!(7), json!("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")] {
        assert_eq!(check_with(&sign(malformed.clone()), verifier), Err(TokenError::Claims), "{malformed}");
    }
    for token in [signed(&header(), &claims()), sign(Value::Null)] {
        assert!(check(&token).is_ok() && check_with(&token, verifier).is_ok(), "plain forms have none");
    }
}

#[test]
fn a_portal_may_require_a_challenge() {
    let portals = vec![Portal { require_challenge: true, ..portals().remove(0) }];
    let now = Timestamp::from_second(NOW).unwrap();
    let bound = |challenge: Value| {
        let mut claims = claims();
        claims["challenge"] = challenge;
        signed(&header(), &claims)
    };
    // RFC 7636, appendix B.
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let good = bound(json!("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    for (token, verifier, expected) in [
        (&good, verifier, None),
        (&good, "", Some(TokenError::Proof)),
        (&signed(&header(), &claims()), "", Some(TokenError::NoChallenge)),
        (&signed(&header(), &claims()), verifier, Some(TokenError::NoChallenge)),
        (&bound(Value::Null), verifier, Some(TokenError::NoChallenge)),
        (&bound(json!("")), "", Some(TokenError::Claims)),
    ] {
        let presented = Presented { token, verifier };
        assert_eq!(verify(&door(&portals), &presented, ORIGIN, now).err(), expected, "an opening");
        assert_eq!(verify_from_our_page(&door(&portals), &presented, now).err(), expected, "a tab");
        assert_eq!(verify_renewal(&door(&portals), &presented, "demo", now).err(), expected, "a renewal");
    }
}

#[test]
fn short_keys_are_not_taken() {
    assert!(PortalKey::shared("k", &[1; 31]).is_none());
}

#[test]
fn public_keys_open_too_and_only_with_their_algorithm() {
    for (kind, algorithm) in
        [(&rcgen::PKCS_ED25519, Algorithm::EdDSA), (&rcgen::PKCS_ECDSA_P256_SHA256, Algorithm::ES256)]
    {
        let pair = rcgen::KeyPair::generate_for(kind).unwrap();
        let public = pair.public_key_pem();
        let mut portals = portals();
        portals[0].keys = vec![PortalKey::public("k1", public.as_bytes()).unwrap()];
        assert_eq!(portals[0].keys[0].algorithm, algorithm);
        let private = pair.serialize_pem();
        let key = match algorithm {
            Algorithm::EdDSA => EncodingKey::from_ed_pem(private.as_bytes()),
            _ => EncodingKey::from_ec_pem(private.as_bytes()),
        };
        let header = Header { kid: Some("k1".to_owned()), ..Header::new(algorithm) };
        let token = jsonwebtoken::encode(&header, &claims(), &key.unwrap()).unwrap();
        let now = Timestamp::from_second(NOW).unwrap();
        assert!(verify(&door(&portals), &bare(&token), ORIGIN, now).is_ok(), "{algorithm:?}");
        // The public key used as a shared secret: the oldest trick.
        let forged = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&forged, &claims(), &EncodingKey::from_secret(public.as_bytes())).unwrap();
        assert!(verify(&door(&portals), &bare(&token), ORIGIN, now).is_err());
    }
    assert!(PortalKey::public("k1", b"nonsense").is_none());
}
