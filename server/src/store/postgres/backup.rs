//! Server side. Whether a database was restored from a backup: its tables are not those it recorded at the beginning.
//! Its waiting messages may have been sent since, so no process serves from it until the operator has run `facteur
//! restored`.

use super::PostgresStore;
use crate::store::StoreError;

/// Marks a database as a backup.
pub const MARK: &str = "UPDATE _origin SET identity = 'backup'";
pub const IS_MARKED: &str =
    "SELECT CAST(NOT EXISTS (SELECT 1 FROM _origin WHERE identity = database_identity()) AS integer)::bigint";

impl PostgresStore {
    pub async fn is_backup(&self) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar::<_, i64>(IS_MARKED).fetch_one(&self.pool).await? > 0)
    }

    pub async fn release_backup(&self) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO _origin (id, identity) VALUES (1, database_identity())
             ON CONFLICT (id) DO UPDATE SET identity = excluded.identity",
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
