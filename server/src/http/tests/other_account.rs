//! Forms of another account, forms that show an older state, and which parameters an address may have.

use super::*;

/// The owner field of a page's form.
fn form_owner(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"form_owner\" value=\"").unwrap_or_else(|| panic!("{page}"));
    rest.split('"').next().unwrap().to_owned()
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn a_form_opened_under_another_account_is_told_and_writes_nothing() {
    let app = TestApp::new().await;
    let martin = app.sign_in("martin").await;
    let page = app.get("/profiles/new?form=form-0001", &martin).await;
    let mark = form_owner(&page.body);
    assert!(mark.ends_with("martin (claire)"), "{mark}");
    // Another account is opened in the same browser; the tab with the form is still open.
    let dubois = app.sign_in("dubois").await;
    let typed = format!("form_owner={}&form=form-0001&{}", encoded(&mark), form("", "mail.martin.fr", "tres-secret"));
    for path in ["/api/profiles/save", "/api/profiles/fill"] {
        let answer = app.post(path, &dubois, &typed).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{path}");
        for part in [
            "martin (claire)",
            "dubois (claire)",
            "mail.martin.fr",
            "action=\"/api/resume\"",
            "name=\"typed\" value=\"1\"",
        ] {
            assert!(answer.body.contains(part), "{part}: {}", answer.body);
        }
        assert!(!answer.body.contains("tres-secret"));
    }
    let kept = |account: &str| Person {
        account: AccountId { portal: "demo".to_owned(), account: account.to_owned() },
        id: "claire".to_owned(),
    };
    assert!(app.store.drafts(&kept("dubois"), Timestamp::UNIX_EPOCH).await.unwrap().is_empty(), "no draft either");
    assert!(app.store.profiles(&kept("dubois").account, None, 9).await.unwrap().is_empty());
    // Every function compares; a program gets a code, the live test shows it in its panel.
    for path in leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path) {
        let answer = app.post(path, &dubois, &format!("form_owner={}", encoded(&mark))).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{path}");
    }
    let stream = app.post("/api/test/stream", &dubois, &format!("form_owner={}", encoded(&mark))).await;
    assert!(stream.body.starts_with("{\"html\"") && stream.body.contains("martin (claire)"), "{}", stream.body);
    let program = Request::post("/api/profiles/save")
        .header(header::COOKIE, &dubois)
        .header(header::ORIGIN, OWN)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, FORM);
    let answer = app.ask(program.body(Body::from(typed.clone())).unwrap()).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::CONFLICT, r#"{"code":"other_account"}"#));
    // Under its own account, opened again, the same form continues.
    let opened = app.token_post(&token("martin", "again"), PORTAL).await;
    let martin = opened.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let resumed = app.post("/api/resume", &martin, &format!("sent-to=/api/profiles/fill&{typed}")).await;
    assert!(app.get(resumed.proved(), &martin).await.body.contains("mail.martin.fr"));
    assert!(app.post("/api/profiles/save", &martin, &typed).await.location().starts_with("/profiles/encoding"));
}

#[tokio::test]
async fn a_page_with_a_name_like_markup_is_shown_as_text() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    for path in ["/api/profiles/save", "/api/test/stream"] {
        let answer = app.post(path, &cookie, "form_owner=0000+%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert!(!answer.body.contains("<script>alert"), "{}", answer.body);
    }
}

#[tokio::test]
async fn what_shows_something_older_changes_nothing() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let id = app.add(&cookie).await;
    let renamed = |revision: &str| {
        format!("revision={revision}&{}", form(&id, "smtp.gmail.com", "").replace("=Martin", "=Premiere"))
    };
    app.post("/api/profiles/save", &cookie, &renamed("1")).await;
    let stored = async || {
        let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
        app.store.profiles(&account, None, 9).await.unwrap()
    };
    let before = stored().await;
    // An unparsable revision matches no revision.
    for revision in ["1", "3", "abc", "-1", "+2", "1e3", "0x2", "9999999999999999999999", "%202", "2%20", "%00"] {
        let posts = [
            ("/api/profiles/save", form(&id, "smtp.gmail.com", "").replace("=Martin", "=Seconde"), "/profiles/edit"),
            ("/api/profiles/encoding", format!("id={id}&encoding=ISO-8859-1"), "/profiles/encoding"),
            ("/api/profiles/sending", format!("id={id}&sending[per_minute]=7"), "/profiles/sending"),
            ("/api/profiles/clean-secret", format!("id={id}"), "/profiles/encoding"),
            ("/api/profiles/use", format!("id={id}"), "/profiles?"),
            ("/api/profiles/delete", format!("id={id}&successor=none"), "/profiles/delete"),
        ];
        for (path, body, page) in posts {
            let answer = app.post(path, &cookie, &format!("revision={revision}&{body}")).await;
            let location = answer.location();
            assert!(location.starts_with(page) && location.contains("stale=1"), "{path} {revision}: {location}");
            assert_eq!(app.get(answer.proved(), &cookie).await.status, StatusCode::CONFLICT, "{location}");
        }
    }
    // The same holds for a page that showed an older encoding, limits or mode.
    for (path, body) in [
        ("/api/profiles/encoding", format!("id={id}&encoding=ISO-8859-1&was=x")),
        ("/api/profiles/sending", format!("id={id}&sending[per_minute]=7&was=x")),
        ("/api/sending-mode/save", "mode=own_smtp&was=x".to_owned()),
    ] {
        assert!(app.post(path, &cookie, &body).await.location().contains("stale=1"), "{path}");
    }
    assert_eq!(stored().await, before);
    // A request without a revision comes from a program, and applies to the present one.
    for revision in ["", "2"] {
        let body = format!("revision={revision}&id={id}&encoding=ISO-8859-1");
        assert!(app.post("/api/profiles/encoding", &cookie, &body).await.location().contains("notice=saved"));
    }
}

