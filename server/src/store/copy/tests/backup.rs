//! Backups as docs/operating.md makes them, restored and compared row by row with their originals.

use std::process::Command;

use super::*;

/// How `pg_dump` and similar tools reach the test's server.
fn tool(name: &str, of: &Location) -> Command {
    let Location::Server(options) = of else { panic!("not a server") };
    let mut command = Command::new(cluster::binaries().unwrap().join(name));
    command.arg("--host").arg(options.get_socket().unwrap());
    command.args(["--port", &options.get_port().to_string(), "--username", "facteur"]);
    command.arg("--dbname").arg(options.get_database().unwrap());
    command
}

fn ran(mut command: Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

async fn same(one: &Location, other: &Location) {
    let compared = compare(&route(one, other), &mut |_| {}).await.unwrap();
    assert!(compared.iter().all(Compared::is_same), "{compared:#?}");
    assert!(compared.iter().all(|one| one.from.rows > 0));
}

async fn is_backup(place: &Location) -> bool {
    match place {
        Location::File(path) => {
            let store = SqliteStore::open(path).await.unwrap();
            let marked = store.is_backup().await.unwrap();
            store.close().await;
            marked
        }
        Location::Server(options) => {
            let store = PostgresStore::open((**options).clone(), 2).await.unwrap();
            let marked = store.is_backup().await.unwrap();
            store.close().await;
            marked
        }
    }
}

#[tokio::test]
async fn a_file_is_backed_up_while_it_is_written() {
    let folder = Folder::new();
    let source = filled(&folder, "facteur.db").await;
    let store = SqliteStore::open(path(&source)).await.unwrap();
    let backup = folder.file("backup.db");
    store.back_up(path(&backup)).await.unwrap();
    same(&source, &backup).await;
    assert!(is_backup(&backup).await && !is_backup(&source).await);
    // A copy of a backup is a backup too.
    let Some(server) = postgres("template0").await else { return };
    copied(&backup, &server).await;
    assert!(is_backup(&server).await);
    let again = folder.file("again.db");
    copied(&server, &again).await;
    assert!(is_backup(&again).await);
    let answered = SqliteStore::open(path(&again)).await.unwrap();
    answered.release_backup().await.unwrap();
    answered.close().await;
    assert!(!is_backup(&again).await);
    store.close().await;
}

#[tokio::test]
async fn a_file_of_a_process_that_was_killed_is_copied_with_its_log() {
    let folder = Folder::new();
    let source = filled(&folder, "facteur.db").await;
    let store = SqliteStore::open(path(&source)).await.unwrap();
    crate::store::MaintenanceStore::heartbeat(&store, jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    let (name, copy) = (path(&source).display().to_string(), folder.file("copy.db"));
    // As after a crash: the log was not moved into the file.
    for end in ["", "-wal"] {
        std::fs::copy(format!("{name}{end}"), format!("{}{end}", path(&copy).display())).unwrap();
    }
    same(&source, &copy).await;
    store.close().await;
}

#[tokio::test]
async fn a_dump_is_restored_into_an_empty_database() {
    let folder = Folder::new();
    let source = filled(&folder, "facteur.db").await;
    let Some(server) = postgres("template0").await else { return };
    copied(&source, &server).await;
    assert!(!is_backup(&server).await);
    let file = folder.0.join("facteur.dump");
    let mut dump = tool("pg_dump", &server);
    dump.args(["--format=custom", "--file"]).arg(&file);
    ran(dump);
    let restored = postgres("template0").await.unwrap();
    let mut restore = tool("pg_restore", &restored);
    restore.args(["--no-owner", "--exit-on-error", "--single-transaction"]).arg(&file);
    ran(restore);
    same(&server, &restored).await;
    assert!(is_backup(&restored).await, "no process serves from it yet");
    // Over an existing database, too.
    let mut restore = tool("pg_restore", &server);
    restore.args(["--no-owner", "--exit-on-error", "--single-transaction", "--clean", "--if-exists"]).arg(&file);
    ran(restore);
    same(&restored, &server).await;
    assert!(is_backup(&server).await);
    let Location::Server(options) = &server else { return };
    let store = PostgresStore::open((**options).clone(), 2).await.unwrap();
    store.release_backup().await.unwrap();
    store.close().await;
    assert!(!is_backup(&server).await);
    // The triggers were restored: new changes are counted.
    by_hand(&server, "UPDATE message SET state = 'quarantined' WHERE state = 'queued'").await;
    let store = PostgresStore::open((**options).clone(), 2).await.unwrap();
    let metrics = crate::store::MaintenanceStore::queue_metrics(&store, jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(metrics.queued, 0);
    store.close().await;
}
