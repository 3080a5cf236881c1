//! Responses to forms, and that nothing typed is lost.

use app::profile::draft::KeptDraft;

use super::*;

#[tokio::test]
async fn programs_get_codes_and_forms_get_their_page_back() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let as_program = |body: String| {
        let request = Request::post("/api/profiles/save")
            .header(header::COOKIE, &cookie)
            .header(header::ORIGIN, OWN)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, FORM);
        request.body(Body::from(body)).unwrap()
    };
    let refused = app.ask(as_program(form("", "127.0.0.1", "abcdefghijklmnop"))).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("host-not-allowed") && !refused.body.contains("127.0.0.1"), "{}", refused.body);
    let back = app.post("/api/profiles/save", &cookie, &form("", "smtp%3A%2F%2Fx", "abcdefghijklmnop")).await;
    assert!(back.location().starts_with("/profiles/new?form="), "{}", back.location());
    let page = app.get(back.proved(), &cookie).await;
    assert!(page.body.contains("smtp://x") && !page.body.contains("abcdefghijklmnop"));
    let huge = app.post("/api/profiles/save", &cookie, &form("", "smtp.gmail.com", &"x".repeat(70_000))).await;
    assert_ne!(huge.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!huge.location().starts_with("/profiles/encoding"));
}

#[tokio::test]
async fn a_form_whose_session_has_ended_is_there_again_for_its_person() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    app.later.store(3 * 3_600, Ordering::SeqCst);
    let answer = app.post("/api/profiles/save", &cookie, &named_form("mail.martin.fr")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.body.contains("mail.martin.fr") && !answer.body.contains("abcdefghijklmnop"));
    app.later.store(0, Ordering::SeqCst);
    let stranger = app.sign_in("dubois").await;
    assert!(!app.get("/profiles/new?form=form-0001", &stranger).await.body.contains("mail.martin.fr"));
    let opened = app.token_post(&token("martin", "again"), PORTAL).await;
    let cookie = opened.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(app.get("/profiles", &cookie).await.body.contains("claire@gmail.com"), "the draft is offered");
    let page = app.get("/profiles/new", &cookie).await;
    assert!(page.body.contains("mail.martin.fr") && !page.body.contains("abcdefghijklmnop"), "{}", page.body);
    // Once saved, it is not offered any more.
    app.post("/api/profiles/save", &cookie, &named_form("mail.martin.fr")).await;
    assert!(!app.get("/profiles/new", &cookie).await.body.contains("mail.martin.fr"));
}

#[tokio::test]
async fn going_back_finds_what_the_form_made_and_a_stale_form_is_409() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let first = app.post("/api/profiles/save", &cookie, &named_form("smtp.gmail.com")).await;
    let id = first.location().split(['=', '&']).nth(1).unwrap().to_owned();
    let again = app.post("/api/profiles/save", &cookie, &named_form("smtp.gmail.com")).await;
    assert!(again.location().contains(&id), "{}", again.location());
    let back = app.get("/profiles/new?form=form-0001", &cookie).await;
    assert!(back.location().starts_with(&format!("/profiles/edit?id={id}")), "{}", back.location());
    let changed = |revision: &str, name: &str| {
        format!("revision={revision}&{}", form(&id, "smtp.gmail.com", "").replace("=Martin", &format!("={name}")))
    };
    app.post("/api/profiles/save", &cookie, &changed("1", "Premiere")).await;
    let stale = app.post("/api/profiles/save", &cookie, &changed("1", "Seconde")).await;
    assert_eq!(stale.location(), format!("/profiles/edit?id={id}&stale=1"));
    let page = app.get(stale.proved(), &cookie).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.body.contains("Premiere") && page.body.contains("Seconde"), "{}", page.body);
    let merge = format!("id={id}&revision=2&take[sender_name]=typed");
    let merged = app.post("/api/profiles/merge", &cookie, &merge).await;
    let page = app.get(merged.proved(), &cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Seconde") && page.body.contains("name=\"revision\" value=\"2\""), "{}", page.body);
    app.post("/api/profiles/delete", &cookie, &format!("id={id}&revision=2&successor=none&used=1")).await;
    let orphan = app.post("/api/profiles/save", &cookie, &changed("2", "Troisieme")).await;
    let page = app.get(orphan.proved(), &cookie).await;
    assert!(orphan.location().starts_with("/profiles/new?form=") && page.body.contains("Troisieme"));
}

