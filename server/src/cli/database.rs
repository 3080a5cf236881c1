//! Server side. `facteur database …`: copies or compares whole databases, while no process serves from them.
//!
//! Exit codes: 0 when both databases have the same content in the end; 1 when something failed on the way, and running
//! it again may continue; 2 when it was refused, and nothing was changed.

use std::{
    io::Write,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use serde_json::json;

use super::Failed;
use crate::{
    config::ConfigError,
    service::database::{DatabaseLocation, ServingLock},
    store::{
        StoreError,
        copy::{self, Compared, CopyError, CopyOptions, Progress, Route},
    },
};

#[cfg(test)]
#[cfg(unix)]
mod tests;

/// How often the progress of a long table is printed.
const SAY_EVERY: Duration = Duration::from_secs(2);

#[derive(clap::Subcommand)]
pub enum Command {
    /// Copy everything into an empty database, of the same kind or the other one, and compare them. An interrupted copy
    /// continues when you run it again
    Copy(CopyArguments),
    /// Count and hash every table of two databases
    Compare(Arguments),
}

#[derive(clap::Args)]
pub struct CopyArguments {
    #[command(flatten)]
    ends: Arguments,
    /// Discard an unfinished copy in the target, and begin again
    #[arg(long)]
    restart: bool,
}

#[derive(clap::Args)]
#[command(
    group(clap::ArgGroup::new("source").required(true)),
    group(clap::ArgGroup::new("target").required(true))
)]
pub struct Arguments {
    /// The database to read: the path of a SQLite file, or postgres://…
    #[arg(long, group = "source")]
    from: Option<String>,
    /// A file with the URL of the database to read, readable by its owner alone
    #[arg(long, group = "source", value_name = "FILE")]
    from_url_file: Option<PathBuf>,
    /// The other database: the path of a SQLite file, or postgres://…
    #[arg(long, group = "target")]
    to: Option<String>,
    /// A file with the URL of the other database, readable by its owner alone
    #[arg(long, group = "target", value_name = "FILE")]
    to_url_file: Option<PathBuf>,
    /// Caught here, because clap's error would print an argument that may contain a password
    #[arg(hide = true)]
    stray: Vec<String>,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

/// An invalid command line.
#[derive(Debug, thiserror::Error)]
enum UsageError {
    #[error("{0}: {1}")]
    Location(&'static str, &'static str),
    #[error("give the databases with --from and --to")]
    Stray,
    #[error(transparent)]
    File(#[from] ConfigError),
    #[error("standard output was closed")]
    Output(#[from] std::io::Error),
}

pub async fn run(command: Command) -> Result<ExitCode, Failed> {
    let (output, errors) = (&mut std::io::stdout(), &mut std::io::stderr());
    match command {
        Command::Copy(arguments) => {
            let options = CopyOptions { restart: arguments.restart, ..CopyOptions::default() };
            both(&arguments.ends, Work::Copy(options), output, errors).await
        }
        Command::Compare(arguments) => both(&arguments, Work::Compare, output, errors).await,
    }
}

enum Work {
    Copy(CopyOptions),
    Compare,
}

async fn both(
    arguments: &Arguments,
    work: Work,
    output: &mut (dyn Write + Send),
    errors: &mut (dyn Write + Send),
) -> Result<ExitCode, Failed> {
    let (from, to) = ends(arguments).map_err(refused)?;
    let route =
        Route { from: from.location(), from_name: from.to_string(), to: to.location(), to_name: to.to_string() };
    let mut said = Said { errors, last: None };
    let compared = work_alone((&from, &to), &route, &work, &mut |progress| said.say(&progress)).await;
    let compared =
        compared.map_err(|error| Failed { code: if error.is_refusal() { 2 } else { 1 }, error: error.into() })?;
    let same = compared.iter().all(Compared::is_same);
    let written = if arguments.json { write_json(output, &route, &compared) } else { write_table(output, &compared) };
    written.map_err(|error| Failed { error: UsageError::from(error).into(), code: 1 })?;
    match work {
        Work::Copy(_) if !same => Err(Failed { error: CopyError::Differs.into(), code: 1 }),
        Work::Compare if !same => Err(Failed { error: CopyError::Different.into(), code: 1 }),
        Work::Copy(_) => {
            // A closed pipe does not matter any more.
            let _ = writeln!(
                said.errors,
                "{} holds the same as {}. Do not serve from the source any more: its waiting messages would be sent twice.",
                route.to_name, route.from_name
            );
            Ok(ExitCode::SUCCESS)
        }
        Work::Compare => Ok(ExitCode::SUCCESS),
    }
}

fn refused(error: UsageError) -> Failed {
    Failed { error: error.into(), code: 2 }
}

fn ends(arguments: &Arguments) -> Result<(DatabaseLocation, DatabaseLocation), UsageError> {
    let location = |option: &'static str, given: Option<&str>, file: Option<&PathBuf>| match (given, file) {
        (Some(text), _) => DatabaseLocation::parse(text).map_err(|problem| UsageError::Location(option, problem)),
        (None, Some(file)) => Ok(DatabaseLocation::parse_file(file)?),
        (None, None) => Err(UsageError::Location(option, "it is missing")),
    };
    if !arguments.stray.is_empty() {
        return Err(UsageError::Stray);
    }
    Ok((
        location("--from", arguments.from.as_deref(), arguments.from_url_file.as_ref())?,
        location("--to", arguments.to.as_deref(), arguments.to_url_file.as_ref())?,
    ))
}

/// Works while no process serves from either database, or copies into it.
async fn work_alone(
    (from, to): (&DatabaseLocation, &DatabaseLocation),
    route: &Route,
    work: &Work,
    watch: &mut (dyn FnMut(Progress) + Send),
) -> Result<Vec<Compared>, CopyError> {
    if from.is_same_as(to) {
        return Err(CopyError::Same);
    }
    if let DatabaseLocation::File(path) = from
        && !path.is_file()
    {
        return Err(CopyError::Missing(route.from_name.clone()));
    }
    let of_source = lock(from, &route.from_name).await?;
    let of_target = lock(to, &route.to_name).await?;
    tokio::select! {
        compared = async {
            match work {
                Work::Copy(options) => copy::copy(route, *options, watch).await,
                Work::Compare => copy::compare(route, watch).await,
            }
        } => compared,
        () = of_source.lost() => Err(CopyError::LockLost(route.from_name.clone())),
        () = of_target.lost() => Err(CopyError::LockLost(route.to_name.clone())),
    }
}

/// Locking a file that does not exist would create one.
async fn lock(location: &DatabaseLocation, name: &str) -> Result<ServingLock, CopyError> {
    let folder_is_there = match location {
        DatabaseLocation::File(path) => {
            path.exists() || path.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder.is_dir())
        }
        DatabaseLocation::Server(..) => true,
    };
    if !folder_is_there {
        return Err(CopyError::Missing(name.to_owned()));
    }
    location.take_lock().await.map_err(|error| match error {
        StoreError::InUse { .. } => CopyError::InUse { place: name.to_owned(), source: error },
        error => CopyError::Store(name.to_owned(), error),
    })
}

/// Progress on standard error.
struct Said<'a> {
    errors: &'a mut (dyn Write + Send),
    last: Option<(&'static str, Instant)>,
}

impl Said<'_> {
    fn say(&mut self, progress: &Progress) {
        // A closed pipe does not end the copy.
        let _ = match progress {
            Progress::Resumed => writeln!(self.errors, "resuming the unfinished copy"),
            Progress::StartingOver => {
                writeln!(self.errors, "the source was changed since the copy began: starting over")
            }
            Progress::Comparing { table } => writeln!(self.errors, "comparing {table}"),
            Progress::Copied { table, rows, of } => {
                let just_said = self.last.is_some_and(|(of, at)| of == *table && at.elapsed() < SAY_EVERY);
                if just_said && rows < of {
                    return;
                }
                self.last = Some((table, Instant::now()));
                writeln!(self.errors, "{table}: {rows} of {of}")
            }
        };
    }
}

