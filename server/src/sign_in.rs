//! Server side. From the button **Se connecter avec …** to the provider's answer.
//!
//! 1. [`begin`](SignIns::begin): the form's session stores a sign-in. Its page gets a one-time ticket.
//! 2. [`SignInService::open`]: the ticket is posted into a window of its own. The frame's cookie is partitioned, so this
//!    window has no session. A cookie of its own binds this browser to the sign-in, so that a person cannot begin
//!    a sign-in and have another one finish it.
//! 3. [`SignInService::answer`]: the provider redirects that window back. The `state` is used up before the code is
//!    sent. The profile is written if the session is still open.
//!
//! The frame reads the outcome from the server: no message passes between the windows (the provider's pages cut them
//! apart, Cross-Origin-Opener-Policy).

use std::sync::Arc;

use app::{
    error::AppError,
    i18n::Locale,
    journal::model::Author,
    profile::{
        address::EmailAddress,
        draft::Draft,
        field::{Field, FieldError},
        model::{Profile, ProfileId},
        port::{SaveError, Target},
        preset::Catalogue,
    },
    services::Clock,
    session::{AccountId, Session, User},
    sign_in::{
        model::{Progress, SignIn, SignInId, SignInWay},
        port::SignIns,
    },
};
use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use rand::{TryRngCore, rngs::OsRng};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    credentials::{Binding, Vault},
    oauth::{AccessParts, AccessTokens, Client, Clients, ProviderAccess},
    profiles::ProfileService,
    store::{SignInRow, Store, StoreError},
};

mod answer;
mod connect;
mod open;

pub use answer::{Answer, Answered};
pub use open::{Opened, Window};

/// How long a sign-in may take.
const LASTS: SignedDuration = SignedDuration::from_mins(10);
/// Sign-ins that a session may have open at once.
const MOST_OPEN: u32 = 10;
/// The field that the secrets of a sign-in are sealed for.
const SEALED_FOR: &str = "sign-in";

/// Signing in at providers.
#[derive(Clone)]
pub struct SignInService {
    parts: Parts,
}

#[derive(Clone)]
struct Parts {
    store: Arc<dyn Store>,
    vault: Vault,
    clients: Clients,
    provider: ProviderAccess,
    profiles: ProfileService,
    presets: Arc<Catalogue>,
    clock: Clock,
}

/// What is stored of who began a sign-in, and for which form.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Content {
    person: User,
    portal_name: String,
    account_name: String,
    locale: Locale,
    form: String,
    profile: Option<ProfileId>,
    revision: Option<u32>,
    creation: Option<String>,
    draft: Draft,
    /// The address that is probably meant.
    expected: Option<String>,
}

/// The secrets of a sign-in, 256 bits each.
#[derive(Serialize, Deserialize)]
struct Secrets {
    ticket: String,
    state: String,
    /// RFC 7636 §4.1.
    verifier: String,
    nonce: String,
}

/// A random text of 256 bits; `None` if the operating system provides no randomness.
fn random() -> Option<String> {
    let mut bytes = [0_u8; 32];
    OsRng.try_fill_bytes(&mut bytes).ok()?;
    Some(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

impl Secrets {
    fn new() -> Option<Self> {
        Some(Self { ticket: random()?, state: random()?, verifier: random()?, nonce: random()? })
    }
}

impl SignInService {
    pub fn new(tokens: AccessTokens, profiles: ProfileService, presets: Arc<Catalogue>) -> Self {
        let AccessParts { store, vault, clients, provider, clock, .. } = tokens.parts();
        let (store, vault, clients) = (store.clone(), vault.clone(), clients.clone());
        let (provider, clock) = (provider.clone(), clock.clone());
        Self { parts: Parts { store, vault, clients, provider, profiles, presets, clock } }
    }

    fn now(&self) -> Timestamp {
        (self.parts.clock)()
    }

    fn seal(&self, account: &AccountId, id: Uuid, secrets: &Secrets) -> Result<Vec<u8>, AppError> {
        let text = serde_json::to_string(secrets).map_err(|_| AppError::Internal)?;
        let binding = Binding { account, profile: ProfileId(id), field: SEALED_FOR, destination: "" };
        self.parts.vault.seal(&SecretString::from(text), &binding).map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "the vault failed");
            AppError::Unavailable
        })
    }

    fn secrets(&self, row: &SignInRow) -> Result<Secrets, AppError> {
        let binding = Binding { account: &row.account, profile: ProfileId(row.id), field: SEALED_FOR, destination: "" };
        let opened = self.parts.vault.open(&row.sealed, &binding).map_err(|_| AppError::Unavailable)?;
        serde_json::from_str(opened.expose_secret()).map_err(|_| AppError::Internal)
    }

    fn content(row: &SignInRow) -> Result<Content, AppError> {
        serde_json::from_str(&row.content).map_err(|_| AppError::Internal)
    }

    fn way(client: &Client) -> SignInWay {
        SignInWay {
            client: client.id.clone(),
            provider: client.name.clone(),
            presets: client.all_presets().map(str::to_owned).collect(),
            domains: client.domains.clone(),
            shared_mailboxes: client.shared_mailboxes,
        }
    }

    /// Faults of the fields that a sign-in does not fill in.
    fn faults(&self, session: &Session, draft: &Draft) -> Vec<FieldError> {
        let filled = Draft {
            host: "smtp.example.com".to_owned(),
            port: "465".to_owned(),
            security: "tls".to_owned(),
            login: "someone@example.com".to_owned(),
            preset: String::new(),
            ..draft.clone()
        };
        let checked = filled.check(session, &self.parts.presets, &self.parts.profiles);
        let mut errors = checked.err().unwrap_or_default();
        let by_the_sign_in = [Field::Host, Field::Port, Field::Security, Field::Login, Field::Preset];
        errors.retain(|error| !by_the_sign_in.contains(&error.field));
        errors
    }

    /// The stored profile of a form, and its form.
    async fn stored(&self, account: &AccountId, id: ProfileId) -> Result<(Profile, Draft), AppError> {
        let row = self.parts.store.profile(account, id).await.map_err(StoreError::log)?.ok_or(AppError::NotFound)?;
        let profile = self.parts.profiles.shown(account, &row);
        let draft = Draft::of(&profile);
        Ok((profile, draft))
    }

    /// The address that a form is probably about.
    fn expected(draft: &Draft, profile: Option<&Profile>) -> Option<String> {
        let before = profile.and_then(|profile| profile.signed_in.as_ref()).map(|grant| grant.identity.clone());
        let typed = [&draft.login, &draft.sender_address].into_iter().find_map(|text| EmailAddress::parse(text).ok());
        before.or_else(|| typed.map(|address| address.to_string()))
    }
}

