//! Server side. Which profile replaces the one in use. Pure functions: the store reads the owner's profiles and writes
//! the decision.

use app::profile::{
    model::ProfileId,
    port::{Reliability, Successor},
};

use super::{ProfileRow, reliability};

/// The chosen successor is not one of the owner's profiles any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing;

/// The profile that takes over from a deleted one; `others`: the owner's other profiles.
pub fn successor(wish: Successor, others: &[ProfileRow]) -> Result<Option<ProfileId>, Missing> {
    match wish {
        Successor::Nobody => Ok(None),
        Successor::Best => Ok(best_successor(others)),
        Successor::One(id) => others.iter().any(|row| row.id == id).then_some(Some(id)).ok_or(Missing),
    }
}

/// The default successor: a profile known to work, the surest first and then the oldest; otherwise one without a
/// history. Never one that is known to fail.
fn best_successor(rows: &[ProfileRow]) -> Option<ProfileId> {
    let able =
        rows.iter().map(|row| (reliability(row), row.id)).filter(|(reliability, _)| *reliability > Reliability::Fails);
    able.min_by_key(|(reliability, id)| (std::cmp::Reverse(*reliability), *id)).map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use app::{diagnosis::cause::Cause, test_run::report::Verdict};
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::store::{Tested, contract};

    fn id(number: u128) -> ProfileId {
        ProfileId(Uuid::from_u128(number))
    }

    fn tested(number: u128, verdict: Verdict) -> ProfileRow {
        let row = contract::row(number, None);
        let cause = (verdict == Verdict::Failed).then_some(Cause::Timeout);
        let tested =
            Tested { fingerprint: row.fingerprint(), at: Timestamp::UNIX_EPOCH, verdict, cause, received_at: None };
        ProfileRow { tested: Some(tested), ..row }
    }

    #[test]
    fn the_best_successor_works_or_at_least_is_not_known_to_fail() {
        let (fails, unknown, works) =
            (tested(1, Verdict::Failed), contract::row(2, None), tested(3, Verdict::Accepted));
        let of = |rows: &[&ProfileRow]| {
            let rows: Vec<_> = rows.iter().map(|row| (*row).clone()).collect();
            successor(Successor::Best, &rows)
        };
        assert_eq!(of(&[&fails, &unknown, &works]), Ok(Some(id(3))), "the one that works, not the oldest");
        assert_eq!(of(&[&fails, &unknown]), Ok(Some(id(2))));
        assert_eq!(
            of(&[&contract::row(5, None), &contract::row(4, None)]),
            Ok(Some(id(4))),
            "the oldest of the same kind"
        );
        assert_eq!(of(&[&fails]), Ok(None));
        let secretless = ProfileRow { secret: None, ..works };
        assert_eq!(of(&[&secretless]), Ok(None), "it cannot log in");
    }

    #[test]
    fn a_chosen_successor_takes_over_whatever_is_known_of_it_as_long_as_it_is_there() {
        let rows = [tested(1, Verdict::Failed), contract::row(2, None)];
        assert_eq!(successor(Successor::One(id(1)), &rows), Ok(Some(id(1))));
        assert_eq!(successor(Successor::One(id(9)), &rows), Err(Missing));
        assert_eq!(successor(Successor::Nobody, &rows), Ok(None));
    }
}
