//! Server side. From rows to types and back, once for every database. What does not map is an inconsistency with its place.
//!
//! The databases have the same tables and columns, with the same codes in them. An adapter says how a column is read
//! ([`Columns`]); what its content means is said here.

use app::diagnosis::cause::Cause;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow, sqlite::SqliteRow};

use super::StoreError;

pub mod clock;
pub mod events;
pub mod grants;
pub mod lists;
pub mod logins;
pub mod messages;
pub mod profiles;
pub mod quarantine;
pub mod queue;
pub mod sessions;
pub mod settlements;
pub mod sign_ins;
pub mod values;

/// A row, column by column.
pub trait Columns {
    fn text(&self, column: &str) -> Result<String, sqlx::Error>;
    fn text_if_any(&self, column: &str) -> Result<Option<String>, sqlx::Error>;
    fn number(&self, column: &str) -> Result<i64, sqlx::Error>;
    fn number_if_any(&self, column: &str) -> Result<Option<i64>, sqlx::Error>;
    fn bytes(&self, column: &str) -> Result<Vec<u8>, sqlx::Error>;
    fn bytes_if_any(&self, column: &str) -> Result<Option<Vec<u8>>, sqlx::Error>;
    fn flag(&self, column: &str) -> Result<bool, sqlx::Error>;
}

/// `$flag`: the type that a flag is stored as, and what it is when it is set.
macro_rules! columns {
    ($row:ty, $flag:ty, $set:literal) => {
        impl Columns for $row {
            fn text(&self, column: &str) -> Result<String, sqlx::Error> {
                self.try_get(column)
            }

            fn text_if_any(&self, column: &str) -> Result<Option<String>, sqlx::Error> {
                self.try_get(column)
            }

            fn number(&self, column: &str) -> Result<i64, sqlx::Error> {
                self.try_get(column)
            }

            fn number_if_any(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
                self.try_get(column)
            }

            fn bytes(&self, column: &str) -> Result<Vec<u8>, sqlx::Error> {
                self.try_get(column)
            }

            fn bytes_if_any(&self, column: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
                self.try_get(column)
            }

            fn flag(&self, column: &str) -> Result<bool, sqlx::Error> {
                Ok(self.try_get::<$flag, _>(column)? == $set)
            }
        }
    };
}

columns!(SqliteRow, i64, 1);
columns!(PgRow, bool, true);

/// An instant in milliseconds.
pub fn instant(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A cause that a later version knew is shown as unknown.
pub fn cause(code: Option<String>) -> Option<Cause> {
    code.map(|code| Cause::from_code(&code).unwrap_or(Cause::Unknown))
}

/// A text from outside. PostgreSQL takes everything but NUL.
pub fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A value of ours as JSON.
pub fn encode(
    table: &'static str,
    column: &'static str,
    value: &(impl Serialize + ?Sized),
) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Unencodable { table, column, source })
}
