//! What does not read: every server function, every path of the API.

use super::*;

/// What a browser and a program send to a server function.
async fn send(app: &TestApp, path: &str, cookie: &str, (kind, accept): (Option<&str>, &str), body: Body) -> Answer {
    let mut request = Request::post(path)
        .header(header::COOKIE, cookie)
        .header(header::ACCEPT, accept)
        .header(header::REFERER, format!("{OWN}/profiles"))
        .header(header::ORIGIN, OWN);
    if let Some(kind) = kind {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    app.ask(request.body(body).unwrap()).await
}

const HTML: &str = "text/html,application/xhtml+xml";
const JSON: &str = "application/json";

#[tokio::test]
async fn a_malformed_form_is_the_sender_s_and_a_stranger_s_is_not_looked_at() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let endpoints = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path).collect::<Vec<_>>();
    let bodies: [(Option<&str>, Vec<u8>); 10] = [
        (Some(FORM), b"".to_vec()),
        (Some(FORM), b"id".to_vec()),
        (Some(FORM), b"id=%ff&mode=%c3&draft[host]=%ed%a0%80".to_vec()),
        (Some(FORM), b"\xff\xfe".to_vec()),
        (Some(FORM), b"draft[host]=a&draft[host]=b&id=1&id=2&mode=x&mode=y".to_vec()),
        (Some(FORM), b"draft[a][b][c][d][e][f]=1&draft=2".to_vec()),
        (Some(FORM), [b"id=".to_vec(), vec![b'x'; 70_000]].concat()),
        (Some("application/json"), b"{\"id\":1}".to_vec()),
        (Some("multipart/form-data; boundary=x"), b"--x\r\n\r\n--x--".to_vec()),
        (None, b"id=1".to_vec()),
    ];
    let mut undecoded = 0;
    for path in endpoints {
        for (kind, body) in &bodies {
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            let program = send(&app, path, &cookie, (*kind, JSON), Body::from(body.clone())).await;
            let status = program.status;
            assert!(!status.is_server_error(), "{path} {kind:?} {shown}: {status} {}", program.body);
            // A small form in UTF-8 that is refused like this was refused by the framework.
            let is_small_form = *kind == Some(FORM) && body.len() < 1_000 && body.is_ascii() && !shown.contains('%');
            let is_malformed = (status, program.body.as_str()) == (StatusCode::BAD_REQUEST, r#"{"code":"malformed"}"#);
            undecoded += usize::from(is_small_form && is_malformed);
            let page = send(&app, path, &cookie, (*kind, HTML), Body::from(body.clone())).await;
            assert!(!page.status.is_server_error(), "{path} {kind:?} {shown}: {}", page.status);
            assert!(!page.location().contains("__err"), "{path} {kind:?} {shown}: {}", page.location());
            let stranger = send(&app, path, "", (*kind, JSON), Body::from(body.clone())).await;
            assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "{path} {kind:?} {shown}");
            assert!(stranger.body.contains("session_required"), "{path}: {}", stranger.body);
            let stranger = send(&app, path, "", (*kind, HTML), Body::from(body.clone())).await;
            // What was typed into a form comes back in the answer.
            let ended = stranger.location() == "/session-ended" || stranger.status.is_client_error();
            assert!(ended, "{path} {kind:?} {shown}: {} {}", stranger.status, stranger.location());
        }
    }
    let huge = send(&app, "/api/profiles/use", &cookie, (Some(FORM), JSON), Body::from(vec![b'x'; 70_000])).await;
    assert_eq!((huge.status, huge.body.as_str()), (StatusCode::PAYLOAD_TOO_LARGE, r#"{"code":"malformed"}"#));
    let other = send(&app, "/api/profiles/use", &cookie, (Some("text/plain"), JSON), Body::from("id=1")).await;
    assert_eq!(other.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(undecoded > 0, "some forms do not decode, and that is the sender's fault");
}

#[tokio::test]
async fn the_door_takes_no_malformed_form_either() {
    let app = TestApp::new().await;
    let huge = vec![b'x'; 70_000];
    for body in [&b""[..], b"token", b"token=%ff", b"\xff", b"token=a&token=b", &huge] {
        for kind in [FORM, "text/plain", "application/json"] {
            let request = Request::post("/session").header(header::ORIGIN, PORTAL).header(header::CONTENT_TYPE, kind);
            let answer = app.ask(request.body(Body::from(body.to_vec())).unwrap()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{kind}");
        }
    }
}

#[tokio::test]
async fn every_path_of_the_api_tells_its_problems_as_problems() {
    let app = TestApp::new().await;
    let paths = [
        ("/api/v1", StatusCode::NOT_FOUND),
        ("/api/v1/", StatusCode::NOT_FOUND),
        ("/api/v1/nothing", StatusCode::NOT_FOUND),
        ("/api/v1/%ff", StatusCode::NOT_FOUND),
        ("/api/v1/messages/", StatusCode::NOT_FOUND),
        ("/api/v1/messages/x/", StatusCode::NOT_FOUND),
        ("/api/v1/messages/x/y/z", StatusCode::NOT_FOUND),
        ("/api/v1//messages", StatusCode::NOT_FOUND),
        ("/api/v2/messages", StatusCode::NOT_FOUND),
        ("/api/nothing", StatusCode::NOT_FOUND),
        ("/api/openapi.json/", StatusCode::NOT_FOUND),
        ("/api/", StatusCode::NOT_FOUND),
        ("/api/v1/messages", StatusCode::UNAUTHORIZED),
        ("/api/v1/messages?%ff=%ff", StatusCode::UNAUTHORIZED),
        ("/api/v1/messages/x", StatusCode::UNAUTHORIZED),
        ("/api/v1/messages/%ff", StatusCode::UNAUTHORIZED),
        ("/api/v1/messages/x/resend", StatusCode::METHOD_NOT_ALLOWED),
        ("/api/v1/sessions/revoke", StatusCode::METHOD_NOT_ALLOWED),
        ("/api/profiles/save", StatusCode::METHOD_NOT_ALLOWED),
    ];
    for (path, expected) in paths {
        for method in [Method::GET, Method::HEAD] {
            let request = Request::builder().method(&method).uri(path).body(Body::empty()).unwrap();
            let answer = app.ask(request).await;
            assert_eq!(answer.status, expected, "{method} {path}");
            assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{method} {path}");
            assert_eq!(
                answer.headers.contains_key(header::ALLOW),
                expected == StatusCode::METHOD_NOT_ALLOWED,
                "{path}"
            );
            if method == Method::GET {
                let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
                assert_eq!(problem["status"], expected.as_u16(), "{path}");
                let code = match expected {
                    StatusCode::NOT_FOUND => "no_such_endpoint",
                    StatusCode::UNAUTHORIZED => "unauthorized",
                    _ => "method_not_allowed",
                };
                assert_eq!(problem["code"], code, "{path}");
            }
        }
        for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS, Method::TRACE] {
            let request = Request::builder().method(&method).uri(path).header(header::ORIGIN, OWN);
            let answer = app.ask(request.body(Body::empty()).unwrap()).await;
            assert!(answer.status.is_client_error(), "{method} {path}: {}", answer.status);
            assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{method} {path}");
        }
    }
}
