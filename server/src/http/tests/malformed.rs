//! Malformed requests: every server function, every path of the API.

use super::*;

/// Sends to a server function as a browser or a program does.
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
            // If a small form in UTF-8 is refused like this, the framework refused it.
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
            // What was typed into a form comes back in the response.
            let ended = stranger.location() == "/session-ended" || stranger.status.is_client_error();
            assert!(ended, "{path} {kind:?} {shown}: {} {}", stranger.status, stranger.location());
        }
    }
    let huge = send(&app, "/api/profiles/use", &cookie, (Some(FORM), JSON), Body::from(vec![b'x'; 70_000])).await;
    assert_eq!((huge.status, huge.body.as_str()), (StatusCode::PAYLOAD_TOO_LARGE, r#"{"code":"malformed"}"#));
    let other = send(&app, "/api/profiles/use", &cookie, (Some("text/plain"), JSON), Body::from("id=1")).await;
    assert_eq!(other.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(undecoded > 0, "some forms cannot be decoded, which is a client error");
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

/// The response of a path to a method, with any cookie and origin.
async fn answers(app: &TestApp, method: &str, path: &str, cookie: &str, origin: Option<&str>) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, FORM)
        .header(header::ACCEPT, JSON);
    if let Some(origin) = origin {
        request = request.header(header::ORIGIN, origin);
    }
    app.ask(request.body(Body::from("x=1")).unwrap()).await
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_405_and_a_path_that_is_not_there_404_whoever_asks() {
    let app = TestApp::new().await;
    let session = app.sign_in("martin").await;
    for cookie in ["", session.as_str()] {
        for origin in [None, Some(OWN), Some("https://evil.exemple")] {
            for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
                let shown = format!("{method} {origin:?} {}", cookie.is_empty());
                for path in ["/api", "/api/openapi.json", "/profiles", "/healthz", "/embed.js", "/favicon.svg", "/"] {
                    let answer = answers(&app, method, path, cookie, origin).await;
                    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{shown} {path}");
                    let allowed = answer.headers[header::ALLOW].to_str().unwrap();
                    assert!(allowed.contains("GET") && !allowed.contains(method), "{shown} {path}: {allowed}");
                    if path.starts_with("/api") {
                        let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
                        assert_eq!(problem["code"], "method_not_allowed", "{shown} {path}");
                        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
                    }
                }
                for path in ["/api/nothing", "/api/", "/api/profiles", "/api/profiles/save/", "/api/v2/messages"] {
                    let answer = answers(&app, method, path, cookie, origin).await;
                    let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
                    assert_eq!(
                        (answer.status.as_u16(), &problem["code"]),
                        (404, &json!("no_such_endpoint")),
                        "{shown} {path}"
                    );
                }
                // A page, which tells visitors without a session so.
                let status = answers(&app, method, "/nowhere", cookie, origin).await.status;
                assert_eq!(status, StatusCode::NOT_FOUND, "{shown}");
                if method != "POST" {
                    let answer = answers(&app, method, "/api/profiles/save", cookie, origin).await;
                    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{shown}");
                    assert_eq!(answer.headers[header::ALLOW], "POST", "{shown}");
                    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{shown}");
                }
            }
        }
    }
    let server = answers(&app, "OPTIONS", "*", "", None).await;
    assert_eq!(server.status, StatusCode::NO_CONTENT);
    assert_eq!(server.headers[header::ALLOW], "GET, HEAD, POST");
}

#[tokio::test]
async fn under_a_path_a_problem_s_type_leads_to_its_own_description() {
    for (place, asked) in [("", ""), ("/smtp", "/smtp"), ("/smtp", "")] {
        let app = TestApp::at(place).await;
        for (path, code) in [
            ("/api/v1/messages?account=1", "unauthorized"),
            ("/api/v1/nothing", "no_such_endpoint"),
            ("/api/nothing", "no_such_endpoint"),
            ("/api/v1/sessions/revoke", "method_not_allowed"),
            ("/api/profiles/save", "method_not_allowed"),
        ] {
            let answer = app.get(&format!("{asked}{path}"), "").await;
            let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(problem["type"], format!("{place}/api#{code}"), "{place} {path}");
            assert_eq!(answer.headers.contains_key(header::WWW_AUTHENTICATE), code == "unauthorized");
        }
    }
}

#[tokio::test]
async fn no_form_leads_a_browser_away_whatever_its_referer() {
    for place in ["", "/smtp"] {
        let app = TestApp::at(place).await;
        let cookie = app.sign_in("martin").await;
        let id = app.add(&cookie).await;
        let endpoints = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path);
        for path in endpoints.chain(["/api/resume", "/api/nothing"]) {
            // No test is run: it would send mail.
            let id = if path.starts_with("/api/test/") { "00000000-0000-7000-8000-000000000000" } else { &id };
            for body in [format!("id={id}"), "id=x".to_owned(), "id=1&id=2".to_owned(), "x=1".to_owned(), String::new()]
            {
                for referer in [
                    None,
                    Some("https://evil.exemple/"),
                    Some("//evil.exemple"),
                    Some("javascript:alert(1)"),
                    Some("https://facteur.exemple//evil.exemple/?__err=x"),
                ] {
                    let mut request = Request::post(format!("{place}{path}"))
                        .header(header::COOKIE, &cookie)
                        .header(header::ACCEPT, HTML)
                        .header(header::ORIGIN, OWN)
                        .header(header::CONTENT_TYPE, FORM);
                    if let Some(referer) = referer {
                        request = request.header(header::REFERER, referer);
                    }
                    let answer = app.ask(request.body(Body::from(body.clone())).unwrap()).await;
                    let to = answer.proved();
                    let ours = to.is_empty()
                        || to
                            .strip_prefix(place)
                            .is_some_and(|to| to.starts_with("/profiles") || to.starts_with("/sending-mode"));
                    assert!(ours, "{path} {body} {referer:?}: {to}");
                    assert_eq!(answer.status.is_redirection(), !to.is_empty(), "{path} {body}");
                }
            }
        }
    }
}
