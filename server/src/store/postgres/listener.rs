//! Server side. Receives the notices of other processes (LISTEN), on a connection of its own. Notices sent while it is
//! not connected are lost: it reports that after each reconnection.

use std::time::Duration;

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};

use super::{replicas::CHANNEL, serving::SETTINGS};

/// Pause before reconnecting.
const AGAIN: Duration = Duration::from_secs(1);
/// How often the connection is checked, and how long the answer may take.
const LOOK_EVERY: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(5);

/// Passes notices to `heard`, forever; `None` when notices may have been lost.
pub async fn listen(options: PgConnectOptions, heard: impl Fn(Option<&str>) + Send) {
    loop {
        if let Err(error) = hear(&options, &heard).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "notification connection lost: polling instead");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Receives until the connection is lost.
async fn hear(options: &PgConnectOptions, heard: &(impl Fn(Option<&str>) + Send)) -> sqlx::Result<()> {
    // The listener takes its connection from a pool, so it gets one with a single connection.
    let pool: PgPool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ANSWER)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(SETTINGS).execute(connection).await?;
                Ok(())
            })
        })
        .connect_with(options.clone())
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.ignore_pool_close_event(true);
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    heard(None);
    loop {
        match tokio::time::timeout(LOOK_EVERY, listener.try_recv()).await {
            Ok(Ok(Some(notice))) => heard(Some(notice.payload())),
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                // A dead connection is silent.
                let answer = sqlx::query("SELECT 1").execute(&mut listener);
                tokio::time::timeout(ANSWER, answer).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
            }
        }
    }
}
