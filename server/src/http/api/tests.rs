//! The description of the API, and whether it is true.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::{Value, json};

use super::{description, problem::Code, v1::messages::request};
use crate::outbox::tests::Post;

/// `UPDATE_OPENAPI=1` is not needed: delete the file, run the test twice.
#[test]
fn the_description_is_the_golden_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    if golden.is_empty() {
        std::fs::write(path, description::JSON.as_str()).unwrap();
    }
    assert!(golden == *description::JSON, "{path} is out of date: delete it, and run this test again");
    let described: Value = serde_json::from_str(&golden).unwrap();
    assert_eq!(described["openapi"], "3.1.0");
    let named = |code: &Code| golden.contains(&format!("`{}`", code.as_str()));
    let general = [Code::MethodNotAllowed, Code::Forbidden, Code::NoSuchEndpoint];
    assert!(Code::ALL.iter().filter(|code| !general.contains(code)).all(named), "every code is listed at a response");
    let codes = &described["components"]["schemas"]["Code"];
    assert!(Code::ALL.iter().all(|code| codes.to_string().contains(&format!("\"{}\"", code.as_str()))), "{codes}");
}

/// A value that matches its schema, and variants with an array instead of one of its objects, each with the pointer to
/// it.
fn of_schema(schema: &Value, all: &Value) -> (Value, Vec<(String, Value)>) {
    if let Some(reference) = schema["$ref"].as_str() {
        return of_schema(&all[reference.rsplit('/').next().unwrap()], all);
    }
    if let Some(variants) = schema["oneOf"].as_array() {
        let mut read: Vec<_> =
            variants.iter().filter(|one| one["type"] != "null").map(|one| of_schema(one, all)).collect();
        let arrays = read.iter_mut().flat_map(|(_, arrays)| std::mem::take(arrays)).collect();
        return (read.swap_remove(0).0, arrays);
    }
    if let Some(properties) = schema["properties"].as_object() {
        let read: Vec<_> = properties.iter().map(|(name, schema)| (name, of_schema(schema, all))).collect();
        let object: Value = read.iter().map(|(name, (value, _))| ((*name).clone(), value.clone())).collect();
        let values: Vec<Value> = read.iter().map(|(_, (value, _))| value.clone()).collect();
        let mut arrays = vec![(String::new(), json!(values)), (String::new(), json!([]))];
        for (name, (_, inner)) in &read {
            for (pointer, value) in inner {
                let mut changed = object.clone();
                changed[*name] = value.clone();
                arrays.push((format!("/{name}{pointer}"), changed));
            }
        }
        return (object, arrays);
    }
    if schema["type"] == "array" {
        let (value, arrays) = of_schema(&schema["items"], all);
        let arrays = arrays.into_iter().map(|(pointer, value)| (format!("/0{pointer}"), json!([value]))).collect();
        return (json!([value]), arrays);
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    let value = match (&schema["example"], kind) {
        (Value::Null, Some("string")) => json!("AAAA"),
        (Value::Null, Some("boolean")) => json!(false),
        (Value::Null, kind) => panic!("no value for {kind:?}"),
        (example, _) => example.clone(),
    };
    (value, Vec::new())
}

#[test]
fn an_array_is_refused_where_an_object_is_expected() {
    let described: Value = serde_json::from_str(&description::JSON).unwrap();
    let operations = described["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
    let bodies: Vec<&Value> = operations
        .map(|(_, operation)| &operation["requestBody"]["content"]["application/json"]["schema"])
        .filter(|schema| !schema.is_null())
        .collect();
    assert_eq!(bodies, [&json!({ "$ref": "#/components/schemas/MessageRequest" })], "a new body is read here, too");
    let (good, arrays) = of_schema(bodies[0], &described["components"]["schemas"]);
    let read = |body: &Value| request::read("p", None, body.to_string().as_bytes(), jiff::Timestamp::UNIX_EPOCH);
    assert!(read(&good).is_ok(), "{good}");
    for (pointer, body) in &arrays {
        let problem = serde_json::to_value(read(body).err().unwrap()).unwrap();
        if pointer.is_empty() {
            assert_eq!(problem["code"], "malformed_json", "{body}");
        } else {
            let fault = &problem["errors"][0];
            assert_eq!((&fault["field"], &fault["code"]), (&json!(pointer), &json!("wrong_type")), "{body}");
        }
    }
    let pointers: std::collections::BTreeSet<&str> = arrays.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(
        pointers.into_iter().collect::<Vec<_>>(),
        ["", "/attachments/0", "/bcc/0", "/cc/0", "/reply_to", "/to/0"]
    );
}

#[tokio::test]
async fn the_description_is_also_a_page() {
    let post = Post::new().await;
    let (status, headers, described) = post.call(Request::get("/api/openapi.json").body(Body::empty()).unwrap()).await;
    assert_eq!((status, &headers[header::CONTENT_TYPE]), (StatusCode::OK, &"application/json".parse().unwrap()));
    assert!(described["paths"]["/api/v1/messages/{id}/resend"]["post"].is_object());
    let request = Request::get("/api").body(Body::empty()).unwrap();
    let response = tower::ServiceExt::oneshot(post.application.router.clone(), request).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let page = String::from_utf8(body.to_vec()).unwrap();
    for text in
        ["Send a message", "POST /api/v1/messages", "idempotency_key_reused", "MessageRequest", "delivery_unknown"]
    {
        assert!(page.contains(text), "{text}");
    }
}
