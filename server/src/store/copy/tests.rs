//! Copies between real databases: complete, there and back, killed on the way, and refused.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::*;
use crate::store::{
    MessageStore,
    contract::filled,
    postgres::{
        PostgresStore,
        cluster::{self, TEMPLATE},
    },
    sqlite::SqliteStore,
};

mod backup;
mod resumed;

/// Tables that belong to the running processes and not to the data: none of it outlives them.
const LEFT_BEHIND: &[&str] = &["replica", "place", "rate", "machine", MOVED_FIRST];
/// Its rows are moved into the messages before those are copied.
const MOVED_FIRST: &str = "outcome";

/// A temporary folder, removed on drop.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    pub fn file(&self, name: &str) -> Location {
        Location::File(self.0.join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn route(from: &Location, to: &Location) -> Route {
    Route { from: from.clone(), from_name: "the source".to_owned(), to: to.clone(), to_name: "the target".to_owned() }
}

pub(super) async fn copied(from: &Location, to: &Location) -> Vec<Compared> {
    let compared = copy(&route(from, to), CopyOptions::default(), &mut |_| {}).await.unwrap();
    assert!(compared.iter().all(Compared::is_same), "{compared:#?}");
    compared
}

async fn refused(from: &Location, to: &Location) -> CopyError {
    let error = copy(&route(from, to), CopyOptions::default(), &mut |_| {}).await.unwrap_err();
    assert!(error.is_refusal(), "{error:?}");
    error
}

fn path(place: &Location) -> &Path {
    match place {
        Location::File(path) => path,
        Location::Server(_) => panic!("not a file"),
    }
}

/// A change made by hand.
async fn by_hand(place: &Location, sql: &'static str) {
    match place {
        Location::File(path) => {
            let options = SqliteConnectOptions::new().filename(path).foreign_keys(false);
            let mut connection: SqliteConnection = options.connect().await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
        Location::Server(options) => {
            let mut connection = sqlx::PgConnection::connect_with(options).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}

/// A SQLite file with something in every table.
pub(super) async fn filled(folder: &Folder, name: &str) -> Location {
    let place = folder.file(name);
    let store = SqliteStore::open(path(&place)).await.unwrap();
    filled::fill(&store).await;
    filled::damage(&store, async |sql| {
        sqlx::query(sql).execute(store.raw()).await.unwrap();
    })
    .await;
    store.close().await;
    place
}

pub(super) async fn postgres(template: &str) -> Option<Location> {
    Some(Location::Server(Box::new(cluster::database(template).await?)))
}

fn hashes(compared: &[Compared]) -> Vec<(&'static str, Digested)> {
    compared.iter().map(|one| (one.table, one.to.clone())).collect()
}

#[tokio::test]
async fn every_table_of_both_schemas_is_copied_or_left_behind_on_purpose() {
    let Some(server) = postgres(TEMPLATE).await else { return };
    let folder = Folder::new();
    let file = folder.file("facteur.db");
    SqliteStore::open(path(&file)).await.unwrap().close().await;
    let listed: BTreeSet<_> = TABLES.iter().map(|table| table.name.to_owned()).collect();
    assert_eq!(listed.len(), TABLES.len(), "each once");
    for place in [&file, &server] {
        let mut end = End::connect(place, true).await.unwrap();
        let there: BTreeSet<_> =
            end.tables().await.unwrap().into_iter().filter(|name| !name.starts_with('_')).collect();
        let left: BTreeSet<_> = LEFT_BEHIND.iter().map(|name| (*name).to_owned()).collect();
        let missing: Vec<_> = there.difference(&listed).filter(|name| !left.contains(*name)).collect();
        assert!(missing.is_empty(), "{missing:?}: a line in TABLES, or a reason in LEFT_BEHIND");
        assert!(listed.is_subset(&there), "{listed:?} {there:?}");
        // The keys are those of the tables.
        for table in TABLES {
            let columns = end.columns(table.name).await.unwrap();
            assert!(table.key.iter().all(|name| columns.position(name).is_some()), "{table:?}");
        }
    }
}

#[tokio::test]
async fn there_and_back_is_the_same() {
    let folder = Folder::new();
    let source = filled(&folder, "first.db").await;
    let Some(server) = postgres("template0").await else { return };
    let there = copied(&source, &server).await;
    for one in &there {
        assert!(one.from.rows > 0, "nothing of {} was copied: fill it", one.table);
    }
    let other = postgres("template0").await.unwrap();
    assert_eq!(hashes(&copied(&server, &other).await), hashes(&there), "PostgreSQL to PostgreSQL");
    let back = folder.file("back.db");
    assert_eq!(hashes(&copied(&other, &back).await), hashes(&there), "PostgreSQL to SQLite");
    let again = folder.file("again.db");
    assert_eq!(hashes(&copied(&back, &again).await), hashes(&there), "SQLite to SQLite");
    let compared = compare(&route(&source, &again), &mut |_| {}).await.unwrap();
    assert_eq!(hashes(&compared), hashes(&there));
    assert!(compared.iter().all(Compared::is_same));
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&path(&again).metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    // Compared, not only copied.
    by_hand(&again, "UPDATE profile SET host = 'smtp.other.example' WHERE in_use = 1").await;
    let compared = compare(&route(&source, &again), &mut |_| {}).await.unwrap();
    let odd: Vec<_> = compared.iter().filter(|one| !one.is_same()).map(|one| one.table).collect();
    assert_eq!(odd, ["profile"]);
}

#[tokio::test]
async fn what_is_large_or_odd_is_copied_too() {
    let folder = Folder::new();
    let source = filled(&folder, "first.db").await;
    // NUL and invalid UTF-8 in a text, an empty text and NULL, a key that is not in ASCII; files of a message.
    by_hand(
        &source,
        "UPDATE message SET subject = 'a' || char(0) || 'b' || CAST(x'ff' AS TEXT), reference = '' WHERE id LIKE '%1';
         UPDATE message SET reference = NULL WHERE id LIKE '%2';
         INSERT INTO account (portal, account, sending_mode) VALUES ('demo', 'é', 'x'), ('demo', 'z', 'x'), ('demo', '😀', 'x');
         UPDATE content SET sealed = randomblob(20000000) WHERE rowid <= 3;
         UPDATE session SET refused_draft = 'old';",
    )
    .await;
    let Some(server) = postgres("template0").await else { return };
    let there = copied(&source, &server).await;
    let back = folder.file("back.db");
    assert_eq!(hashes(&copied(&server, &back).await), hashes(&there));
    let store = SqliteStore::open(path(&back)).await.unwrap();
    let message = store.message("demo", uuid::Uuid::from_u128(1)).await.unwrap().unwrap();
    assert_eq!(message.subject, "a\u{fffd}b\u{fffd}");
    store.close().await;
}

#[tokio::test]
async fn a_target_that_is_in_use_for_something_is_left_alone() {
    let folder = Folder::new();
    let source = filled(&folder, "first.db").await;
    let Some(server) = postgres("template0").await else { return };
    let other = filled(&folder, "other.db").await;
    assert!(matches!(refused(&source, &other).await, CopyError::NotEmpty { .. }));
    copied(&source, &server).await;
    assert!(matches!(refused(&other, &server).await, CopyError::NotEmpty { .. }));
    // One row is enough.
    for sql in [
        "INSERT INTO journal (id, portal, account, at, person, content) VALUES ('j', 'demo', 'a', 1, 'p', '{}')",
        "INSERT INTO used_token (portal, jti, expires_at) VALUES ('demo', x'00', 1)",
    ] {
        let file = folder.file(&uuid::Uuid::new_v4().to_string());
        SqliteStore::open(path(&file)).await.unwrap().close().await;
        by_hand(&file, sql).await;
        assert!(matches!(refused(&source, &file).await, CopyError::NotEmpty { .. }), "{sql}");
    }
    // A target that was only opened and checked is as good as a new one.
    let checked = folder.file("checked.db");
    let store = SqliteStore::open(path(&checked)).await.unwrap();
    crate::store::SealedStore::set_canary(&store, &[9]).await.unwrap();
    store.close().await;
    by_hand(&checked, "INSERT INTO heartbeat (id, at, ballast) VALUES (1, 1, x'00')").await;
    copied(&source, &checked).await;
    // Another program's database, and a file that is none.
    let foreign = folder.file("foreign.db");
    std::fs::write(path(&foreign), "").unwrap();
    by_hand(&foreign, "CREATE TABLE photo (id INTEGER)").await;
    assert!(matches!(refused(&source, &foreign).await, CopyError::Foreign(_)));
    assert!(matches!(refused(&foreign, &folder.file("new.db")).await, CopyError::Foreign(_)));
    assert!(matches!(refused(&folder.file("none.db"), &folder.file("new.db")).await, CopyError::Missing(_)));
    assert!(!path(&folder.file("none.db")).exists() && !path(&folder.file("new.db")).exists(), "nothing is made");
}

#[tokio::test]
async fn versions_must_match() {
    let folder = Folder::new();
    let source = filled(&folder, "first.db").await;
    let Some(server) = postgres("template0").await else { return };
    by_hand(&source, "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)").await;
    let error = refused(&source, &server).await;
    assert!(matches!(error, CopyError::Older { .. }) && error.to_string().contains("upgrade it first"), "{error}");
    let newer = filled(&folder, "newer.db").await;
    by_hand(&newer, "UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1").await;
    assert!(matches!(refused(&newer, &server).await, CopyError::Newer { found: 9999, .. }));
    let halfway = filled(&folder, "halfway.db").await;
    by_hand(&halfway, "UPDATE _sqlx_migrations SET success = 0 WHERE version = 1").await;
    assert!(matches!(refused(&halfway, &server).await, CopyError::Halfway(_)));
}

#[tokio::test]
async fn rows_without_their_parents_are_named() {
    let folder = Folder::new();
    let source = filled(&folder, "first.db").await;
    by_hand(&source, "DELETE FROM content WHERE message LIKE '%1'; DELETE FROM message WHERE id LIKE '%0014'").await;
    let error = refused(&source, &folder.file("new.db")).await;
    let CopyError::Orphans { table, parent, rows, .. } = &error else { panic!("{error}") };
    assert_eq!((table.as_str(), parent.as_str(), *rows), ("content", "message", 1));
}

#[tokio::test]
async fn a_row_that_the_target_does_not_take_is_named() {
    let folder = Folder::new();
    let source = filled(&folder, "first.db").await;
    by_hand(&source, "UPDATE lane SET fallback = 7 WHERE account = 'dubois'").await;
    let Some(server) = postgres("template0").await else { return };
    let error = copy(&route(&source, &server), CopyOptions::default(), &mut |_| {}).await.unwrap_err();
    let CopyError::Row { table, key, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*table, key.as_str()), ("lane", r#""demo\u{1f}dubois", 7"#));
    // Repaired, the copy continues.
    by_hand(&source, "UPDATE lane SET fallback = 0 WHERE account = 'dubois'").await;
    copied(&source, &server).await;
}

#[tokio::test]
async fn outcomes_that_a_crash_left_behind_are_copied_in_their_messages() {
    let folder = Folder::new();
    let (source, target) = (filled(&folder, "first.db").await, folder.file("copy.db"));
    by_hand(
        &source,
        "INSERT INTO outcome (message, recipients, reply, fallback, tries, at, forgets)
         SELECT id, recipients, '250 left behind', 0, 1, 7, 1 FROM message WHERE state = 'queued' LIMIT 1",
    )
    .await;
    copied(&source, &target).await;
    let options = SqliteConnectOptions::new().filename(path(&target));
    let mut connection: SqliteConnection = options.connect().await.unwrap();
    let accepted = "SELECT count(*) FROM message WHERE state = 'accepted' AND reply = '250 left behind'";
    let accepted: i64 = sqlx::query_scalar(accepted).fetch_one(&mut connection).await.unwrap();
    assert_eq!(accepted, 1);
    connection.close().await.unwrap();
}
