//! Server side. Who serves from a database: session advisory locks on a connection of its own, which end with the
//! process, even after a crash. Replicas share one lock, and each has another one that shows the others that its
//! process runs. A process that needs exclusive use (`facteur restored`, and versions that counted limits in the
//! process) holds the first lock alone.

use std::time::Duration;

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{task::AbortHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::store::StoreError;

/// After a process was killed, the server may need a moment to notice.
const PATIENCE: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_millis(200);
/// How often the connection is checked.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A replica tries this many times to get its own lock back: for a minute.
const REFUSED_FOR: u32 = 12;

/// A machine that is gone does not close its connection: without these its lock would last for hours (tcp(7)).
pub(super) const SETTINGS: &str =
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
    SET idle_session_timeout = 0";
/// Locks with two numbers share no key with those that have one. One lock for each schema.
const ALONE: &str = "SELECT pg_try_advisory_lock(1717658484, hashtext(coalesce(current_schema(), '')))";
const SHARED: &str = "SELECT pg_try_advisory_lock_shared(1717658484, hashtext(coalesce(current_schema(), '')))";
const OWN: &str = "SELECT pg_try_advisory_lock($1, $2)";
/// The first number of each replica's own lock; the second one is the replica's.
pub(super) const REPLICA_LOCK: i32 = 1_717_658_485;

/// How a process uses a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Alone,
    /// Beside other replicas, under this number.
    Replica(i32),
}

/// Held as long as its process serves.
#[derive(Debug)]
pub struct ServingLock {
    using: Use,
    keeping: AbortHandle,
    lost: CancellationToken,
}

impl ServingLock {
    /// Takes the database for exclusive use.
    pub async fn take(options: &PgConnectOptions) -> Result<Self, StoreError> {
        Self::begin(options, Use::Alone).await
    }

    /// Serves from the database beside others.
    pub async fn join(options: &PgConnectOptions) -> Result<Self, StoreError> {
        Self::begin(options, Use::Replica(rand::random_range(1..i32::MAX))).await
    }

    async fn begin(options: &PgConnectOptions, using: Use) -> Result<Self, StoreError> {
        let began = Instant::now();
        let connection = loop {
            match lock(options, using).await? {
                Some(connection) => break connection,
                None if began.elapsed() < PATIENCE => tokio::time::sleep(AGAIN).await,
                None if using == Use::Alone => return Err(StoreError::InUse { process: None }),
                None => return Err(StoreError::Reserved),
            }
        };
        Ok(Self::keep(connection, options, using, LOOK_EVERY))
    }

    fn keep(connection: PgConnection, options: &PgConnectOptions, using: Use, every: Duration) -> Self {
        let lost = CancellationToken::new();
        let keeping = tokio::spawn(keep(connection, options.clone(), (using, every), lost.clone())).abort_handle();
        Self { using, keeping, lost }
    }

    /// The number of this replica.
    pub const fn replica(&self) -> Option<i32> {
        match self.using {
            Use::Alone => None,
            Use::Replica(number) => Some(number),
        }
    }

    /// Cancelled when the connection was lost and another process took the lock meanwhile.
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }
}

