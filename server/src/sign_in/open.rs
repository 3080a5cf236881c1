//! Server side. Opening the provider's window with a ticket.

use app::{
    error::AppError,
    i18n::Locale,
    sign_in::model::{Outcome, SignInId},
};

use super::{Answered, SignInService, hash, random};
use crate::{
    oauth::token_endpoint::{Request, authorization_url},
    store::StoreError,
};

/// What the window needs.
#[derive(Clone)]
pub struct Window {
    /// The provider's page.
    pub url: String,
    /// The value of the cookie that binds this browser to the sign-in.
    pub browser: String,
    pub provider: String,
    pub portal: String,
    pub portal_name: String,
    pub account_name: String,
    pub locale: Locale,
}

/// What a ticket opens.
pub enum Opened {
    Window(Window),
    /// The provider does not answer: the sign-in has ended.
    Unavailable(Answered),
}

impl SignInService {
    /// Uses up a ticket. `None`: it is unknown, used or expired.
    pub async fn open(&self, ticket: &str) -> Result<Option<Opened>, AppError> {
        let browser = random().ok_or(AppError::Unavailable)?;
        let row = self.parts.store.use_ticket(&hash(ticket), &hash(&browser), self.now()).await;
        let Some(row) = row.map_err(StoreError::log)? else { return Ok(None) };
        let Some(client) = self.parts.clients.get(&row.account.portal, &row.client) else { return Ok(None) };
        let (content, secrets) = (Self::content(&row)?, self.secrets(&row)?);
        let endpoints = match self.parts.provider.endpoints.of(&client.endpoints).await {
            Ok(endpoints) => endpoints,
            Err(error) => {
                tracing::warn!(client = client.id, error = &error as &dyn std::error::Error, "a sign-in cannot begin");
                let outcome = Outcome::Unavailable;
                self.end(&row, &outcome).await?;
                let (portal, provider) = (row.account.portal, client.name.clone());
                let answered = Answered { id: SignInId(row.id), locale: content.locale, portal, provider, outcome };
                return Ok(Some(Opened::Unavailable(answered)));
            }
        };
        let request = Request {
            state: &secrets.state,
            verifier: &secrets.verifier,
            nonce: &secrets.nonce,
            login_hint: content.expected.as_deref(),
            language: content.locale.tag(),
        };
        let url = authorization_url(client, &endpoints, &request).map_err(|error| {
            tracing::warn!(client = client.id, error = &error as &dyn std::error::Error, "a sign-in cannot begin");
            AppError::Unavailable
        })?;
        Ok(Some(Opened::Window(Window {
            url,
            browser,
            provider: client.name.clone(),
            portal: row.account.portal,
            portal_name: content.portal_name,
            account_name: content.account_name,
            locale: content.locale,
        })))
    }
}
