//! Tokens that renew a session, and tokens that end sessions.

use super::*;

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
    assert_eq!(verifier_of(&two_portals()).verify_renewal(&bare(&token), "demo", now).unwrap().person.id, "claire");
    for portal in ["other", "nobody", ""] {
        assert!(verifier_of(&two_portals()).verify_renewal(&bare(&token), portal, now).is_err(), "{portal}");
    }
    let old = Timestamp::from_second(NOW + 600).unwrap();
    assert_eq!(verifier_of(&two_portals()).verify_renewal(&bare(&token), "demo", old), Err(TokenError::Time));
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
    // Two portals use the same name for their keys.
    let found = verifier_of(&two_portals()).verify_sign_out(&sign([9; 32], &short), now).unwrap();
    assert_eq!((found.account.portal.as_str(), found.person.as_str()), ("other", "claire"));
    assert!(
        verifier_of(&two_portals()).verify_sign_out(&sign([7; 32], &short), now).is_err(),
        "signed by another portal"
    );
    for name in ["iss", "aud", "sub", "iat", "exp", "jti", "account"] {
        let mut claims = short.clone();
        claims.as_object_mut().unwrap().remove(name);
        assert!(verifier_of(&two_portals()).verify_sign_out(&sign([9; 32], &claims), now).is_err(), "without {name}");
    }
    let mut opening = short.clone();
    opening["challenge"] = json!("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    for challenge in [opening["challenge"].clone(), json!(""), json!(7), json!(["x"])] {
        opening["challenge"] = challenge;
        assert_eq!(
            verifier_of(&two_portals()).verify_sign_out(&sign([9; 32], &opening), now),
            Err(TokenError::NotASignOut)
        );
    }
    opening["challenge"] = Value::Null;
    assert!(
        verifier_of(&two_portals()).verify_sign_out(&sign([9; 32], &opening), now).is_ok(),
        "null counts as absent"
    );
    let mut empty = short.clone();
    empty["account"]["id"] = json!("");
    assert_eq!(verifier_of(&two_portals()).verify_sign_out(&sign([9; 32], &empty), now), Err(TokenError::Claims));
}
