//! Server side. The one way to write more than one statement at once.
//!
//! SQLite ends a transaction by itself when the disk is full, when a read or write fails, and in a few more cases
//! (<https://sqlite.org/lang_transaction.html>, "Response To Errors Within A Transaction"). sqlx counts transactions
//! and does not notice: its count stays at one, and each later `BEGIN` on that connection fails. So the statements are
//! issued here. A transaction that ends without a commit is rolled back, and a connection whose `BEGIN`, `COMMIT` or
//! `ROLLBACK` failed is closed: the pool opens another one.

use std::ops::{Deref, DerefMut};

use sqlx::{Sqlite, SqliteConnection, SqlitePool, pool::PoolConnection};

use crate::store::{StoreError, flow::Ended};

/// `SQLITE_BUSY`, the primary result code: another connection holds the lock, and no transaction has begun.
const BUSY: i64 = 5;

/// A transaction that holds the write lock. Dropped without [`commit`](Self::commit), even when its future was
/// cancelled, it changes nothing.
pub(super) struct WriteTransaction {
    /// `None` once it has ended.
    connection: Option<PoolConnection<Sqlite>>,
}

/// Begins a transaction by taking the write lock, so that two of them never wait for each other.
pub(super) async fn begin(pool: &SqlitePool) -> Result<WriteTransaction, StoreError> {
    // Guarded before the statement is issued: the future may be dropped while SQLite executes it.
    let mut transaction = WriteTransaction { connection: Some(pool.acquire().await?) };
    match sqlx::query("BEGIN IMMEDIATE").execute(&mut *transaction).await {
        Ok(_) => Ok(transaction),
        Err(error) => {
            if let Some(connection) = transaction.connection.take()
                && !is_busy(&error)
            {
                let _ = connection.close().await;
            }
            Err(error.into())
        }
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i64>().ok());
    // Extended result codes keep the primary one in their low byte.
    code.is_some_and(|code| code & 0xff == BUSY)
}

impl WriteTransaction {
    /// Ends it as a flow says.
    pub(super) async fn end<T>(self, ended: Ended<T>) -> Result<T, StoreError> {
        match ended {
            Ended::Commit(outcome) => self.commit().await.map(|()| outcome),
            Ended::RollBack(outcome) => Ok(outcome),
        }
    }

    /// Commits; the data is on the disk when it returns.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let committed = sqlx::query("COMMIT").execute(&mut *self).await;
        let Some(connection) = self.connection.take() else { return Ok(()) };
        if let Err(error) = committed {
            let _ = connection.close().await;
            return Err(error.into());
        }
        Ok(())
    }
}

/// Rolls back. That fails if SQLite has already done it: then the state of the connection is unknown.
async fn roll_back(mut connection: PoolConnection<Sqlite>) {
    if let Err(error) = sqlx::query("ROLLBACK").execute(&mut *connection).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a database connection is replaced");
        let _ = connection.close().await;
    }
}

impl Drop for WriteTransaction {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        // The connection returns to the pool only after the rollback: the next writer waits for it.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(roll_back(connection))),
            // No runtime is left to roll back on: closing the connection does the same.
            Err(_) => drop(connection.detach()),
        }
    }
}

const OVER: &str = "the transaction is over";

impl Deref for WriteTransaction {
    type Target = SqliteConnection;

    #[expect(clippy::expect_used, reason = "only commit and drop take the connection, and both consume the value")]
    fn deref(&self) -> &SqliteConnection {
        self.connection.as_ref().expect(OVER)
    }
}

impl DerefMut for WriteTransaction {
    #[expect(clippy::expect_used, reason = "only commit and drop take the connection, and both consume the value")]
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.connection.as_mut().expect(OVER)
    }
}
