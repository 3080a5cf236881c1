//! Server side. `/authorize`: checks the request, shows the consent page, and sends the decision back to the client
//! (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 9207, OpenID Connect Core 1.0 §3.1.2).

use app::i18n::Locale;
use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use jiff::SignedDuration;

use super::{
    MAIL_SCOPE, Provider, ProviderError, SCOPES, pages,
    params::{Params, Repeated, with_query},
    personas::{self, Persona, Plays},
    secret,
    shelf::key,
    tokens::{Code, Request},
};

/// How long a consent page may stay open.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// How long a code is valid.
const CODE_LIFE: SignedDuration = SignedDuration::from_secs(60);
/// The length of a SHA-256 in base64url.
const CHALLENGE: usize = 43;

/// An error that the client is sent: `error`, and its description.
type Declined = (&'static str, &'static str);

const ADMINISTRATOR: Declined = (
    "access_denied",
    "AADSTS90094: An administrator of sandbox.example must grant the permissions that the application requires.",
);
const REFUSED: Declined = ("access_denied", "AADSTS65004: User declined to consent to access the app.");

/// `GET /authorize`.
pub(super) async fn ask(State(provider): State<Provider>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    let locale = language(params.first("ui_locales"), &headers);
    // Without a known client and address there is no place to send the browser to.
    let (Ok(Some(client)), Ok(Some(redirect_uri))) = (params.one("client_id"), params.one("redirect_uri")) else {
        return failed(locale, "incomplete");
    };
    if client != provider.0.options.client_id {
        return failed(locale, "unknown-client");
    }
    if !provider.redirects_to(redirect_uri) {
        return failed(locale, "unknown-redirect");
    }
    let state = params.one("state").ok().flatten().unwrap_or_default();
    let request = match read(&params, redirect_uri, locale, &provider) {
        Ok(request) => request,
        Err(declined) => return Redirect::to(&provider.declined(redirect_uri, state, declined)).into_response(),
    };
    let Ok(id) = secret::<32>() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let hint = params.first("login_hint");
    let page = pages::consent(&request, &id, personas::find(hint));
    provider.0.registry.books().requests.put(key(&id), request);
    page.into_response()
}

/// Checks everything but the client and its address.
fn read(params: &Params, redirect_uri: &str, locale: Locale, provider: &Provider) -> Result<Request, Declined> {
    let invalid = |description| ("invalid_request", description);
    let one = |name| params.one(name).map_err(|Repeated| invalid("A parameter is there more than once."));
    if one("request")?.is_some() {
        return Err(("request_not_supported", "Request objects are not supported."));
    }
    if one("request_uri")?.is_some() {
        return Err(("request_uri_not_supported", "Request objects are not supported."));
    }
    match one("response_type")? {
        Some("code") => {}
        Some(_) => {
            return Err(("unsupported_response_type", "AADSTS700054: Only the response type 'code' is enabled."));
        }
        None => return Err(invalid("AADSTS900144: The parameter 'response_type' is missing.")),
    }
    if one("response_mode")?.is_some_and(|mode| mode != "query") {
        return Err(invalid("The response mode must be 'query'."));
    }
    let state = one("state")?.ok_or(invalid("The parameter 'state' is missing."))?;
    let scopes = one("scope")?.ok_or(invalid("AADSTS900144: The parameter 'scope' is missing."))?;
    let mut scopes: Vec<String> = scopes.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    scopes.dedup();
    if scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
        return Err(("invalid_scope", "AADSTS70011: The provided value for the parameter 'scope' is not valid."));
    }
    if one("code_challenge_method")? != Some("S256") {
        return Err(invalid("The parameter 'code_challenge_method' must be 'S256'."));
    }
    let challenge = one("code_challenge")?.ok_or(invalid("The parameter 'code_challenge' is missing."))?;
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if challenge.len() != CHALLENGE || !challenge.bytes().all(is_base64url) {
        return Err(invalid("AADSTS501491: The size of the code challenge is invalid."));
    }
    let prompts = || one("prompt").map(|prompt| prompt.unwrap_or_default().split(' ').filter(|one| !one.is_empty()));
    if prompts()?.any(|prompt| !["none", "login", "consent", "select_account"].contains(&prompt)) {
        return Err(invalid("AADSTS90023: The value of the parameter 'prompt' is unsupported."));
    }
    if prompts()?.any(|prompt| prompt == "none") {
        return Err(match prompts()?.count() {
            1 => ("login_required", "AADSTS50058: A silent sign-in request was sent but no user is signed in."),
            _ => invalid("AADSTS90023: 'none' cannot be combined with another value of 'prompt'."),
        });
    }
    Ok(Request {
        redirect_uri: redirect_uri.to_owned(),
        state: state.to_owned(),
        challenge: challenge.to_owned(),
        nonce: one("nonce")?.map(str::to_owned),
        // Microsoft requires the scope, Google the parameter.
        offline: scopes.iter().any(|scope| scope == "offline_access") || one("access_type")? == Some("offline"),
        scopes,
        locale,
        until: provider.0.registry.now() + PATIENCE,
    })
}

