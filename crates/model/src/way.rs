//! Which server sends an account's mail: the only rule, which the outbox follows and the pages describe.

use crate::{health::Health, login::MOST_REFUSALS};

/// What the rule needs to know of the profile in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Candidate {
    /// A secret is stored.
    pub has_secret: bool,
    /// The last test with the current settings failed.
    pub test_failed: bool,
    /// How many consecutive logins with its secret were refused.
    pub refusals: u32,
    /// The owner wants the portal's server to replace this one if it fails.
    pub fallback: bool,
    pub health: Health,
}

impl Candidate {
    /// Whether mail may wait for it: not without a password, nor if it has never sent a message and its test failed.
    const fn has_begun(&self) -> bool {
        let unused = self.health.sent_at.is_none() && self.health.failed_at.is_none();
        self.has_secret && !(self.test_failed && unused)
    }

    /// Whether it is not tried for now.
    pub fn is_held(&self) -> bool {
        self.refusals >= MOST_REFUSALS || self.health.is_held()
    }
}

/// Which server sends the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The portal's server, by the account's choice.
    Portal,
    /// The portal's server, because no profile of the account has begun to send.
    StandsIn,
    /// The portal's server, because the profile fails and its owner chose this fallback.
    Fallback,
    /// The profile; its password may still be missing or unreadable.
    Profile,
    /// No server.
    Nothing,
}

/// The rule. `own`: the account chose its own servers; `relay`: the portal has a server; `fell_back`: the message was
/// already assigned to the relay.
pub fn way(own: bool, relay: bool, candidate: Option<&Candidate>, fell_back: bool) -> Way {
    let candidate = match candidate {
        _ if !own => return if relay { Way::Portal } else { Way::Nothing },
        Some(candidate) if candidate.has_begun() => candidate,
        _ if relay => return Way::StandsIn,
        Some(candidate) => candidate,
        None => return Way::Nothing,
    };
    if relay && candidate.fallback && (fell_back || candidate.is_held()) { Way::Fallback } else { Way::Profile }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::health::BROKEN_AFTER;

    #[test]
    fn every_combination_has_its_way() {
        let at = Some(Timestamp::UNIX_EPOCH);
        let fresh = Candidate { has_secret: true, ..Candidate::default() };
        let failed = Candidate { test_failed: true, ..fresh };
        let bare = Candidate::default();
        let sent = |one: Candidate| Candidate { health: Health { sent_at: at, ..one.health }, ..one };
        let tried = |one: Candidate| Candidate { health: Health { failed_at: at, ..one.health }, ..one };
        let held = Candidate {
            health: Health { failures: BROKEN_AFTER, broken_at: at, failed_at: at, ..Health::default() },
            ..fresh
        };
        let falls = |one: Candidate| Candidate { fallback: true, ..one };
        let refused = Candidate { refusals: MOST_REFUSALS, ..fresh };
        // (own servers, a relay, the profile in use, fell back before) → the way.
        for (own, relay, candidate, fell_back, expected) in [
            (false, true, Some(fresh), false, Way::Portal),
            (false, true, None, false, Way::Portal),
            (false, false, Some(fresh), false, Way::Nothing),
            (true, true, None, false, Way::StandsIn),
            (true, false, None, false, Way::Nothing),
            (true, true, Some(fresh), false, Way::Profile),
            (true, false, Some(fresh), false, Way::Profile),
            (true, true, Some(failed), false, Way::StandsIn),
            (true, false, Some(failed), false, Way::Profile),
            (true, true, Some(falls(failed)), false, Way::StandsIn),
            (true, true, Some(sent(failed)), false, Way::Profile),
            (true, true, Some(tried(failed)), false, Way::Profile),
            (true, true, Some(falls(sent(failed))), false, Way::Profile),
            (true, true, Some(falls(sent(failed))), true, Way::Fallback),
            (true, true, Some(sent(failed)), true, Way::Profile),
            (true, true, Some(bare), false, Way::StandsIn),
            (true, false, Some(bare), false, Way::Profile),
            (true, true, Some(sent(bare)), false, Way::StandsIn),
            (true, true, Some(held), false, Way::Profile),
            (true, true, Some(falls(held)), false, Way::Fallback),
            (true, false, Some(falls(held)), false, Way::Profile),
            (true, true, Some(falls(refused)), false, Way::Fallback),
            (true, true, Some(refused), false, Way::Profile),
        ] {
            assert_eq!(
                way(own, relay, candidate.as_ref(), fell_back),
                expected,
                "{own} {relay} {candidate:?} {fell_back}"
            );
        }
    }
}
