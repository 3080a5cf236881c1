//! Other origins, and every endpoint with another account's ids.

use super::*;

#[tokio::test]
async fn foreign_pages_change_nothing() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let id = app.add(&cookie).await;
    let endpoints = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path).collect::<Vec<_>>();
    assert!(endpoints.len() >= 9, "{endpoints:?}");
    for path in endpoints {
        for (site, origin) in [
            (Some("cross-site"), Some("https://evil.exemple")),
            (Some("same-site"), Some(OWN)),
            (Some("cross-site"), None),
            (None, Some("https://evil.exemple")),
            (None, Some("null")),
            (None, None),
        ] {
            for kind in [FORM, "text/plain", "multipart/form-data; boundary=x"] {
                let mut request =
                    Request::post(path).header(header::COOKIE, &cookie).header(header::CONTENT_TYPE, kind);
                if let Some(site) = site {
                    request = request.header("sec-fetch-site", site);
                }
                if let Some(origin) = origin {
                    request = request.header(header::ORIGIN, origin);
                }
                let answer = app.ask(request.body(Body::from(format!("id={id}&mode=own_smtp"))).unwrap()).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {site:?} {origin:?} {kind}");
            }
        }
    }
    assert!(app.get("/profiles", &cookie).await.body.contains(&id), "the profile is still there");
}

#[tokio::test]
async fn another_account_s_profile_does_not_exist() {
    let app = TestApp::new().await;
    let (martin, dubois) = (app.sign_in("martin").await, app.sign_in("dubois").await);
    let id = app.add(&martin).await;
    for path in ["edit", "encoding", "delete", "report"] {
        let answer = app.get(&format!("/profiles/{path}?id={id}"), &dubois).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        let nobody = app.get(&format!("/profiles/{path}?id=00000000-0000-7000-8000-000000000000"), &dubois).await;
        assert_eq!(answer.body.len(), nobody.body.len(), "{path}: the same as for an id that never existed");
    }
    // As for a profile that was deleted while its form was open: what was typed may be saved as a new profile.
    let saved = app.post("/api/profiles/save", &dubois, &form(&id, "smtp.gmail.com", "stolen-stolen")).await;
    assert!(saved.location().ends_with("&notice=was-deleted"), "{}", saved.location());
    let posts = [
        ("/api/profiles/encoding", format!("id={id}&encoding=ISO-8859-1")),
        ("/api/profiles/duplicate", format!("id={id}")),
        ("/api/profiles/use", format!("id={id}")),
        ("/api/profiles/sending", format!("id={id}&sending[per_minute]=1&sending[fallback]=1")),
        ("/api/profiles/delete", format!("id={id}")),
        ("/api/profiles/clean-secret", format!("id={id}")),
        ("/api/test/run", format!("id={id}&to=sender")),
        ("/api/test/apply-fix", format!("id={id}&to=sender&fix=0")),
        ("/api/test/received", format!("id={id}&code=123456")),
        ("/api/test/received", format!("id={id}&code=x")),
    ];
    for (path, body) in posts {
        let answer = app.post(path, &dubois, &body).await;
        assert_eq!(answer.location(), "/profiles?notice=gone", "{path}");
    }
    let stream = app.post("/api/test/stream", &dubois, &format!("id={id}&to=me")).await;
    let nobody = "id=00000000-0000-7000-8000-000000000000&to=me";
    let never = app.post("/api/test/stream", &dubois, nobody).await;
    assert_eq!((stream.status, &stream.body), (StatusCode::NOT_FOUND, &never.body), "the same response");
    assert!(stream.body.contains("\"kind\":\"refused\"") && stream.body.contains("n’existe plus"), "{}", stream.body);
    assert!(!app.get("/profiles", &dubois).await.body.contains(&id));
    let own = app.get("/profiles", &martin).await.body;
    assert!(own.contains(&id) && own.contains("smtp.gmail.com"));
    assert!(app.get(&format!("/profiles/encoding?id={id}"), &martin).await.body.contains("value=\"UTF-8\" checked"));
}

