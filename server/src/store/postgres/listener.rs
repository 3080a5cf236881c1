//! Server side. Hears what other processes tell (LISTEN), on a connection of its own. Whatever is told while it is not connected
//! is lost: after each time it says so.

use std::time::Duration;

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};

use super::{replicas::CHANNEL, serving::SETTINGS};

/// Between two tries to connect.
const AGAIN: Duration = Duration::from_secs(1);
/// How often the connection is looked at, and how long it may take to answer.
const LOOK_EVERY: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(5);

/// Gives what it hears to `heard`, for ever; nothing, when something may have been missed.
pub async fn listen(options: PgConnectOptions, heard: impl Fn(Option<&str>) + Send) {
    loop {
        if let Err(error) = hear(&options, &heard).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "notification connection lost: polling instead");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Hears until the connection is lost.
async fn hear(options: &PgConnectOptions, heard: &(impl Fn(Option<&str>) + Send)) -> sqlx::Result<()> {
    // The listener takes its connection out of a pool; this one is there for that.
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
                // A connection that is dead says nothing.
                let answer = sqlx::query("SELECT 1").execute(&mut listener);
                tokio::time::timeout(ANSWER, answer).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
            }
        }
    }
}
