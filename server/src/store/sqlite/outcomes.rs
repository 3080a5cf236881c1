//! Server side. Acceptances that are on disk, but not yet in the rows of their messages.
//!
//! An outcome changes pages all over the file: of the message, its attempt, its content, and of five indexes. Many
//! outcomes written together change half as many pages each. So while marks wait for the writer, acceptances are
//! appended to one small table in the same transaction, and moved later, many at a time. Before such a message is read,
//! its outcome is moved. Outcomes that a crash left behind are moved when the file is opened.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::{SqliteStore, rows::encode, transaction::begin};
use crate::store::{StoreError, codec::settlements::SettledRow, outbox::Settlement};

/// How many are moved at once.
const MANY: usize = 64;
/// Limit: with this many waiting, moving does not keep up, or fails, and no more are appended.
const MOST: usize = 4 * MANY;
/// Longest wait of a smaller number.
const SOON: Duration = Duration::from_millis(50);
/// Delay after a failure.
const RETRY: Duration = Duration::from_secs(1);

/// The messages whose outcomes are appended and not moved yet.
#[derive(Default)]
pub(super) struct Outcomes(Mutex<Appended>);

#[derive(Default)]
struct Appended {
    ids: HashSet<Uuid>,
    /// How often outcomes were moved.
    moves: u64,
}

impl Outcomes {
    fn appended(&self) -> MutexGuard<'_, Appended> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn contains(&self, id: Uuid) -> bool {
        self.appended().ids.contains(&id)
    }

    pub(super) fn have_room(&self) -> bool {
        self.appended().ids.len() < MOST
    }

    /// Forgets outcomes whose transaction failed.
    pub(super) fn take_back(&self, ids: &[Uuid]) {
        self.appended().ids.retain(|id| !ids.contains(id));
    }
}

/// The columns of one outcome.
#[derive(Serialize)]
struct Outcome {
    #[serde(flatten)]
    row: SettledRow,
    /// The attempt as JSON.
    attempt: Option<String>,
}

impl Outcome {
    fn of(settlement: &Settlement) -> Result<Self, StoreError> {
        let attempt = settlement.attempt.as_ref().map(|attempt| encode("attempt", "content", attempt));
        Ok(Self { row: SettledRow::of(settlement)?, attempt: attempt.transpose()? })
    }

    fn all(settlements: &[&Settlement]) -> Result<Vec<Self>, StoreError> {
        settlements.iter().map(|one| Self::of(one)).collect()
    }
}

/// Three statements in one call, since each call costs two thread switches: the message gets its outcome, its attempt
/// is stored, and its content is deleted. `one` is the outcome.
macro_rules! write_outcomes {
    ($outcomes:expr) => {
        concat!(
            "UPDATE message SET state = one.state, recipients = one.recipients, stage = one.stage, cause = one.cause,
                 reply = one.reply, profile = coalesce(one.profile, message.profile), fallback = one.fallback,
                 tries = message.tries + one.counts, next_at = one.next_at, updated_at = one.at,
                 finished_at = one.finished_at,
                 lease_owner = iif(one.keeps_lease, message.lease_owner, NULL),
                 lease_until = iif(one.keeps_lease, message.lease_until, NULL),
                 ending_at = NULL, ending_to = NULL, has_content = iif(one.forgets, 0, message.has_content),
                 wakings = ifnull((SELECT lane.wakings FROM lane
                     WHERE lane.lane = message.lane AND lane.fallback = one.fallback), 0)
             FROM ",
            $outcomes,
            " AS one WHERE message.id = one.id;
             INSERT INTO attempt (message, number, content)
             SELECT one.id, coalesce((SELECT max(number) FROM attempt WHERE attempt.message = one.id), 0) + 1, one.attempt
             FROM ",
            $outcomes,
            " AS one WHERE one.attempt IS NOT NULL;
             DELETE FROM content WHERE message IN (SELECT one.id FROM ",
            $outcomes,
            " AS one WHERE one.forgets)"
        )
    };
}

const WRITE: &str = write_outcomes!(
    "(SELECT value ->> 'id' AS id, value ->> 'state' AS state, value ->> 'recipients' AS recipients,
          value ->> 'stage' AS stage, value ->> 'cause' AS cause, value ->> 'reply' AS reply,
          value ->> 'profile' AS profile, value ->> 'fallback' AS fallback, value ->> 'counts' AS counts,
          value ->> 'next_at' AS next_at, value ->> 'at' AS at, value ->> 'finished_at' AS finished_at,
          value ->> 'keeps_lease' AS keeps_lease, value ->> 'forgets' AS forgets, value ->> 'attempt' AS attempt
      FROM json_each(?1))"
);
/// Outcomes with a number from `?1` to `?2`.
const MOVE: &str = write_outcomes!(
    "(SELECT message AS id, 'accepted' AS state, recipients, stage, cause, reply, profile, fallback, tries AS counts,
          NULL AS next_at, at, at AS finished_at, 0 AS keeps_lease, forgets, attempt
      FROM outcome WHERE number BETWEEN ?1 AND ?2)"
);

