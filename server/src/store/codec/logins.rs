//! Server side. A row of `login` as a type, and back.

use model::login::LoginEntry;
use serde::Serialize;
use uuid::Uuid;

use super::{Columns, instant};
use crate::store::{StoreError, logins::LoginRow};

/// A row with `id`, `key`, `at` and `until`.
pub fn login(row: &impl Columns) -> Result<LoginRow, StoreError> {
    let id = row.text("id")?;
    let wrong = |column| StoreError::Inconsistent { table: "login", column, row: id.clone() };
    Ok(LoginRow {
        id: Uuid::try_parse(&id).map_err(|_| wrong("id"))?,
        key: row.bytes("key")?.try_into().map_err(|_| wrong("key"))?,
        entry: LoginEntry { at: instant(row.number("at")?), until: row.number_if_any("until")?.map(instant) },
    })
}

/// What is written of a login.
#[derive(Debug, Serialize)]
pub struct WrittenLogin {
    pub id: String,
    /// In hexadecimal.
    pub key: String,
    pub at: i64,
    pub until: Option<i64>,
}

impl WrittenLogin {
    pub fn of(row: &LoginRow) -> Self {
        Self {
            id: row.id.to_string(),
            key: hexadecimal(&row.key),
            at: row.entry.at.as_millisecond(),
            until: row.entry.until.map(jiff::Timestamp::as_millisecond),
        }
    }
}

/// A key as JSON takes it.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
