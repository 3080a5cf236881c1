//! Server side. Events as types.

use uuid::Uuid;

use super::{Columns, instant};
use crate::store::{StoreError, outbox::EventRow};

/// The table, and its key.
pub const EVENT: (&str, &str) = ("event", "id");

/// A row of `event`.
pub fn event(row: &impl Columns) -> Result<EventRow, StoreError> {
    let id = row.text("id")?;
    let wrong = |column| StoreError::Inconsistent { table: "event", column, row: id.clone() };
    Ok(EventRow {
        id: Uuid::try_parse(&id).map_err(|_| wrong("id"))?,
        portal: row.text("portal")?,
        content: row.text("content")?,
        created_at: instant(row.number("created_at")?),
        tries: u32::try_from(row.number("tries")?).map_err(|_| wrong("tries"))?,
    })
}
