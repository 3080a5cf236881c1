//! Server side. The client's authentication at `/token` and `/revoke` (RFC 6749 §2.3.1).

use axum::http::{HeaderMap, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use super::{Provider, params::Params, refusal::Refusal};

/// A required parameter is absent.
pub(super) const fn missing(description: &'static str) -> Refusal {
    Refusal::new("invalid_request", 900_144, description)
}

impl Provider {
    /// Checks the client's id and secret, from a header or the body.
    pub(super) fn authenticate(&self, headers: &HeaderMap, params: &Params) -> Result<(), Refusal> {
        let form = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !form.starts_with("application/x-www-form-urlencoded") {
            return Err(Refusal::new("invalid_request", 900_561, "The endpoint only accepts form posts."));
        }
        let names = ["grant_type", "client_id", "client_secret", "code", "redirect_uri", "code_verifier"];
        if names.into_iter().chain(["refresh_token", "scope", "token"]).any(|name| params.one(name).is_err()) {
            return Err(Refusal::new("invalid_request", 9_000_410, "A parameter is there more than once."));
        }
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (id, secret) = match given {
            Some(given) => basic(given).unwrap_or_default(),
            None => (params.first("client_id").to_owned(), params.first("client_secret").to_owned()),
        };
        let options = &self.0.options;
        if id.is_empty() && given.is_none() {
            return Err(missing("The request body must contain the parameter 'client_id'."));
        }
        if id != options.client_id {
            return Err(Refusal::client(700_016, "Application was not found in the directory.", given.is_some()));
        }
        if secret.is_empty() {
            let description = "The request body must contain the parameter 'client_secret'.";
            return Err(Refusal::client(7_000_218, description, given.is_some()));
        }
        if !bool::from(secret.as_bytes().ct_eq(options.client_secret.expose_secret().as_bytes())) {
            return Err(Refusal::client(7_000_215, "Invalid client secret provided.", given.is_some()));
        }
        Ok(())
    }
}

/// The id and the secret of `Authorization: Basic` (both are form-encoded first).
fn basic(given: &str) -> Option<(String, String)> {
    let (scheme, encoded) = given.split_once(' ')?;
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain =
        |text: &str| form_urlencoded::parse(format!("x={text}").as_bytes()).next().map(|(_, value)| value.into_owned());
    scheme.eq_ignore_ascii_case("basic").then_some((plain(id)?, plain(secret)?))
}
