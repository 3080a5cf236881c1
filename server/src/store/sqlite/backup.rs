//! Server side. Whether a file is a backup: it has a table that a database in service lacks. Its waiting messages may
//! have been sent since, so no process serves from it until the operator has run `facteur restored`.

use std::path::Path;

use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use super::SqliteStore;
use crate::store::StoreError;

/// Marks a database as a backup.
pub const MARK: &str = "CREATE TABLE IF NOT EXISTS _backup (id INTEGER NOT NULL PRIMARY KEY) STRICT";
/// Counts the marks of a backup.
pub const IS_MARKED: &str = "SELECT count(*) FROM sqlite_schema WHERE name = '_backup'";

pub(super) async fn mark_file(path: &Path) -> Result<(), StoreError> {
    let mut connection = SqliteConnectOptions::new().filename(path).create_if_missing(false).connect().await?;
    sqlx::query(MARK).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

impl SqliteStore {
    pub async fn is_backup(&self) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar::<_, i64>(IS_MARKED).fetch_one(&self.pool).await? > 0)
    }

    pub async fn release_backup(&self) -> Result<(), StoreError> {
        sqlx::query("DROP TABLE IF EXISTS _backup").execute(&self.writer).await?;
        Ok(())
    }
}
