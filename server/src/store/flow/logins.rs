//! Server side. Places for logins, and the count of refused ones. The keys are locked. Each step is one statement, however many
//! logins there are.

use std::collections::HashMap;

use async_trait::async_trait;
use mail::smtp::LoginOutcome;
use model::login::{Admission, LoginCount, LoginEntry};
use uuid::Uuid;

use super::Ended;
use crate::store::{Admit, LoginClaim, LoginEnd, StoreError, logins::LoginRow};

/// The statements.
#[async_trait]
pub trait LoginStatements: Send {
    /// The logins counted under these keys.
    async fn logins(&mut self, keys: &[[u8; 32]]) -> Result<Vec<LoginRow>, StoreError>;
    /// Writes logins; one that is there already is replaced.
    async fn write_logins(&mut self, rows: &[LoginRow]) -> Result<(), StoreError>;
    async fn delete_logins(&mut self, ids: &[Uuid]) -> Result<(), StoreError>;
    /// Deletes the refusals counted under these keys.
    async fn delete_refusals(&mut self, keys: &[[u8; 32]]) -> Result<(), StoreError>;
}

/// Grants places for logins where `admit` allows it, in the order of the claims. Places whose holder is gone are deleted.
pub async fn claim(
    database: &mut impl LoginStatements,
    claims: &[LoginClaim],
    admit: &Admit<'_>,
) -> Result<Ended<Vec<Admission>>, StoreError> {
    let mut keys: Vec<[u8; 32]> = claims.iter().map(|claim| claim.key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut known: HashMap<[u8; 32], Vec<LoginRow>> = HashMap::new();
    for row in database.logins(&keys).await? {
        known.entry(row.key).or_default().push(row);
    }
    let (mut granted, mut ended, mut admissions) = (Vec::new(), Vec::new(), Vec::with_capacity(claims.len()));
    for LoginClaim { id, key, now, until, again_after } in claims.iter().copied() {
        let rows = known.entry(key).or_default();
        ended.extend(rows.extract_if(.., |row| row.entry.has_ended(now)).map(|row| row.id));
        let count = LoginCount::of(rows.iter().map(|row| row.entry));
        let admission = admit(count, again_after, now);
        if admission == Admission::Granted {
            let row = LoginRow { id, key, entry: LoginEntry { at: now, until: Some(until) } };
            rows.push(row.clone());
            granted.push(row);
        }
        admissions.push(admission);
    }
    database.delete_logins(&ended).await?;
    // A place that ended at once, by a clock that went back between two claims, is not written.
    granted.retain(|row| !ended.contains(&row.id));
    database.write_logins(&granted).await?;
    Ok(Ended::Commit(admissions))
}

/// Ends logins: a refusal counts, an acceptance ends the count of its key.
pub async fn end(database: &mut impl LoginStatements, ends: &[LoginEnd]) -> Result<Ended<()>, StoreError> {
    let Effects { deleted, refused, accepted } = Effects::of(ends);
    database.delete_refusals(&accepted).await?;
    database.delete_logins(&deleted).await?;
    database.write_logins(&refused).await?;
    Ok(Ended::Commit(()))
}

/// What ended logins do to the rows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Effects {
    /// Places that are given back.
    deleted: Vec<Uuid>,
    /// Refusals that count, also of places that have ended since.
    refused: Vec<LoginRow>,
    /// Keys whose earlier refusals no longer count.
    accepted: Vec<[u8; 32]>,
}

impl Effects {
    fn of(ends: &[LoginEnd]) -> Self {
        let mut effects = Self::default();
        for LoginEnd { id, key, outcome, at } in ends.iter().copied() {
            match outcome {
                LoginOutcome::Unclear => effects.deleted.push(id),
                LoginOutcome::Refused => {
                    effects.refused.push(LoginRow { id, key, entry: LoginEntry { at, until: None } });
                }
                LoginOutcome::Accepted => {
                    effects.deleted.push(id);
                    effects.accepted.push(key);
                    // Refusals earlier in the same batch.
                    let of_key = effects.refused.extract_if(.., |row| row.key == key).map(|row| row.id);
                    effects.deleted.extend(of_key);
                }
            }
        }
        effects
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn end(id: u128, key: u8, outcome: LoginOutcome) -> LoginEnd {
        LoginEnd { id: Uuid::from_u128(id), key: [key; 32], outcome, at: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn an_acceptance_ends_the_count_of_its_key_and_later_refusals_count_again() {
        use LoginOutcome::{Accepted, Refused, Unclear};
        let ends =
            [end(1, 1, Refused), end(2, 2, Refused), end(3, 1, Accepted), end(4, 1, Refused), end(5, 3, Unclear)];
        let effects = Effects::of(&ends);
        assert_eq!(effects.deleted, [3, 1, 5].map(Uuid::from_u128));
        assert_eq!(effects.accepted, [[1; 32]]);
        assert_eq!(effects.refused.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>(), [2, 4]);
    }
}
