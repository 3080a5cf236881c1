//! Server side. The command line: one command in each file.
//!
//! To add a command: a file with its arguments (`clap::Args`) and a function `run`, a variant of `Command`, a line in
//! [`run`].

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{config::Config, service::Service};

mod backup;
mod config;
mod database;
mod demo;
mod explain;
mod keys;
mod oauth;
mod probe;
mod restored;
mod serve;
mod stop;

/// Facteur: the SMTP configurator that web portals embed.
#[derive(Parser)]
#[command(name = "facteur", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a complete trial on this machine: configurator, demo portal, sandbox mail server
    Demo(demo::Arguments),
    /// Serve the configurator and the API
    Serve(ConfigFile),
    /// Check the configuration
    Config {
        #[command(subcommand)]
        command: config::Command,
    },
    /// Manage keys: of the vault, of portals, of webhooks
    Keys {
        #[command(subcommand)]
        command: keys::Command,
    },
    /// Check the registrations with providers at which owners sign in
    Oauth {
        #[command(subcommand)]
        command: oauth::Command,
    },
    /// Copy the database into another one, or compare two
    Database {
        #[command(subcommand)]
        command: database::Command,
    },
    /// Copy the database into a new file, even while Facteur serves
    Backup(backup::Arguments),
    /// After restoring a backup: mark its waiting messages as possibly sent, so that none is sent twice
    Restored(restored::Arguments),
    /// Submit one message, as the Test button does
    Probe(Box<probe::Arguments>),
    /// Explain servers' replies: one on the command line, or JSON lines on standard input
    Explain(explain::Arguments),
}

/// The location of the configuration.
#[derive(Args)]
struct ConfigFile {
    /// The configuration file
    #[arg(long, default_value = "facteur.toml")]
    config: PathBuf,
}

impl ConfigFile {
    /// Reads the configuration and prepares the service, without serving.
    async fn prepare(&self) -> Result<Service, Failed> {
        Service::prepare(&Config::load(&self.config).map_err(failed)?).await.map_err(failed)
    }

    /// The same, to serve.
    async fn prepare_to_serve(&self) -> Result<Service, Failed> {
        Service::prepare_to_serve(&Config::load(&self.config).map_err(failed)?).await.map_err(failed)
    }

    /// The same, with exclusive use of the database.
    async fn prepare_alone(&self) -> Result<Service, Failed> {
        Service::prepare_alone(&Config::load(&self.config).map_err(failed)?).await.map_err(failed)
    }
}

/// Why a command failed. Exit code 1: an error while it ran; 2: it could not be done as requested.
struct Failed {
    error: Box<dyn Error>,
    code: u8,
}

fn failed(error: impl Error + 'static) -> Failed {
    Failed { error: error.into(), code: 1 }
}

/// Runs a command, and prints on standard error why it failed.
pub async fn run(arguments: Arguments) -> ExitCode {
    let outcome = match arguments.command {
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Serve(file) => serve::run(&file).await,
        Command::Config { command } => config::run(command).await,
        Command::Keys { command } => keys::run(command).await,
        Command::Oauth { command } => oauth::run(command).await,
        Command::Database { command } => database::run(command).await,
        Command::Backup(arguments) => backup::run(&arguments).await,
        Command::Restored(arguments) => restored::run(&arguments).await,
        Command::Probe(arguments) => probe::run(&arguments).await,
        Command::Explain(arguments) => explain::run(&arguments),
    };
    outcome.unwrap_or_else(|Failed { error, code }| {
        eprintln!("facteur: {error}");
        let mut cause = error.source();
        while let Some(deeper) = cause {
            eprintln!("  because: {deeper}");
            cause = deeper.source();
        }
        ExitCode::from(code)
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_program_says_its_own_name_and_version() {
        let version = Arguments::command().render_version();
        assert_eq!(version.trim(), concat!("facteur ", env!("CARGO_PKG_VERSION")));
    }
}
