//! What the tests post, and to which path.

use super::*;

pub(crate) const KEY: &str = "fct_the-key-of-the-tests";

pub(crate) fn account(name: &str) -> AccountId {
    AccountId { portal: "demo".to_owned(), account: name.to_owned() }
}

pub(super) fn destination(sandbox: &Sandbox, login: &str) -> Destination {
    Destination {
        host: format!("smtp.{DOMAIN}"),
        port: sandbox.tls_addr().port(),
        security: Security::Tls,
        login: format!("{login}@{DOMAIN}"),
        mechanism: None,
    }
}

pub(crate) fn give(body: &Value, key: Option<&str>) -> Request<Body> {
    let mut request = Request::post("/api/v1/messages")
        .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    request.body(Body::from(body.to_string())).unwrap()
}

pub(crate) fn message(account: &str, subject: &str) -> Value {
    json!({
        "account": account,
        "to": [{ "address": "claire@client.example", "name": "Claire" }],
        "subject": subject,
        "text": "Bonjour",
    })
}

/// The commit mark of a worker that was killed.
pub(super) fn commit_mark(id: &str, to: Option<&[&str]>) -> CommitMark {
    let to = to.map(|to| to.iter().map(|address| (*address).to_owned()).collect());
    CommitMark { id: id.parse().unwrap(), lease_token: "dead".to_owned(), to }
}
