//! Server side. The provider's answer, in the browser's window (RFC 6749 §4.1.2).

use std::sync::Arc;

use app::{
    diagnosis::cause::Cause,
    error::AppError,
    i18n::Locale,
    sign_in::model::{Outcome, SignInId},
};
use subtle::ConstantTimeEq;

use super::{Content, SignInService, hash};
use crate::{
    oauth::{
        NewGrant,
        client::Client,
        endpoints::FixedEndpoints,
        id_token::{Expected, IdTokenError},
        refusal::{Meaning, ProviderError},
        token_endpoint::{TokenError, exchange},
    },
    store::{GrantEnd, SignInRow, StoreError, UsedState},
};

/// The parameters of the redirect, and the browser's cookie.
#[derive(Clone, Default)]
pub struct Answer {
    pub state: String,
    pub code: Option<String>,
    pub error: Option<String>,
    pub error_description: String,
    /// RFC 9207.
    pub issuer: Option<String>,
    /// The value of the cookie, if the browser sent one.
    pub browser: Option<String>,
}

/// What the window shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    pub id: SignInId,
    pub locale: Locale,
    pub portal: String,
    pub provider: String,
    pub outcome: Outcome,
}

impl SignInService {
    /// Ends a sign-in with the answer of the provider. `None`: there is no such sign-in in this browser. A repeated
    /// answer (the Back button, a reload) gets the outcome of the first one.
    pub async fn answer(&self, client: &str, answer: Answer) -> Result<Option<Answered>, AppError> {
        let browser = answer.browser.as_deref().map(hash);
        let used =
            self.parts.store.use_state(&hash(&answer.state), client, self.now()).await.map_err(StoreError::log)?;
        let (row, is_first) = match used {
            UsedState::First(row) => (row, true),
            UsedState::Again(row) => (row, false),
            UsedState::Unknown => return Ok(None),
        };
        let same = |expected: [u8; 32]| browser.is_some_and(|browser| bool::from(browser.ct_eq(&expected)));
        let is_the_browser = row.browser.is_some_and(same);
        let Some(client) = self.parts.clients.get(&row.account.portal, &row.client).cloned() else { return Ok(None) };
        if !is_the_browser {
            // Another browser: the person in it may be meant to give their mailbox to a stranger's profile.
            tracing::warn!(sign_in = %row.id, "the answer came from another browser");
            if is_first {
                self.end(&row, &Outcome::Gone).await?;
            }
            return Ok(None);
        }
        let content = Self::content(&row)?;
        let outcome = if is_first {
            let outcome = self.outcome(&client, &row, &content, &answer).await;
            self.end(&row, &outcome).await?;
            outcome
        } else {
            let stored = row.outcome.as_deref().map(serde_json::from_str).transpose();
            stored.map_err(|_| AppError::Internal)?.unwrap_or(Outcome::Unavailable)
        };
        let (locale, portal, provider) = (content.locale, row.account.portal.clone(), client.name.clone());
        Ok(Some(Answered { id: SignInId(row.id), locale, portal, provider, outcome }))
    }

    /// How a sign-in ended that was opened in this browser.
    pub async fn ended_in(&self, id: SignInId, browser: &str) -> Result<Option<Answered>, AppError> {
        let Some(row) = self.parts.store.sign_in(id.0).await.map_err(StoreError::log)? else { return Ok(None) };
        let same = row.browser.is_some_and(|expected| bool::from(hash(browser).ct_eq(&expected)));
        let client = self.parts.clients.get(&row.account.portal, &row.client);
        let (true, Some(client), Some(outcome)) = (same, client, &row.outcome) else { return Ok(None) };
        let outcome = serde_json::from_str(outcome).map_err(|_| AppError::Internal)?;
        let locale = Self::content(&row)?.locale;
        Ok(Some(Answered { id, locale, portal: row.account.portal, provider: client.name.clone(), outcome }))
    }

    pub(super) async fn end(&self, row: &SignInRow, outcome: &Outcome) -> Result<(), AppError> {
        let text = serde_json::to_string(outcome).map_err(|_| AppError::Internal)?;
        self.parts.store.end_sign_in(row.id, &text).await.map_err(StoreError::log)
    }

