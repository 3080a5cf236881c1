//! Server side. A change of a profile: the new row, and the entry of the history.
//!
//! The store locks the row, asks a pure function for the change, and writes the row and the entry in one transaction.
//! So no decision is based on a row that another transaction has changed meanwhile, and no change lacks an entry.

use app::{
    journal::model::Entry,
    profile::{model::Settings, sending::Health},
};

use super::{Grant, GrantTokens, ProfileRow, SealedSecret};

/// The change of a profile.
#[derive(Debug, Clone)]
pub enum Change {
    /// None: the row stays as it is.
    None,
    /// The same settings were confirmed: failures are reset. Nothing the owner set changes.
    StartOver,
    /// Takes what the owner sets from this row: settings, encoding, secret, sending options. What is known about the
    /// profile (tests, health, whether it is in use) is not taken from it, except for the consecutive failures. A
    /// secret without refusals resets the refusal count.
    Edit(Box<ProfileRow>, Entry),
}

/// Decides on the locked row. It must not block.
pub type Decide<'a> = dyn FnMut(&ProfileRow) -> Change + Send + 'a;

/// Makes the entry of the history about the locked row.
pub type EntryFor<'a> = dyn Fn(&ProfileRow) -> Entry + Send + Sync + 'a;

impl ProfileRow {
    /// The profile with these settings. When the destination changes, the stored secret is dropped unless a new one is
    /// given. A grant stays: it belongs to a provider, and not to a destination.
    #[must_use]
    pub fn with_settings(&self, settings: Settings, secret: Option<SealedSecret>) -> Self {
        let moved = self.settings.destination.canonical() != settings.destination.canonical();
        let mut row = Self { settings, ..self.clone() };
        if secret.is_some() || moved {
            row.secret_refusals = 0;
            row.secret = secret;
            if let Some(grant) = &mut row.grant {
                grant.access_ends_at = None;
            }
        }
        row.health.start_over();
        row
    }

    /// The profile with these settings and its present secret, sealed again for them. The owner did not type it again,
    /// so its refusals stay counted.
    #[must_use]
    pub fn with_secret_along(&self, settings: Settings, secret: SealedSecret) -> Self {
        Self { secret_refusals: self.secret_refusals, ..self.with_settings(settings, Some(secret)) }
    }

    /// The profile with the same settings and this secret.
    #[must_use]
    pub fn with_secret(&self, secret: SealedSecret) -> Self {
        self.with_settings(self.settings.clone(), Some(secret))
    }

    /// The profile with these settings and a password instead of a grant.
    #[must_use]
    pub fn with_password(&self, settings: Settings, secret: SealedSecret) -> Self {
        Self { grant: None, ..self.with_settings(settings, Some(secret)) }
    }

    /// The profile with these settings and a new grant. Its access token replaces the password.
    #[must_use]
    pub fn with_grant(&self, settings: Settings, grant: Grant, access: SealedSecret) -> Self {
        Self { grant: Some(grant), ..self.with_settings(settings, Some(access)) }
    }

    /// The profile without its grant: it has neither a token nor a password.
    #[must_use]
    pub fn without_grant(&self, settings: Settings) -> Self {
        let mut row = Self { grant: None, secret: None, secret_refusals: 0, settings, ..self.clone() };
        row.health.start_over();
        row
    }

    /// Whether it has the revision the caller saw; `None`: the caller saw none.
    pub(super) fn is_of_revision(&self, seen: Option<u32>) -> bool {
        seen.is_none_or(|seen| seen == self.revision)
    }

    /// Its health after the same settings were confirmed.
    pub(super) fn started_over(&self) -> Health {
        let mut health = self.health;
        health.start_over();
        health
    }

    /// Drops a secret that an edit would leave with another destination.
    fn without_a_stray_secret(mut self, before: &Self) -> Self {
        let moved = before.settings.destination.canonical() != self.settings.destination.canonical();
        let same = self.secret.as_ref().map(|secret| &secret.sealed) == before.secret.as_ref().map(|one| &one.sealed);
        if moved && same {
            self.secret = None;
            if let Some(grant) = &mut self.grant {
                grant.access_ends_at = None;
            }
        }
        self
    }
}

/// The row an edit writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// The new row, with its revision. It is not in use if it gets another owner.
    pub row: ProfileRow,
    /// The key whose refusals are reset, because the secret was typed again.
    pub forgiven: Option<[u8; 32]>,
    /// The profile was in use, and its former owner needs a successor.
    pub leaves_owner: bool,
    /// The former grant is detached.
    pub detaches: bool,
    /// The tokens of a new grant.
    pub attaches: Option<Box<GrantTokens>>,
}

