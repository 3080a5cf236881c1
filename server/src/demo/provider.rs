//! Server side. The demo's provider, "Bac à sable": accounts that sign in instead of giving a password. OAuth 2.0 with
//! PKCE and OpenID Connect, with the habits of Microsoft and Google that a client must know.
//!
//! Its pages are another product's: they share nothing with the configurator. Failures are chosen by account: see
//! [`personas`]. To add one: a line in its table, and its behaviour in `authorize.rs` or `token_endpoint.rs`.

use std::sync::Arc;

use app::services::Clock;
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{TryRngCore, rngs::OsRng};
use secrecy::SecretString;
use serde_json::json;

mod administrator;
mod authorize;
mod client;
mod id_token;
mod pages;
mod params;
pub mod personas;
mod refusal;
mod shelf;
#[cfg(test)]
pub(crate) mod tests;
mod token_endpoint;
mod tokens;
mod words;

use id_token::SigningKey;
use tokens::Registry;
pub use tokens::{TokenState, Tokens};

/// The scope that lets an application send mail.
pub const MAIL_SCOPE: &str = "https://sandbox.example/SMTP.Send";
/// Every scope, in the order of the consent page.
const SCOPES: [&str; 5] = [MAIL_SCOPE, "openid", "email", "profile", "offline_access"];
/// How long clients keep the keys.
const KEYS_LAST: HeaderValue = HeaderValue::from_static("public, max-age=3600");
/// Longest body of a request, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// The provider's options.
pub struct ProviderOptions {
    /// Its issuer: `http://127.0.0.1:5000`.
    pub public_url: String,
    pub client_id: String,
    pub client_secret: SecretString,
    /// Compared exactly.
    pub redirect_uris: Vec<String>,
    pub clock: Clock,
}

/// Why the provider does not start, or cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("cannot make the provider's signing key")]
    Key(#[source] rcgen::Error),
    #[error("cannot encode the provider's public key")]
    Point,
    #[error("cannot sign an ID token")]
    Signature(#[source] jsonwebtoken::errors::Error),
    #[error("the operating system provides no randomness")]
    Randomness,
}

/// The provider. Clones share its accounts and tokens.
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

struct Inner {
    options: ProviderOptions,
    key: SigningKey,
    registry: Arc<Registry>,
    /// The policy of its pages.
    policy: HeaderValue,
}

impl Provider {
    /// Makes a signing key.
    pub fn new(options: ProviderOptions) -> Result<Self, ProviderError> {
        let key = SigningKey::make()?;
        let registry = Arc::new(Registry::new(options.clock.clone()));
        let policy = pages::policy(&options.redirect_uris);
        Ok(Self(Arc::new(Inner { options, key, registry, policy })))
    }

    pub fn router(&self) -> Router {
        Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(keys))
            .route("/authorize", get(authorize::ask).post(authorize::decide))
            .route("/token", post(token_endpoint::token))
            .route("/revoke", post(token_endpoint::revoke))
            .route("/adminconsent", get(administrator::ask).post(administrator::decide))
            .route("/favicon.svg", get(icon))
            .route("/favicon.ico", get(icon))
            .layer(DefaultBodyLimit::max(MOST_BYTES))
            .layer(middleware::from_fn_with_state(self.clone(), protect))
            .with_state(self.clone())
    }

    /// The access tokens, for the sandbox.
    pub fn tokens(&self) -> Tokens {
        Tokens::of(self.0.registry.clone())
    }

    /// The owner of an account withdraws every permission.
    pub fn revoke_all(&self, login: &str) {
        self.0.registry.books().revoke_all(login);
    }

    /// Refresh requests of the client that were answered, with tokens or with an error.
    pub fn refreshes(&self) -> u64 {
        self.0.registry.books().refreshes
    }

    /// The registered client: its id, its secret, and the issuer.
    pub fn client(&self) -> (String, SecretString, String) {
        let ProviderOptions { client_id, client_secret, public_url, .. } = &self.0.options;
        (client_id.clone(), client_secret.clone(), public_url.clone())
    }

    /// Whether this is a redirect address of the client.
    fn redirects_to(&self, address: &str) -> bool {
        self.0.options.redirect_uris.iter().any(|known| known == address)
    }

    /// Whether the request comes from a page of the provider.
    fn is_own(&self, headers: &axum::http::HeaderMap) -> bool {
        headers.get(header::ORIGIN).map(HeaderValue::as_bytes) == Some(self.0.options.public_url.as_bytes())
    }
}

/// A secret of this many bytes, in base64url.
fn secret<const BYTES: usize>() -> Result<String, ProviderError> {
    let mut bytes = [0_u8; BYTES];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| ProviderError::Randomness)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).
async fn discovery(State(provider): State<Provider>) -> impl IntoResponse {
    let issuer = &provider.0.options.public_url;
    let authentication = ["client_secret_post", "client_secret_basic"];
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "jwks_uri": format!("{issuer}/jwks"),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": authentication,
        "revocation_endpoint_auth_methods_supported": authentication,
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "email", "email_verified", "preferred_username", "tid",
        ],
        "ui_locales_supported": ["fr", "en"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    });
    ([(header::CACHE_CONTROL, KEYS_LAST)], Json(document))
}

/// `GET /jwks`.
async fn keys(State(provider): State<Provider>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, KEYS_LAST)], Json(provider.0.key.set()))
}

/// `GET /favicon.svg`, and `/favicon.ico`: browsers request it on their own.
async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("provider/favicon.svg"))
}

/// The headers of every answer. As at Microsoft, a page of the provider loses the window that opened it.
async fn protect(State(provider): State<Provider>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, provider.0.policy.clone());
    for (name, value) in [
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Its own forms must name their origin; other sites learn nothing.
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