/// A line for each table; two where source and target differ.
fn write_table(output: &mut dyn Write, compared: &[Compared]) -> std::io::Result<()> {
    let width = compared.iter().map(|one| one.table.len()).max().unwrap_or_default();
    writeln!(output, "{:width$}  {:>12}  SHA-256", "table", "rows")?;
    for one in compared {
        let (rows, hash) = (one.from.rows, &one.from.hash);
        if one.is_same() {
            writeln!(output, "{:width$}  {rows:>12}  {hash}", one.table)?;
        } else {
            writeln!(output, "{:width$}  {rows:>12}  {hash}  source", one.table)?;
            writeln!(output, "{:width$}  {:>12}  {}  target: differs", one.table, one.to.rows, one.to.hash)?;
        }
    }
    let rows: u64 = compared.iter().map(|one| one.from.rows).sum();
    writeln!(output, "{} tables, {rows} rows", compared.len())
}

fn write_json(output: &mut dyn Write, route: &Route, compared: &[Compared]) -> std::io::Result<()> {
    let tables: Vec<_> = compared
        .iter()
        .map(|one| {
            json!({
                "table": one.table,
                "same": one.is_same(),
                "rows": one.from.rows,
                "sha256": one.from.hash,
                "target": { "rows": one.to.rows, "sha256": one.to.hash },
            })
        })
        .collect();
    let same = compared.iter().all(Compared::is_same);
    let whole = json!({ "from": route.from_name, "to": route.to_name, "same": same, "tables": tables });
    writeln!(output, "{whole}")
}
