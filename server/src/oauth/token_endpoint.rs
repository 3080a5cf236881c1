//! Server side. The token endpoint (RFC 6749 §4.1.3, §6) and the revocation endpoint (RFC 7009).

use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointNotSet, EndpointSet, ErrorResponse, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken,
    StandardTokenIntrospectionResponse, StandardTokenResponse, TokenResponse, TokenUrl,
    basic::{BasicRevocationErrorResponse, BasicTokenType},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    client::Client,
    endpoints::{EndpointError, FixedEndpoints},
    refusal::{Meaning, ProviderError},
    requests::{RequestError, Requests},
};
use crate::store::GrantEnd;

/// How long an access token is used when the provider does not say.
const USUAL_LIFE: SignedDuration = SignedDuration::from_secs(3_000);
/// The longest that any is used.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// The longest token: it fits into a command line of 12,288 octets (RFC 4954 §4).
const LONGEST_TOKEN: usize = 8_192;

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The provider may answer later.
    #[error("the provider's token endpoint is unavailable: {code}")]
    Temporary { code: String, retry_after: Option<Duration> },
    /// A person must act.
    #[error("the provider refused the request: {}", .0.code)]
    Refused(GrantEnd),
    /// The answer lacks something without which the tokens are of no use.
    #[error("the provider's answer is incomplete: {0}")]
    Incomplete(&'static str),
}

impl From<RequestError> for TokenError {
    fn from(error: RequestError) -> Self {
        Self::Temporary { code: error.to_string(), retry_after: error.retry_after() }
    }
}

impl From<EndpointError> for TokenError {
    fn from(error: EndpointError) -> Self {
        Self::Temporary { code: error.to_string(), retry_after: None }
    }
}

/// The tokens of an answer.
#[derive(Debug)]
pub struct Tokens {
    pub access: SecretString,
    pub access_ends_at: Timestamp,
    pub refresh: Option<SecretString>,
    /// The granted scopes, separated by spaces; `None`: those that were requested.
    pub scopes: Option<String>,
    pub id_token: Option<SecretString>,
    /// The `Date` of the response (RFC 9110 §6.6.1): the time by the provider's clock.
    pub answered_at: Option<Timestamp>,
}

/// The ID token beside the others (`OpenID` Connect Core 1.0 §3.1.3.3).
#[derive(Debug, Default, Deserialize, Serialize)]
struct WithIdToken {
    id_token: Option<String>,
}

impl ExtraTokenFields for WithIdToken {}

/// The error of a token endpoint, with Microsoft's and Google's additions.
#[derive(Debug, Deserialize, Serialize)]
struct ErrorBody {
    error: String,
    #[serde(default)]
    error_description: String,
    #[serde(default)]
    error_codes: Vec<u32>,
    #[serde(default)]
    error_subtype: String,
}

impl std::fmt::Display for ErrorBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.error)
    }
}

impl ErrorResponse for ErrorBody {}

impl From<ErrorBody> for ProviderError {
    fn from(body: ErrorBody) -> Self {
        let ErrorBody { error, error_description: description, error_codes: numbers, error_subtype: subtype } = body;
        Self { error, description, numbers, subtype }
    }
}

type Answer = StandardTokenResponse<WithIdToken, BasicTokenType>;
type OauthClient = oauth2::Client<
    ErrorBody,
    Answer,
    StandardTokenIntrospectionResponse<EmptyExtraTokenFields, BasicTokenType>,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

fn oauth_client(client: &Client, endpoints: &FixedEndpoints) -> Result<OauthClient, TokenError> {
    let invalid = |_| TokenError::Temporary { code: "invalid URL".to_owned(), retry_after: None };
    Ok(oauth2::Client::new(ClientId::new(client.client_id.clone()))
        .set_client_secret(ClientSecret::new(client.secret.expose_secret().to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_auth_uri(AuthUrl::new(endpoints.authorization.clone()).map_err(invalid)?)
        .set_token_uri(TokenUrl::new(endpoints.token.clone()).map_err(invalid)?)
        .set_redirect_uri(RedirectUrl::new(client.redirect_uri.clone()).map_err(invalid)?))
}

/// What goes into an authorization request.
pub struct Request<'a> {
    pub state: &'a str,
    pub verifier: &'a str,
    pub nonce: &'a str,
    /// The address that is probably meant.
    pub login_hint: Option<&'a str>,
    /// The language of the provider's pages.
    pub language: &'a str,
}

/// The address of the provider's page (RFC 6749 §4.1.1, RFC 7636 §4.3, `OpenID` Connect Core 1.0 §3.1.2.1).
pub fn authorization_url(
    client: &Client,
    endpoints: &FixedEndpoints,
    request: &Request<'_>,
) -> Result<String, TokenError> {
    let verifier = PkceCodeVerifier::new(request.verifier.to_owned());
    let state = request.state.to_owned();
    let oauth = oauth_client(client, endpoints)?;
    let mut url = oauth
        .authorize_url(|| CsrfToken::new(state))
        .add_scopes(client.scopes.iter().cloned().map(Scope::new))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .add_extra_param("nonce", request.nonce)
        .add_extra_param("ui_locales", request.language);
    for (name, value) in &client.parameters {
        url = url.add_extra_param(*name, *value);
    }
    if let Some(hint) = request.login_hint {
        url = url.add_extra_param("login_hint", hint);
    }
    Ok(url.url().0.into())
}

/// Remembers when a response was sent.
struct Dated<'r> {
    requests: &'r Requests,
    date: Mutex<Option<Timestamp>>,
}

