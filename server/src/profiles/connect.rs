//! Server side. A profile gets a grant, or loses it.

use std::sync::Arc;

use app::{
    diagnosis::cause::Cause,
    error::AppError,
    journal::model::{Action, Author},
    profile::{
        address::EmailAddress,
        field::{Fault, Field, FieldError},
        mechanism::Mechanism,
        model::{ProfileId, Settings},
        port::{SaveError, Target},
    },
    session::AccountId,
};
use secrecy::SecretString;

use super::ProfileService;
use crate::{
    oauth::{Client, NewGrant, NoToken},
    store::{Change, ProfileRow, StoreError},
};

/// A new grant, and the settings to use it with.
pub(crate) struct Connection {
    pub client: Arc<Client>,
    pub settings: Settings,
    pub grant: NewGrant,
}

/// Why there is nothing to log in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoSecret {
    #[error("the secret cannot be decrypted")]
    Unreadable,
    #[error(transparent)]
    Token(#[from] NoToken),
}

impl NoSecret {
    /// The cause to show.
    pub(crate) const fn cause(self) -> Cause {
        match self {
            Self::Unreadable => Cause::OauthReconnect,
            Self::Token(no_token) => no_token.cause(),
        }
    }
}

impl ProfileService {
    /// What to log in with: the password, or an access token that lasts; `None` when there is neither. `refused`: the
    /// token that the server has just refused.
    pub(crate) async fn secret(
        &self,
        account: &AccountId,
        row: &ProfileRow,
        refused: Option<&SecretString>,
    ) -> Result<Option<SecretString>, NoSecret> {
        match (&row.grant, &self.tokens) {
            (None, _) => self.open(account, row).map_err(|_| NoSecret::Unreadable),
            (Some(grant), Some(tokens)) => Ok(Some(tokens.access(account, row, grant, refused).await?)),
            (Some(_), None) => Err(NoToken::Ended(Cause::OauthClient).into()),
        }
    }

    /// Attaches a grant to the profile of a form, or to a new one. Returns the profile, and whether it is new.
    pub(crate) async fn connect(
        &self,
        by: Author<'_>,
        target: Target,
        connection: Connection,
    ) -> Result<(ProfileId, bool), SaveError> {
        let made = match (&target.id, &target.creation) {
            (None, Some(creation)) => {
                self.store.profile_made_by(by.account, creation).await.map_err(StoreError::log)?.map(|made| made.id)
            }
            (id, _) => *id,
        };
        let Some(id) = made else {
            let id = self.new_id();
            let row = ProfileRow { creation: target.creation, ..ProfileRow::new(id, connection.settings.clone()) };
            let row = self.with_grant(by.account, &row, connection)?;
            self.insert(by, row, Action::ProfileAdded).await?;
            return Ok((id, true));
        };
        let mut connection = Some(connection);
        self.change(by, id, |before| {
            let Some(mut connection) = connection.take() else { return Err(AppError::Internal) };
            if target.revision.is_some_and(|shown| shown != before.revision) {
                // Another tab has changed it: its settings stay, and the grant is taken.
                let destination = connection.settings.destination;
                let preset = connection.settings.preset;
                connection.settings = Settings { destination, preset, ..before.settings.clone() };
            }
            let row = self.with_grant(by.account, before, connection)?;
            Ok(self.edit(by, row, Action::SignedIn))
        })
        .await?;
        Ok((id, false))
    }

    fn with_grant(
        &self,
        account: &AccountId,
        row: &ProfileRow,
        connection: Connection,
    ) -> Result<ProfileRow, AppError> {
        let Connection { client, settings, grant } = connection;
        let tokens = self.tokens.as_ref().ok_or(AppError::NotFound)?;
        let attached = tokens.attach(&client, (account, row.id), &settings.destination, &grant);
        let (grant, access) = attached.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "the vault failed");
            AppError::Unavailable
        })?;
        Ok(row.with_grant(settings, grant, access))
    }

    /// Detaches the grant: the profile has nothing to log in with.
    pub(crate) async fn sign_out(&self, by: Author<'_>, id: ProfileId, revision: Option<u32>) -> Result<(), AppError> {
        self.change(by, id, |before| {
            if revision.is_some_and(|shown| shown != before.revision) {
                return Err(AppError::Stale);
            }
            if before.grant.is_none() {
                return Ok(Change::None);
            }
            Ok(self.edit(by, before.without_grant(without_token(before.settings.clone())), Action::SignedOut))
        })
        .await
    }

    /// Logs in as a shared mailbox, and sends from its address.
    pub(crate) async fn use_mailbox(&self, by: Author<'_>, id: ProfileId, mailbox: &str) -> Result<(), SaveError> {
        let invalid = || SaveError::Invalid(vec![FieldError::new(Field::Login, Fault::AddressInvalid)]);
        let address = EmailAddress::parse(mailbox).map_err(|_| invalid())?;
        self.change(by, id, |before| {
            let grant = before.grant.as_ref().ok_or(AppError::Conflict)?;
            let client =
                self.tokens.as_ref().and_then(|tokens| tokens.clients().get(&by.account.portal, &grant.client));
            if !client.is_some_and(|client| client.shared_mailboxes) {
                return Err(SaveError::App(AppError::Conflict));
            }
            let mut settings = before.settings.clone();
            settings.destination.login = address.to_string();
            settings.sender_address = address.clone();
            let fields = vec![Field::Login, Field::SenderAddress];
            Ok(self.edit(by, before.with_settings(settings, None), Action::ProfileChanged { fields }))
        })
        .await
    }
}

/// Settings for a password: the mechanism of a token is of no use then.
pub(super) fn without_token(mut settings: Settings) -> Settings {
    if settings.destination.mechanism == Some(Mechanism::Xoauth2) {
        settings.destination.mechanism = None;
    }
    settings
}
