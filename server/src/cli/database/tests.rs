//! The command as it is typed: what it refuses, what it prints, and its exit code.

use std::path::Path;

use clap::Parser;

use super::*;
use crate::store::{contract::filled, postgres::cluster, sqlite::SqliteStore};

#[derive(Parser)]
struct Typed {
    #[command(subcommand)]
    command: Command,
}

/// Its exit code, standard output and standard error.
async fn typed(arguments: &[&str]) -> (u8, String, String) {
    let typed = match Typed::try_parse_from(["database"].iter().chain(arguments)) {
        Ok(typed) => typed,
        Err(error) => return (2, String::new(), error.to_string()),
    };
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let done = match &typed.command {
        Command::Copy(arguments) => {
            let options = CopyOptions { restart: arguments.restart, ..CopyOptions::default() };
            both(&arguments.ends, Work::Copy(options), &mut output, &mut errors).await
        }
        Command::Compare(arguments) => both(arguments, Work::Compare, &mut output, &mut errors).await,
    };
    let (code, failure) = match done {
        Ok(_) => (0, String::new()),
        Err(Failed { error, code }) => {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(deeper) = cause {
                text = format!("{text}: {deeper}");
                cause = deeper.source();
            }
            (code, text)
        }
    };
    (code, String::from_utf8(output).unwrap(), String::from_utf8(errors).unwrap() + &failure)
}

async fn filled(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    let store = SqliteStore::open(&path).await.unwrap();
    filled::fill(&store).await;
    store.close().await;
    path.display().to_string()
}

#[tokio::test]
async fn a_database_is_moved_and_the_tables_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (filled(folder.path(), "a.db").await, folder.path().join("b.db").display().to_string());
    let (code, output, errors) = typed(&["copy", "--from", &from, "--to", &to]).await;
    assert_eq!(code, 0, "{errors}");
    assert!(
        errors.contains("message: 11 of 11") && errors.contains("Do not serve from the source any more"),
        "{errors}"
    );
    let message = output.lines().find(|line| line.starts_with("message ")).unwrap();
    let words: Vec<_> = message.split_whitespace().collect();
    assert_eq!((words[1], words[2].len()), ("11", 64), "{output}");
    let (code, output, _) = typed(&["compare", "--from", &from, "--to", &to, "--json"]).await;
    let whole: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!((code, &whole["same"]), (0, &json!(true)), "{output}");
    assert_eq!(whole["tables"].as_array().unwrap().len(), copy::TABLES.len());
    let (code, _, errors) = typed(&["copy", "--from", &from, "--to", &to]).await;
    assert_eq!(code, 2);
    assert!(errors.contains("b.db is not empty: there are rows in account"), "{errors}");
    // A difference has another exit code than a refusal.
    let other = filled(folder.path(), "c.db").await;
    let (code, output, errors) = typed(&["compare", "--from", &from, "--to", &other]).await;
    assert_eq!(code, 1);
    assert!(output.contains("target: differs") && errors.contains("the two databases differ"), "{output} {errors}");
}

#[tokio::test]
async fn what_somebody_serves_from_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (filled(folder.path(), "a.db").await, folder.path().join("b.db").display().to_string());
    for served in [&from, &to] {
        let lock = DatabaseLocation::parse(served).unwrap().take_lock().await.unwrap();
        let (code, _, errors) = typed(&["copy", "--from", &from, "--to", &to]).await;
        assert_eq!(code, 2, "{errors}");
        assert!(errors.contains(&format!("another process uses {served}: stop it first")), "{errors}");
        drop(lock);
    }
    let (code, _, errors) = typed(&["copy", "--from", &from, "--to", &from]).await;
    assert_eq!((code, errors.as_str()), (2, "the source and the target are the same database"));
    assert!(!folder.path().join("b.db").exists());
    let Some((url, _)) = cluster::over_tls().await else { return };
    let lock = DatabaseLocation::parse(&url).unwrap().take_lock().await.unwrap();
    let (code, _, errors) = typed(&["copy", "--from", &from, "--to", &url]).await;
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("stop it first"), "{errors}");
    drop(lock);
    let (code, _, errors) = typed(&["copy", "--from", &from, "--to", &url]).await;
    assert_eq!(code, 0, "{errors}");
}

#[tokio::test]
async fn no_password_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let from = filled(folder.path(), "a.db").await;
    let secret = folder.path().join("url");
    std::fs::write(&secret, "postgres://u:geheim@localhost:1/d\n").unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let secret = secret.display().to_string();
    for (arguments, code, says) in [
        (vec!["--to", "postgres://u:geheim@localhost:1/d"], 1, "cannot use the database d on localhost, port 1"),
        (vec!["--to-url-file", &secret], 1, "cannot use the database d on localhost, port 1"),
        (vec!["--to", "postgres:/u:geheim@localhost/d"], 2, "--to: it must begin with postgres://"),
        (vec!["--to", "mysql://u:geheim@localhost/d"], 2, "--to: it must begin with postgres://"),
        (vec!["--to", "u:geheim@localhost/d"], 2, "--to: it "),
        (vec!["--to", "postgres://u:geheim@localhost/d?sslmod=x"], 2, "--to: after the ? it accepts"),
        (vec!["postgres://u:geheim@localhost/d", "--to", "x.db"], 2, "give the databases with --from and --to"),
        (vec!["--to", "postgres://u:geheim@h/d", "--to-url-file", "x"], 2, "cannot be used with"),
        (vec![], 2, "required"),
    ] {
        let typed = typed(&[&["copy", "--from", &from][..], &arguments[..]].concat()).await;
        assert_eq!(typed.0, code, "{arguments:?}: {typed:?}");
        assert!(typed.2.contains(says), "{arguments:?}: {typed:?}");
        assert!(!format!("{typed:?}").contains("geheim"), "{arguments:?}: {typed:?}");
    }
}
