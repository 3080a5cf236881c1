//! Server side. What a finished test changes, and an entered code of its mail. Pure functions: the store locks the row,
//! calls them, and writes.

use app::{
    profile::sending::HealthSignal,
    test_run::{port::TestRun, report::Verdict},
};
use jiff::Timestamp;

use super::{ProfileRow, Receipt, outbox::HealthReport};

/// How many tests of a profile are kept.
pub const KEPT_TESTS: u32 = 20;

/// What a finished test changes.
#[derive(Debug)]
pub struct TestResult {
    /// It becomes the profile's last test. Otherwise it is in the history only.
    pub is_latest: bool,
    /// The delivery that stays confirmed: one with the same settings.
    pub received_at: Option<Timestamp>,
    /// What it shows about the profile's health.
    pub health: Option<HealthReport>,
}

impl TestResult {
    /// `tested`: the fingerprint of the settings that were tested.
    pub fn of(row: &ProfileRow, run: &TestRun, tested: &[u8; 32]) -> Self {
        // A dry run logs in, but sends nothing: failures that need a message may still exist.
        let accepted = run.report.verdict == Verdict::Accepted;
        let same = row.tested.as_ref().filter(|last| last.fingerprint == *tested);
        Self {
            is_latest: !is_outdated(tested, row),
            received_at: same.and_then(|last| last.received_at),
            health: accepted.then_some(HealthReport {
                profile: row.id,
                fingerprint: *tested,
                signal: HealthSignal::Well,
                failure: None,
                check: false,
            }),
        }
    }
}

/// Whether a test of these settings ends too late: the profile has other settings since, and they were tested.
fn is_outdated(tested: &[u8; 32], row: &ProfileRow) -> bool {
    let now = row.fingerprint();
    now != *tested && row.tested.as_ref().is_some_and(|last| last.fingerprint == now)
}

impl Receipt {
    /// The receipt after one try of its code; `None`: it has expired, or no try is left.
    pub(super) fn after_try(self, now: Timestamp) -> Option<Self> {
        let tries_left = self.tries_left.checked_sub(1)?;
        (self.expires_at > now).then_some(Self { tries_left, ..self })
    }

    /// Whether this is still the receipt of the same mail.
    pub(super) fn is_of(&self, mail: &Self) -> bool {
        self.code == mail.code
    }
}

#[cfg(test)]
mod tests {
    use app::diagnosis::cause::Cause;

    use super::*;
    use crate::store::{Tested, contract};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn with_verdict(verdict: Verdict) -> TestRun {
        let mut run = contract::run(1, None);
        run.report.verdict = verdict;
        run
    }

    #[test]
    fn only_a_message_that_was_taken_says_that_the_profile_works() {
        let row = contract::row(1, None);
        let of = |verdict| TestResult::of(&row, &with_verdict(verdict), &row.fingerprint());
        let well = of(Verdict::Accepted).health.unwrap();
        assert_eq!((well.profile, well.signal, well.fingerprint), (row.id, HealthSignal::Well, row.fingerprint()));
        for verdict in [Verdict::DryRunOk, Verdict::Failed, Verdict::DeliveryUnknown] {
            assert!(of(verdict).health.is_none(), "{verdict:?}");
        }
    }

    #[test]
    fn a_late_test_of_earlier_settings_replaces_nothing_but_a_test_of_the_same() {
        let mut row = contract::row(1, None);
        let (now, earlier) = (row.fingerprint(), [9; 32]);
        let latest = |row: &ProfileRow, tested| TestResult::of(row, &contract::run(1, None), tested).is_latest;
        assert!(latest(&row, &now) && latest(&row, &earlier), "there is no other test yet");
        let tested = |fingerprint| {
            let cause = Some(Cause::Timeout);
            Some(Tested { fingerprint, at: at(1), verdict: Verdict::Failed, cause, received_at: None })
        };
        row.tested = tested(earlier);
        assert!(latest(&row, &now) && latest(&row, &earlier));
        row.tested = tested(now);
        assert!(latest(&row, &now) && !latest(&row, &earlier));
    }

    #[test]
    fn a_confirmed_delivery_stays_while_the_settings_do() {
        let mut row = contract::row(1, None);
        let received = |row: &ProfileRow, tested| TestResult::of(row, &contract::run(1, None), tested).received_at;
        assert_eq!(received(&row, &[9; 32]), None, "it was never tested");
        let last = Tested {
            fingerprint: [9; 32],
            at: at(1),
            verdict: Verdict::Accepted,
            cause: None,
            received_at: Some(at(2)),
        };
        row.tested = Some(last);
        assert_eq!(received(&row, &[9; 32]), Some(at(2)));
        assert_eq!(received(&row, &[8; 32]), None);
    }

    #[test]
    fn a_code_may_be_tried_so_often_and_so_long() {
        let receipt = Receipt { salt: [1; 16], code: [2; 32], expires_at: at(10), tries_left: 2 };
        let once = receipt.clone().after_try(at(9)).unwrap();
        assert_eq!(once.tries_left, 1);
        let twice = once.after_try(at(9)).unwrap();
        assert_eq!((twice.tries_left, twice.after_try(at(9))), (0, None));
        assert_eq!(receipt.clone().after_try(at(10)), None, "it has expired");
        assert!(receipt.is_of(&Receipt { tries_left: 1, ..receipt.clone() }));
        assert!(!receipt.is_of(&Receipt { code: [3; 32], ..receipt.clone() }));
    }
}
