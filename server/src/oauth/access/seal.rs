//! Server side. The tokens of a grant, sealed for its profile.

use app::{
    profile::model::{Destination, ProfileId},
    session::AccountId,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{AccessTokens, UNUSED};
use crate::{
    credentials::{
        Binding, VaultError,
        binding::{PROFILE_SECRET, refresh_destination, refresh_of},
    },
    oauth::{client::Client, id_token::Identified},
    store::{Grant, GrantRow, GrantTokens, SealedSecret},
};

/// When an unused grant is refreshed.
pub fn next_refresh(now: Timestamp) -> Timestamp {
    let spread = UNUSED.as_secs() / 5;
    now + UNUSED + SignedDuration::from_secs(rand::random_range(-spread..=spread))
}

/// Under which key the logins with a grant's tokens would be counted. They are not: a refused token says nothing about
/// a password.
pub fn login_key(grant: Uuid) -> [u8; 32] {
    Sha256::digest(grant.as_bytes()).into()
}

/// Refresh tokens as they are sealed: the newest one, and the one before it until the newest one has worked.
fn in_order(sealed: &SecretString) -> (SecretString, Option<SecretString>) {
    let text = sealed.expose_secret();
    match text.split_once('\n') {
        Some((newest, before)) => (SecretString::from(newest), Some(SecretString::from(before))),
        None => (SecretString::from(text), None),
    }
}

/// What a provider granted.
pub struct NewGrant {
    pub identified: Identified,
    /// Separated by spaces.
    pub scopes: String,
    pub access: SecretString,
    pub access_ends_at: Timestamp,
    pub refresh: SecretString,
}

impl AccessTokens {
    /// Seals a new grant for a profile, and its access token for the profile's destination.
    pub fn attach(
        &self,
        client: &Client,
        (account, profile): (&AccountId, ProfileId),
        destination: &Destination,
        new: &NewGrant,
    ) -> Result<(Grant, SealedSecret), VaultError> {
        let (id, now) = (Uuid::new_v4(), self.now());
        let destination = destination.canonical();
        let access = SealedSecret {
            sealed: self.seal((account, profile), (PROFILE_SECRET, &destination), &new.access)?,
            changed_at: now,
            login_key: login_key(id),
        };
        let issuer = &new.identified.issuer;
        let tokens = GrantTokens {
            issuer: issuer.clone(),
            subject: new.identified.subject.clone(),
            scopes: new.scopes.clone(),
            refresh: self.seal_refresh((&client.id, issuer), (account, profile), &new.refresh)?,
            next_refresh_at: next_refresh(now),
        };
        let grant = Grant {
            id,
            client: client.id.clone(),
            identity: new.identified.address.to_string(),
            granted_at: now,
            access_ends_at: Some(new.access_ends_at),
            ended: None,
            tokens: Some(Box::new(tokens)),
        };
        Ok((grant, access))
    }

    pub(super) fn seal(
        &self,
        (account, profile): (&AccountId, ProfileId),
        (field, destination): (&str, &str),
        token: &SecretString,
    ) -> Result<Vec<u8>, VaultError> {
        self.0.parts.vault.seal(token, &Binding { account, profile, field, destination })
    }

    pub(super) fn seal_refresh(
        &self,
        (client, issuer): (&str, &str),
        of: (&AccountId, ProfileId),
        token: &SecretString,
    ) -> Result<Vec<u8>, VaultError> {
        let destination = refresh_destination(client, issuer);
        self.0.parts.vault.seal(token, &refresh_of(of.0, of.1, &destination))
    }

    /// The refresh tokens of a grant.
    pub(in crate::oauth) fn open_refresh(
        &self,
        stored: &GrantRow,
    ) -> Result<(SecretString, Option<SecretString>), VaultError> {
        let destination = refresh_destination(&stored.client, &stored.tokens.issuer);
        let binding = refresh_of(&stored.account, stored.profile, &destination);
        Ok(in_order(&self.0.parts.vault.open(&stored.tokens.refresh, &binding)?))
    }
}
