//! Keys, algorithms and headers.

use super::*;

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
    assert!(check(&signed(&jku, &claims)).is_ok(), "`jku` is not followed: the key is configured");
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
        assert_eq!(
            verifier_of(&portals()).verify(&bare(&token), origin, now).err(),
            Some(TokenError::Origin),
            "{origin}"
        );
    }
    for nonsense in ["", ".", "a.b.c", &"x".repeat(70_000), &format!("{token}x")] {
        assert!(check(nonsense).is_err());
    }
    let forged = jsonwebtoken::encode(&header(), &claims(), &EncodingKey::from_secret(&[9; 32])).unwrap();
    assert_eq!(check(&forged), Err(TokenError::Signature));
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
        assert!(verifier_of(&portals).verify(&bare(&token), ORIGIN, now).is_ok(), "{algorithm:?}");
        // The public key used as a shared secret: the oldest trick.
        let forged = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&forged, &claims(), &EncodingKey::from_secret(public.as_bytes())).unwrap();
        assert!(verifier_of(&portals).verify(&bare(&token), ORIGIN, now).is_err());
    }
    assert!(PortalKey::public("k1", b"nonsense").is_none());
}
