//! Signing in at a provider: what an attacker's page or browser can do with a ticket, a state or an answer.

use super::*;
use crate::oauth::{Client, Clients, Kind, endpoints::Endpoints, known};

/// A registration with Microsoft. No request is sent to it here.
pub(super) fn clients() -> Clients {
    let known = known::microsoft("common");
    let nowhere = "http://127.0.0.1:1".to_owned();
    let microsoft = Client {
        id: "microsoft".to_owned(),
        kind: Kind::Microsoft,
        name: known.name.to_owned(),
        client_id: "the-client".to_owned(),
        secret: secrecy::SecretString::from("the-secret"),
        secret_expires: None,
        portals: None,
        endpoints: known.endpoints,
        issuer: known.issuer,
        scopes: known.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        mail_scope: known.mail_scope.to_owned(),
        servers: known.servers,
        presets: vec![],
        domains: vec![],
        parameters: known.parameters.to_vec(),
        shared_mailboxes: true,
        permissions_page: None,
        redirect_uri: format!("{OWN}/oauth/callback/microsoft"),
    };
    // A provider that does not answer.
    let down = Client {
        id: "down".to_owned(),
        kind: Kind::Custom,
        name: "Down".to_owned(),
        endpoints: Endpoints::Discovered { issuer: nowhere.clone(), document: nowhere },
        ..microsoft.clone()
    };
    Clients(vec![Arc::new(microsoft), Arc::new(down)])
}

const BEGIN: &str = "client=microsoft&draft[preset]=microsoft-365&draft[sender_name]=Martin";

impl TestApp {
    async fn go(&self, ticket: &str, origin: &str) -> Answer {
        let request = Request::post("/oauth/go").header(header::CONTENT_TYPE, FORM).header(header::ORIGIN, origin);
        self.ask(request.body(Body::from(format!("ticket={ticket}"))).unwrap()).await
    }

    async fn callback(&self, client: &str, query: &str, cookie: &str) -> Answer {
        self.get(&format!("/oauth/callback/{client}?{query}"), cookie).await
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).map_or("", |(found, _)| found)
}

/// The page of a sign-in that was begun, and the ticket in it.
async fn begun(app: &TestApp, cookie: &str) -> (String, String) {
    let page = app.post("/api/sign-in/begin", cookie, BEGIN).await.location().to_owned();
    assert!(page.starts_with("/profiles/sign-in?id="), "{page}");
    let shown = app.get(&page, cookie).await.body;
    let ticket = between(&shown, "name=\"ticket\" value=\"", "\"").to_owned();
    assert_eq!(ticket.len(), 43, "{shown}");
    (page, ticket)
}