impl<'c> AsyncHttpClient<'c> for Dated<'_> {
    type Error = RequestError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, RequestError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async {
            let response = self.requests.send(request).await?;
            let date = response.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
            let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()).map(|date| date.timestamp());
            *self.date.lock().unwrap_or_else(PoisonError::into_inner) = date;
            Ok(response)
        })
    }
}

/// Exchanges a code.
pub async fn exchange(
    requests: &Requests,
    (client, endpoints): (&Client, &FixedEndpoints),
    code: &str,
    verifier: &str,
    now: Timestamp,
) -> Result<Tokens, TokenError> {
    let oauth = oauth_client(client, endpoints)?;
    let dated = Dated { requests, date: Mutex::default() };
    let answer = oauth
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()))
        .request_async(&dated)
        .await;
    let answered_at = *dated.date.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Tokens { answered_at, ..tokens(answer.map_err(meaning)?, now)? })
}

/// Exchanges a refresh token for an access token, with the scopes that were granted: Microsoft requires them.
pub async fn refresh(
    requests: &Requests,
    (client, endpoints): (&Client, &FixedEndpoints),
    refresh_token: &SecretString,
    now: Timestamp,
) -> Result<Tokens, TokenError> {
    let oauth = oauth_client(client, endpoints)?;
    let token = RefreshToken::new(refresh_token.expose_secret().to_owned());
    let answer = oauth
        .exchange_refresh_token(&token)
        .add_scopes(client.scopes.iter().cloned().map(Scope::new))
        .request_async(requests)
        .await;
    tokens(answer.map_err(meaning)?, now)
}

/// Revokes a refresh token, and with it the whole permission (RFC 7009 §2.1).
pub async fn revoke(
    requests: &Requests,
    client: &Client,
    endpoint: &str,
    refresh_token: &SecretString,
) -> Result<(), TokenError> {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("token", refresh_token.expose_secret())
        .append_pair("token_type_hint", "refresh_token")
        .append_pair("client_id", &client.client_id)
        .append_pair("client_secret", client.secret.expose_secret())
        .finish();
    let request = http::Request::post(endpoint)
        .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body.into_bytes())
        .map_err(|_| TokenError::Incomplete("invalid URL"))?;
    requests.send(request).await?;
    Ok(())
}

fn tokens(answer: Answer, now: Timestamp) -> Result<Tokens, TokenError> {
    if !answer.token_type().as_ref().eq_ignore_ascii_case("bearer") {
        return Err(TokenError::Incomplete("the token type is not Bearer"));
    }
    let access = answer.access_token().secret();
    // A bearer token (RFC 6750 §2.1): nothing in it may end the line of a login.
    let is_plain = |token: &str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain(access) || access.len() > LONGEST_TOKEN {
        return Err(TokenError::Incomplete("the access token is not one"));
    }
    let life = answer.expires_in().map_or(USUAL_LIFE, |life| {
        SignedDuration::from_secs(i64::try_from(life.as_secs()).unwrap_or(i64::MAX)).min(LONGEST_LIFE)
    });
    let scopes = answer.scopes().map(|scopes| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "));
    Ok(Tokens {
        access: SecretString::from(access.clone()),
        access_ends_at: now + life,
        refresh: answer.refresh_token().map(|token| SecretString::from(token.secret().clone())),
        scopes,
        id_token: answer.extra_fields().id_token.clone().map(SecretString::from),
        answered_at: None,
    })
}

/// What an error of the token endpoint means.
fn meaning(error: RequestTokenError<RequestError, ErrorBody>) -> TokenError {
    let body = match error {
        RequestTokenError::Request(error) => return error.into(),
        RequestTokenError::ServerResponse(body) => body,
        // Some providers answer an error with 200.
        RequestTokenError::Parse(_, text) => match serde_json::from_slice::<ErrorBody>(&text) {
            Ok(body) => body,
            Err(_) => return TokenError::Temporary { code: "not JSON".to_owned(), retry_after: None },
        },
        RequestTokenError::Other(_) => return TokenError::Temporary { code: "not JSON".to_owned(), retry_after: None },
    };
    match ProviderError::from(body).meaning(false) {
        Meaning::Temporary { code } => TokenError::Temporary { code, retry_after: None },
        Meaning::Refused(end) => TokenError::Refused(end),
        Meaning::Denied => TokenError::Incomplete("access_denied"),
    }
}
