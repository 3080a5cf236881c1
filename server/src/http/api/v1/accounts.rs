//! Server side. `GET /api/v1/accounts/{account}`: how an account sends, and whether it can. No secret is in the answer.

use app::{
    diagnosis::cause::Cause,
    profile::{
        model::{Profile, ProfileId, SecretState, TestState},
        port::PAGE_SIZE,
        sending::SendState,
    },
    sending_mode::model::SendingMode,
    session::AccountId,
};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::HeaderMap,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::messages::{caller, request::id_faults};
use crate::http::{
    Site,
    api::problem::{Code, Problem},
};

#[cfg(test)]
mod tests;

/// An account. Every account that the portal names exists; one that was never opened has the mode `portal` and no
/// profiles.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountView {
    pub account: String,
    /// `portal`: the portal's server sends its mail. `own_smtp`: the profile in use.
    pub mode: &'static str,
    /// The oldest first.
    pub profiles: Vec<ProfileView>,
}

/// A mail server of an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProfileView {
    pub id: Uuid,
    /// The owner's name for it; may be empty.
    pub name: String,
    /// The preset that it was made from, such as `gmail`; `null` for another server.
    pub preset: Option<String>,
    /// The person whose mail it sends; `null`: the shop.
    pub user: Option<String>,
    /// Whether it sends its owner's mail when the mode is `own_smtp`.
    pub in_use: bool,
    pub host: String,
    #[schema(minimum = 1, maximum = 65_535)]
    pub port: u16,
    /// `tls`, `starttls` or `none`.
    pub security: &'static str,
    pub login: String,
    pub sender_name: String,
    pub sender_address: String,
    pub credential: CredentialView,
    pub test: TestView,
    pub sending: SendingView,
}

/// What a profile logs in with.
#[derive(Debug, Serialize, ToSchema)]
pub struct CredentialView {
    /// `password`, `sign_in` (OAuth 2.0) or `none`. New kinds may be added.
    pub kind: &'static str,
    /// `stored`; `missing`: none was entered, or it was deleted with a change of the server; `unreadable`: it cannot be
    /// decrypted; `ended`: the permission no longer works. New states may be added.
    pub state: &'static str,
    /// When the password was saved, or the owner signed in.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// `sign_in`: the provider's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// `sign_in`: the address that signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// `ended`: the cause, such as `oauth_reconnect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    /// `ended`: the provider's own code, such as `AADSTS50173`, for support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_code: Option<String>,
}

/// The last test with the current settings.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestView {
    /// `never`; `changed`: the settings have changed since; `accepted`: by the server; `received`: the code of its mail
    /// was entered; `failed`; `delivery_unknown`. New states may be added.
    pub state: &'static str,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
    /// `failed`: the cause, if it is known.
    pub cause: Option<&'static str>,
}

/// How the portal's messages have fared with the current settings.
#[derive(Debug, Serialize, ToSchema)]
pub struct SendingView {
    /// `unknown`: none was sent; `sent`; `failing`: the last message failed because of the profile; `broken`: three did
    /// in a row, or none can succeed until a person acts. New states may be added.
    pub state: &'static str,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
    /// `failing`, `broken`: the cause.
    pub cause: Option<&'static str>,
}

/// Get an account
#[utoipa::path(
    get,
    operation_id = "getAccount",
    path = "/api/v1/accounts/{account}",
    tag = "accounts",
    params(("account" = String, Path, description = "The portal's id of the account, 1 to 256 characters")),
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = 400, description = "`invalid_request`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthorized`", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`internal`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn get(
    State(site): State<Site>,
    headers: HeaderMap,
    account: Result<Path<String>, PathRejection>,
) -> Result<Json<AccountView>, Problem> {
    let portal = caller(&site, &headers)?;
    let Path(account) = account.map_err(|_| Problem::detailed(Code::InvalidRequest, "the path is not UTF-8"))?;
    if let Some(fault) = id_faults("account", &account).into_iter().next() {
        return Err(Problem::detailed(Code::InvalidRequest, format!("account: {}", fault.detail)));
    }
    let account = AccountId { portal: portal.id.clone(), account };
    let mode = site.services.sending_modes.get(&account).await?;
    let mut profiles: Vec<Profile> = Vec::new();
    loop {
        let after = profiles.last().map(|profile| profile.id);
        let page = site.services.profiles.page(&account, after).await?;
        let is_last = page.len() < PAGE_SIZE as usize;
        profiles.extend(page);
        if is_last {
            break;
        }
    }
    let profiles = profiles.into_iter().map(profile).collect();
    Ok(Json(AccountView { account: account.account, mode: SendingMode::as_str(mode), profiles }))
}

fn profile(shown: Profile) -> ProfileView {
    let (credential, test, sending) = (credential(&shown), test(&shown.test), sending(&shown.sends));
    let ProfileId(id) = shown.id;
    let settings = shown.settings;
    ProfileView {
        id,
        name: settings.name,
        preset: settings.preset,
        user: settings.user,
        in_use: shown.in_use,
        host: settings.destination.host,
        port: settings.destination.port,
        security: settings.destination.security.as_str(),
        login: settings.destination.login,
        sender_name: settings.sender_name,
        sender_address: settings.sender_address.to_string(),
        credential,
        test,
        sending,
    }
}

fn credential(shown: &Profile) -> CredentialView {
    let (state, saved) = match shown.secret {
        SecretState::Missing => ("missing", None),
        SecretState::Stored { changed_at } => ("stored", Some(changed_at)),
        SecretState::Unreadable => ("unreadable", None),
    };
    let Some(signed_in) = &shown.signed_in else {
        let kind = if state == "missing" { "none" } else { "password" };
        return CredentialView {
            kind,
            state,
            since: saved,
            provider: None,
            identity: None,
            cause: None,
            provider_code: None,
        };
    };
    CredentialView {
        kind: "sign_in",
        // A missing access token is requested with the next login.
        state: if signed_in.ended.is_some() { "ended" } else { "stored" },
        since: Some(signed_in.since),
        provider: Some(signed_in.provider.clone()),
        identity: Some(signed_in.identity.clone()),
        cause: signed_in.ended.map(Cause::as_str),
        provider_code: signed_in.code.clone(),
    }
}

fn test(test: &TestState) -> TestView {
    let (state, cause) = match test {
        TestState::Never => ("never", None),
        TestState::Accepted { .. } => ("accepted", None),
        TestState::Received { .. } => ("received", None),
        TestState::Failed { cause, .. } => ("failed", cause.map(Cause::as_str)),
        TestState::DeliveryUnknown { .. } => ("delivery_unknown", None),
        TestState::Changed => ("changed", None),
    };
    TestView { state, at: test.ended_at(), cause }
}

const fn sending(sends: &SendState) -> SendingView {
    let (state, at, cause) = match *sends {
        SendState::Unknown => ("unknown", None, None),
        SendState::Sent { at } => ("sent", Some(at), None),
        SendState::Failing { at, cause } => ("failing", Some(at), Some(cause.as_str())),
        SendState::Broken { since, cause } => ("broken", Some(since), Some(cause.as_str())),
    };
    SendingView { state, at, cause }
}
