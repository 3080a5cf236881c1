//! Server side. Claims: each takes messages of its own lane, up to its own limit, by an index, and assigns the lane's
//! destination.
//!
//! A whole batch is checked with one statement. Claims without a back-off are then made with one call, since each call
//! to SQLite's thread costs two thread switches. A lane that is behind another destination, or whose destination is in
//! back-off, is claimed by itself: what such a destination allows depends on the previous claim.

use std::sync::LazyLock;

use const_format::{formatcp, str_replace};
use sqlx::{AssertSqlSafe, Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    super::{rows::encode, set_aside::set_aside_on},
    bounds::{NEXT_AT, TIGHTEN, keep_rest, move_lane, rest_of, tighten},
};
use crate::store::{
    StoreError,
    codec::{
        messages::{COLUMNS, WAITING, readable},
        queue::rest,
    },
    outbox::{Claim, Claimed, Passage, Queue, Rest, StoredMessage},
};

/// Claims messages of a lane; the rest of the lane comes after the lanes that are due by now. `#` and a number are
/// parameters.
const TAKE: &str = formatcp!(
    "UPDATE message SET state = 'sending', lease_owner = #1, lease_until = #2, ending_at = NULL, ending_to = NULL,
         updated_at = #3
     WHERE id IN (
         SELECT id FROM (SELECT id FROM message WHERE {WAITING} AND lane = #4 AND fallback = #5
             AND wakings < (SELECT wakings FROM lane WHERE lane = #4 AND fallback = #5)
             ORDER BY wakings, next_at, id LIMIT #6)
         UNION ALL
         SELECT id FROM (SELECT id FROM message WHERE {WAITING} AND lane = #4 AND fallback = #5
             AND wakings = (SELECT wakings FROM lane WHERE lane = #4 AND fallback = #5) AND next_at <= #3
             ORDER BY next_at, id LIMIT #6)
         LIMIT #6)
     RETURNING {COLUMNS};
     UPDATE lane SET next_at = {NEXT_AT_3} WHERE lane = #4 AND fallback = #5;
     {TIGHTEN_7};"
);
const NEXT_AT_3: &str = str_replace!(NEXT_AT, "?1", "#3");
const TIGHTEN_7: &str = str_replace!(TIGHTEN, "?1", "#7");
/// The parameters of one [`TAKE`].
const PARAMETERS: usize = 7;
/// The most claims in one call. Each number of claims has a statement of its own, so this limits how many SQLite
/// prepares.
const TOGETHER: usize = 8;

/// The statement for one claim, for two, and so on. The parameters are named `$8`: with `?8`, SQLite would count seven
/// before it.
static TAKES: LazyLock<[String; TOGETHER]> = LazyLock::new(|| {
    std::array::from_fn(|more| {
        let one = |claim: usize| {
            let numbered = |sql: String, number: usize| {
                sql.replace(&format!("#{number}"), &format!("${}", claim * PARAMETERS + number))
            };
            (1..=PARAMETERS).fold(TAKE.to_owned(), numbered)
        };
        (0..=more).map(one).collect()
    })
});

/// What is known about a claim before anything is taken.
struct Checked {
    rest: Rest,
    /// The lane is behind its destination already, or the claim names none.
    in_place: bool,
}

pub(in crate::store::sqlite) async fn claim(
    connection: &mut SqliteConnection,
    claims: &[&Claim],
) -> Result<Vec<Claimed>, StoreError> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let checked = check(&mut *connection, claims).await?;
    let is_easy =
        |(claim, checked): (&&Claim, &Checked)| checked.in_place && checked.rest.passage(claim.now) == Passage::Free;
    let easy: Vec<bool> = claims.iter().zip(&checked).map(is_easy).collect();
    let at_once: Vec<&Claim> = claims.iter().zip(&easy).filter(|(_, easy)| **easy).map(|(claim, _)| *claim).collect();
    let mut taken = Vec::with_capacity(at_once.len());
    for claims in at_once.chunks(TOGETHER) {
        taken.extend(take(&mut *connection, claims).await?);
    }
    let mut taken = taken.into_iter();
    let mut claimed = Vec::with_capacity(claims.len());
    for ((claim, checked), easy) in claims.iter().zip(checked).zip(easy) {
        claimed.push(if easy {
            let messages = taken.next().unwrap_or_default();
            Claimed { messages, passage: Passage::Free, rest: checked.rest }
        } else {
            claim_by_itself(&mut *connection, claim).await?
        });
    }
    Ok(claimed)
}

async fn check(connection: &mut SqliteConnection, claims: &[&Claim]) -> Result<Vec<Checked>, StoreError> {
    let given: Vec<_> = claims
        .iter()
        .map(|Claim { queue: Queue { lane, fallback }, destination, .. }| {
            (lane.key(), i32::from(*fallback), destination)
        })
        .collect();
    let rows = sqlx::query(
        "SELECT ifnull(destination.rests_until, 0) AS rests_until, ifnull(destination.troubles, 0) AS troubles,
             destination.cause, given.value ->> 2 IS NULL OR lane.destination IS NULL
                 OR lane.destination = given.value ->> 2 AS in_place
         FROM json_each(?) AS given
             LEFT JOIN destination ON destination.destination = given.value ->> 2
             LEFT JOIN lane ON lane.lane = given.value ->> 0 AND lane.fallback = given.value ->> 1
         ORDER BY given.key",
    )
    .bind(encode("lane", "destination", &given)?)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok(Checked { rest: rest(row)?, in_place: row.try_get("in_place")? })).collect()
}

/// Makes at most [`TOGETHER`] claims, and returns the messages of each.
async fn take(connection: &mut SqliteConnection, claims: &[&Claim]) -> Result<Vec<Vec<StoredMessage>>, StoreError> {
    let Some(sql) = claims.len().checked_sub(1).and_then(|more| TAKES.get(more)) else { return Ok(Vec::new()) };
    let mut query = sqlx::query(AssertSqlSafe(sql.as_str()));
    for Claim { queue, destination, lease_token, now, until, limit } in claims {
        query = query
            .bind(lease_token)
            .bind(until.as_millisecond())
            .bind(now.as_millisecond())
            .bind(queue.lane.key())
            .bind(queue.fallback)
            .bind(limit)
            .bind(destination);
    }
    let mut rows = query.fetch_all(&mut *connection).await?.into_iter().peekable();
    let mut taken = Vec::with_capacity(claims.len());
    let mut all_damaged = Vec::new();
    for claim in claims {
        // The rows are in the order of the statements. What one claim of a lane leaves may be due for the next one.
        let key = claim.queue.lane.key();
        let own: Vec<SqliteRow> =
            std::iter::from_fn(|| rows.next_if(|row| is_of(row, claim, &key))).take(claim.limit as usize).collect();
        let (mut messages, damaged) = readable(&own)?;
        all_damaged.extend(damaged);
        messages.sort_by_key(|message| (message.next_at, message.id));
        taken.push(messages);
    }
    if let Some(row) = rows.next() {
        // No worker would send it before its lease ends.
        return Err(StoreError::Inconsistent { table: "message", column: "lease_owner", row: row.try_get("id")? });
    }
    set_aside_on(connection, &all_damaged).await?;
    Ok(taken)
}

fn is_of(row: &SqliteRow, claim: &Claim, lane: &str) -> bool {
    row.try_get::<&str, _>("lane").is_ok_and(|of| of == lane)
        && row.try_get::<bool, _>("fallback").is_ok_and(|of| of == claim.queue.fallback)
        && row.try_get::<&str, _>("lease_owner").is_ok_and(|of| of == claim.lease_token)
}

async fn claim_by_itself(connection: &mut SqliteConnection, claim: &Claim) -> Result<Claimed, StoreError> {
    let Claim { queue, destination, lease_token, now, until, limit } = claim;
    let destination = destination.as_deref();
    let rest = match destination {
        Some(destination) => rest_of(&mut *connection, destination).await?,
        None => Rest::default(),
    };
    let passage = rest.passage(*now);
    if let Some(destination) = destination
        && let Some(before) = move_lane(&mut *connection, queue, destination).await?
    {
        tighten(&mut *connection, &before).await?;
    }
    let limit = passage.most(*limit);
    if limit == 0 {
        return Ok(Claimed { messages: Vec::new(), passage, rest });
    }
    let messages = take(&mut *connection, &[&Claim { limit, ..claim.clone() }]).await?.pop().unwrap_or_default();
    if let Some(destination) = destination
        && passage == Passage::Probe
        && !messages.is_empty()
    {
        keep_rest(&mut *connection, destination, &rest.probing(*until), Some(lease_token)).await?;
    }
    Ok(Claimed { messages, passage, rest })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::Rng as _;

    use super::*;
    use crate::store::{
        contract::queue::{lane, message, queue},
        one_writer::{Batch, OneWriter},
        sqlite::SqliteStore,
    };

    fn at(second: i64) -> jiff::Timestamp {
        jiff::Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// With random inserts, claims and times: every leased message is returned by its claim.
    #[tokio::test]
    async fn what_bears_a_lease_was_given_to_its_claim() {
        let mut random = rand::rng();
        let store = SqliteStore::in_memory().await.unwrap();
        let lanes: Vec<_> = (0..6).map(|number| lane(&format!("a{number}"), None)).collect();
        let (mut number, mut token) = (0, 0);
        for round in 0..200_i64 {
            let messages: Vec<_> = (0..random.random_range(0..8))
                .map(|_| {
                    number += 1;
                    let second = round + random.random_range(0..3);
                    message(number, &lanes[random.random_range(0..6)], second)
                })
                .collect();
            let claims: Vec<Claim> = (0..random.random_range(0..20))
                .map(|_| {
                    token += 1;
                    Claim {
                        queue: queue(&lanes[random.random_range(0..6)]),
                        // Sometimes another destination: the lane moves.
                        destination: Some(format!("d{}", random.random_range(0..20) / 18)),
                        lease_token: format!("t{token}"),
                        now: at(round + random.random_range(0..3)),
                        until: at(round + 30),
                        limit: random.random_range(1..4),
                    }
                })
                .collect();
            let batch =
                Batch { messages: messages.iter().collect(), claims: claims.iter().collect(), ..Batch::default() };
            let claimed = store.write(&batch).await.unwrap().claimed;
            let given: BTreeMap<String, String> = claims
                .iter()
                .zip(&claimed)
                .flat_map(|(claim, claimed)| claimed.messages.iter().map(move |message| (message, claim)))
                .map(|(message, claim)| (message.id.to_string(), claim.lease_token.clone()))
                .collect();
            let tokens: Vec<&String> = claims.iter().map(|claim| &claim.lease_token).collect();
            let bear = "SELECT id, lease_owner FROM message WHERE lease_owner IN (SELECT value FROM json_each(?))";
            let bear: Vec<(String, String)> = sqlx::query_as(bear)
                .bind(serde_json::to_string(&tokens).unwrap())
                .fetch_all(store.raw())
                .await
                .unwrap();
            assert_eq!(given, bear.into_iter().collect(), "round {round}: {claims:#?}");
        }
    }
}
