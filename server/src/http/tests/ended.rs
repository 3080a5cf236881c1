//! Forms that are sent after their session has ended: none is lost, and none changes anything.

use super::*;

/// A form of every page, the text in it that must not be lost, and the page that shows it again.
fn forms(id: &str) -> Vec<(&'static str, String, &'static str, String)> {
    vec![
        (
            "/api/profiles/save",
            form(id, "mail.martin.fr", "tres-secret"),
            "mail.martin.fr",
            format!("/profiles/edit?id={id}&draft=1"),
        ),
        (
            "/api/profiles/fill",
            form(id, "mail.martin.fr", "tres-secret"),
            "mail.martin.fr",
            format!("/profiles/edit?id={id}&draft=1"),
        ),
        (
            "/api/profiles/encoding",
            format!("id={id}&encoding=ISO-8859-15&was=UTF-8"),
            "value=\"ISO-8859-15\" checked",
            format!("/profiles/encoding?id={id}&draft=1"),
        ),
        (
            "/api/profiles/sending",
            format!("id={id}&sending[per_day]=4321x"),
            "4321x",
            format!("/profiles/sending?id={id}&draft=1"),
        ),
        (
            "/api/profiles/delete",
            format!("id={id}&successor=none&used=1&revision=1"),
            "rien n’a été fait",
            format!("/profiles/delete?id={id}&draft=1"),
        ),
        (
            "/api/sending-mode/save",
            "mode=own_smtp&was=portal".to_owned(),
            "value=\"own_smtp\" checked",
            "/sending-mode?draft=1".to_owned(),
        ),
        (
            "/api/test/run",
            format!("id={id}&to=sender"),
            "value=\"sender\" selected",
            format!("/profiles?selected={id}&to=sender"),
        ),
        (
            "/api/profiles/clean-secret",
            format!("id={id}&count=3"),
            "name=\"count\" value=\"3\"",
            format!("/profiles/encoding?id={id}&suspicious=3"),
        ),
    ]
}

/// The fields that the response page would send, as a browser reads them.
fn hidden(page: &str) -> String {
    let inputs = page.split("<input type=\"hidden\" name=\"").skip(1);
    let pairs = inputs.map(|input| {
        let (name, rest) = input.split_once("\" value=\"").unwrap();
        let value = rest.split('"').next().unwrap().replace("&amp;", "&").replace("&quot;", "\"");
        format!("{name}={}", form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>())
    });
    pairs.collect::<Vec<_>>().join("&")
}

