//! Server side. The database's file: created with access for its owner alone, and watched, since it may be deleted or
//! replaced.

use std::path::Path;

use crate::store::StoreError;

/// The file that was opened. SQLite keeps writing into a deleted or replaced one, and those writes would be lost when
/// the process ends.
#[derive(Clone)]
pub(super) struct OpenedFile {
    path: std::path::PathBuf,
    identity: (u64, u64),
}

impl OpenedFile {
    pub fn of(path: &Path) -> Result<Self, StoreError> {
        let identity = identity(path).map_err(|error| StoreError::Unavailable(sqlx::Error::Io(error)))?;
        Ok(Self { path: path.to_owned(), identity })
    }

    /// Whether the path still leads to it.
    pub fn is_there(&self) -> Result<(), sqlx::Error> {
        if identity(&self.path)? == self.identity {
            return Ok(());
        }
        Err(sqlx::Error::Io(std::io::Error::other("the database file was replaced: a restart opens the new one")))
    }
}

/// Device and inode.
#[cfg(unix)]
fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

/// On other systems an open file cannot be deleted.
#[cfg(not(unix))]
fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    std::fs::metadata(path).map(|_| (0, 0))
}

/// A new file is accessible to its owner alone; SQLite gives its log the same mode. An existing file keeps its mode.
pub(super) fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::Unavailable(sqlx::Error::Io(error))),
    }
}
