//! A token that only the page that requested it can use.

use super::*;

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
        assert_eq!(verifier_of(&portals).verify_renewal(&presented, "demo", now).err(), expected, "a renewal");
        assert_eq!(verifier_of(&portals).verify_from_our_page(&presented, now).err(), expected, "a tab");
    }
    for malformed in [json!(""), json!("x"), json!(7), json!("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")] {
        assert_eq!(check_with(&sign(malformed.clone()), verifier), Err(TokenError::Claims), "{malformed}");
    }
    for token in [signed(&header(), &claims()), sign(Value::Null)] {
        assert!(
            check(&token).is_ok() && check_with(&token, verifier).is_ok(),
            "tokens of plain forms have no challenge"
        );
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
        assert_eq!(verifier_of(&portals).verify(&presented, ORIGIN, now).err(), expected, "an opening");
        assert_eq!(verifier_of(&portals).verify_from_our_page(&presented, now).err(), expected, "a tab");
        assert_eq!(verifier_of(&portals).verify_renewal(&presented, "demo", now).err(), expected, "a renewal");
    }
}
