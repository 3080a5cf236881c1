//! Server side. What a change is made of: the profile as it becomes, and the entry of the history that says so.
//!
//! The store locks the row, asks a pure function what becomes of it, and writes the row and the entry in one transaction.
//! So nothing is decided from a row that somebody else has changed meanwhile, and nothing is changed without an entry.

use app::{
    journal::model::Entry,
    profile::{model::Settings, sending::Health},
};

use super::{ProfileRow, SealedSecret};

/// What becomes of a profile.
#[derive(Debug, Clone)]
pub enum Change {
    /// It stays as it is.
    None,
    /// The same settings were confirmed: what failed is tried again. Nothing the owner set changes.
    StartOver,
    /// What the owner sets becomes that of this row: settings, encoding, secret, sending options. What is known of the
    /// profile (tests, health, whether it is in use) is not taken from it, except for the failures in a row; and a secret
    /// with no refusals starts over.
    Edit(Box<ProfileRow>, Entry),
}

/// Decides on the locked row. It must not wait.
pub type Decide<'a> = dyn FnMut(&ProfileRow) -> Change + Send + 'a;

/// Makes the entry of the history about the locked row.
pub type EntryFor<'a> = dyn Fn(&ProfileRow) -> Entry + Send + Sync + 'a;

impl ProfileRow {
    /// The profile with these settings. The stored secret goes when the destination moves, unless a new one comes.
    #[must_use]
    pub fn with_settings(&self, settings: Settings, secret: Option<SealedSecret>) -> Self {
        let moved = self.settings.destination.canonical() != settings.destination.canonical();
        let mut row = Self { settings, ..self.clone() };
        if secret.is_some() || moved {
            row.secret_refusals = 0;
            row.secret = secret;
        }
        row.health.start_over();
        row
    }

    /// The profile with these settings, and the secret it had, sealed for them. Nobody typed it anew: what was refused stays
    /// refused.
    #[must_use]
    pub fn with_secret_along(&self, settings: Settings, secret: SealedSecret) -> Self {
        Self { secret_refusals: self.secret_refusals, ..self.with_settings(settings, Some(secret)) }
    }

    /// The profile with the same settings and this secret.
    #[must_use]
    pub fn with_secret(&self, secret: SealedSecret) -> Self {
        self.with_settings(self.settings.clone(), Some(secret))
    }

    /// Whether it is of the revision that somebody saw; `None`: they saw none.
    pub(super) fn is_of_revision(&self, seen: Option<u32>) -> bool {
        seen.is_none_or(|seen| seen == self.revision)
    }

    /// Its health when the same settings were confirmed.
    pub(super) fn started_over(&self) -> Health {
        let mut health = self.health;
        health.start_over();
        health
    }

    /// What the store applies of an edit: a secret never stays with another destination.
    fn without_a_stray_secret(mut self, before: &Self) -> Self {
        let moved = before.settings.destination.canonical() != self.settings.destination.canonical();
        let same = self.secret.as_ref().map(|secret| &secret.sealed) == before.secret.as_ref().map(|one| &one.sealed);
        if moved && same {
            self.secret = None;
        }
        self
    }
}

/// What the store writes of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// The row as it becomes, with its revision. It leaves its place to others when it gets another owner.
    pub row: ProfileRow,
    /// The secret was typed anew: the refusals that are counted under this key are forgotten.
    pub forgiven: Option<[u8; 32]>,
    /// Its former owner, whose profile in use it was, needs another one.
    pub leaves_owner: bool,
}

impl Edit {
    pub(super) fn of(before: &ProfileRow, after: ProfileRow) -> Self {
        let mut row = after.without_a_stray_secret(before);
        let changed = row.settings != before.settings || row.secret != before.secret;
        row.revision = before.revision.saturating_add(u32::from(changed));
        let stays = row.settings.user == before.settings.user;
        row.in_use = before.in_use && stays;
        let Health { failures, failing_cause, .. } = row.health;
        row.health = Health { failures, failing_cause, ..before.health };
        let forgiven = row.secret.as_ref().filter(|_| row.secret_refusals == 0).map(|secret| secret.login_key);
        Self { forgiven, leaves_owner: before.in_use && !stays, row }
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
        assert_eq!(Edit::of(&before, same).row.secret, before.secret, "case and dot do not count");
    }

    #[test]
    fn refusals_are_forgotten_when_the_secret_was_typed_anew() {
        let before = before();
        let key = before.secret.as_ref().unwrap().login_key;
        assert_eq!(Edit::of(&before, before.clone()).forgiven, None);
        let typed = before.secret.clone().unwrap();
        assert_eq!(Edit::of(&before, before.with_secret(typed.clone())).forgiven, Some(key));
        let along = before.with_secret_along(before.settings.clone(), typed);
        assert_eq!(Edit::of(&before, along).forgiven, None, "it only went along");
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
        assert!(!Edit::of(&idle, idle.with_settings(given, None)).leaves_owner, "it had none");
    }
}