/// Writes outcomes into the rows of their messages.
pub(super) async fn write(connection: &mut SqliteConnection, settlements: &[&Settlement]) -> Result<(), StoreError> {
    if settlements.is_empty() {
        return Ok(());
    }
    let outcomes = encode("message", "recipients", &Outcome::all(settlements)?)?;
    sqlx::query(WRITE).bind(outcomes).execute(connection).await?;
    Ok(())
}

/// Appends acceptances, to be moved later.
pub(super) async fn append(connection: &mut SqliteConnection, settlements: &[&Settlement]) -> Result<(), StoreError> {
    if settlements.is_empty() {
        return Ok(());
    }
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO outcome (message, recipients, stage, cause, reply, profile, fallback, tries, at, forgets, attempt) ",
    );
    insert.push_values(Outcome::all(settlements)?, |mut row, Outcome { row: outcome, attempt }| {
        row.push_bind(outcome.id).push_bind(outcome.recipients).push_bind(outcome.stage).push_bind(outcome.cause);
        row.push_bind(outcome.reply).push_bind(outcome.profile).push_bind(outcome.fallback).push_bind(outcome.counts);
        row.push_bind(outcome.at).push_bind(outcome.forgets).push_bind(attempt);
    });
    insert.build().execute(connection).await?;
    Ok(())
}

async fn move_between(connection: &mut SqliteConnection, first: i64, last: i64) -> Result<(), StoreError> {
    sqlx::query(MOVE).bind(first).bind(last).execute(connection).await?;
    Ok(())
}

/// Moves all appended outcomes.
async fn move_appended(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    move_between(&mut *connection, i64::MIN, i64::MAX).await?;
    sqlx::query("DELETE FROM outcome").execute(connection).await?;
    Ok(())
}

/// The same, one after another: an outcome that cannot be moved is left out, so that it does not block the others.
async fn move_each(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let numbers: Vec<i64> =
        sqlx::query_scalar("SELECT number FROM outcome ORDER BY number").fetch_all(&mut *connection).await?;
    for number in numbers {
        sqlx::query("SAVEPOINT one").execute(&mut *connection).await?;
        match move_between(&mut *connection, number, number).await {
            Ok(()) => {}
            Err(error) if error.is_about_a_row() => {
                sqlx::query("ROLLBACK TO one").execute(&mut *connection).await?;
                tracing::error!(number, error = &error as &dyn std::error::Error, "the outcome of a message is lost");
            }
            Err(error) => return Err(error),
        }
        sqlx::query("RELEASE one").execute(&mut *connection).await?;
    }
    sqlx::query("DELETE FROM outcome").execute(connection).await?;
    Ok(())
}

/// Moves all outcomes in a transaction of its own. Calls `locked` once it has the write lock, so that no more are
/// appended.
pub(super) async fn move_all(writer: &SqlitePool, mut locked: impl FnMut()) -> Result<(), StoreError> {
    let mut transaction = begin(writer).await?;
    locked();
    match move_appended(&mut transaction).await {
        Ok(()) => return transaction.commit().await,
        Err(error) if error.is_about_a_row() => drop(transaction),
        Err(error) => return Err(error),
    }
    let mut transaction = begin(writer).await?;
    locked();
    move_each(&mut transaction).await?;
    transaction.commit().await
}

impl SqliteStore {
    /// Moves appended outcomes, so that the rows are up to date. If that fails, they lag a little.
    pub(super) async fn move_outcomes(&self) {
        if self.outcomes.appended().ids.is_empty() || self.writer.is_closed() {
            return;
        }
        if let Err(error) = self.try_to_move_outcomes().await {
            error.log();
            self.move_outcomes_in(RETRY);
        }
    }

    /// The same, before this message is read.
    pub(super) async fn move_outcome_of(&self, id: Uuid) {
        if self.outcomes.contains(id) {
            self.move_outcomes().await;
        }
    }

    async fn try_to_move_outcomes(&self) -> Result<(), StoreError> {
        let mut moved = HashSet::new();
        // Appending takes the same lock.
        move_all(&self.writer, || moved.clone_from(&self.outcomes.appended().ids)).await?;
        let left = {
            let mut appended = self.outcomes.appended();
            appended.ids.retain(|id| !moved.contains(id));
            appended.moves += 1;
            !appended.ids.is_empty()
        };
        if left {
            self.move_outcomes_in(SOON);
        }
        Ok(())
    }

    /// Registers outcomes that are about to be appended, and schedules their move.
    pub(super) fn will_move(&self, ids: &[Uuid]) {
        let (before, after) = {
            let mut appended = self.outcomes.appended();
            let before = appended.ids.len();
            appended.ids.extend(ids);
            (before, appended.ids.len())
        };
        if before / MANY != after / MANY {
            let store = self.clone();
            tokio::spawn(async move { store.move_outcomes().await });
        } else if before == 0 && after > 0 {
            self.move_outcomes_in(SOON);
        }
    }

    /// Moves them after a while, unless they were moved meanwhile.
    fn move_outcomes_in(&self, delay: Duration) {
        let (store, moves) = (self.clone(), self.outcomes.appended().moves);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if store.outcomes.appended().moves == moves {
                store.move_outcomes().await;
            }
        });
    }
}

#[cfg(test)]
mod tests;
