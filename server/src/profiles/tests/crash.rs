//! A process that is killed while it saves.

use super::*;

/// Set in the process that will be killed: the database it saves to.
const CHILD: &str = "FACTEUR_TEST_SAVES_TO";

/// Saves a profile over and over, and reports each save.
async fn save_for_ever(path: &std::path::Path) {
    use std::io::Write;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(path).await.unwrap());
    let profiles = ProfileService::new(store, vault(1), Policy::default(), Arc::new(|| at(0)));
    let id = saved(&profiles).await;
    for number in 1..100_000 {
        let state = Settings { sender_name: number.to_string(), ..settings() };
        profiles.save(by(&account()), Target::profile(id), state, SecretChange::Keep).await.unwrap();
        writeln!(std::io::stdout(), "\nsaved {number}").unwrap();
    }
}

#[tokio::test]
async fn what_was_committed_when_the_process_died_is_in_the_history() {
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };
    if let Some(path) = std::env::var_os(CHILD) {
        return save_for_ever(path.as_ref()).await;
    }
    for round in 0..3 {
        let path = std::env::temp_dir().join(format!("{}.db", uuid::Uuid::new_v4()));
        let this = "profiles::tests::crash::what_was_committed_when_the_process_died_is_in_the_history";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this, "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut told = lines.filter_map(|line| line.strip_prefix("saved ")?.parse::<usize>().ok());
        let heard = told.nth(20 + 7 * round).unwrap();
        // SIGKILL: the process cannot clean up.
        child.kill().unwrap();
        child.wait().unwrap();
        let store = SqliteStore::open(&path).await.unwrap();
        let rows = store.profiles(&account(), None, 9).await.unwrap();
        let changes: usize = rows[0].settings.sender_name.parse().unwrap();
        let history = store.journal(&account(), None, 100_000).await.unwrap();
        assert_eq!(history.len(), 1 + changes, "one entry for making it, and one for each change");
        assert!(changes >= heard, "every reported save is stored");
        store.close().await;
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
    }
}
