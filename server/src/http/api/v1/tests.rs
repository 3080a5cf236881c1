//! Keys, problems, pages of the list.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::messages::request;
use crate::outbox::tests::{KEY, Post, give, message};

#[tokio::test]
async fn only_a_portal_s_key_opens_and_each_sees_its_own() {
    let post = Post::new().await;
    let (status, given) = post.post(&message("martin", "x")).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let path = format!("/api/v1/messages/{}", given["id"].as_str().unwrap());
    for (value, expected) in [
        (format!("Bearer {KEY}"), StatusCode::OK),
        (format!("bearer {KEY}-2"), StatusCode::OK),
        ("Bearer fct_other".to_owned(), StatusCode::NOT_FOUND),
        (format!("Bearer {KEY}x"), StatusCode::UNAUTHORIZED),
        (format!("Basic {KEY}"), StatusCode::UNAUTHORIZED),
        ("Bearer".to_owned(), StatusCode::UNAUTHORIZED),
        (String::new(), StatusCode::UNAUTHORIZED),
    ] {
        let request = Request::get(&path).header(header::AUTHORIZATION, &value).body(Body::empty()).unwrap();
        let (status, headers, answer) = post.call(request).await;
        assert_eq!(status, expected, "{value} {answer}");
        if status != StatusCode::OK {
            assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
            assert_eq!(answer["status"], expected.as_u16());
        }
    }
    let list = |key: &str| {
        Request::get("/api/v1/messages?account=martin").header(header::AUTHORIZATION, format!("Bearer {key}"))
    };
    let (_, _, own) = post.call(list(KEY).body(Body::empty()).unwrap()).await;
    let (_, _, other) = post.call(list("fct_other").body(Body::empty()).unwrap()).await;
    assert_eq!((own["messages"].as_array().unwrap().len(), other["messages"].as_array().unwrap().len()), (1, 0));
    let elsewhere = Request::delete("/api/v1/messages").header(header::AUTHORIZATION, format!("Bearer {KEY}"));
    let (status, _, answer) = post.call(elsewhere.body(Body::empty()).unwrap()).await;
    assert_eq!((status, &answer["code"]), (StatusCode::METHOD_NOT_ALLOWED, &json!("method_not_allowed")));
    let (status, answer) = post.get("/api/v1/mesages").await;
    assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &json!("no_such_endpoint")));
    let (status, answer) = post.get("/api/v1/messages/%ff").await;
    assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")));
    for id in ["x", "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(post.get(&format!("/api/v1/messages/{id}")).await.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn an_idempotency_key_makes_one_message() {
    let post = Post::new().await;
    let body = message("martin", "Une fois");
    let (status, headers, first) = post.call(give(&body, Some("k-1"))).await;
    assert_eq!((status, headers.get("idempotency-replayed")), (StatusCode::ACCEPTED, None));
    assert_eq!(headers[header::LOCATION], format!("/api/v1/messages/{}", first["id"].as_str().unwrap()));
    let at_once = futures::future::join_all((0..8).map(|_| post.call(give(&body, Some("k-1"))))).await;
    for (status, headers, again) in at_once {
        assert_eq!((status, &again), (StatusCode::ACCEPTED, &first));
        assert_eq!(headers["idempotency-replayed"], "true");
    }
    let (status, _, other) = post.call(give(&message("martin", "Autre"), Some("k-1"))).await;
    assert_eq!((status, &other["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency_key_reused")));
    let long = "k".repeat(256);
    for key in [long.as_str(), "a b"] {
        let (status, _, answer) = post.call(give(&body, Some(key))).await;
        assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")), "{key}");
    }
    for name in ["idempotency-key", "content-type"] {
        let mut twice = give(&body, Some("k-2"));
        let first = twice.headers()[name].clone();
        twice.headers_mut().append(name, first);
        let (status, _, answer) = post.call(twice).await;
        assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")), "{name}");
    }
    let mut twice = give(&body, Some("k-2"));
    twice.headers_mut().append(header::AUTHORIZATION, "Bearer fct_other".parse().unwrap());
    assert_eq!(post.call(twice).await.0, StatusCode::UNAUTHORIZED);
    let (_, all) = post.get("/api/v1/messages?account=martin").await;
    assert_eq!(all["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_is_said_by_field() {
    let post = Post::new().await;
    let with = |field: &str, value: Value| {
        let mut body = message("martin", "x");
        body[field] = value;
        body
    };
    let attachment =
        |content: &str, kind: &str| json!([{ "filename": "a.pdf", "content_type": kind, "content": content }]);
    for (body, field, code) in [
        (with("account", json!("")), "/account", "required"),
        (with("account", json!("a\u{1f}b")), "/account", "control_character"),
        (with("to", json!([])), "/to", "required"),
        (with("to", json!(["claire"])), "/to/0", "address_invalid"),
        (with("to", json!([{ "address": "a@b@c" }])), "/to/0/address", "address_invalid"),
        (
            with("cc", json!(["a@x.example", { "address": "b@x.example", "name": "B\r\nBcc: c@x.example" }])),
            "/cc/1/name",
            "control_character",
        ),
        (with("to", json!(vec!["a@x.example"; 101])), "/to", "too_many"),
        (with("bcc", json!(["a@x.example>\r\nRCPT TO:<b@x.example"])), "/bcc/0", "address_invalid"),
        (with("reply_to", json!("nobody")), "/reply_to", "address_invalid"),
        (with("subject", json!("a\r\nBcc: b@x.example")), "/subject", "control_character"),
        (with("subject", json!("é".repeat(500))), "/subject", "too_long"),
        (with("text", json!(null)), "/text", "required"),
        (with("text", json!("x".repeat(2_000_001))), "/text", "too_large"),
        (with("language", json!("fr_FR")), "/language", "language_invalid"),
        (with("sender", json!("x@x.example")), "/sender", "sender_not_allowed"),
        (with("attachements", json!([])), "/attachements", "unknown"),
        (with("a.b/c~d", json!(1)), "/a.b~1c~0d", "unknown"),
        (with(&"x".repeat(9_000), json!(1)), &format!("/{}", "x".repeat(256)), "unknown"),
        (with("attachments", attachment("%%%", "a/b")), "/attachments/0/content", "base64_invalid"),
        (with("attachments", attachment("AA==", "pdf")), "/attachments/0/content_type", "content_type_invalid"),
        (with("attachments", attachment("AA==", "a/b\r\nX: y")), "/attachments/0/content_type", "content_type_invalid"),
        (with("attachments", json!([{ "filename": 5, "content": "" }])), "/attachments/0/filename", "wrong_type"),
        (with("subject", json!(5)), "/subject", "wrong_type"),
        (with("subject", json!(null)), "/subject", "required"),
        (with("attachments", json!([{ "filename": "a" }])), "/attachments/0/content", "required"),
        (json!({}), "/to", "required"),
        (with("cc", json!([{ "address": "a@x.example", "nom": "A" }])), "/cc/0", "wrong_type"),
    ] {
        let (status, answer) = post.post(&body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {answer}");
        let found = answer["errors"].as_array().unwrap().iter().any(|one| one["field"] == field && one["code"] == code);
        assert!(found, "{field} {code}: {answer:#}");
    }
    let (_, answer) = post.post(&json!({ "account": "a", "to": ["x"], "subject": "s\n" })).await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 3, "all of them at once");
    let raw = |kind: &str, body: &'static str| {
        Request::post("/api/v1/messages")
            .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(body))
            .unwrap()
    };
    for (request, status, code) in [
        (raw("text/plain", "{}"), StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
        (raw("application/json", "{"), StatusCode::BAD_REQUEST, "malformed_json"),
        (raw("application/json; charset=utf-8", ""), StatusCode::BAD_REQUEST, "malformed_json"),
    ] {
        let (got, _, answer) = post.call(request).await;
        assert_eq!((got, &answer["code"]), (status, &json!(code)));
    }
    let declared = Request::post("/api/v1/messages")
        .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, 50_000_000)
        .body(Body::empty());
    let (status, _, answer) = post.call(declared.unwrap()).await;
    assert_eq!((status, &answer["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large")));
    for query in [
        "",
        "?account=a&limit=0",
        "?account=a&limit=201",
        "?account=a&state=x",
        "?account=a&before=x",
        "?account=a&x=y",
        "?account=%ff",
        "?account=a&account=b",
        "?account=",
        "?account=%20",
        "?account=a%0Ab",
        "?account=a%00",
        "?account=a&limit=",
        "?account=a&limit=-1",
        "?account=a&limit=1.5",
        "?account=a&state=",
        "?account=a&before=",
        &format!("?account={}", "a".repeat(257)),
    ] {
        let (status, answer) = post.get(&format!("/api/v1/messages{query}")).await;
        assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")), "{query}");
    }
    let longest = format!("/api/v1/messages?account={}", "a".repeat(256));
    assert_eq!(post.get(&longest).await.0, StatusCode::OK, "the longest account id");
}

