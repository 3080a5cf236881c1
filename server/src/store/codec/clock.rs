//! Server side. The last instant that was seen, and what moves when the clock was set.

use jiff::SignedDuration;

use super::{Columns, instant};
use crate::{store::StoreError, time::Mark};

/// Deadlines, and instants from which an age is counted that ends something: they move with the clock. What is not here is a
/// record of what happened when.
pub const MOVED: [(&str, &[&str], &str); 18] = [
    ("destination", &["rests_until"], "rests_until > 0"),
    ("destination", &["next_at"], "next_at IS NOT NULL"),
    ("lane", &["rests_until"], "rests_until > 0"),
    ("lane", &["next_at"], "next_at IS NOT NULL"),
    ("lane", &["woken_at"], "woken_at > 0"),
    ("message", &["next_at", "expires_at", "lease_until"], "state IN ('queued', 'deferred', 'sending')"),
    ("message", &["finished_at"], "finished_at IS NOT NULL"),
    ("event", &["next_at", "created_at"], "TRUE"),
    ("session", &["expires_at", "ends_at"], "TRUE"),
    ("receipt", &["expires_at"], "TRUE"),
    ("login", &["at", "until"], "TRUE"),
    ("draft", &["kept_at"], "TRUE"),
    ("profile", &["checked_at"], "checked_at IS NOT NULL"),
    ("profile", &["deleted_until"], "portal = ''"),
    ("profile", &["grant_access_ends_at"], "grant_access_ends_at IS NOT NULL"),
    ("oauth_grant", &["leased_until", "next_refresh_at"], "TRUE"),
    ("sign_in", &["expires_at"], "TRUE"),
    (USED_TOKEN, &["expires_at"], "TRUE"),
];

/// A token's own end does not move, so after a clock went back it is remembered as long as before.
const USED_TOKEN: &str = "used_token";

/// The statements that move everything; `by` is the parameter with the milliseconds.
pub fn moves(jump: SignedDuration, by: &str) -> impl Iterator<Item = String> {
    let moved = MOVED.iter().filter(move |(table, ..)| *table != USED_TOKEN || jump.is_positive());
    moved.map(move |(table, columns, condition)| {
        let sets: Vec<String> = columns.iter().map(|column| format!("{column} = {column} + {by}")).collect();
        format!("UPDATE {table} SET {} WHERE {condition}", sets.join(", "))
    })
}

/// In a column no instant is far from the present, so this never overflows.
pub fn milliseconds(jump: SignedDuration) -> i64 {
    i64::try_from(jump.as_millis()).unwrap_or_default()
}

/// A row of `clock`.
pub fn mark(row: &impl Columns) -> Result<Mark, StoreError> {
    let up = u64::try_from(row.number("up_ms")?).unwrap_or_default();
    Ok(Mark {
        wall: instant(row.number("seen_at")?),
        boot: row.text("boot")?.into(),
        up: std::time::Duration::from_millis(up),
    })
}