#[async_trait]
impl SignIns for SignInService {
    fn ways(&self, portal: &str) -> Vec<SignInWay> {
        self.parts.clients.of_portal(portal).into_iter().map(|client| Self::way(client)).collect()
    }

    async fn begin(
        &self,
        session: &Session,
        client: &str,
        form: String,
        target: Target,
        draft: Draft,
    ) -> Result<SignInId, SaveError> {
        let client = self.parts.clients.get(&session.account.portal, client).ok_or(AppError::NotFound)?;
        // A button beside the form posts no fields: what is stored stays.
        let (profile, draft) = match target.id {
            Some(id) => {
                let (profile, stored) = self.stored(&session.account, id).await?;
                (Some(profile), if draft == Draft::default() { stored } else { draft })
            }
            None => (None, draft),
        };
        let errors = self.faults(session, &draft);
        if !errors.is_empty() {
            return Err(SaveError::Invalid(errors));
        }
        let (id, now) = (Uuid::new_v4(), self.now());
        let secrets = Secrets::new().ok_or(AppError::Unavailable)?;
        let content = Content {
            person: session.person.clone(),
            portal_name: session.portal_name.clone(),
            account_name: session.account_name.clone(),
            locale: session.locale,
            form,
            profile: target.id,
            revision: target.revision,
            creation: target.creation,
            expected: Self::expected(&draft, profile.as_ref()),
            draft,
        };
        let row = SignInRow {
            id,
            account: session.account.clone(),
            session: session.key,
            client: client.id.clone(),
            ticket: hash(&secrets.ticket),
            state: hash(&secrets.state),
            browser: None,
            sealed: self.seal(&session.account, id, &secrets)?,
            content: serde_json::to_string(&content).map_err(|_| AppError::Internal)?,
            expires_at: now + LASTS,
            outcome: None,
        };
        let inserted = self.parts.store.insert_sign_in(&row, now, MOST_OPEN).await.map_err(StoreError::log)?;
        if !inserted {
            return Err(AppError::Limited { retry_after_s: 60 }.into());
        }
        tracing::info!(client = client.id, sign_in = %id, "sign-in begun");
        Ok(SignInId(id))
    }

    async fn get(&self, session: &Session, id: SignInId) -> Result<Option<SignIn>, AppError> {
        let Some(row) = self.parts.store.sign_in(id.0).await.map_err(StoreError::log)? else { return Ok(None) };
        let client = self.parts.clients.get(&session.account.portal, &row.client);
        let (true, Some(client)) = (row.session == session.key, client) else { return Ok(None) };
        let content = Self::content(&row)?;
        let progress = match &row.outcome {
            Some(outcome) => Progress::Ended(serde_json::from_str(outcome).map_err(|_| AppError::Internal)?),
            None if row.expires_at <= self.now() => Progress::Expired,
            None if row.browser.is_some() => Progress::Open,
            None => Progress::Ready { ticket: self.secrets(&row)?.ticket },
        };
        let way = Self::way(client);
        let admin_consent_url = client.admin_consent_url();
        Ok(Some(SignIn { id, way, form: content.form, profile: content.profile, progress, admin_consent_url }))
    }

    async fn sign_out(&self, by: Author<'_>, id: ProfileId, revision: Option<u32>) -> Result<(), AppError> {
        self.parts.profiles.sign_out(by, id, revision).await
    }

    async fn use_mailbox(&self, by: Author<'_>, id: ProfileId, mailbox: &str) -> Result<(), SaveError> {
        self.parts.profiles.use_mailbox(by, id, mailbox).await
    }
}
