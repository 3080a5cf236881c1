//! A full disk, a deleted file, a lock held by another process, a dropped future: the store reports each in time, and
//! works again as soon as the fault is over.

use std::{
    path::PathBuf,
    process::Command,
    task::Poll,
    time::{Duration, Instant},
};

use app::session::AccountId;
use jiff::Timestamp;
use sqlx::Connection;
use uuid::Uuid;

use super::*;
use crate::store::{
    aggregates::*,
    outbox::{Inserted, Lane, QueuedMessage},
};

/// A temporary folder, removed on drop.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("facteur-{}", Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    pub(super) fn database(&self) -> PathBuf {
        self.0.join("facteur.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file system of four megabytes; only root can create one.
struct SmallDisk(Folder);

impl SmallDisk {
    fn new() -> Option<Self> {
        let folder = Folder::new();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(&folder.0).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(folder))
    }

    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.0.0.join("ballast")).unwrap();
        while std::io::Write::write_all(&mut ballast, &[1; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(&self.0.0).output();
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn message(size: usize) -> QueuedMessage {
    let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
    QueuedMessage {
        id: Uuid::new_v4(),
        lane: Lane { account, user: None },
        idempotency_key: None,
        request_hash: [1; 32],
        message_id: "1@x.example".to_owned(),
        reference: None,
        subject: "Devis".to_owned(),
        size: size as u64,
        recipients: vec![],
        at: now(),
        expires_at: now(),
        sealed: vec![9; size],
    }
}

async fn write(store: &SqliteStore, size: usize) -> Result<(), StoreError> {
    assert_eq!(store.insert_messages(&[message(size)]).await?, [Inserted::New]);
    Ok(())
}

#[tokio::test]
async fn a_limit_of_pages_that_is_reached_leaves_no_broken_writer() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.database()).await.unwrap();
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&store.writer).await.unwrap();
    // The limit belongs to the connection, which is replaced when it has failed.
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {}", pages + 4)))
        .execute(&store.writer)
        .await
        .unwrap();
    let error = write(&store, 200_000).await.unwrap_err();
    assert!(!error.is_about_a_row(), "{error:?}");
    write(&store, 200_000).await.unwrap();
    store.heartbeat(now()).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_full_disk_is_over_when_there_is_room_again() {
    let Some(disk) = SmallDisk::new() else {
        eprintln!("skipped: mounting a small disk needs root");
        return;
    };
    let store = SqliteStore::open(&disk.0.database()).await.unwrap();
    store.heartbeat(now()).await.unwrap();
    for _ in 0..3 {
        disk.fill();
        // The existing log is overwritten from time to time, so writes may succeed again for a while after a failure.
        let mut is_full = false;
        for _ in 0..500 {
            let before = write(&store, 20_000).await.is_err();
            let ready = store.heartbeat(now()).await.is_ok();
            let after = write(&store, 20_000).await.is_err();
            is_full = before && after && !ready;
            if is_full {
                break;
            }
        }
        assert!(is_full, "not ready while no message fits");
        for _ in 0..5 {
            assert!(write(&store, 100_000).await.is_err());
        }
        let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
        store.sending_mode(&account).await.expect("stored rows can be read");
        disk.make_room();
        store.heartbeat(now()).await.expect("no broken connection stays in the pool");
        write(&store, 1_000).await.unwrap();
        store.purge(now() + jiff::SignedDuration::from_secs(1), now(), 200).await.unwrap();
        sqlx::query("DELETE FROM message").execute(&store.writer).await.unwrap();
    }
    store.close().await;
}

#[tokio::test]
async fn a_write_that_is_dropped_half_way_is_undone() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.database()).await.unwrap();
    for polls in 0..40 {
        {
            let mut write = Box::pin(async {
                let mut transaction = transaction::begin(&store.writer).await?;
                for _ in 0..5 {
                    sqlx::query("UPDATE heartbeat SET at = at + 1").execute(&mut *transaction).await?;
                }
                transaction.commit().await
            });
            // Dropped after this many polls.
            for _ in 0..polls {
                let step = futures::poll!(write.as_mut());
                if step.is_ready() {
                    break;
                }
                if matches!(step, Poll::Pending) {
                    tokio::time::sleep(Duration::from_micros(200)).await;
                }
            }
        }
        store.heartbeat(now()).await.unwrap_or_else(|error| panic!("after {polls} steps: {error:?}"));
    }
    store.close().await;
}

#[tokio::test]
async fn whoever_finds_the_database_locked_has_an_answer_within_five_seconds() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.database()).await.unwrap();
    let options = SqliteConnectOptions::new().filename(folder.database());
    let mut other = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let began = Instant::now();
    let writers = (0..20).map(|_| store.heartbeat(now()));
    for outcome in futures::future::join_all(writers).await {
        assert!(outcome.is_err(), "another connection holds the lock");
    }
    // One after another they would take forty seconds.
    assert!(began.elapsed() < ACQUIRE_TIMEOUT + BUSY_TIMEOUT + Duration::from_secs(3), "{:?}", began.elapsed());
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    store.heartbeat(now()).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_file_that_is_gone_is_noticed_before_anything_is_lost_in_it() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.database()).await.unwrap();
    store.heartbeat(now()).await.unwrap();
    let elsewhere = folder.0.join("elsewhere");
    std::fs::rename(folder.database(), &elsewhere).unwrap();
    assert!(store.heartbeat(now()).await.is_err(), "gone");
    assert!(write(&store, 10).await.is_err());
    assert!(!folder.database().exists(), "no empty file replaces it");
    std::fs::copy(&elsewhere, folder.database()).unwrap();
    assert!(store.heartbeat(now()).await.is_err(), "another file replaced it");
    store.close().await;
}
