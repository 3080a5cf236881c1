//! Server side. Rows that cannot be decoded.

use super::Columns;
use crate::store::{StoreError, outbox::Quarantined};
use app::session::AccountId;

/// The end of the year 9999: until an operator repairs it.
pub const FOR_EVER: i64 = 253_402_207_200_000;

/// A row that cannot be decoded.
#[derive(Debug)]
pub struct Damaged {
    /// Its table, and the column that identifies it there.
    pub key: (&'static str, &'static str),
    pub row: String,
    pub column: String,
}

impl Damaged {
    /// The row that an error is about; the error, where it is about something else.
    pub fn of(key: (&'static str, &'static str), row: &impl Columns, error: StoreError) -> Result<Self, StoreError> {
        let column = match &error {
            StoreError::Inconsistent { column, .. } => (*column).to_owned(),
            StoreError::Undecodable(sqlx::Error::ColumnDecode { index, .. }) => index.trim_matches('"').to_owned(),
            _ => return Err(error),
        };
        Ok(Self { key, row: row.text(key.1)?, column })
    }

    /// The error for a caller that needs this row.
    pub fn error(&self) -> StoreError {
        StoreError::Inconsistent { table: self.key.0, column: "…", row: format!("{} ({})", self.row, self.column) }
    }
}

/// Those rows that can be decoded, and those that cannot.
pub fn readable<R: Columns, T>(
    key: (&'static str, &'static str),
    rows: &[R],
    decode: impl Fn(&R) -> Result<T, StoreError>,
) -> Result<(Vec<T>, Vec<Damaged>), StoreError> {
    let (mut good, mut damaged) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        match decode(row) {
            Ok(decoded) => good.push(decoded),
            Err(error) => damaged.push(Damaged::of(key, row, error)?),
        }
    }
    Ok((good, damaged))
}

/// A row of `quarantine`.
pub fn quarantined(row: &impl Columns) -> Result<Quarantined, StoreError> {
    let (portal, account) = (row.text_if_any("portal")?, row.text_if_any("account")?);
    Ok(Quarantined {
        table: row.text("kind")?,
        row: row.text("row")?,
        column: row.text("field")?,
        account: Option::zip(portal, account).map(|(portal, account)| AccountId { portal, account }),
    })
}
