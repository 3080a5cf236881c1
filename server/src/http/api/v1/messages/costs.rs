//! The cost of a portal's message on an async thread: reading the request, sealing it, opening and composing it, each
//! with the slowest body that is not large ([`LARGE`]). Measured is this thread's processor time, not the clock.

use std::time::{Duration, SystemTime};

use app::session::AccountId;
use jiff::Timestamp;
use mail::{
    aside::LARGE,
    smtp::{Attachment, Letter, compose},
};
use model::encoding::Encoding;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use super::request;
use crate::{
    credentials::{Vault, VaultKey},
    outbox::content::Content,
};

/// One or two milliseconds in a release build; many times that without optimisation.
const TURN: Duration = Duration::from_millis(if cfg!(debug_assertions) { 80 } else { 2 });

fn spent() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

/// The least of five runs: other load only adds.
fn bounded<T>(name: &str, run: impl Fn() -> T) {
    let once = || {
        let began = spent();
        drop(run());
        spent().saturating_sub(began)
    };
    let cost = (0..5).map(|_| once()).min().unwrap();
    println!("{name}: {cost:?}");
    assert!(cost < TURN, "{name}: {cost:?}");
}

fn message(more: &Value) -> Vec<u8> {
    let mut message = json!({ "account": "martin", "to": ["a@x.example"], "subject": "Devis", "text": "x" });
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut body = serde_json::to_vec(&message).unwrap();
    assert!(body.len() <= LARGE, "{}", body.len());
    body.resize(LARGE, b' ');
    body
}

/// Bodies that take long to read, as large as the thread itself may handle.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let names = (0..6_000).map(|number| (format!("f{number}"), json!(1))).collect::<serde_json::Map<_, _>>();
    let people: Vec<Value> =
        (0..900).map(|number| json!({ "address": format!("a{number}@xn--a9.example"), "name": "É" })).collect();
    let nested = format!("{}1{}", "[".repeat(120), "]".repeat(120));
    vec![
        ("a text of escapes", message(&json!({ "text": "\u{1}".repeat(10_000) }))),
        ("unknown fields", message(&Value::Object(names))),
        ("too many recipients", message(&json!({ "to": people }))),
        ("recipients of a wrong shape", message(&json!({ "to": vec![json!({ "a": [1, 2, 3] }); 3_000] }))),
        ("a file", message(&json!({ "attachments": [{ "filename": "x", "content": "QUFB".repeat(15_000) }] }))),
        ("files", message(&json!({ "attachments": vec![json!({ "filename": "x", "content": "QQ==" }); 1_500] }))),
        ("a long address", message(&json!({ "to": ["a.".repeat(30_000)] }))),
        ("nesting", {
            let all = vec![nested; 250].join(",");
            let mut body = format!("{{\"x\":[{all}]}}").into_bytes();
            body.resize(LARGE, b' ');
            body
        }),
        ("not JSON", vec![b'['; LARGE]),
        ("an open text", [b"{\"".to_vec(), vec![b'\\'; LARGE - 2]].concat()),
    ]
}

#[test]
fn reading_a_request_on_the_spot_takes_a_turn() {
    for (name, body) in bodies() {
        bounded(name, || request::read("demo", None, &body, Timestamp::UNIX_EPOCH).is_ok());
    }
}

#[test]
fn sealing_opening_and_composing_on_the_spot_take_a_turn() {
    let vault = Vault::new(vec![VaultKey::new("k", [7; 32]).unwrap()]).unwrap();
    let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
    let id = uuid::Uuid::nil();
    for (name, body) in bodies() {
        let Ok(draft) = request::read("demo", None, &body, Timestamp::UNIX_EPOCH) else { continue };
        let encoded = draft.content.encode().unwrap();
        bounded(&format!("{name}, sealed"), || vault.seal_content(&account, id, draft.content.encode().unwrap()));
        let sealed = vault.seal_content(&account, id, encoded).unwrap();
        bounded(&format!("{name}, opened"), || {
            Content::decode(&vault.open_content(&account, id, &sealed).unwrap()).unwrap()
        });
    }
    let person = |number: usize| {
        lettre::message::Mailbox::new(Some("Élise ".repeat(40)), format!("a{number}@client.example").parse().unwrap())
    };
    for (name, text, file) in [
        ("letters that are encoded", "é".repeat(LARGE / 2), Vec::new()),
        ("one long line", "x".repeat(LARGE), Vec::new()),
        ("lines", "a =\r\n".repeat(LARGE / 5), Vec::new()),
        ("a file", String::new(), vec![0xff; LARGE]),
    ] {
        let letter = Letter {
            from: person(0),
            to: (0..5).map(person).collect(),
            cc: (5..10).map(person).collect(),
            reply_to: None,
            subject: "é😀".repeat(160),
            text: Some(text.clone()),
            html: None,
            attachments: vec![Attachment {
                filename: "é".repeat(100),
                content_type: "application/pdf".to_owned(),
                content_id: None,
                content: file,
            }],
            encoding: Encoding::default(),
            message_id: "x@y.example".to_owned(),
            date: SystemTime::UNIX_EPOCH,
            auto_submitted: false,
            language: String::new(),
        };
        bounded(&format!("{name}, composed"), || compose(&letter).unwrap());
    }
}
