//! The content of a token, and every invalid claim.

use super::*;

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
fn the_readers_time_zone_is_the_tokens_or_else_the_portals() {
    let zone = |portal: Option<&str>, token: Option<&str>| {
        let portals = vec![Portal { time_zone: portal.map(str::to_owned), ..portals().remove(0) }];
        let mut claims = claims();
        claims["zoneinfo"] = json!(token);
        let token = signed(&header(), &claims);
        let now = Timestamp::from_second(NOW).unwrap();
        verifier_of(&portals).verify(&bare(&token), ORIGIN, now).unwrap().1.time_zone
    };
    let paris = Some("Europe/Paris".to_owned());
    assert_eq!(zone(None, None), None);
    assert_eq!(zone(None, Some("Europe/Paris")), paris);
    assert_eq!(zone(Some("Europe/Paris"), None), paris);
    assert_eq!(zone(Some("Europe/Paris"), Some("America/Montreal")).as_deref(), Some("America/Montreal"));
    for unknown in ["Mars/Phobos", "", "../../etc/passwd", &"x".repeat(300)] {
        assert_eq!(zone(Some("Europe/Paris"), Some(unknown)), paris, "{unknown}");
    }
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
    assert_eq!(themed.theme, GivenTheme::default(), "an invalid theme does not refuse the token");
    let mut ending = claims();
    ending["account"] = json!(["martin"]);
    let now = Timestamp::from_second(NOW).unwrap();
    let refused = verifier_of(&portals()).verify_sign_out(&signed(&header(), &ending), now);
    assert_eq!(refused.err(), Some(TokenError::Claims));
    assert!(check(&signed(&header(), &json!(claims().as_object().unwrap().values().collect::<Vec<_>>()))).is_err());
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
