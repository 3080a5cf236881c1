//! Server side. What of a session is stored as JSON.

use app::{
    i18n::Locale,
    session::{AccountId, Session, User},
    theme::GivenTheme,
};
use serde::{Deserialize, Serialize};

use super::{Columns, encode, instant};
use crate::store::{SessionRow, StoreError};

/// What of a session is stored as JSON.
#[derive(Serialize, Deserialize)]
struct Content {
    account: AccountId,
    account_name: String,
    portal_name: String,
    person: User,
    email: String,
    users: Vec<User>,
    locale: Locale,
    #[serde(default)]
    time_zone: Option<String>,
    return_url: Option<String>,
    #[serde(default)]
    theme: GivenTheme,
}

fn inconsistent(column: &'static str) -> StoreError {
    // The key would open nothing, but it is not needed to find the fault.
    StoreError::Inconsistent { table: "session", column, row: "…".to_owned() }
}

/// The session's content, to be stored.
pub fn content(session: Session) -> Result<String, StoreError> {
    let Session {
        key: _,
        account,
        account_name,
        portal_name,
        person,
        email,
        users,
        locale,
        time_zone,
        return_url,
        theme,
    } = session;
    let content =
        Content { account, account_name, portal_name, person, email, users, locale, time_zone, return_url, theme };
    encode("session", "content", &content)
}

/// The stored content with another theme.
pub fn with_theme(json: &str, theme: &GivenTheme) -> Result<String, StoreError> {
    let mut content: Content = serde_json::from_str(json).map_err(|_| inconsistent("content"))?;
    content.theme = theme.clone();
    encode("session", "content", &content)
}

/// A row of `session`, found by its key.
pub fn session(row: &impl Columns, key: &[u8; 32]) -> Result<SessionRow, StoreError> {
    let json = row.text("content")?;
    let Content { account, account_name, portal_name, person, email, users, locale, time_zone, return_url, theme } =
        serde_json::from_str(&json).map_err(|_| inconsistent("content"))?;
    let session = Session {
        key: *key,
        account,
        account_name,
        portal_name,
        person,
        email,
        users,
        locale,
        time_zone,
        return_url,
        theme,
    };
    Ok(SessionRow { session, expires_at: instant(row.number("expires_at")?), ends_at: instant(row.number("ends_at")?) })
}
