//! Copies that were interrupted.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    str::FromStr,
};

use sqlx::postgres::PgConnectOptions;

use super::*;
use crate::store::{StoreError, contract::filled};

/// If set, this process is the one that is killed: `from` and `to`, on a line each.
const COPY: &str = "FACTEUR_TEST_COPY";
/// Small batches make more moments at which it may be killed.
const SMALL: CopyOptions = CopyOptions { restart: false, batch_rows: 2, batch_bytes: 1_000_000 };

fn written(place: &Location) -> String {
    match place {
        Location::File(path) => path.display().to_string(),
        Location::Server(options) => format!(
            "postgres://facteur@localhost/{}?host={}&port={}&sslmode=disable",
            options.get_database().unwrap(),
            options.get_socket().unwrap().display(),
            options.get_port()
        ),
    }
}

fn read(text: &str) -> Location {
    match PgConnectOptions::from_str(text) {
        Ok(options) if text.starts_with("postgres:") => Location::Server(Box::new(options)),
        _ => Location::File(text.into()),
    }
}

/// Another process that copies, and prints its steps.
fn other(from: &Location, to: &Location) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::copy::tests::resumed::a_copy_that_was_killed_goes_on", "--nocapture"])
        .env(COPY, format!("{}\n{}", written(from), written(to)))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

async fn copy_and_tell(places: &str) {
    let (from, to) = places.split_once('\n').unwrap();
    let mut watch = |progress| {
        // The reader may be gone.
        let _ = writeln!(std::io::stdout(), "\nstep {progress:?}");
    };
    let compared = copy(&route(&read(from), &read(to)), SMALL, &mut watch).await.unwrap();
    assert!(compared.iter().all(Compared::is_same));
    println!("\nfinished");
}

async fn opens(place: &Location) -> Result<(), StoreError> {
    match place {
        Location::File(path) => SqliteStore::open(path).await?.close().await,
        Location::Server(options) => PostgresStore::open((**options).clone(), 2).await?.close().await,
    }
    Ok(())
}

/// Kills a copy at one step after another, a little later each time, until one finishes.
async fn killed_again_and_again(from: &Location, to: &Location) {
    let mut killed = 0;
    for after in 1.. {
        let mut copying = other(from, to);
        let mut lines = BufReader::new(copying.stdout.take().unwrap()).lines();
        let mut steps = 0;
        let finished = loop {
            match lines.next().map(Result::unwrap) {
                None => break false,
                Some(line) if line == "finished" => break true,
                Some(line) if line.starts_with("step") => steps += 1,
                Some(_) => {}
            }
            if steps >= after {
                copying.kill().unwrap();
                break false;
            }
        };
        let ended = copying.wait().unwrap();
        if finished {
            assert!(ended.success());
            break;
        }
        assert!(!ended.success(), "a finished copy says so");
        killed += 1;
        let error = opens(to).await.unwrap_err();
        assert!(matches!(error, StoreError::UnfinishedCopy), "after {after}: {error:?}");
        assert!(matches!(refused(to, &Location::File("/nowhere/x.db".into())).await, CopyError::Unfinished(_)));
    }
    assert!(killed > 5, "it was killed on the way");
    opens(to).await.unwrap();
}

#[tokio::test]
async fn a_copy_that_was_killed_goes_on() {
    #[allow(clippy::disallowed_methods, reason = "the other process's arguments")]
    if let Ok(places) = std::env::var(COPY) {
        return copy_and_tell(&places).await;
    }
    let folder = Folder::new();
    let source = filled(&folder, "first.db").await;
    let file = folder.file("second.db");
    killed_again_and_again(&source, &file).await;
    let Some(server) = postgres("template0").await else { return };
    killed_again_and_again(&file, &server).await;
    let last = folder.file("last.db");
    killed_again_and_again(&server, &last).await;
    let compared = compare(&route(&source, &last), &mut |_| {}).await.unwrap();
    assert!(compared.iter().all(Compared::is_same), "{compared:#?}");
}

