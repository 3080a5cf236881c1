//! How often a password may be shown to a server that refuses it: providers lock accounts after a few refusals.

use jiff::{SignedDuration, Timestamp};

/// Consecutive refusals after which a secret is not tried again.
pub const MOST_REFUSALS: u32 = 3;
/// A permit ends after this time unless its holder extends it.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// One login with a secret, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginEntry {
    /// When it began, or was refused.
    pub at: Timestamp,
    /// A permit that is valid until then; `None`: the login was refused.
    pub until: Option<Timestamp>,
}

impl LoginEntry {
    /// Whether the permit has expired. This includes a permit that would last for hours because the clock was set back
    /// since: clocks of replicas may differ by a lease.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now || until > now + LEASE * 2)
    }
}

/// The recent logins with one secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoginCount {
    /// Consecutive refusals.
    pub refusals: u32,
    /// Logins in progress.
    pub under_way: u32,
    /// When the last one was refused.
    pub refused_at: Option<Timestamp>,
}

impl LoginCount {
    /// Counts the entries that have not expired.
    pub fn of(entries: impl IntoIterator<Item = LoginEntry>) -> Self {
        entries.into_iter().fold(Self::default(), |count, LoginEntry { at, until }| match until {
            Some(_) => Self { under_way: count.under_way.saturating_add(1), ..count },
            None => {
                Self { refusals: count.refusals.saturating_add(1), refused_at: count.refused_at.max(Some(at)), ..count }
            }
        })
    }
}

/// Whether a login may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Granted,
    /// The logins in progress may be refused first.
    Busy,
    /// It was refused three times.
    Refused,
}

/// The only rule for logins. As many logins with a never-refused secret may run at once as refusals are allowed; after
/// a refusal, one at a time. `again_after`: a secret that cannot be entered again here is tried once more after this
/// time.
pub fn admit(count: LoginCount, again_after: Option<SignedDuration>, now: Timestamp) -> Admission {
    let LoginCount { refusals, under_way, refused_at } = count;
    if refusals >= MOST_REFUSALS {
        let rested = again_after.is_some_and(|rest| refused_at.is_none_or(|at| at + rest <= now || at > now));
        return if rested && under_way == 0 { Admission::Granted } else { Admission::Refused };
    }
    let free = if refusals == 0 { under_way < MOST_REFUSALS } else { under_way == 0 };
    if free { Admission::Granted } else { Admission::Busy }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000 + second).unwrap()
    }

    #[test]
    fn refusals_and_places_are_counted_apart() {
        let refused = |second| LoginEntry { at: at(second), until: None };
        let place = LoginEntry { at: at(3), until: Some(at(33)) };
        let count = LoginCount::of([refused(2), place, refused(1), place]);
        assert_eq!(count, LoginCount { refusals: 2, under_way: 2, refused_at: Some(at(2)) });
        assert_eq!(LoginCount::of([]), LoginCount::default());
    }

    #[test]
    fn a_place_ends_with_its_lease_also_when_the_clock_was_set_back() {
        let place = LoginEntry { at: at(0), until: Some(at(30)) };
        assert!(!place.has_ended(at(29)) && place.has_ended(at(30)));
        assert!(!place.has_ended(at(-30)) && place.has_ended(at(-31)), "two leases away");
        assert!(!LoginEntry { at: at(0), until: None }.has_ended(at(99_999)), "a refusal does not end by itself");
    }
}
