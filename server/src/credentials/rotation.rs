//! Server side. `facteur keys rotate`: seals all stored values with the first key of the configuration.
//!
//! Safe to interrupt and to run while Facteur serves: each envelope is replaced only if it is still the same, and those
//! already sealed with the first key are skipped. To resume, run it again; when nothing is left to do, the other keys
//! may be removed from the configuration.

use app::profile::model::ProfileId;

use super::{
    binding::{Binding, PROFILE_SECRET, refresh_destination, refresh_of},
    vault::{CanaryError, Vault, VaultError},
};
use crate::store::{AccountProfile, SealedSecret, Store, StoreError};

/// Rows read with one query.
const SOME: u32 = 100;

/// Why the rotation failed. Values sealed until then stay sealed with the new key.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Canary(#[from] CanaryError),
}

/// The counts of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rotated {
    /// Passwords and access tokens that were sealed again.
    pub secrets: u64,
    /// Refresh tokens that were sealed again.
    pub grants: u64,
    /// Waiting messages whose content was sealed again.
    pub contents: u64,
    /// Values already sealed with the first key.
    pub current: u64,
    /// Values that changed meanwhile: they were sealed with the first key then.
    pub overtaken: u64,
    /// Values that no key of the configuration opens: they are left as they are.
    pub unreadable: u64,
}

/// Seals everything with the first key; the canary last, so that once the canary has the new key, nothing in the
/// database needs another one. Sign-ins under way are left out: they last ten minutes, and one that no longer opens is
/// begun again.
pub async fn rotate(store: &dyn Store, vault: &Vault) -> Result<Rotated, RotateError> {
    let mut rotated = Rotated::default();
    rotate_secrets(store, vault, &mut rotated).await?;
    rotate_grants(store, vault, &mut rotated).await?;
    rotate_contents(store, vault, &mut rotated).await?;
    vault.check(store).await?;
    vault.set_canary(store).await?;
    Ok(rotated)
}

async fn rotate_secrets(store: &dyn Store, vault: &Vault, rotated: &mut Rotated) -> Result<(), RotateError> {
    let mut after = None;
    loop {
        let rows = store.secrets(after, SOME).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.row.id);
        for AccountProfile { account, row } in &rows {
            let Some(secret) = &row.secret else { continue };
            if vault.is_current(&secret.sealed) {
                rotated.current += 1;
                continue;
            }
            let destination = row.settings.destination.canonical();
            let binding = Binding { account, profile: row.id, field: PROFILE_SECRET, destination: &destination };
            let Ok(opened) = vault.open(&secret.sealed, &binding) else {
                tracing::warn!(profile = %row.id, "secret unreadable");
                rotated.unreadable += 1;
                continue;
            };
            let (host, login) = (&row.settings.destination.host, &row.settings.destination.login);
            let sealed = SealedSecret {
                sealed: vault.seal(&opened, &binding)?,
                changed_at: secret.changed_at,
                // The logins of a grant are not counted by a password.
                login_key: match row.grant {
                    Some(_) => secret.login_key,
                    None => vault.login_key(account, host, login, &opened),
                },
            };
            let done = store.replace_secret(row.id, &secret.sealed, &sealed).await?;
            *(if done { &mut rotated.secrets } else { &mut rotated.overtaken }) += 1;
        }
    }
}

/// Also of grants that wait to be revoked.
async fn rotate_grants(store: &dyn Store, vault: &Vault, rotated: &mut Rotated) -> Result<(), RotateError> {
    let mut after = None;
    loop {
        let rows = store.grants(after, SOME).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.id);
        for row in &rows {
            if vault.is_current(&row.tokens.refresh) {
                rotated.current += 1;
                continue;
            }
            let destination = refresh_destination(&row.client, &row.tokens.issuer);
            let binding = refresh_of(&row.account, row.profile, &destination);
            let Ok(opened) = vault.open(&row.tokens.refresh, &binding) else {
                tracing::warn!(grant = %row.id, "refresh token unreadable");
                rotated.unreadable += 1;
                continue;
            };
            let sealed = vault.seal(&opened, &binding)?;
            let done = store.replace_refresh(row.id, &row.tokens.refresh, &sealed).await?;
            *(if done { &mut rotated.grants } else { &mut rotated.overtaken }) += 1;
        }
    }
}