/// The state in the provider's address, and the cookie of the browser that opened it.
async fn opened(app: &TestApp, ticket: &str) -> (String, String) {
    let window = app.go(ticket, OWN).await;
    assert_eq!(window.status, StatusCode::OK, "{}", window.body);
    let cookie = window.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let url = between(&window.body, "content=\"0;url=", "\"").replace("&amp;", "&");
    for part in [
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?",
        "code_challenge_method=S256",
        "scope=https%3A%2F%2Foutlook.office.com%2FSMTP.Send+offline_access+openid+email+profile&",
        "redirect_uri=https%3A%2F%2Ffacteur.exemple%2Foauth%2Fcallback%2Fmicrosoft",
        "nonce=",
    ] {
        assert!(url.contains(part), "{part} in {url}");
    }
    assert!(!url.contains("the-secret"));
    (between(&url, "&state=", "&").to_owned(), cookie)
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_said_in_the_window_and_on_the_page() {
    let app = TestApp::new().await;
    let martin = app.sign_in("martin").await;
    let form = BEGIN.replace("client=microsoft", "client=down");
    let page = app.post("/api/sign-in/begin", &martin, &form).await.location().to_owned();
    let shown = app.get(&page, &martin).await.body;
    let window = app.go(between(&shown, "name=\"ticket\" value=\"", "\""), OWN).await;
    assert_eq!(window.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(window.body.contains("Down n’a pas répondu comme attendu"), "{}", window.body);
    let shown = app.get(&page, &martin).await.body;
    assert!(shown.contains("La connexion n’a pas abouti") && shown.contains("Revenir au formulaire"), "{shown}");
}

#[tokio::test]
async fn a_ticket_works_once_and_for_our_own_page_only() {
    let app = TestApp::new().await;
    let martin = app.sign_in("martin").await;
    let (page, ticket) = begun(&app, &martin).await;
    for origin in ["https://evil.exemple", PORTAL, "null"] {
        assert_eq!(app.go(&ticket, origin).await.status, StatusCode::FORBIDDEN, "{origin}");
    }
    let dubois = app.sign_in("dubois").await;
    assert_eq!(app.get(&page, &dubois).await.status, StatusCode::NOT_FOUND, "another session's");
    opened(&app, &ticket).await;
    assert_eq!(app.go(&ticket, OWN).await.status, StatusCode::GONE);
    assert_eq!(app.go("made-up", OWN).await.status, StatusCode::GONE);
    assert!(!app.get(&page, &martin).await.body.contains(&ticket));
}

#[tokio::test]
async fn an_answer_counts_once_and_in_the_browser_that_opened_the_window() {
    let app = TestApp::new().await;
    let martin = app.sign_in("martin").await;
    let (page, ticket) = begun(&app, &martin).await;
    let (state, browser) = opened(&app, &ticket).await;
    let declined = format!("error=access_denied&state={state}");
    let gone = StatusCode::GONE;
    assert_eq!(app.callback("google", &declined, &browser).await.status, gone, "another client's redirect URI");
    assert_eq!(app.callback("microsoft", "error=access_denied&state=made-up", &browser).await.status, gone);
    let answered = app.callback("microsoft", &declined, &browser).await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER);
    assert!(answered.location().starts_with("/oauth/done?id=") && !answered.location().contains(&state));
    let done = app.get(answered.proved(), &browser).await;
    assert!(done.status == StatusCode::OK && done.body.contains("Vous n’avez pas donné votre accord"), "{}", done.body);
    assert!(done.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("frame-ancestors 'none'"));
    assert_eq!(app.get(answered.proved(), "").await.status, gone, "another browser learns nothing");
    // Again, with a code this time: the first outcome stays.
    let again = app.callback("microsoft", &format!("code=stolen&state={state}"), &browser).await;
    assert_eq!(again.location(), answered.location());
    assert!(app.get(&page, &martin).await.body.contains("Rien n’a été enregistré"));
    assert!(app.get(&page.replace("/profiles/sign-in", "/oauth/progress"), &martin).await.body.contains("true"));
}

#[tokio::test]
async fn an_answer_in_another_browser_ends_the_sign_in() {
    let app = TestApp::new().await;
    let martin = app.sign_in("martin").await;
    let (page, ticket) = begun(&app, &martin).await;
    let (state, browser) = opened(&app, &ticket).await;
    let other = format!("{}x", &browser[..browser.len() - 1]);
    for cookie in ["", &other] {
        let answer = app.callback("microsoft", &format!("code=victim&state={state}"), cookie).await;
        assert_eq!(answer.status, StatusCode::GONE, "{cookie}");
    }
    let late = app.callback("microsoft", &format!("code=victim&state={state}"), &browser).await;
    assert_eq!(late.status, StatusCode::SEE_OTHER);
    assert!(app.get(&page, &martin).await.body.contains("Recommencez"), "the state was used up");
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused() {
    let app = TestApp::new().await;
    let martin = app.sign_in("martin").await;
    let (page, ticket) = begun(&app, &martin).await;
    let (state, browser) = opened(&app, &ticket).await;
    let mixed_up = format!("code=x&state={state}&iss=https%3A%2F%2Fevil.exemple");
    assert_eq!(app.callback("microsoft", &mixed_up, &browser).await.status, StatusCode::SEE_OTHER);
    assert!(app.get(&page, &martin).await.body.contains("n’a pas répondu comme attendu"));
}
