//! Programs get an error when nothing was done, while a browser gets the page that explains it.

use super::*;

async fn program(app: &TestApp, path: &str, cookie: &str, form: &str) -> Answer {
    let request = Request::post(path)
        .header(header::COOKIE, cookie)
        .header(header::ACCEPT, "application/json")
        .header(header::ORIGIN, OWN)
        .header(header::CONTENT_TYPE, FORM);
    app.ask(request.body(Body::from(form.to_owned())).unwrap()).await
}

#[tokio::test]
async fn what_is_not_there_or_out_of_date_is_no_success_to_a_program() {
    let app = TestApp::new().await;
    let (martin, dubois) = (app.sign_in("martin").await, app.sign_in("dubois").await);
    let (own, foreign) = (app.add(&martin).await, app.add(&dubois).await);
    let never = "00000000-0000-7000-8000-000000000000";
    let draft = |id: &str| form(id, "smtp.gmail.com", "").replace("&secret=", "");
    for id in [foreign.as_str(), never, "x", "null"] {
        for (path, body) in [
            // First, because the next ones keep a draft, which could then be forgotten.
            ("/api/profiles/forget", format!("id={id}")),
            ("/api/profiles/save", form(id, "smtp.gmail.com", "abcdefghijklmnop")),
            ("/api/profiles/check", draft(id)),
            ("/api/profiles/fill", draft(id)),
            ("/api/profiles/cancel", draft(id)),
            ("/api/profiles/merge", format!("id={id}&revision=1")),
            ("/api/profiles/encoding", format!("id={id}&encoding=UTF-8")),
            ("/api/profiles/clean-secret", format!("id={id}")),
            ("/api/profiles/duplicate", format!("id={id}")),
            ("/api/profiles/use", format!("id={id}")),
            ("/api/profiles/sending", format!("id={id}&sending[per_minute]=1")),
            ("/api/profiles/delete", format!("id={id}")),
            ("/api/test/run", format!("id={id}&to=me")),
            ("/api/test/stream", format!("id={id}&to=me")),
            ("/api/test/apply-fix", format!("id={id}&to=me&fix=0")),
            ("/api/test/apply-fix", format!("id={id}&to=me&fix=zz")),
            ("/api/test/apply-fix", format!("id={id}&to=me")),
            ("/api/test/received", format!("id={id}&code=123456")),
            ("/api/test/secret", format!("id={id}&to=me&secret=abcdefghijklmnop")),
            ("/api/test/stream", format!("id={id}&to=me&secret=abcdefghijklmnop")),
            ("/api/profiles/restore", format!("id={id}")),
            ("/api/sign-in/begin", format!("id={id}&client=none")),
            ("/api/sign-in/out", format!("id={id}")),
            ("/api/sign-in/mailbox", format!("id={id}&mailbox=accueil@exemple.fr")),
        ] {
            let answer = program(&app, path, &martin, &body).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path} {id}: {}", answer.body);
        }
        // Also where no successor is needed.
        let second = app.post("/api/profiles/duplicate", &martin, &format!("id={own}")).await;
        let second = second.location().split(['=', '&']).nth(1).unwrap().to_owned();
        for deleted in [&own, &second] {
            let answer = program(&app, "/api/profiles/delete", &martin, &format!("id={deleted}&successor={id}")).await;
            assert!(matches!(answer.status.as_u16(), 404 | 409), "successor {id}: {}", answer.status);
        }
    }
    let paths: Vec<&str> = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    assert_eq!(paths.len(), 23, "another function: does it take an id? {paths:?}");
    for (path, body, status, code) in [
        ("/api/test/apply-fix", format!("id={own}&to=me&fix=0"), StatusCode::CONFLICT, "stale"),
        ("/api/test/apply-fix", format!("id={own}&to=me&fix=zz"), StatusCode::CONFLICT, "stale"),
        ("/api/test/apply-fix", format!("id={own}&to=me"), StatusCode::CONFLICT, "stale"),
        ("/api/test/stream", format!("id={own}&to=me&fix=7"), StatusCode::CONFLICT, "refused"),
        ("/api/profiles/merge", format!("id={own}&revision=1"), StatusCode::CONFLICT, "stale"),
        ("/api/test/received", format!("id={own}&code=123456"), StatusCode::CONFLICT, "conflict"),
        ("/api/test/secret", format!("id={own}&to=me"), StatusCode::CONFLICT, "conflict"),
        ("/api/profiles/use", format!("id={own}&mode=own"), StatusCode::BAD_REQUEST, "malformed"),
        (
            "/api/profiles/fill",
            draft(&own).replace("[preset]=", "[preset]=none-such"),
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
        ),
    ] {
        let answer = program(&app, path, &martin, &body).await;
        let told: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(
            (answer.status, told["code"].as_str().or(told["kind"].as_str())),
            (status, Some(code)),
            "{path} {body}"
        );
    }
    // A browser stays on its page, with a notice and what was typed.
    let mended = app.post("/api/test/apply-fix", &martin, &format!("id={own}&to=me&fix=7")).await;
    assert_eq!(mended.location(), format!("/profiles?selected={own}&notice=stale"));
    let filled = app.post("/api/profiles/fill", &martin, &form(never, "mail.martin.fr", "")).await;
    assert!(filled.location().ends_with("&notice=was-deleted"), "{}", filled.location());
    assert!(app.get(filled.proved(), &martin).await.body.contains("mail.martin.fr"));
}

#[tokio::test]
async fn a_fault_of_ours_is_no_fault_of_the_form() {
    let path = std::env::temp_dir().join(format!("facteur-{}.db", uuid::Uuid::new_v4()));
    let app = TestApp::on(SqliteStore::open(&path).await.unwrap(), "", vec![portal()]);
    let cookie = app.sign_in("martin").await;
    let id = app.add(&cookie).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut other = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
    sqlx::query("UPDATE profile SET encoding = 'KLINGON'").execute(&mut other).await.unwrap();
    let answer = program(&app, "/api/profiles/duplicate", &cookie, &format!("id={id}")).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (500, r#"{"code":"internal"}"#));
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}