/// Begins a copy in another process, and kills it in the middle.
fn begun(from: &Location, to: &Location) {
    let mut copying = other(from, to);
    let lines = BufReader::new(copying.stdout.take().unwrap()).lines();
    let steps = lines.map(Result::unwrap).filter(|line| line.starts_with("step Copied")).take(25).count();
    assert_eq!(steps, 25);
    copying.kill().unwrap();
    assert!(!copying.wait().unwrap().success());
}

#[tokio::test]
async fn what_changed_meanwhile_is_copied_as_well() {
    let folder = Folder::new();
    let source = filled(&folder, "first.db").await;
    let Some(server) = postgres("template0").await else { return };
    begun(&source, &server);
    // A process served from the source: a copied row has changed, one is gone, one is new.
    by_hand(
        &source,
        "UPDATE profile SET host = 'smtp.other.example'; DELETE FROM used_token WHERE jti IN (SELECT min(jti) FROM used_token);
         INSERT INTO account (portal, account, sending_mode) VALUES ('aaa', 'new', 'x')",
    )
    .await;
    let mut seen = Vec::new();
    let compared = copy(&route(&source, &server), SMALL, &mut |progress| seen.push(progress)).await.unwrap();
    assert!(compared.iter().all(Compared::is_same), "{compared:#?}");
    assert_eq!(seen[0], Progress::Resumed);
    assert!(seen.contains(&Progress::StartingOver));
    opens(&server).await.unwrap();
}

#[tokio::test]
async fn a_copy_of_something_else_is_discarded_only_when_that_is_said() {
    let folder = Folder::new();
    let source = filled(&folder, "first.db").await;
    let other = filled(&folder, "other.db").await;
    by_hand(&other, "UPDATE canary SET sealed = x'0908'; DELETE FROM journal").await;
    let Some(server) = postgres("template0").await else { return };
    for target in [folder.file("new.db"), server] {
        begun(&source, &target);
        assert!(matches!(refused(&other, &target).await, CopyError::OtherSource(_)));
        by_hand(&target, "UPDATE _sqlx_migrations SET version = 9998 WHERE version = 1").await;
        assert!(matches!(refused(&source, &target).await, CopyError::OtherVersion(_)));
        by_hand(&target, "UPDATE _sqlx_migrations SET version = 1 WHERE version = 9998").await;
        let compared =
            copy(&route(&other, &target), CopyOptions { restart: true, ..SMALL }, &mut |_| {}).await.unwrap();
        assert!(compared.iter().all(Compared::is_same), "{compared:#?}");
        opens(&target).await.unwrap();
    }
}

#[tokio::test]
async fn two_copies_do_not_write_into_one_target() {
    let folder = Folder::new();
    let source = filled(&folder, "first.db").await;
    let target = folder.file("new.db");
    begun(&source, &target);
    // A process that was frozen in the middle resumes after another one has continued.
    let mut frozen = End::connect(&target, false).await.unwrap();
    let (name, progress) =
        frozen.progress().await.unwrap().into_iter().find(|(name, one)| !name.is_empty() && !one.done).unwrap();
    let table = TABLES.iter().find(|table| table.name == name).unwrap();
    copied(&source, &target).await;
    let columns = frozen.columns(table.name).await.unwrap();
    let late = frozen.write(table, &columns, &[], progress.rows, "[]").await;
    assert!(late.is_err(), "the progress records are gone, so its write must fail");
}

#[tokio::test]
async fn an_unfinished_copy_is_opened_by_nobody() {
    let folder = Folder::new();
    let place = folder.file("first.db");
    let store = SqliteStore::open(path(&place)).await.unwrap();
    filled::fill(&store).await;
    store.close().await;
    by_hand(&place, "CREATE TABLE _copy (name TEXT NOT NULL PRIMARY KEY, rows BIGINT, last TEXT, done BIGINT)").await;
    let refused = opens(&place).await.unwrap_err();
    assert!(refused.to_string().contains("run the same `facteur database copy` again"), "{refused}");
}