async fn sign_in_again(app: &TestApp, account: &str, jti: &str) -> String {
    let opened = app.token_post(&token(account, jti), PORTAL).await;
    opened.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_sent_from_any_page_is_there_again_on_the_same_page() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let id = app.add(&cookie).await;
    let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
    let before = app.store.profiles(&account, None, 9).await.unwrap();
    // The cookie is missing, unknown, or its session was revoked.
    let revoked = sign_in_again(&app, "martin", "revoked").await;
    let entry = crate::store::contract::entry(77, 0);
    app.store.end_sessions(&account, None, Timestamp::from_second(NOW).unwrap(), &entry).await.unwrap();
    for (round, gone) in ["", "__Host-facteur=AAAA", &revoked].into_iter().enumerate() {
        for (number, (path, body, shown, page)) in forms(&id).into_iter().enumerate() {
            let ended = app.post(path, gone, &body).await;
            assert_eq!(ended.status, StatusCode::UNAUTHORIZED, "{path}");
            assert!(
                ended.body.contains("Session terminée") && ended.body.contains("data-resume"),
                "{path}: {}",
                ended.body
            );
            assert!(!ended.body.contains("tres-secret"), "{path}");
            // Sent before signing in again: nothing is lost either.
            let still = app.post("/api/resume", gone, &hidden(&ended.body)).await;
            assert_eq!((still.status, hidden(&still.body)), (StatusCode::UNAUTHORIZED, hidden(&ended.body)), "{path}");
            let cookie = sign_in_again(&app, "martin", &format!("again-{round}-{number}")).await;
            let resumed = app.post("/api/resume", &cookie, &hidden(&ended.body)).await;
            assert!(
                resumed.location().starts_with(&format!("{page}&notice=session-renewed")),
                "{path}: {}",
                resumed.location()
            );
            let shown_again = app.get(resumed.proved(), &cookie).await;
            assert_eq!(shown_again.status, StatusCode::OK, "{path}");
            assert!(shown_again.body.contains(shown), "{path}: {}", shown_again.body);
            assert!(shown_again.body.contains("Votre session avait pris fin"), "{path}: {}", shown_again.body);
            let password = shown_again.body.contains("sauf le mot de passe");
            assert_eq!(password, body.contains("tres-secret"), "{path}: mentioned only if one was typed");
        }
    }
    assert_eq!(app.store.profiles(&account, None, 9).await.unwrap(), before, "it saved nothing");
    assert_eq!(app.store.sending_mode(&account).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_sent_is_nothing_to_another_account() {
    let app = TestApp::new().await;
    let martin = app.sign_in("martin").await;
    let page = app.get("/profiles/new?form=form-0001", &martin).await.body;
    let mark = page.split("name=\"form_owner\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let mark: String = form_urlencoded::byte_serialize(mark.as_bytes()).collect();
    app.later.store(3 * 3_600, Ordering::SeqCst);
    let ended =
        app.post("/api/profiles/save", &martin, &format!("form_owner={mark}&{}", named_form("mail.martin.fr"))).await;
    app.later.store(0, Ordering::SeqCst);
    let dubois = app.sign_in("dubois").await;
    let answer = app.post("/api/resume", &dubois, &hidden(&ended.body)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let who = |account: &str| Person {
        account: AccountId { portal: "demo".to_owned(), account: account.to_owned() },
        id: "claire".to_owned(),
    };
    assert!(app.store.drafts(&who("dubois"), Timestamp::UNIX_EPOCH).await.unwrap().is_empty());
    // A form of another account, sent with the cookie of an ended session, is not kept.
    let other = app.post("/api/profiles/save", &dubois, &named_form("x.fr")).await;
    assert_eq!(other.status, StatusCode::SEE_OTHER);
    app.later.store(3 * 3_600, Ordering::SeqCst);
    app.post("/api/profiles/sending", &dubois, &format!("form_owner={mark}&id={NOBODY}&sending[per_day]=7")).await;
    assert!(
        app.store.drafts(&who("dubois"), Timestamp::UNIX_EPOCH).await.unwrap().iter().all(|kept| kept.choice.is_none())
    );
}

/// An id that no profile has.
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

#[tokio::test]
async fn the_end_is_said_in_the_language_of_the_page() {
    let app = TestApp::new().await;
    let english = "form_owner=00.en%20Martin&mode=own_smtp";
    let ended = app.post("/api/sending-mode/save", "", english).await;
    assert!(ended.body.contains("<html lang=\"en\"") && ended.body.contains("Session ended"), "{}", ended.body);
    for query in ["lang=en", "id=x&form_owner=00.en%20Martin"] {
        let page = app.get(&format!("/profiles/new?{query}"), "").await;
        assert!(page.body.contains("lang=\"en\""), "{query}: {}", page.body);
    }
    assert!(app.get("/profiles/new?lang=xx", "").await.body.contains("lang=\"fr\""));
    // With a session, its own language wins.
    let cookie = app.sign_in("martin").await;
    assert!(app.get("/profiles?lang=en", &cookie).await.body.contains("lang=\"fr\""));
}

#[tokio::test]
async fn a_link_followed_after_the_end_leads_to_one_page_that_says_so() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    app.later.store(3 * 3_600, Ordering::SeqCst);
    for path in [
        "/sending-mode",
        "/profiles",
        "/profiles/new",
        "/profiles/edit?id=x",
        "/profiles/encoding?id=x",
        "/profiles/sending?id=x",
        "/profiles/delete?id=x",
        "/profiles/report?id=x",
        "/history",
    ] {
        let page = app.get(path, &cookie).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(
            page.body.contains(">Session terminée</h1>") && !page.body.contains("class=\"step\""),
            "{path}: {}",
            page.body
        );
        assert!(page.body.contains(&format!("href=\"{PORTAL}/")), "{path}: the way back");
    }
}

#[tokio::test]
async fn a_code_of_the_wrong_shape_is_said_by_us_and_stays_in_its_field() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("martin").await;
    let id = app.add(&cookie).await;
    let answer = app.post("/api/test/received", &cookie, &format!("id={id}&code=12+34")).await;
    assert!(answer.location().ends_with("notice=code-invalid"), "{}", answer.location());
    let who = Person {
        account: AccountId { portal: "demo".to_owned(), account: "martin".to_owned() },
        id: "claire".to_owned(),
    };
    let kept = app.store.drafts(&who, Timestamp::UNIX_EPOCH).await.unwrap();
    assert!(kept.iter().any(|kept| kept.choice == Some(app::profile::draft::Choice::code("12 34"))), "{kept:?}");
}
