//! No secret in any disguise.

use proptest::prelude::*;

use super::*;

#[test]
fn text_of_strangers_is_cleaned() {
    assert_eq!(clean("550 \u{1b}[31mno\u{7}\u{202e}txt"), "550 [31mnotxt");
    assert_eq!(clean(&"x".repeat(10_000)).chars().count(), 500);
}

/// The secret does not stand there, in any case, with or without blanks, in a line or across lines.
fn is_clear(shown: &str, secret: &str) -> bool {
    !squeeze(shown).contains(&squeeze(secret))
}

#[test]
fn a_secret_is_found_behind_every_disguise() {
    let secret = "Tr0ub4dor&3 <é>";
    let redactor = Redactor::new(Some(("claire@exemple.fr", &SecretString::from(secret))));
    let inside = BASE64_STANDARD.encode(format!("user=claire\x01auth=Bearer {secret}\x01\x01"));
    for echoed in [
        secret.to_uppercase(),
        secret.chars().rev().collect(),
        secret.chars().flat_map(|c| [c, '\u{200b}']).collect(),
        secret.chars().flat_map(|c| [c, '\u{ad}', '\u{7}']).collect(),
        secret.chars().flat_map(|c| [c, ' ']).collect(),
        "Tr0ub4dor&amp;3 &lt;é&gt;".to_owned(),
        "Tr0ub4dor=263=20=3C=C3=A9=3E".to_owned(),
        secret.bytes().map(|byte| format!("{byte:02X}")).collect(),
        secret[..10].to_owned(),
        BASE64_STANDARD.encode(format!("xx{secret}xx")),
        inside.clone(),
        inside[..inside.len() - 3].to_owned(),
    ] {
        let shown = redactor.redact(&format!("535 <{echoed}> is wrong"));
        assert!(is_clear(&shown, secret) && shown.contains(REDACTED), "{echoed:?} {shown:?}");
        assert!(!shown.to_lowercase().contains(&echoed.to_lowercase()), "{shown:?}");
    }
    assert_eq!(redactor.redact("535 Invalid login or password"), "535 Invalid login or password");
    let short = Redactor::new(Some(("claire", &SecretString::from("aB1"))));
    assert_eq!(short.redact("535 aB1 and AB1"), "535 ••• and •••");
}

#[test]
fn a_secret_across_the_lines_of_a_reply_is_found() {
    let redactor = Redactor::new(Some(("claire", &SecretString::from("abcdefghijkl"))));
    let mut transcript = Transcript::new(redactor);
    let reply = Reply::parse("535-5.7.8 no abcde\r\n535 fghijkl").unwrap();
    transcript.reply(&reply);
    let shown = transcript.shown(&reply.words());
    assert_eq!(transcript.take(), ["S: 535 •••"]);
    assert!(!shown.contains("abcde"), "{shown}");
}

#[test]
fn a_part_of_a_long_token_is_found() {
    let token: String = (0..20_000_u32).map(|n| char::from(b'a' + u8::try_from(n * n % 23).unwrap())).collect();
    let redactor = Redactor::new(Some(("claire", &SecretString::from(token.clone()))));
    let shown = redactor.redact(&format!("535 token {} expired", &token[7_000..7_050]));
    assert_eq!(shown, "535 token ••• expired");
}

proptest! {
    #[test]
    fn no_form_of_the_secret_is_left(
        secret in "[!-~éà ]{4,24}",
        login in "[a-z]{1,8}@[a-z]{1,8}\\.fr",
        before in "[a-z ]{0,12}",
        upper in any::<bool>(),
    ) {
        let redactor = Redactor::new(Some((&login, &SecretString::from(secret.clone()))));
        let json = serde_json::to_string(&secret).unwrap();
        let forms = [
            secret.clone(),
            BASE64_STANDARD.encode(&secret),
            BASE64_STANDARD.encode(format!("\0{login}\0{secret}")),
            percent(&secret, '%', false),
            percent(&secret, '%', true),
            json.trim_matches('"').to_owned(),
        ];
        let inside = BASE64_STANDARD.encode(format!("{before}{secret}"));
        let is_inside = |form: &String| *form == inside;
        let forms = forms.into_iter().chain([
            secret.chars().rev().collect(),
            inside.clone(),
            format!("{before}{}", secret.chars().flat_map(|c| [c, '\u{feff}']).collect::<String>()),
        ]);
        for form in forms {
            // In capitals, base64 is no longer the secret.
            let echoed = if upper && !is_inside(&form) { form.to_ascii_uppercase() } else { form.clone() };
            let shown = redactor.redact(&format!("{before}{echoed} rejected"));
            prop_assert!(!shown.to_ascii_lowercase().contains(&form.to_ascii_lowercase()), "{shown}");
            prop_assert!(is_clear(&shown, &secret), "{shown}");
        }
    }
}
