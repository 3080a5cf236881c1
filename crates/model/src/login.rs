//! How often a password may be shown to a server that refuses it: providers lock accounts after a few refusals.

use jiff::{SignedDuration, Timestamp};

/// Refused passwords in a row after which a secret is not tried again.
pub const MOST_REFUSALS: u32 = 3;
/// A place whose holder does not prolong it ends after so long.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// What is known of the logins with one secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoginCount {
    /// In a row.
    pub refusals: u32,
    /// Logins that have not ended yet.
    pub under_way: u32,
    /// When the last one was refused.
    pub refused_at: Option<Timestamp>,
}

/// Whether a login may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Granted,
    /// Others may be refused first.
    Busy,
    /// It was refused three times.
    Refused,
}

/// The one rule. A secret that was never refused may be tried by as many at once as refusals may come; one that was, by one
/// after another. `again_after`: for a secret that nobody can type anew here, once more after so long.
pub fn admit(count: LoginCount, again_after: Option<SignedDuration>, now: Timestamp) -> Admission {
    let LoginCount { refusals, under_way, refused_at } = count;
    if refusals >= MOST_REFUSALS {
        let rested = again_after.is_some_and(|rest| refused_at.is_none_or(|at| at + rest <= now || at > now));
        return if rested && under_way == 0 { Admission::Granted } else { Admission::Refused };
    }
    let free = if refusals == 0 { under_way < MOST_REFUSALS } else { under_way == 0 };
    if free { Admission::Granted } else { Admission::Busy }
}