impl Edit {
    pub(super) fn of(before: &ProfileRow, after: ProfileRow) -> Self {
        let mut row = after.without_a_stray_secret(before);
        let attaches = row.grant.as_mut().and_then(|grant| grant.tokens.take());
        let grant_of = |row: &ProfileRow| row.grant.as_ref().map(|grant| grant.id);
        let detaches = before.grant.is_some() && grant_of(before) != grant_of(&row);
        let changed = row.settings != before.settings || row.secret != before.secret || row.grant != before.grant;
        row.revision = before.revision.saturating_add(u32::from(changed));
        let stays = row.settings.user == before.settings.user;
        row.in_use = before.in_use && stays;
        let Health { failures, failing_cause, .. } = row.health;
        row.health = Health { failures, failing_cause, ..before.health };
        let forgiven = row.secret.as_ref().filter(|_| row.secret_refusals == 0).map(|secret| secret.login_key);
        Self { forgiven, leaves_owner: before.in_use && !stays, row, detaches, attaches }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store::contract;

    fn before() -> ProfileRow {
        ProfileRow { in_use: true, secret_refusals: 2, revision: 7, ..contract::row(1, None) }
    }

    #[test]
    fn a_revision_counts_settings_and_secret_and_nothing_else() {
        let before = before();
        let revision = |after: ProfileRow| Edit::of(&before, after).row.revision;
        assert_eq!(revision(before.clone()), 7);
        assert_eq!(revision(ProfileRow { secret_refusals: 0, revision: 99, ..before.clone() }), 7);
        let renamed = Settings { sender_name: "Devis".to_owned(), ..before.settings.clone() };
        assert_eq!(revision(before.with_settings(renamed, None)), 8);
        let typed = SealedSecret { sealed: vec![9], changed_at: Timestamp::UNIX_EPOCH, login_key: [9; 32] };
        assert_eq!(revision(before.with_secret(typed)), 8);
        assert!(before.is_of_revision(None) && before.is_of_revision(Some(7)) && !before.is_of_revision(Some(6)));
    }

    #[test]
    fn a_secret_stays_with_its_destination() {
        let before = before();
        let mut moved = before.clone();
        moved.settings.destination.host = "smtp.evil.example".to_owned();
        assert_eq!(Edit::of(&before, moved).row.secret, None);
        let mut same = before.clone();
        same.settings.destination.host = "SMTP.GMAIL.COM.".to_owned();
        assert_eq!(Edit::of(&before, same).row.secret, before.secret, "case and trailing dot do not matter");
    }

    #[test]
    fn refusals_are_forgotten_when_the_secret_was_typed_anew() {
        let before = before();
        let key = before.secret.as_ref().unwrap().login_key;
        assert_eq!(Edit::of(&before, before.clone()).forgiven, None);
        let typed = before.secret.clone().unwrap();
        assert_eq!(Edit::of(&before, before.with_secret(typed.clone())).forgiven, Some(key));
        let along = before.with_secret_along(before.settings.clone(), typed);
        assert_eq!(Edit::of(&before, along).forgiven, None, "it was sealed again, not typed");
    }

    #[test]
    fn a_grant_and_a_password_exclude_each_other() {
        let tokens = GrantTokens {
            issuer: "https://login.example".to_owned(),
            subject: "7".to_owned(),
            scopes: "openid".to_owned(),
            refresh: vec![7],
            next_refresh_at: Timestamp::UNIX_EPOCH,
        };
        let grant = |number| Grant {
            id: uuid::Uuid::from_u128(number),
            client: "microsoft".to_owned(),
            identity: "claire@exemple.fr".to_owned(),
            granted_at: Timestamp::UNIX_EPOCH,
            access_ends_at: Some(Timestamp::UNIX_EPOCH),
            ended: None,
            tokens: Some(Box::new(tokens.clone())),
        };
        let access = SealedSecret { sealed: vec![9], changed_at: Timestamp::UNIX_EPOCH, login_key: [9; 32] };
        let before = before();
        let signed_in = Edit::of(&before, before.with_grant(before.settings.clone(), grant(1), access.clone()));
        assert_eq!((signed_in.detaches, signed_in.attaches), (false, Some(Box::new(tokens.clone()))));
        let signed_in = signed_in.row;
        assert!(signed_in.grant.as_ref().unwrap().tokens.is_none() && signed_in.secret == Some(access.clone()));
        assert_eq!(signed_in.revision, before.revision + 1);
        let again = Edit::of(&signed_in, signed_in.with_grant(before.settings.clone(), grant(2), access.clone()));
        assert!(again.detaches && again.attaches.is_some(), "signing in again replaces the grant");
        let renamed = Settings { sender_name: "Devis".to_owned(), ..before.settings.clone() };
        let edit = Edit::of(&signed_in, signed_in.with_settings(renamed, None));
        assert_eq!((edit.detaches, edit.attaches, edit.row.secret), (false, None, Some(access)), "it stays");
        let mut shared = before.settings.clone();
        shared.destination.login = "accueil@exemple.fr".to_owned();
        let edit = Edit::of(&signed_in, signed_in.with_settings(shared, None)).row;
        assert_eq!((edit.secret, edit.grant.unwrap().access_ends_at), (None, None), "a token for another login");
        let typed = before.secret.clone().unwrap();
        let edit = Edit::of(&signed_in, signed_in.with_password(before.settings.clone(), typed.clone()));
        assert!(edit.detaches && edit.row.grant.is_none() && edit.row.secret == Some(typed));
        let edit = Edit::of(&signed_in, signed_in.without_grant(before.settings.clone()));
        assert!(edit.detaches && edit.row.grant.is_none() && edit.row.secret.is_none());
    }

    #[test]
    fn with_another_owner_it_leaves_its_place() {
        let before = before();
        let given = Settings { user: Some("karim".to_owned()), ..before.settings.clone() };
        let edit = Edit::of(&before, before.with_settings(given.clone(), None));
        assert!(!edit.row.in_use && edit.leaves_owner);
        let edit = Edit::of(&before, before.clone());
        assert!(edit.row.in_use && !edit.leaves_owner);
        let idle = ProfileRow { in_use: false, ..before };
        assert!(!Edit::of(&idle, idle.with_settings(given, None)).leaves_owner, "it was not in use");
    }
}
