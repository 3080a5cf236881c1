//! Server side. Logins with a secret as types.

use jiff::Timestamp;
use model::login::{LoginCount, LoginEntry};

use super::{Columns, instant};
use crate::store::StoreError;

/// What is known of the logins with a secret.
#[derive(Debug)]
pub struct Tally {
    pub count: LoginCount,
    /// The ids of places whose holders are gone: to be forgotten.
    pub ended: Vec<String>,
}

/// The rows of `login` with one key (`id`, `at`, `until`).
pub fn tally<R: Columns>(rows: &[R], now: Timestamp) -> Result<Tally, StoreError> {
    let (mut present, mut ended) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        let entry = LoginEntry { at: instant(row.number("at")?), until: row.number_if_any("until")?.map(instant) };
        if entry.has_ended(now) {
            ended.push(row.text("id")?);
        } else {
            present.push(entry);
        }
    }
    Ok(Tally { count: LoginCount::of(present), ended })
}
