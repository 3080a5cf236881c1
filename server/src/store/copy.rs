//! Server side. A whole database copied into another one, of the same kind or of the other: `facteur database copy`.
//!
//! Rows go over as they are, in batches, in the order of their keys. Nothing is decrypted: what is sealed is bound to ids, which
//! stay. Each batch and the note how far the copy is (the target's table `_copy`) are one transaction, so that a copy that was
//! killed goes on after the last batch. In the end both databases are read again, and counted and hashed row by row. Only then
//! `_copy` is dropped: as long as it is there, no store opens the database.
//!
//! The source is not written to, and needs no snapshot: whatever changed in it meanwhile is a difference that the end finds.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use sha2::{Digest, Sha256};

mod connection;
mod error;
mod row;
mod tables;
#[cfg(test)]
pub(crate) mod tests;

pub use connection::Place;
pub use error::CopyError;
pub use tables::TABLES;

use super::{StoreError, postgres::PostgresStore, sqlite::SqliteStore};
use connection::{End, TableProgress, Version};
use row::{Cell, Columns, Digested, Hasher, Row};
use tables::{ABANDONED, Rows, Table};

/// The table that a database has while it is the target of a copy.
pub const UNFINISHED: &str = "_copy";
/// How often everything is copied before a difference is given up on.
const ROUNDS: u32 = 2;

/// From where to where, and what messages call them.
pub struct Route {
    pub from: Place,
    pub from_name: String,
    pub to: Place,
    pub to_name: String,
}

/// How it is copied.
#[derive(Debug, Clone, Copy)]
pub struct CopyOptions {
    /// Discards an unfinished copy.
    pub restart: bool,
    /// Rows and bytes of a batch, at most; one row, however large.
    pub batch_rows: usize,
    pub batch_bytes: usize,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self { restart: false, batch_rows: 1_000, batch_bytes: 4 * 1024 * 1024 }
    }
}

/// What happens, while it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// An unfinished copy goes on.
    Resumed,
    /// So many rows of a table are there.
    Copied { table: &'static str, rows: u64, of: u64 },
    /// Both ends are read again.
    Comparing { table: &'static str },
    /// The source was changed since the copy began.
    StartingOver,
}

/// A table at both ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    pub table: &'static str,
    pub from: Digested,
    pub to: Digested,
}

impl Compared {
    pub fn is_same(&self) -> bool {
        self.from == self.to
    }
}

type Watch<'a> = &'a mut (dyn FnMut(Progress) + Send);

/// Copies everything, or goes on with it. Where each table is the same in the end, the copy is finished; otherwise it is not.
/// The caller has made sure that nobody serves from either database.
pub async fn copy(route: &Route, options: CopyOptions, watch: Watch<'_>) -> Result<Vec<Compared>, CopyError> {
    let mut from = source(route).await?;
    let of_source = |error| CopyError::Store(route.from_name.clone(), error);
    let of_target = |error| CopyError::Store(route.to_name.clone(), error);
    let mark = mark(&mut from).await.map_err(of_source)?;
    let mut to = target(route, options.restart, &mark, watch).await?;
    let mut round = 1;
    let compared = loop {
        copy_tables(route, (&mut from, &mut to), options, watch).await?;
        let compared = compare_tables(route, (&mut from, &mut to), watch).await?;
        let same = compared.iter().all(Compared::is_same);
        if same {
            // Of a backup, whatever waits may have been sent since: in the copy as well.
            if from.is_backup().await.map_err(of_source)? {
                to.mark_as_backup().await.map_err(of_target)?;
            }
            to.finish_copy().await.map_err(of_target)?;
        }
        if same || round == ROUNDS {
            break compared;
        }
        watch(Progress::StartingOver);
        to.discard_copy().await.map_err(of_target)?;
        to.begin_copy(&mark).await.map_err(of_target)?;
        round += 1;
    };
    to.close().await.map_err(of_target)?;
    from.close().await.map_err(of_source)?;
    Ok(compared)
}

