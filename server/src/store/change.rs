//! Server side. What a change is made of: the profile as it becomes, and the entry of the history that says so.
//!
//! The store locks the row, asks a pure function what becomes of it, and writes the row and the entry in one transaction.
//! So nothing is decided from a row that somebody else has changed meanwhile, and nothing is changed without an entry.

use app::{journal::model::Entry, profile::model::Settings};

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

/// The entry about the locked row.
pub type Tell<'a> = dyn Fn(&ProfileRow) -> Entry + Send + Sync + 'a;

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

    /// The revision of this row, which comes after the other one.
    pub(super) fn revision_after(&self, before: &Self) -> u32 {
        let changed = self.settings != before.settings || self.secret != before.secret;
        before.revision.saturating_add(u32::from(changed))
    }

    /// What the store applies of an edit: a secret never stays with another destination.
    #[must_use]
    pub(super) fn without_a_stray_secret(mut self, before: &Self) -> Self {
        let moved = before.settings.destination.canonical() != self.settings.destination.canonical();
        let same = self.secret.as_ref().map(|secret| &secret.sealed) == before.secret.as_ref().map(|one| &one.sealed);
        if moved && same {
            self.secret = None;
        }
        self
    }
}
