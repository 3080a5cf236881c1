//! Server side. A row of `sign_in` as a type, and back.

use app::session::AccountId;
use uuid::Uuid;

use super::{Columns, instant, values::Value};
use crate::store::{SignInRow, StoreError};

/// The columns that [`sign_in`] reads.
pub const SIGN_IN: &str =
    "id, portal, account, session, client, ticket, state, browser, sealed, content, expires_at, outcome";

/// A row of [`SIGN_IN`].
pub fn sign_in(row: &impl Columns) -> Result<SignInRow, StoreError> {
    let id = row.text("id")?;
    let wrong = |column| StoreError::Inconsistent { table: "sign_in", column, row: id.clone() };
    let hash = |column| -> Result<[u8; 32], StoreError> { row.bytes(column)?.try_into().map_err(|_| wrong(column)) };
    let browser = row.bytes_if_any("browser")?;
    Ok(SignInRow {
        id: Uuid::try_parse(&id).map_err(|_| wrong("id"))?,
        account: AccountId { portal: row.text("portal")?, account: row.text("account")? },
        session: hash("session")?,
        client: row.text("client")?,
        ticket: hash("ticket")?,
        state: hash("state")?,
        browser: browser.map(|bytes| bytes.try_into().map_err(|_| wrong("browser"))).transpose()?,
        sealed: row.bytes("sealed")?,
        content: row.text("content")?,
        expires_at: instant(row.number("expires_at")?),
        outcome: row.text_if_any("outcome")?,
    })
}

/// The values of [`SIGN_IN`], in its order.
pub fn values(row: &SignInRow) -> [Value; 12] {
    let SignInRow { id, account, session, client, ticket, state, browser, sealed, content, expires_at, outcome } = row;
    [
        Value::text(id.to_string()),
        Value::text(&*account.portal),
        Value::text(&*account.account),
        Value::Bytes(Some(session.to_vec())),
        Value::text(&**client),
        Value::Bytes(Some(ticket.to_vec())),
        Value::Bytes(Some(state.to_vec())),
        Value::Bytes(browser.map(|browser| browser.to_vec())),
        Value::Bytes(Some(sealed.clone())),
        Value::text(&**content),
        Value::number(expires_at.as_millisecond()),
        Value::maybe_text(outcome.as_deref()),
    ]
}