#[tokio::test]
async fn a_draft_kept_after_its_form_was_saved_leads_to_a_new_form() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    app.post("/api/profiles/save", &cookie, &named_form("smtp.gmail.com")).await;
    // An autosave that the save has overtaken.
    let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
    let who = Person { account, id: "claire".to_owned() };
    let now = Timestamp::from_second(NOW).unwrap();
    let late = KeptDraft { form: "form-0001".to_owned(), ..KeptDraft::default() };
    let offered = async || app.get("/profiles/new", &cookie).await.body;
    app.store.keep_draft(&who, &KeptDraft { form: "form-0002".to_owned(), ..late.clone() }, now).await.unwrap();
    assert!(offered().await.contains("form-0002"), "a draft that was not saved is offered");
    app.store.forget_draft(&who, "form-0002").await.unwrap();
    app.store.keep_draft(&who, &late, now).await.unwrap();
    let page = offered().await;
    assert!(!page.contains("form-0001") && page.contains("id=\"profile-form\""), "{page}");
    assert!(app.store.drafts(&who, Timestamp::UNIX_EPOCH).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_typed_is_shown_as_text() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let evil = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let back = app.post("/api/profiles/save", &cookie, &form("", evil, "")).await;
    let page = app.get(back.proved(), &cookie).await;
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
    let notice = app.get("/profiles?notice=%3Cscript%3E&seconds=%3Cscript%3E", &cookie).await;
    assert!(!notice.body.contains("&lt;script") && !notice.body.contains("<script>&"));
}

#[tokio::test]
async fn a_form_with_a_field_that_is_not_known_changes_nothing() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let id = app.add(&cookie).await;
    let program = async |path: &str, cookie: &str, form: String| {
        let request = Request::post(path)
            .header(header::COOKIE, cookie)
            .header(header::ACCEPT, "application/json")
            .header(header::ORIGIN, OWN)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, FORM);
        app.ask(request.body(Body::from(form)).unwrap()).await
    };
    let martin = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
    let history = async || app.store.journal(&martin, None, 99).await.unwrap();
    let before = history().await;
    let whole = form(&id, "smtp.autre.fr", "un-autre-secret");
    for (path, sent) in [
        ("/api/profiles/save", format!("{whole}&password=x")),
        ("/api/profiles/save", format!("draft%5Bpassword%5D=x&{whole}")),
        ("/api/profiles/encoding", format!("id={id}&encoding=UTF-8&password=x")),
        ("/api/profiles/sending", format!("id={id}&sending[per_day]=3&sending[password]=x")),
        ("/api/profiles/use", format!("id={id}&password=x")),
        ("/api/profiles/delete", format!("id={id}&password=x")),
        ("/api/sending-mode/save", "mode=own_smtp&password=x".to_owned()),
        ("/api/test/run", format!("id={id}&to=me&password=x")),
        ("/api/test/stream", format!("id={id}&to=me&password=x")),
    ] {
        let answer = program(path, &cookie, sent.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem["code"], "unknown_field");
        assert!(problem["field"].as_str().unwrap().contains("password"), "{problem}");
        let refused = app.post(path, &cookie, &sent).await;
        assert_eq!(refused.location(), "/profiles?notice=unknown-field", "{path}");
        let told = app.get(refused.proved(), &cookie).await.body;
        assert!(told.contains("un champ inconnu\u{a0}: rien n’a été modifié"), "{told}");
        let stranger = program(path, "", sent).await;
        assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "without a session nothing about the form is revealed");
    }
    assert_eq!(history().await, before, "nothing changed");
    // The additional fields of our own pages are known.
    assert_eq!(
        app.post("/api/profiles/use", &cookie, &format!("id={id}&to=me")).await.location(),
        format!("/profiles?selected={id}&notice=in-use-later")
    );
    assert_eq!(
        app.post("/api/profiles/fill", &cookie, &whole).await.location(),
        format!("/profiles/edit?id={id}&draft=1")
    );
    assert_eq!(app.post("/api/profiles/save", &cookie, &whole).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_mask_is_refused_in_the_reader_s_language_and_nothing_typed_is_lost() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    for mask in
        ["********", "%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2", "null", "undefined", "%5Bobject+Object%5D", "(unchanged)"]
    {
        let answer = app.post("/api/profiles/save", &cookie, &form("", "smtp.gmail.com", mask)).await;
        assert!(answer.location().starts_with("/profiles/new?form="), "{mask}: {}", answer.location());
        let page = app.get(answer.proved(), &cookie).await.body;
        assert!(page.contains("Ce n’est pas un mot de passe") && page.contains("smtp.gmail.com"), "{page}");
    }
}

/// The page stores a draft while the user types. A request still in progress when the form was cancelled arrives after
/// that.
#[tokio::test]
async fn a_late_request_does_not_bring_back_what_was_cancelled() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    // Neither of these requests contains the password.
    let typed = |host: &str| named_form(host).split("&secret=").next().unwrap_or_default().to_owned();
    let body = typed("mail.martin.fr");
    let begun = async || app.get("/profiles", &cookie).await.body.contains("form-0001");
    app.post("/api/profiles/check", &cookie, &body).await;
    assert!(begun().await, "the list offers the draft");
    app.post("/api/profiles/cancel", &cookie, &body).await;
    assert!(!begun().await);
    app.post("/api/profiles/check", &cookie, &body).await;
    assert!(!begun().await, "a late request does not bring it back");
    app.post("/api/profiles/check", &cookie, &typed("mail2.martin.fr")).await;
    assert!(begun().await, "typing again stores a new draft");
}
