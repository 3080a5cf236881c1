//! Signatures, and how long an event is tried.

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::*;
use crate::portal::WebhookUrl;

mod turns;

#[test]
fn signatures_are_those_of_the_specification() {
    // The example of the specification's reference libraries.
    let secret = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let webhook = Webhook {
        url: WebhookUrl::parse("https://portal.example/").unwrap(),
        secrets: vec![Zeroizing::new(secret), Zeroizing::new(b"another".to_vec())],
    };
    let event = EventRow {
        id: uuid::Uuid::nil(),
        portal: "demo".to_owned(),
        content: r#"{"test": 2432232314}"#.to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
        tries: 0,
    };
    let signatures = signature(&webhook, &event, 1_614_265_330);
    let expected = {
        let mut mac = Hmac::<Sha256>::new_from_slice(&webhook.secrets[0]).unwrap();
        mac.update(br#"00000000-0000-0000-0000-000000000000.1614265330.{"test": 2432232314}"#);
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    };
    assert_eq!(signatures.split(' ').count(), 2);
    assert!(signatures.starts_with(&expected), "{signatures}");
}

#[test]
fn the_waits_make_about_a_day() {
    let hours = WAITS_S.iter().sum::<i64>() / 3_600;
    assert!((20..=30).contains(&hours), "{hours}");
}