#[tokio::test]
async fn twenty_five_megabytes_of_files_pass_and_more_do_not() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let post = Post::new().await;
    let file = |bytes: usize| {
        let mut body = message("martin", "Gros");
        body["attachments"] = json!([{ "filename": "a.bin", "content": BASE64_STANDARD.encode(vec![7; bytes]) }]);
        body
    };
    assert_eq!(post.post(&file(25_000_000)).await.0, StatusCode::ACCEPTED);
    let (status, answer) = post.post(&file(25_000_001)).await;
    assert_eq!((status, &answer["errors"][0]["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("too_large")));
}

#[tokio::test]
async fn pages_follow_each_other() {
    let post = Post::new().await;
    let mut given = Vec::new();
    for number in 0..7 {
        given.insert(0, post.post(&message("martin", &number.to_string())).await.1["id"].clone());
    }
    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let (_, page) = post.get(&format!("/api/v1/messages?account=martin&limit=3{before}")).await;
        seen.extend(page["messages"].as_array().unwrap().iter().map(|one| one["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert_eq!(seen, given);
    let (_, none) = post.get("/api/v1/messages?account=martin&state=failed").await;
    assert_eq!(none["messages"].as_array().unwrap().len(), 0);
}

proptest! {
    #[test]
    fn no_body_breaks_the_reader(body in "\\PC*", key in "[a-z]{0,4}") {
        let text = format!("{{\"account\":\"a\",\"to\":[\"{key}@x.example\"],\"subject\":{body:?},\"text\":\"x\"}}");
        for body in [body.as_bytes(), text.as_bytes()] {
            // It parses, or reports what is wrong.
            let _ = request::read("p", None, body, jiff::Timestamp::UNIX_EPOCH);
        }
    }
}
