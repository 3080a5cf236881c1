//! Server side. A new grant becomes a profile's.

use std::sync::Arc;

use app::{
    error::AppError,
    journal::model::Author,
    profile::{
        draft::Draft,
        port::{SaveError, Target},
    },
    session::Session,
    sign_in::model::Outcome,
};

use super::{Content, SignInService};
use crate::{
    oauth::{
        NewGrant,
        client::{Client, MailServer},
        id_token::Identified,
        known::MICROSOFT_PERSONAL,
    },
    profiles::Connection,
    store::{SignInRow, StoreError},
};

impl SignInService {
    pub(super) async fn connect(
        &self,
        client: &Arc<Client>,
        row: &SignInRow,
        content: &Content,
        grant: NewGrant,
    ) -> Outcome {
        match self.try_connect(client, row, content, grant).await {
            Ok(outcome) => outcome,
            Err(SaveError::App(AppError::TooManyProfiles { most })) => Outcome::TooMany { most },
            Err(SaveError::App(AppError::NotFound | AppError::SessionRequired) | SaveError::Stale(_)) => Outcome::Gone,
            Err(SaveError::Invalid(errors)) => {
                tracing::error!(client = client.id, sign_in = %row.id, ?errors, "a sign-in does not fit its form");
                Outcome::Unavailable
            }
            Err(SaveError::App(error)) => {
                tracing::warn!(client = client.id, sign_in = %row.id, %error, "a grant could not be stored");
                Outcome::Unavailable
            }
        }
    }

    async fn try_connect(
        &self,
        client: &Arc<Client>,
        row: &SignInRow,
        content: &Content,
        grant: NewGrant,
    ) -> Result<Outcome, SaveError> {
        let session = self.open_session(row).await?;
        let server = server_of(client, &grant.identified);
        let identity = grant.identified.address.to_string();
        let is_expected = content.expected.as_deref().is_some_and(|expected| expected.eq_ignore_ascii_case(&identity));
        let mut draft = filled(&content.draft, server, &identity, client, &self.parts.presets);
        if is_expected && content.profile.is_some() && client.shared_mailboxes && !content.draft.login.is_empty() {
            // The same person signs in again: the mailbox stays.
            draft.login.clone_from(&content.draft.login);
        }
        let settings = draft.check(&session, &self.parts.presets, &self.parts.profiles).map_err(SaveError::Invalid)?;
        let settings = app::profile::model::Settings {
            destination: Client::destination(server, &settings.destination.login),
            ..settings
        };
        let by = Author { account: &row.account, person: &content.person };
        let target = Target { id: content.profile, creation: content.creation.clone(), revision: content.revision };
        let connection = Connection { client: client.clone(), settings, grant };
        let (profile, new) = self.parts.profiles.connect(by, target, connection).await?;
        self.parts.store.forget_draft(&session.who(), &content.form).await.map_err(StoreError::log)?;
        tracing::info!(client = client.id, %profile, new, "signed in");
        let expected = content.expected.clone().filter(|_| !is_expected);
        Ok(Outcome::Connected { profile, identity, expected, new })
    }

    /// The session that began the sign-in, if it is still open.
    async fn open_session(&self, row: &SignInRow) -> Result<Session, AppError> {
        let session = self.parts.store.session(&row.session).await.map_err(StoreError::log)?;
        let now = self.now();
        let open = session.filter(|session| session.expires_at > now && session.ends_at > now);
        open.map(|row| row.session).ok_or(AppError::SessionRequired)
    }
}

/// The server for the person who signed in: Microsoft's personal accounts have one of their own.
fn server_of<'c>(client: &'c Client, identified: &Identified) -> &'c MailServer {
    let is_personal = identified.tenant.as_deref() == Some(MICROSOFT_PERSONAL);
    let (first, second) = (&client.servers[0], client.servers.get(1));
    second.filter(|_| is_personal).unwrap_or(first)
}

/// The form, filled in with what the sign-in has shown.
fn filled(
    draft: &Draft,
    server: &MailServer,
    identity: &str,
    client: &Client,
    presets: &app::profile::preset::Catalogue,
) -> Draft {
    // Another product of the same provider may have been chosen: Google Workspace.
    let fits = |id: &&str| *id == draft.preset && presets.get(id).is_some_and(|preset| preset.is_at(&server.host));
    let chosen = client.all_presets().find(fits).map(str::to_owned);
    let mut filled = Draft {
        preset: chosen.or_else(|| server.preset.clone()).unwrap_or_default(),
        host: server.host.clone(),
        port: server.port.to_string(),
        security: server.security.as_str().to_owned(),
        login: identity.to_owned(),
        ..draft.clone()
    };
    filled.tidy();
    filled
}
