//! Server side. One process serves from a file: it holds an operating system lock on a file beside it, which ends with
//! the process, even after a crash. SQLite's own locks last for a statement or a transaction.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

use crate::store::StoreError;

/// Held as long as its process serves.
#[derive(Debug)]
pub struct ServingLock {
    #[expect(dead_code, reason = "held, not read")]
    file: File,
}

impl ServingLock {
    /// Takes the lock, or fails if another process has it.
    pub fn take(database: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::Unavailable(sqlx::Error::Io(error));
        let path = beside(database).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                return Err(StoreError::InUse { process: holder.trim().parse().ok() });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Only for the error message of another process: on a full disk the process id is missing.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self { file })
    }
}

/// `facteur.db.lock`, beside the file that a link leads to. It is never deleted: a lock on a deleted file excludes no
/// process.
fn beside(database: &Path) -> std::io::Result<PathBuf> {
    let real = match std::fs::canonicalize(database) {
        Ok(real) => real,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            std::fs::canonicalize(folder)?.join(database.file_name().unwrap_or_default())
        }
        Err(error) => return Err(error),
    };
    let mut name = real.into_os_string();
    name.push(".lock");
    Ok(name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_whatever_the_file_is_called() {
        let folder = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
        std::fs::create_dir(&folder).unwrap();
        let database = folder.join("facteur.db");
        let first = ServingLock::take(&database).unwrap();
        let in_use = |error| matches!(error, StoreError::InUse { process: Some(id) } if id == std::process::id());
        assert!(in_use(ServingLock::take(&database).unwrap_err()), "locked even before the database exists");
        std::fs::write(&database, "").unwrap();
        #[cfg(unix)]
        {
            let link = folder.join("link.db");
            std::os::unix::fs::symlink(&database, &link).unwrap();
            assert!(in_use(ServingLock::take(&link).unwrap_err()));
        }
        assert!(ServingLock::take(&folder.join("other.db")).is_ok());
        drop(first);
        assert!(ServingLock::take(&database).is_ok());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// If set, this process is the other one.
    const HOLD: &str = "FACTEUR_TEST_HOLD";

    #[test]
    fn the_lock_of_a_process_that_was_killed_is_free() {
        use std::process::{Command, Stdio};
        if let Some(database) = std::env::var_os(HOLD) {
            let _held = ServingLock::take(Path::new(&database)).unwrap();
            std::io::stdout().write_all(b"held\n").unwrap();
            // Until it is killed, or the other process has ended.
            let _ = std::io::stdin().read_line(&mut String::new());
            return;
        }
        let folder = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
        std::fs::create_dir(&folder).unwrap();
        let database = folder.join("facteur.db");
        let name = "store::sqlite::serving::tests::the_lock_of_a_process_that_was_killed_is_free";
        let mut other = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(HOLD, &database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(other.stdout.take().unwrap()));
        assert!(lines.any(|line| line.unwrap().ends_with("held")));
        let refused = ServingLock::take(&database).unwrap_err();
        assert!(matches!(refused, StoreError::InUse { process: Some(id) } if id == other.id()), "{refused}");
        other.kill().unwrap();
        other.wait().unwrap();
        ServingLock::take(&database).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