async fn rotate_contents(store: &dyn Store, vault: &Vault, rotated: &mut Rotated) -> Result<(), RotateError> {
    let mut after = None;
    loop {
        let rows = store.contents(after, 1).await?;
        let Some(content) = rows.first() else { return Ok(()) };
        after = Some(content.id);
        if vault.is_current(&content.sealed) {
            rotated.current += 1;
            continue;
        }
        let Ok(opened) = vault.open_content(&content.account, content.id, &content.sealed) else {
            tracing::warn!(message = %content.id, "content unreadable");
            rotated.unreadable += 1;
            continue;
        };
        let sealed = vault.seal_content(&content.account, content.id, opened)?;
        let done = store.replace_content(content.id, &content.sealed, &sealed).await?;
        *(if done { &mut rotated.contents } else { &mut rotated.overtaken }) += 1;
    }
}

/// How many passwords are sealed with which key, in the order of the keys' ids; for `facteur keys list`.
pub async fn census(store: &dyn Store) -> Result<Vec<(String, u64)>, StoreError> {
    let mut counts = std::collections::BTreeMap::<String, u64>::new();
    let mut after: Option<ProfileId> = None;
    loop {
        let rows = store.secrets(after, SOME).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.row.id);
        for secret in rows.iter().filter_map(|one| one.row.secret.as_ref()) {
            *counts.entry(Vault::key_of(&secret.sealed).unwrap_or("?").to_owned()).or_default() += 1;
        }
    }
    Ok(counts.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use app::{
        profile::{
            address::EmailAddress,
            model::{Destination, Settings},
            security::Security,
        },
        session::AccountId,
    };
    use secrecy::{ExposeSecret, SecretString};
    use uuid::Uuid;

    use super::*;
    use crate::{
        credentials::VaultKey,
        store::{Grant, GrantTokens, ProfileRow, aggregates::*, sqlite::SqliteStore},
    };

    fn key(id: &str, byte: u8) -> VaultKey {
        VaultKey::new(id, [byte; 32]).unwrap()
    }

    fn row(number: u128) -> ProfileRow {
        let destination = Destination {
            host: format!("smtp{number}.exemple.fr"),
            port: 465,
            security: Security::Tls,
            login: "claire".to_owned(),
            mechanism: None,
        };
        let settings = Settings {
            name: String::new(),
            preset: None,
            user: Some(number.to_string()),
            destination,
            sender_name: String::new(),
            sender_address: EmailAddress::parse("claire@exemple.fr").unwrap(),
            reply_to: None,
        };
        ProfileRow::new(ProfileId(Uuid::from_u128(number)), settings)
    }

    #[tokio::test]
    async fn everything_bears_the_new_key_and_the_old_one_may_go() {
        let store = SqliteStore::in_memory().await.unwrap();
        let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
        let old = Vault::new(vec![key("old", 1)]).unwrap();
        old.check(&store).await.unwrap();
        let secret = SecretString::from("abcdefghijklmnop");
        let binding = |row: &ProfileRow| row.settings.destination.canonical();
        for number in 1..=250 {
            let row = row(number);
            let destination = binding(&row);
            let bound =
                Binding { account: &account, profile: row.id, field: PROFILE_SECRET, destination: &destination };
            let sealed = old.seal(&secret, &bound).unwrap();
            let secret = Some(SealedSecret { sealed, changed_at: jiff::Timestamp::UNIX_EPOCH, login_key: [7; 32] });
            let entry = crate::store::contract::entry(number, 0);
            store.insert_profile(&account, &ProfileRow { secret, ..row }, 999, &entry).await.unwrap().unwrap();
        }
        let both = Vault::new(vec![key("new", 2), key("old", 1)]).unwrap();
        assert_eq!(census(&store).await.unwrap(), [("old".to_owned(), 250)]);
        // Interrupted in the middle, and run again.
        let started = rotate(&store, &both);
        let _ = tokio::time::timeout(std::time::Duration::from_millis(20), started).await;
        let rotated = rotate(&store, &both).await.unwrap();
        assert_eq!(rotated.secrets + rotated.current, 250);
        assert_eq!((rotated.unreadable, rotated.overtaken), (0, 0));
        let new = Vault::new(vec![key("new", 2)]).unwrap();
        new.check(&store).await.unwrap();
        for AccountProfile { account, row } in store.secrets(None, 1_000).await.unwrap() {
            let destination = binding(&row);
            let bound =
                Binding { account: &account, profile: row.id, field: PROFILE_SECRET, destination: &destination };
            let opened = new.open(&row.secret.unwrap().sealed, &bound).unwrap();
            assert_eq!(opened.expose_secret(), "abcdefghijklmnop");
        }
        assert!(old.check(&store).await.is_err());
        assert_eq!(rotate(&store, &new).await.unwrap(), Rotated { current: 250, ..Rotated::default() });
    }

    #[tokio::test]
    async fn a_grant_bears_the_new_key_and_its_logins_stay_counted() {
        let store = SqliteStore::in_memory().await.unwrap();
        let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
        let old = Vault::new(vec![key("old", 1)]).unwrap();
        old.check(&store).await.unwrap();
        let (row, destination) = (row(1), refresh_destination("microsoft", "https://login.example"));
        let server = row.settings.destination.canonical();
        let access = Binding { account: &account, profile: row.id, field: PROFILE_SECRET, destination: &server };
        let refresh = refresh_of(&account, row.id, &destination);
        let tokens = GrantTokens {
            issuer: "https://login.example".to_owned(),
            subject: "7".to_owned(),
            scopes: "openid".to_owned(),
            refresh: old.seal(&SecretString::from("refresh"), &refresh).unwrap(),
            next_refresh_at: jiff::Timestamp::UNIX_EPOCH,
        };
        let grant = Grant {
            id: Uuid::from_u128(1),
            client: "microsoft".to_owned(),
            identity: "claire@exemple.fr".to_owned(),
            granted_at: jiff::Timestamp::UNIX_EPOCH,
            access_ends_at: Some(jiff::Timestamp::UNIX_EPOCH),
            ended: None,
            tokens: Some(Box::new(tokens)),
        };
        let sealed = old.seal(&SecretString::from("access"), &access).unwrap();
        let secret = Some(SealedSecret { sealed, changed_at: jiff::Timestamp::UNIX_EPOCH, login_key: [7; 32] });
        let row = ProfileRow { secret, grant: Some(grant), ..row };
        let entry = crate::store::contract::entry(1, 0);
        store.insert_profile(&account, &row, 9, &entry).await.unwrap().unwrap();
        let both = Vault::new(vec![key("new", 2), key("old", 1)]).unwrap();
        assert_eq!(rotate(&store, &both).await.unwrap(), Rotated { secrets: 1, grants: 1, ..Rotated::default() });
        let new = Vault::new(vec![key("new", 2)]).unwrap();
        let stored = store.grants(None, 9).await.unwrap().remove(0);
        assert_eq!(new.open(&stored.tokens.refresh, &refresh).unwrap().expose_secret(), "refresh");
        let secret = store.profile(&account, row.id).await.unwrap().unwrap().secret.unwrap();
        assert_eq!(new.open(&secret.sealed, &access).unwrap().expose_secret(), "access");
        assert_eq!(secret.login_key, [7; 32]);
        assert_eq!(rotate(&store, &new).await.unwrap(), Rotated { current: 2, ..Rotated::default() });
    }
}