/// Counts and hashes both databases, and changes neither.
pub async fn compare(route: &Route, watch: Watch<'_>) -> Result<Vec<Compared>, CopyError> {
    let back = Route {
        from: route.to.clone(),
        from_name: route.to_name.clone(),
        to: route.from.clone(),
        to_name: route.from_name.clone(),
    };
    let (mut from, mut to) = (source(route).await?, source(&back).await?);
    let compared = compare_tables(route, (&mut from, &mut to), watch).await?;
    to.close().await.map_err(|error| CopyError::Store(route.to_name.clone(), error))?;
    from.close().await.map_err(|error| CopyError::Store(route.from_name.clone(), error))?;
    Ok(compared)
}

/// Connects to a whole database of this version.
async fn source(route: &Route) -> Result<End, CopyError> {
    let name = || route.from_name.clone();
    let failed = |error| CopyError::Store(name(), error);
    if let Place::File(path) = &route.from
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

/// What tells installations apart: the canary's nonce is random.
async fn mark(end: &mut End) -> Result<String, StoreError> {
    let canary = end.canary().await?.unwrap_or_default();
    Ok(Sha256::digest(canary).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A database of this version into which the copy has begun. Whatever else is in the way is left alone.
async fn target(route: &Route, restart: bool, mark: &str, watch: Watch<'_>) -> Result<End, CopyError> {
    let name = || route.to_name.clone();
    let failed = |error| CopyError::Store(name(), error);
    let is_there = match &route.to {
        // An empty file is a database without tables.
        Place::File(path) => path.metadata().is_ok_and(|found| found.len() > 0),
        Place::Server(_) => true,
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
                // Another schema of the same PostgreSQL database may be anybody's; a file is not.
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
    // Makes the tables, or brings them up to date.
    match &route.to {
        Place::File(path) => SqliteStore::open(path).await.map_err(failed)?.close().await,
        Place::Server(options) => PostgresStore::open((**options).clone(), 2).await.map_err(failed)?.close().await,
    }
    let mut end = End::connect(&route.to, false).await.map_err(failed)?;
    end.begin_copy(mark).await.map_err(failed)?;
    Ok(end)
}

/// Copies what is not there yet.
async fn copy_tables(
    route: &Route,
    (from, to): (&mut End, &mut End),
    options: CopyOptions,
    watch: Watch<'_>,
) -> Result<(), CopyError> {
    let of_target = |error| CopyError::Store(route.to_name.clone(), error);
    let progress: BTreeMap<_, _> = to.progress().await.map_err(of_target)?.into_iter().collect();
    for table in TABLES {
        let begun = match progress.get(table.name) {
            Some(begun) if begun.done => continue,
            Some(begun) => begun.clone(),
            None => {
                to.begin_table(table).await.map_err(of_target)?;
                TableProgress { rows: 0, last: None, done: false }
            }
        };
        copy_table(route, (from, to), table, begun, options, watch).await?;
    }
    Ok(())
}

async fn copy_table(
    route: &Route,
    (from, to): (&mut End, &mut End),
    table: &'static Table,
    begun: TableProgress,
    options: CopyOptions,
    watch: Watch<'_>,
) -> Result<(), CopyError> {
    let of_source = |error| CopyError::Store(route.from_name.clone(), error);
    let of_target = |error| CopyError::Store(route.to_name.clone(), error);
    let (columns, given) = columns(route, (from, to), table).await?;
    let of = from.count(table).await.map_err(of_source)?;
    let after = begun.last.as_deref().map(serde_json::from_str::<Row>).transpose();
    let after = after.map_err(|_| CopyError::OtherVersion(route.to_name.clone()))?;
    let mut there = begun.rows;
    let mut rows = from.read(table, &columns, after).fuse();
    loop {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < options.batch_rows && bytes < options.batch_bytes {
            let Some(row) = rows.next().await else { break };
            let row = row.map_err(of_source)?;
            bytes += row.iter().map(Cell::size).sum::<usize>();
            batch.push(row);
        }
        if batch.is_empty() {
            break;
        }
        match write(to, table, &given, &batch, there).await {
            Ok(()) => {}
            Err(CopyError::Store(_, error)) if error.is_about_a_row() && batch.len() > 1 => {
                // Which one? Those before it are written.
                for (number, row) in batch.iter().enumerate() {
                    let before = there + i64::try_from(number).unwrap_or(i64::MAX);
                    write(to, table, &given, std::slice::from_ref(row), before).await?;
                }
            }
            Err(CopyError::Store(_, error)) => return Err(of_target(error)),
            Err(error) => return Err(error),
        }
        there += i64::try_from(batch.len()).unwrap_or(i64::MAX);
        watch(Progress::Copied { table: table.name, rows: u64::try_from(there).unwrap_or_default(), of });
    }
    to.end_table(table).await.map_err(of_target)
}

/// Writes a batch and the note on it.
async fn write(
    to: &mut End,
    table: &'static Table,
    columns: &Columns,
    batch: &[Row],
    before: i64,
) -> Result<(), CopyError> {
    let key =
        |row: &Row| -> Row { table.key.iter().filter_map(|name| row.get(columns.position(name)?).cloned()).collect() };
    let last = batch.last().map(key).unwrap_or_default();
    let failed = |error: StoreError| match batch {
        [_] if error.is_about_a_row() => {
            let shown = |cell: &Cell| match cell {
                Cell::Null => "NULL".to_owned(),
                Cell::Number(number) => number.to_string(),
                Cell::Text(text) => format!("{text:?}"),
                Cell::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            };
            let key: Vec<_> = last.iter().map(shown).collect();
            CopyError::Row { table: table.name, key: key.join(", "), source: error }
        }
        _ => CopyError::Store(String::new(), error),
    };
    let note = serde_json::to_string(&last)
        .map_err(|source| StoreError::Unencodable { table: UNFINISHED, column: "last", source })
        .map_err(failed)?;
    if to.write(table, columns, batch, before, &note).await.map_err(failed)? {
        Ok(())
    } else {
        Err(CopyError::Overtaken)
    }
}

/// The columns of a table at both ends, which have the same names.
async fn columns(
    route: &Route,
    (from, to): (&mut End, &mut End),
    table: &Table,
) -> Result<(Columns, Columns), CopyError> {
    let wanted = |Columns(columns): Columns| {
        let is_wanted = |(name, _): &(String, row::Kind)| !ABANDONED.contains(&(table.name, name.as_str()));
        Columns(columns.into_iter().filter(is_wanted).collect())
    };
    let of = from.columns(table.name).await.map_err(|error| CopyError::Store(route.from_name.clone(), error))?;
    let into = to.columns(table.name).await.map_err(|error| CopyError::Store(route.to_name.clone(), error))?;
    let (of, into) = (wanted(of), wanted(into));
    let (here, there): (BTreeSet<_>, BTreeSet<_>) = (of.names().collect(), into.names().collect());
    let odd: Vec<_> = here.symmetric_difference(&there).map(|name| format!("{}.{name}", table.name)).collect();
    if of.0.is_empty() || !odd.is_empty() {
        return Err(CopyError::Schema(if odd.is_empty() { table.name.to_owned() } else { odd.join(", ") }));
    }
    Ok((of, into))
}

async fn compare_tables(
    route: &Route,
    (from, to): (&mut End, &mut End),
    watch: Watch<'_>,
) -> Result<Vec<Compared>, CopyError> {
    let mut compared = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        watch(Progress::Comparing { table: table.name });
        let (of, into) = columns(route, (from, to), table).await?;
        let (from, to) = futures::join!(digest(from, table, &of), digest(to, table, &into));
        compared.push(Compared {
            table: table.name,
            from: from.map_err(|error| CopyError::Store(route.from_name.clone(), error))?,
            to: to.map_err(|error| CopyError::Store(route.to_name.clone(), error))?,
        });
    }
    Ok(compared)
}

/// Counts and hashes a table.
async fn digest(end: &mut End, table: &Table, columns: &Columns) -> Result<Digested, StoreError> {
    let mut hasher = Hasher::new(table.name, columns);
    let mut rows = end.read(table, columns, None);
    while let Some(row) = rows.next().await {
        hasher.add(&row?);
    }
    Ok(hasher.finish())
}
