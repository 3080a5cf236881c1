//! Server side. Transactions: retried once after a deadlock or a serialisation failure; and advisory locks for what has
//! no row.

use std::{
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicBool, Ordering},
};

use app::session::AccountId;
use sqlx::{Connection as _, PgConnection, Postgres, Transaction};

use crate::store::{StoreError, flow::Ended};

/// An open transaction. Dropped before [`Self::commit`] it changes nothing.
pub(super) struct Open<'a> {
    inner: Transaction<'a, Postgres>,
    committed: &'a AtomicBool,
}

impl<'a> Open<'a> {
    pub(super) async fn begin(connection: &'a mut PgConnection, committed: &'a AtomicBool) -> sqlx::Result<Self> {
        Ok(Self { inner: connection.begin().await?, committed })
    }

    /// Ends it as a flow says.
    pub(super) async fn end<T>(self, ended: Ended<T>) -> Result<T, StoreError> {
        match ended {
            Ended::Commit(outcome) => Ok(self.commit().await.map(|()| outcome)?),
            Ended::RollBack(outcome) => Ok(outcome),
        }
    }

    pub(super) async fn commit(self) -> sqlx::Result<()> {
        self.inner.commit().await?;
        self.committed.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Deref for Open<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Open<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}

/// Runs a transaction, which ends with its commit. If the block is left early, the rollback is done before this
/// returns: sqlx would delay the rollback of a dropped transaction until its connection is used again, and a statement
/// that skips locked rows would miss them. After a deadlock or a serialisation failure it runs once more.
macro_rules! transaction {
    ($store:expr, $transaction:ident, $work:block) => {{
        let mut again = true;
        loop {
            let committed = std::sync::atomic::AtomicBool::new(false);
            let mut connection = $store.pool.acquire().await?;
            let outcome: Result<_, $crate::store::StoreError> = async {
                let mut $transaction =
                    $crate::store::postgres::transaction::Open::begin(&mut connection, &committed).await?;
                $work
            }
            .await;
            if !committed.into_inner() {
                // Sends the rollback. A lost connection has none to send.
                let _ = sqlx::Connection::ping(&mut *connection).await;
            }
            match outcome {
                Err(error) if again && $crate::store::postgres::transaction::is_conflict(&error) => again = false,
                outcome => break outcome,
            }
        }
    }};
}
pub(super) use transaction;

/// Whether the same transaction may succeed now.
pub(super) fn is_conflict(error: &StoreError) -> bool {
    /// `serialization_failure` and `deadlock_detected`.
    const CODES: [&str; 2] = ["40001", "40P01"];
    let (StoreError::Unavailable(error) | StoreError::Rejected(error)) = error else { return false };
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| CODES.contains(&&*code))
}

/// Serialises changes of how many profiles an account has, and which of them is in use.
pub(super) async fn lock_account(connection: &mut PgConnection, account: &AccountId) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1 || E'\\x1f' || $2, 1))")
        .bind(&account.portal)
        .bind(&account.account)
        .execute(connection)
        .await?;
    Ok(())
}

/// Serialises the counting of a session's sign-ins.
pub(super) async fn lock_session(connection: &mut PgConnection, session: &[u8; 32]) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(lock_of(session)).execute(connection).await?;
    Ok(())
}

/// The name of a lock: eight bytes of a hash.
fn lock_of(hash: &[u8; 32]) -> i64 {
    hash[..8].iter().fold(0, |lock, byte| (lock << 8) | i64::from(*byte))
}

/// Serialises the counting of logins with a secret. `keys` are keyed hashes, so any eight bytes of one will do.
pub(super) async fn lock_logins(connection: &mut PgConnection, keys: &[[u8; 32]]) -> Result<(), StoreError> {
    let mut locks: Vec<i64> = keys.iter().map(lock_of).collect();
    locks.sort_unstable();
    locks.dedup();
    for lock in locks {
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(lock).execute(&mut *connection).await?;
    }
    Ok(())
}