#[tokio::test]
async fn only_the_session_that_deleted_a_profile_restores_it() {
    let app = TestApp::new().await;
    let (martin, dubois) = (app.sign_in("martin").await, app.sign_in("dubois").await);
    let again = app.token_post(&token("martin", "another"), PORTAL).await;
    let again = again.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let id = app.add(&martin).await;
    let deleted = app.post("/api/profiles/delete", &martin, &format!("id={id}")).await;
    let notice = app.get(deleted.proved(), &martin).await.body;
    assert!(notice.contains("/api/profiles/restore"), "{notice}");
    let restore =
        async |cookie: &str| app.post("/api/profiles/restore", cookie, &format!("id={id}")).await.location().to_owned();
    for other in [&again, &dubois] {
        assert!(!app.get(deleted.proved(), other).await.body.contains("/api/profiles/restore"));
        assert_eq!(restore(other).await, "/profiles?notice=restore-late");
    }
    assert!(restore(&martin).await.starts_with(&format!("/profiles?selected={id}&notice=restored")));
    let form = app.get(&format!("/profiles/edit?id={id}"), &martin).await;
    assert!(form.body.contains("Un mot de passe est enregistré"), "{}", form.body);
    assert_eq!(restore(&martin).await, "/profiles?notice=restore-late", "it was restored already");
}

#[tokio::test]
async fn a_profile_of_somebody_who_left_does_not_change_hands_unseen() {
    let app = TestApp::new().await;
    let open = async |jti: &str, users| {
        let answer = app.token_post(&token_with("martin", jti, &users), PORTAL).await;
        answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
    };
    let before = open("before", json!([{ "id": "karim", "name": "Karim" }])).await;
    let karim = |id: &str| form(id, "smtp.gmail.com", "").replace("draft[user]=", "draft[user]=karim");
    let saved = app.post("/api/profiles/save", &before, &karim("").replace("secret=", "secret=abcdefghijklmnop")).await;
    let id = saved.location().split(['=', '&']).nth(1).unwrap().to_owned();
    let after = open("after", json!([])).await;
    let page = app.get(&format!("/profiles/edit?id={id}"), &after).await;
    assert!(page.body.contains("value=\"karim\" selected"), "{}", page.body);
    let refused = app.post("/api/profiles/save", &after, &karim(&id)).await;
    assert_eq!(refused.location(), format!("/profiles/edit?id={id}&draft=1"));
}

#[tokio::test]
async fn the_history_says_who_changed_what_and_nothing_secret() {
    let app = TestApp::new().await;
    let (martin, dubois) = (app.sign_in("martin").await, app.sign_in("dubois").await);
    assert!(app.get("/history", &martin).await.body.contains("Aucun changement pour le moment"));
    let id = app.add(&martin).await;
    app.post("/api/profiles/save", &martin, &form(&id, "smtp.gmail.com", "autre-secret-16")).await;
    app.post("/api/profiles/encoding", &martin, &format!("id={id}&encoding=ISO-8859-1")).await;
    app.post("/api/sending-mode/save", &martin, "mode=own_smtp").await;
    app.post("/api/profiles/delete", &martin, &format!("id={id}")).await;
    let page = app.get("/history", &martin).await.body;
    let places: Vec<usize> = [
        "Profil et mot de passe supprimés",
        "Mode d’envoi\u{a0}: par vos propres comptes SMTP",
        "Profil modifié\u{a0}: Encodage SMTP",
        "Profil modifié\u{a0}: Mot de passe SMTP",
        "Profil ajouté",
    ]
    .into_iter()
    .map(|text| page.find(text).unwrap_or_else(|| panic!("{text} in {page}")))
    .collect();
    assert!(places.is_sorted(), "the newest first");
    assert!(page.contains("smtp.gmail.com") && !page.contains("secret-16"));
    assert!(!app.get("/history", &dubois).await.body.contains("Profil ajouté"), "an account sees its own history only");
}