impl Drop for ServingLock {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

/// A connection that holds the locks; `None`: another process holds them.
async fn lock(options: &PgConnectOptions, using: Use) -> Result<Option<PgConnection>, StoreError> {
    let mut connection = PgConnection::connect_with(options).await?;
    sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
    let shared = if using == Use::Alone { ALONE } else { SHARED };
    let mut locked: bool = sqlx::query_scalar(shared).fetch_one(&mut connection).await?;
    if let Use::Replica(number) = using
        && locked
    {
        locked = sqlx::query_scalar(OWN).bind(REPLICA_LOCK).bind(number).fetch_one(&mut connection).await?;
    }
    if locked {
        return Ok(Some(connection));
    }
    connection.close().await?;
    Ok(None)
}

/// Takes the locks again after the database was restarted, or the connection lost.
async fn keep(
    mut connection: PgConnection,
    options: PgConnectOptions,
    (using, every): (Use, Duration),
    lost: CancellationToken,
) {
    // A refusal of a replica's own lock may mean that the server has not noticed the end of its former connection yet.
    let mut refused: Option<Instant> = None;
    loop {
        tokio::time::sleep(every).await;
        // A network link that was cut may work again. This connection then still holds the locks, so a new one cannot
        // get them.
        if matches!(tokio::time::timeout(every * 2, connection.ping()).await, Ok(Ok(()))) {
            refused = None;
            continue;
        }
        match tokio::time::timeout(every * 2, lock(&options, using)).await {
            Ok(Ok(Some(again))) => (connection, refused) = (again, None),
            Ok(Ok(None)) => {
                let since = *refused.get_or_insert_with(Instant::now);
                if using == Use::Alone || since.elapsed() >= every * REFUSED_FOR {
                    return lost.cancel();
                }
            }
            Ok(Err(error)) => drop(error.log()),
            // The next round tries again.
            Err(_) => {}
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

    /// Ends the session that holds the lock. Returns which one it was.
    async fn cut(watching: &mut PgConnection) -> i32 {
        let holder = holder(watching).await.unwrap();
        sqlx::query("SELECT pg_terminate_backend($1, 10000)").bind(holder).execute(watching).await.unwrap();
        holder
    }

    #[tokio::test]
    async fn one_process_has_a_database_for_itself() {
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
    async fn replicas_serve_beside_each_other_and_not_beside_one_that_needs_the_database_for_itself() {
        let Some(options) = cluster::database(cluster::TEMPLATE).await else { return };
        let replicas = [ServingLock::join(&options).await.unwrap(), ServingLock::join(&options).await.unwrap()];
        assert_ne!(replicas[0].replica(), replicas[1].replica());
        assert!(matches!(ServingLock::take(&options).await, Err(StoreError::InUse { .. })));
        drop(replicas);
        let alone = ServingLock::take(&options).await.unwrap();
        assert!(matches!(ServingLock::join(&options).await, Err(StoreError::Reserved)));
        drop(alone);
        ServingLock::join(&options).await.unwrap();
    }

    #[tokio::test]
    async fn a_lock_that_was_lost_is_taken_again_unless_somebody_else_has_it() {
        let Some(options) = cluster::database(cluster::TEMPLATE).await else { return };
        let mut watching = PgConnection::connect_with(&options).await.unwrap();
        let soon = Duration::from_millis(20);
        let held = ServingLock::keep(lock(&options, Use::Alone).await.unwrap().unwrap(), &options, Use::Alone, soon);
        let before = cut(&mut watching).await;
        while holder(&mut watching).await.is_none_or(|holder| holder == before) {
            tokio::time::sleep(soon).await;
        }
        assert!(!held.lost().is_cancelled());
        // Before it checks the connection, another process takes the lock.
        drop(held);
        while holder(&mut watching).await.is_some() {
            tokio::time::sleep(soon).await;
        }
        let slow = ServingLock::keep(
            lock(&options, Use::Alone).await.unwrap().unwrap(),
            &options,
            Use::Alone,
            Duration::from_secs(2),
        );
        cut(&mut watching).await;
        let _other = lock(&options, Use::Alone).await.unwrap().unwrap();
        slow.lost().cancelled().await;
    }

    /// Forwards bytes to a port. On the first connection, bytes are held back unless `open`.
    #[expect(clippy::disallowed_methods, reason = "the test's own link to its own server")]
    async fn link(to: u16, open: tokio::sync::watch::Receiver<bool>) -> u16 {
        use tokio::{
            io::{AsyncReadExt as _, AsyncWriteExt as _},
            net::{TcpListener, TcpStream},
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (_always, always_open) = tokio::sync::watch::channel(true);
            let mut switches = std::iter::once(open).chain(std::iter::repeat(always_open));
            while let Ok((near, _)) = listener.accept().await {
                let open = switches.next().unwrap();
                let far = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                let (near, far) = (near.into_split(), far.into_split());
                for (mut from, mut to) in [(near.0, far.1), (far.0, near.1)] {
                    let mut open = open.clone();
                    tokio::spawn(async move {
                        let mut chunk = [0; 4096];
                        while let Ok(read @ 1..) = from.read(&mut chunk).await {
                            open.wait_for(|open| *open).await.unwrap();
                            to.write_all(&chunk[..read]).await.unwrap();
                        }
                    });
                }
            }
        });
        port
    }

    #[tokio::test]
    async fn a_replica_whose_link_was_cut_for_a_while_serves_on_with_the_connection_it_has() {
        let Some(options) = cluster::database(cluster::TEMPLATE).await else { return };
        let mut watching = PgConnection::connect_with(&options).await.unwrap();
        let (switch, open) = tokio::sync::watch::channel(true);
        let port = link(options.get_port(), open).await;
        let url = format!("postgres://facteur@127.0.0.1:{port}/{}?sslmode=disable", options.get_database().unwrap());
        let options: PgConnectOptions = url.parse().unwrap();
        let (using, soon) = (Use::Replica(7), Duration::from_millis(50));
        let held = ServingLock::keep(lock(&options, using).await.unwrap().unwrap(), &options, using, soon);
        let before = holder(&mut watching).await;
        switch.send(false).unwrap();
        tokio::time::sleep(soon * 5).await;
        switch.send(true).unwrap();
        // Longer than it retries a lock that another process has.
        tokio::time::sleep(soon * REFUSED_FOR * 3).await;
        assert!(!held.lost().is_cancelled());
        assert!(before.is_some() && holder(&mut watching).await.is_some());
    }
}
