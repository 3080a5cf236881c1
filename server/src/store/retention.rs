//! Server side. How long things are kept. Pure functions: the store deletes what is older.

use jiff::{SignedDuration, Timestamp};

/// How long a draft is kept.
pub const DRAFTS_LAST: SignedDuration = SignedDuration::from_hours(24);
/// How many drafts a person may have: the oldest is dropped.
pub const MOST_DRAFTS: u32 = 10;
/// How long an entry of the history is kept.
const JOURNAL_LASTS: SignedDuration = SignedDuration::from_hours(24 * 365);
/// How long the refusal count of a secret is kept after no profile has it any more.
const LOGINS_LAST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a sign-in is kept after it has expired: a provider's answer that comes late, or twice, is still recognised.
const SIGN_INS_LAST: SignedDuration = SignedDuration::from_hours(1);

/// Rows that ended, or were written, before these instants are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutoffs {
    pub sessions: Timestamp,
    pub tokens: Timestamp,
    pub drafts: Timestamp,
    pub journal: Timestamp,
    pub logins: Timestamp,
    pub sign_ins: Timestamp,
}

impl Cutoffs {
    pub fn at(now: Timestamp, sessions_before: Timestamp) -> Self {
        Self {
            sessions: sessions_before,
            tokens: now,
            drafts: now - DRAFTS_LAST,
            journal: now - JOURNAL_LASTS,
            logins: now - LOGINS_LAST,
            sign_ins: now - SIGN_INS_LAST,
        }
    }
}

/// How many of these contents to delete with one statement: as many as have `most` bytes together, but at least one.
pub fn first_within(sizes: impl IntoIterator<Item = i64>, most: i64) -> usize {
    let mut bytes = 0_i64;
    sizes
        .into_iter()
        .enumerate()
        .take_while(|(at, size)| {
            bytes = bytes.saturating_add(*size);
            *at == 0 || bytes <= most
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_first_a_history_last() {
        let day = |days: i64| Timestamp::from_second(1_800_000_000 + days * 86_400).unwrap();
        let cutoffs = Cutoffs::at(day(400), day(399));
        assert_eq!((cutoffs.tokens, cutoffs.sessions, cutoffs.drafts), (day(400), day(399), day(399)));
        assert_eq!((cutoffs.logins, cutoffs.journal), (day(370), day(35)));
        assert_eq!(cutoffs.sign_ins, day(400) - SignedDuration::from_hours(1));
    }

    #[test]
    fn a_group_is_bounded_in_bytes_and_is_never_empty() {
        assert_eq!(first_within([], 10), 0);
        assert_eq!(first_within([3, 3, 3, 3], 10), 3);
        assert_eq!(first_within([99, 1], 10), 1);
        assert_eq!(first_within([i64::MAX, i64::MAX], 10), 1);
    }
}
