//! Server side. A whole database copied into another one, of the same kind or of the other: `facteur database copy`.
//!
//! Rows are copied unchanged, in batches, in the order of their keys. Nothing is decrypted: sealed values are bound to
//! ids, which stay. Each batch and its progress record (in the target's table `_copy`) are one transaction, so that a
//! copy that was killed continues after the last batch. In the end both databases are read again, and counted and
//! hashed row by row. Only then `_copy` is dropped: while it exists, no store opens the database.
//!
//! The source is not written to, and needs no snapshot: a change meanwhile is a difference that the comparison finds.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;

mod connection;
mod ends;
mod error;
mod row;
mod tables;
#[cfg(test)]
pub(crate) mod tests;

pub use connection::Location;
pub use error::CopyError;
pub use tables::TABLES;

use super::StoreError;
use connection::{End, TableProgress};
use ends::{mark, source, target};
use row::{Cell, Columns, Digested, Hasher, Row};
use tables::{ABANDONED, Table};

/// The table that a database has while it is the target of a copy.
pub const UNFINISHED: &str = "_copy";
/// How often everything is copied before it fails because of a difference.
const ROUNDS: u32 = 2;

/// Source and target, and their names in messages.
pub struct Route {
    pub from: Location,
    pub from_name: String,
    pub to: Location,
    pub to_name: String,
}

/// How it is copied.
#[derive(Debug, Clone, Copy)]
pub struct CopyOptions {
    /// Discards an unfinished copy.
    pub restart: bool,
    /// Most rows and bytes of a batch, but at least one row.
    pub batch_rows: usize,
    pub batch_bytes: usize,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self { restart: false, batch_rows: 1_000, batch_bytes: 4 * 1024 * 1024 }
    }
}

/// The steps, reported as they happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// An unfinished copy continues.
    Resumed,
    /// This many rows of a table are copied.
    Copied { table: &'static str, rows: u64, of: u64 },
    /// Both databases are read again.
    Comparing { table: &'static str },
    /// The source was changed since the copy began.
    StartingOver,
}

/// A table in both databases.
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

/// Copies everything, or continues. The copy is finished if every table is the same in the end. The caller must make
/// sure that no process serves from either database.
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
            // Waiting messages of a backup may have been sent since: the copy is marked as a backup too.
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

/// Copies the remaining rows.
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
                // Which row failed? Write them one at a time: the earlier ones succeed.
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

/// Writes a batch and its progress record.
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

/// The columns of a table in both databases, which have the same names.
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