/// `POST /authorize`: what was pressed on the consent page. Its request id works once.
pub(super) async fn decide(State(provider): State<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    let params = Params::parse(&body);
    let locale = language("", &headers);
    if !provider.is_own(&headers) {
        return failed(locale, "foreign");
    }
    let request = provider.0.registry.books().requests.take(&key(params.first("request")));
    let Some(request) = request.filter(|request| request.until > provider.0.registry.now()) else {
        return failed(locale, "page-expired");
    };
    let persona = match params.first("decision") {
        "accept" => personas::find(params.first("account")),
        _ => None,
    };
    let allowed = provider.0.registry.books().allowed;
    let target = match persona {
        Some(persona) if persona.plays == Plays::WantsAdministrator && !allowed => {
            provider.declined(&request.redirect_uri, &request.state, ADMINISTRATOR)
        }
        Some(persona) if persona.plays != Plays::Refuses => match provider.accepted(request, persona) {
            Ok(target) => target,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the demo's provider cannot answer");
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
        },
        _ => provider.declined(&request.redirect_uri, &request.state, REFUSED),
    };
    Redirect::to(&target).into_response()
}

impl Provider {
    /// The client's address with a code.
    fn accepted(&self, mut request: Request, persona: &'static Persona) -> Result<String, ProviderError> {
        let code = secret::<64>()?;
        if persona.plays == Plays::WithoutScope {
            request.scopes.retain(|scope| scope != MAIL_SCOPE);
        }
        let issuer = &self.0.options.public_url;
        let target = with_query(&request.redirect_uri, &[("code", &code), ("state", &request.state), ("iss", issuer)]);
        let until = self.0.registry.now() + CODE_LIFE;
        self.0.registry.books().codes.put(key(&code), Code { request, persona, until, spent: false, opened: None });
        Ok(target)
    }

    /// The client's address with an error.
    fn declined(&self, redirect_uri: &str, state: &str, (error, description): Declined) -> String {
        let mut pairs = vec![("error", error), ("error_description", description)];
        pairs.extend((!state.is_empty()).then_some(("state", state)));
        pairs.push(("iss", &self.0.options.public_url));
        with_query(redirect_uri, &pairs)
    }
}

/// The language of a page: as the client requests it, else the browser's.
pub(super) fn language(requested: &str, headers: &HeaderMap) -> Locale {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    requested
        .split(' ')
        .find_map(Locale::from_tag)
        .or_else(|| accepted.and_then(Locale::from_accept_language))
        .unwrap_or_default()
}

pub(super) fn failed(locale: Locale, reason: &str) -> Response {
    (StatusCode::BAD_REQUEST, pages::failure(locale, reason)).into_response()
}
