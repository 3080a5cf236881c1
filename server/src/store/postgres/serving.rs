//! Server side. One process that serves from a database, as long as limits are counted in each process: a session advisory lock
//! on a connection of its own, which ends with the process, however that ends.

use std::time::Duration;

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{task::AbortHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::store::StoreError;

/// After a process was killed, the server may need a moment to see it.
const PATIENCE: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_millis(200);
/// How often the connection is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A machine that is gone says so to nobody: without these its lock would last for hours (tcp(7)).
const SETTINGS: &str = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
    SET idle_session_timeout = 0";
/// The pair of numbers shares no key with the other locks, which have one. One for each schema.
const LOCK: &str = "SELECT pg_try_advisory_lock(1717658484, hashtext(coalesce(current_schema(), '')))";

/// Held as long as its process serves.
#[derive(Debug)]
pub struct ServingLock {
    keeper: AbortHandle,
    lost: CancellationToken,
}

impl ServingLock {
    /// Takes the lock, or says that another process has it.
    pub async fn take(options: &PgConnectOptions) -> Result<Self, StoreError> {
        let began = Instant::now();
        let connection = loop {
            match lock(options).await? {
                Some(connection) => break connection,
                None if began.elapsed() < PATIENCE => tokio::time::sleep(AGAIN).await,
                None => return Err(StoreError::InUse { process: None }),
            }
        };
        Ok(Self::keep(connection, options, LOOK_EVERY))
    }

    fn keep(connection: PgConnection, options: &PgConnectOptions, every: Duration) -> Self {
        let lost = CancellationToken::new();
        let keeper = tokio::spawn(keep(connection, options.clone(), every, lost.clone())).abort_handle();
        Self { keeper, lost }
    }

    /// Cancelled when the connection was lost and another process took the lock meanwhile.
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }
}

impl Drop for ServingLock {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// A connection that holds the lock; `None`: another one does.
async fn lock(options: &PgConnectOptions) -> Result<Option<PgConnection>, StoreError> {
    let mut connection = PgConnection::connect_with(options).await?;
    sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
    let locked: bool = sqlx::query_scalar(LOCK).fetch_one(&mut connection).await?;
    if locked {
        return Ok(Some(connection));
    }
    connection.close().await?;
    Ok(None)
}

/// Takes the lock again when the database was restarted, or the connection lost.
async fn keep(mut connection: PgConnection, options: PgConnectOptions, every: Duration, lost: CancellationToken) {
    loop {
        tokio::time::sleep(every).await;
        if matches!(tokio::time::timeout(every * 2, connection.ping()).await, Ok(Ok(()))) {
            continue;
        }
        match lock(&options).await {
            Ok(Some(again)) => connection = again,
            Ok(None) => return lost.cancel(),
            Err(error) => drop(error.log()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::cluster, *};

    /// The server's process that holds the lock.
    async fn holder(watching: &mut PgConnection) -> Option<i32> {
        sqlx::query_scalar(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1717658484 AND granted
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .fetch_optional(watching)
        .await
        .unwrap()
    }

    /// Ends the session that holds the lock; who held it.
    async fn cut(watching: &mut PgConnection) -> i32 {
        let holder = holder(watching).await.unwrap();
        sqlx::query("SELECT pg_terminate_backend($1, 10000)").bind(holder).execute(watching).await.unwrap();
        holder
    }

    #[tokio::test]
    async fn one_process_serves_from_a_database() {
        let Some(options) = cluster::database(cluster::TEMPLATE).await else { return };
        let other = cluster::database(cluster::TEMPLATE).await.unwrap();
        let first = ServingLock::take(&options).await.unwrap();
        let second = ServingLock::take(&options).await.unwrap_err();
        assert!(matches!(second, StoreError::InUse { process: None }), "{second:?}");
        assert!(!first.lost().is_cancelled());
        ServingLock::take(&other).await.unwrap();
        drop(first);
        ServingLock::take(&options).await.unwrap();
    }

    #[tokio::test]
    async fn a_lock_that_was_lost_is_taken_again_unless_somebody_else_has_it() {
        let Some(options) = cluster::database(cluster::TEMPLATE).await else { return };
        let mut watching = PgConnection::connect_with(&options).await.unwrap();
        let soon = Duration::from_millis(20);
        let held = ServingLock::keep(lock(&options).await.unwrap().unwrap(), &options, soon);
        let before = cut(&mut watching).await;
        while holder(&mut watching).await.is_none_or(|holder| holder == before) {
            tokio::time::sleep(soon).await;
        }
        assert!(!held.lost().is_cancelled());
        // While it does not look, another one takes the lock.
        drop(held);
        while holder(&mut watching).await.is_some() {
            tokio::time::sleep(soon).await;
        }
        let slow = ServingLock::keep(lock(&options).await.unwrap().unwrap(), &options, Duration::from_secs(2));
        cut(&mut watching).await;
        let _other = lock(&options).await.unwrap().unwrap();
        slow.lost().cancelled().await;
    }
}