#[tokio::test]
async fn what_was_chosen_over_something_older_is_shown_again_and_forgotten_once_saved() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let id = app.add(&cookie).await;
    let typed = format!("id={id}&sending[per_minute]=sept&sending[per_day]=99x&sending[fallback]=1");
    let refused = app.post("/api/profiles/sending", &cookie, &typed).await;
    assert_eq!(refused.location(), format!("/profiles/sending?id={id}&draft=1"));
    let page = app.get(refused.proved(), &cookie).await.body;
    assert!(page.contains("value=\"sept\"") && page.contains("value=\"99x\""), "{page}");
    assert_eq!(page.matches("aria-invalid=\"true\"").count(), 2, "both are marked");
    // On a later visit the page shows it too, says that it is not saved, and offers to drop it.
    let later = app.get(&format!("/profiles/sending?id={id}"), &cookie).await.body;
    assert!(later.contains("value=\"sept\"") && later.contains("modifications non enregistrées"), "{later}");
    assert!(!page.contains("modifications non enregistrées"), "the response to the post itself does not say so");
    let dropped = app.post("/api/profiles/forget", &cookie, &format!("form=sending-{id}")).await;
    assert_eq!(dropped.location(), format!("/profiles/sending?id={id}"));
    assert!(!app.get(dropped.proved(), &cookie).await.body.contains("sept"));
    app.post("/api/profiles/sending", &cookie, &typed).await;
    assert!(
        !app.get("/profiles", &cookie).await.body.contains("/profiles/new?form=sending"),
        "the form belongs to no profile"
    );
    let saved = app.post("/api/profiles/sending", &cookie, &format!("id={id}&sending[per_minute]=7")).await;
    assert!(saved.location().contains("notice=sending-saved"));
    assert!(!app.get(refused.proved(), &cookie).await.body.contains("sept"), "it was saved, so the draft is gone");
    let mode = app.post("/api/sending-mode/save", &cookie, "mode=own_smtp&was=own_smtp").await;
    assert_eq!(mode.location(), "/sending-mode?stale=1");
    assert!(app.get(mode.proved(), &cookie).await.body.contains("Votre choix"), "both choices are shown");
}

#[tokio::test]
async fn no_address_holds_what_was_typed() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let id = app.add(&cookie).await;
    let typed = "Zq7-typed";
    for (path, _) in leptos::server_fn::axum::server_fn_paths() {
        let names: Vec<&str> = app::forms::fields_of(path).unwrap().collect();
        assert!(!names.is_empty(), "{path}");
        // With a profile's id and without; id fields contain ids.
        for id in ["", &id] {
            let fields: Vec<String> = names
                .iter()
                .map(|name| match *name {
                    "id" => format!("id={id}"),
                    "form" => "form=form-0001".to_owned(),
                    "encoding" => "encoding=ISO-8859-15".to_owned(),
                    name => format!("{}={typed}", encoded(name)),
                })
                .collect();
            let answer = app.post(path, &cookie, &fields.join("&")).await;
            let location = answer.location();
            for value in [typed, "ISO-8859-15", "err"] {
                assert!(!location.contains(value), "{path}: {location}");
            }
        }
    }
}

#[tokio::test]
async fn unknown_fields_are_refused_in_every_spelling_and_place() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let post = async |path: &str, kind: &str, body: &str| {
        let request = Request::post(path)
            .header(header::COOKIE, &cookie)
            .header(header::ORIGIN, OWN)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, kind);
        app.ask(request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let good = form("", "smtp.gmail.com", "abcdefghijklmnop");
    for kind in [
        FORM,
        "Application/X-WWW-Form-Urlencoded",
        "APPLICATION/X-WWW-FORM-URLENCODED; charset=UTF-8",
        " application/x-www-form-urlencoded",
    ] {
        let answer = post("/api/profiles/save", kind, &format!("{good}&draft[hots]=x")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{kind}");
        assert!(answer.body.contains("draft[hots]"), "{}", answer.body);
    }
    for query in ["foo=1", "draft[host]=x", "id=", "x"] {
        let answer = post(&format!("/api/profiles/save?{query}"), FORM, &good).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: fields are in the body");
    }
    let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
    assert!(app.store.profiles(&account, None, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_link_of_our_own_page_after_the_session_says_that_it_has_ended() {
    let app = TestApp::new().await;
    let link = |site: &str| {
        let request = Request::get("/profiles/new").header("sec-fetch-site", site).header("sec-fetch-mode", "navigate");
        request.body(Body::empty()).unwrap()
    };
    let ended = app.ask(link("same-origin")).await;
    assert_eq!(ended.status, StatusCode::UNAUTHORIZED);
    assert!(ended.body.contains("Votre session est terminée"), "{}", ended.body);
    let stranger = app.ask(link("cross-site")).await;
    assert!(!stranger.body.contains("Votre session est terminée"));
}
