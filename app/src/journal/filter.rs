//! Server side. Which entries of the history are shown.

use super::model::{Action, Entry};

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Profiles,
    Tests,
    Sending,
    Sessions,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Profiles, Self::Tests, Self::Sending, Self::Sessions];

    /// The value in the address, and the last part of the catalogue's key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Profiles => "profiles",
            Self::Tests => "tests",
            Self::Sending => "sending",
            Self::Sessions => "sessions",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == code)
    }

    pub const fn of(action: &Action) -> Self {
        match action {
            Action::ProfileAdded
            | Action::ProfileChanged { .. }
            | Action::ProfileDuplicated
            | Action::ProfileDeleted
            | Action::ProfileRestored
            | Action::SecretCleaned
            | Action::SignedIn
            | Action::SignedOut
            | Action::FixApplied { .. }
            | Action::DestinationBlocked { .. } => Self::Profiles,
            Action::Tested { .. } | Action::ReceiptConfirmed => Self::Tests,
            Action::ModeChanged { .. } | Action::ProfileInUse | Action::SendingChanged => Self::Sending,
            Action::SessionsEnded { .. } => Self::Sessions,
        }
    }
}

/// The filter; by default it matches every entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub kind: Option<Kind>,
    /// The profile's name in the entries ([`named`](super::model::named)).
    pub profile: Option<String>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub fn shows(&self, entry: &Entry) -> bool {
        self.kind.is_none_or(|kind| kind == Kind::of(&entry.action))
            && (self.profile.is_none() || self.profile == entry.profile)
    }
}

/// Groups consecutive tests of one profile into one row; every other entry is a row of its own.
pub fn series(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    for entry in entries {
        let is_test = |entry: &Entry| matches!(entry.action, Action::Tested { .. });
        match rows.last_mut() {
            Some(row) if is_test(&entry) && row.iter().all(|one| is_test(one) && one.profile == entry.profile) => {
                row.push(entry);
            }
            _ => rows.push(vec![entry]),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::test_run::report::Verdict;

    fn entry(profile: &str, action: Action) -> Entry {
        Entry {
            id: Uuid::nil(),
            at: Timestamp::UNIX_EPOCH,
            person: "claire".to_owned(),
            person_name: "Claire".to_owned(),
            profile: Some(profile.to_owned()),
            action,
        }
    }

    fn test(profile: &str) -> Entry {
        entry(profile, Action::Tested { verdict: Verdict::Accepted, cause: None })
    }

    #[test]
    fn only_tests_of_one_profile_in_a_row_are_a_series() {
        let entries =
            vec![test("a"), test("a"), test("b"), entry("b", Action::ProfileAdded), test("b"), test("b"), test("b")];
        assert_eq!(series(entries).iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 1, 3]);
        assert_eq!(series(vec![entry("a", Action::ProfileAdded), entry("a", Action::ProfileAdded)]).len(), 2);
        assert!(series(vec![]).is_empty());
    }

    #[test]
    fn a_filter_asks_for_kind_and_profile() {
        let shows = |kind, profile: Option<&str>, entry: &Entry| {
            Filter { kind, profile: profile.map(str::to_owned) }.shows(entry)
        };
        assert!(shows(None, None, &test("a")) && shows(Some(Kind::Tests), Some("a"), &test("a")));
        assert!(!shows(Some(Kind::Profiles), None, &test("a")) && !shows(None, Some("b"), &test("a")));
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::parse("other"), None);
    }
}