    async fn outcome(&self, client: &Arc<Client>, row: &SignInRow, content: &Content, answer: &Answer) -> Outcome {
        if answer.issuer.as_deref().is_some_and(|issuer| !client.issuer.accepts(issuer, None)) {
            tracing::warn!(client = client.id, sign_in = %row.id, "the answer came from another issuer");
            return Outcome::Unavailable;
        }
        if let Some(error) = &answer.error {
            let meaning = ProviderError::of_redirect(error, &answer.error_description).meaning(true);
            tracing::info!(client = client.id, sign_in = %row.id, ?meaning, "the provider refused a sign-in");
            return match meaning {
                Meaning::Denied => Outcome::Declined,
                Meaning::Temporary { .. } => Outcome::Unavailable,
                Meaning::Refused(end) => refused(client, end),
            };
        }
        let Some(code) = &answer.code else { return Outcome::Unavailable };
        let endpoints = match self.parts.provider.endpoints.of(&client.endpoints).await {
            Ok(endpoints) => endpoints,
            Err(error) => return failed(client, row, &error.into()),
        };
        match self.exchanged(client, &endpoints, row, code).await {
            Ok(grant) => self.connect(client, row, content, grant).await,
            Err(Exchange::Token(error)) => failed(client, row, &error),
            Err(Exchange::WithoutPermission) => Outcome::WithoutPermission,
            Err(Exchange::IdToken(error)) => {
                tracing::error!(client = client.id, sign_in = %row.id, %error, "an ID token is refused");
                Outcome::Unavailable
            }
            Err(Exchange::Unreadable) => Outcome::Unavailable,
        }
    }

    async fn exchanged(
        &self,
        client: &Client,
        endpoints: &FixedEndpoints,
        row: &SignInRow,
        code: &str,
    ) -> Result<NewGrant, Exchange> {
        let secrets = self.secrets(row).map_err(|_| Exchange::Unreadable)?;
        let tokens =
            exchange(&self.parts.provider.requests, (client, endpoints), code, &secrets.verifier, self.now()).await;
        let tokens = tokens.map_err(Exchange::Token)?;
        // A person may leave the box of one permission unticked, without an error (Google).
        let has_scope = |scopes: &str| scopes.split(' ').any(|scope| scope.eq_ignore_ascii_case(&client.mail_scope));
        if !tokens.scopes.as_deref().is_none_or(has_scope) {
            return Err(Exchange::WithoutPermission);
        }
        let missing = |what| Exchange::Token(TokenError::Incomplete(what));
        let id_token = tokens.id_token.ok_or_else(|| missing("no ID token"))?;
        let expected = Expected { nonce: &secrets.nonce, answered_at: tokens.answered_at };
        let identified = self.parts.provider.id_tokens.verify((client, endpoints), &id_token, expected).await;
        Ok(NewGrant {
            identified: identified.map_err(Exchange::IdToken)?,
            scopes: tokens.scopes.unwrap_or_else(|| client.scopes.join(" ")),
            access: tokens.access,
            access_ends_at: tokens.access_ends_at,
            refresh: tokens.refresh.ok_or_else(|| missing("no refresh token"))?,
        })
    }
}

/// Why a code brought no grant.
enum Exchange {
    Token(TokenError),
    IdToken(IdTokenError),
    WithoutPermission,
    Unreadable,
}

fn failed(client: &Client, row: &SignInRow, error: &TokenError) -> Outcome {
    match error {
        TokenError::Refused(end) => {
            tracing::warn!(client = client.id, sign_in = %row.id, code = end.code, "the provider refused a code");
            refused(client, end.clone())
        }
        error => {
            tracing::warn!(client = client.id, sign_in = %row.id, error = error as &dyn std::error::Error, "no tokens");
            Outcome::Unavailable
        }
    }
}

fn refused(client: &Client, GrantEnd { cause, code }: GrantEnd) -> Outcome {
    if cause == Cause::OauthClient {
        tracing::error!(client = client.id, code, "the provider refuses this registration");
    }
    Outcome::Refused { cause, code }
}
