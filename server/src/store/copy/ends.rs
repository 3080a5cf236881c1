//! Server side. What may be copied from, and into: a complete database of this version, and one that holds no data yet.

use sha2::{Digest, Sha256};

use super::{
    CopyError, Location, Progress, Route, TABLES, Watch,
    connection::{End, Version},
    tables::Rows,
};
use crate::store::{StoreError, postgres::PostgresStore, sqlite::SqliteStore};

/// Connects to a complete database of this version.
pub(super) async fn source(route: &Route) -> Result<End, CopyError> {
    let name = || route.from_name.clone();
    let failed = |error| CopyError::Store(name(), error);
    if let Location::File(path) = &route.from
        && !path.is_file()
    {
        return Err(CopyError::Missing(name()));
    }
    let mut end = End::connect(&route.from, true).await.map_err(failed)?;
    let Some(version) = end.version().await.map_err(failed)? else { return Err(CopyError::Foreign(name())) };
    check(version, end.newest(), &route.from_name)?;
    if !end.progress().await.map_err(failed)?.is_empty() {
        return Err(CopyError::Unfinished(name()));
    }
    if let Location::File(path) = &route.from
        && end.has_rows("outcome").await.map_err(failed)?
    {
        // A crash left outcomes that are not in the rows of their messages yet. Opening the file moves them.
        end.close().await.map_err(failed)?;
        SqliteStore::open(path).await.map_err(failed)?.close().await;
        end = End::connect(&route.from, true).await.map_err(failed)?;
    }
    let orphans = end.orphans().await.map_err(failed)?;
    if let Some((table, parent)) = orphans.first().cloned() {
        let rows = orphans.iter().filter(|orphan| orphan.0 == table && orphan.1 == parent).count();
        return Err(CopyError::Orphans { place: name(), table, parent, rows });
    }
    Ok(end)
}

fn check(Version { applied, halfway }: Version, newest: i64, place: &str) -> Result<(), CopyError> {
    match applied.cmp(&newest) {
        _ if halfway => Err(CopyError::Halfway(place.to_owned())),
        std::cmp::Ordering::Less => Err(CopyError::Older { place: place.to_owned(), found: applied, newest }),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(CopyError::Newer { place: place.to_owned(), found: applied, newest }),
    }
}

/// Identifies the installation: the canary's nonce is random.
pub(super) async fn mark(end: &mut End) -> Result<String, StoreError> {
    let canary = end.canary().await?.unwrap_or_default();
    Ok(Sha256::digest(canary).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A database of this version in which the copy has begun. A database with other data is refused and left as it is.
pub(super) async fn target(route: &Route, restart: bool, mark: &str, watch: Watch<'_>) -> Result<End, CopyError> {
    let name = || route.to_name.clone();
    let failed = |error| CopyError::Store(name(), error);
    let is_there = match &route.to {
        // An empty file is a database without tables.
        Location::File(path) => path.metadata().is_ok_and(|found| found.len() > 0),
        Location::Server(_) => true,
    };
    if is_there {
        let mut end = End::connect(&route.to, true).await.map_err(failed)?;
        let (version, progress) = (end.version().await.map_err(failed)?, end.progress().await.map_err(failed)?);
        let tables = end.tables().await.map_err(failed)?;
        if let Some((_, begun)) = progress.iter().find(|(name, _)| name.is_empty()) {
            let newest = end.newest();
            end.close().await.map_err(failed)?;
            let mut end = End::connect(&route.to, false).await.map_err(failed)?;
            if !restart {
                if version != Some(Version { applied: newest, halfway: false }) {
                    return Err(CopyError::OtherVersion(name()));
                }
                if begun.last.as_deref() != Some(mark) {
                    return Err(CopyError::OtherSource(name()));
                }
                end.wait_for_writers().await.map_err(failed)?;
                watch(Progress::Resumed);
                return Ok(end);
            }
            end.discard_copy().await.map_err(failed)?;
            end.close().await.map_err(failed)?;
        } else {
            match version {
                Some(version) if version.applied > end.newest() => check(version, end.newest(), &route.to_name)?,
                // Another schema of the same PostgreSQL database may belong to another program; a file cannot.
                None if matches!(end, End::Sqlite(_)) && !tables.is_empty() => return Err(CopyError::Foreign(name())),
                _ => {}
            }
            for table in TABLES.iter().filter(|table| table.rows == Rows::Entrusted) {
                if version.is_some()
                    && tables.iter().any(|name| name == table.name)
                    && end.has_rows(table.name).await.map_err(failed)?
                {
                    return Err(CopyError::NotEmpty { place: name(), table: table.name });
                }
            }
            end.close().await.map_err(failed)?;
        }
    }
    // Creates or migrates the tables.
    match &route.to {
        Location::File(path) => SqliteStore::open(path).await.map_err(failed)?.close().await,
        Location::Server(options) => PostgresStore::open((**options).clone(), 2).await.map_err(failed)?.close().await,
    }
    let mut end = End::connect(&route.to, false).await.map_err(failed)?;
    end.begin_copy(mark).await.map_err(failed)?;
    Ok(end)
}
