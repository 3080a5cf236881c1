//! Server side. The command line: one command a file.
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
mod probe;
mod restored;
mod serve;
mod stop;

/// Facteur: the SMTP configurator that web portals embed.
#[derive(Parser)]
#[command(version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything on this machine, for trying it out: configurator, demo portal, sandbox mail server
    Demo(demo::Arguments),
    /// The real thing
    Serve(ConfigFile),
    /// The configuration
    Config {
        #[command(subcommand)]
        command: config::Command,
    },
    /// Keys: of the vault, of portals, of webhooks
    Keys {
        #[command(subcommand)]
        command: keys::Command,
    },
    /// The database: move it to another one, compare two
    Database {
        #[command(subcommand)]
        command: database::Command,
    },
    /// Copy the database into a new file, also while Facteur serves
    Backup(backup::Arguments),
    /// After a backup was put back: messages that waited in it may have been sent since, so none is sent again by itself
    Restored(restored::Arguments),
    /// One submission from the terminal, with the code of the button
    Probe(Box<probe::Arguments>),
    /// Explain servers' replies: one on the command line, or JSON lines on standard input
    Explain(explain::Arguments),
}

/// Where the configuration is.
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

    /// The same, where no other process serves from the database.
    async fn prepare_alone(&self) -> Result<Service, Failed> {
        Service::prepare_alone(&Config::load(&self.config).map_err(failed)?).await.map_err(failed)
    }
}

/// Why a command ended badly: 1 when what it did failed, 2 when it could not be done as it was asked.
struct Failed {
    error: Box<dyn Error>,
    code: u8,
}

fn failed(error: impl Error + 'static) -> Failed {
    Failed { error: error.into(), code: 1 }
}

/// Runs a command, and tells on standard error why it failed.
pub async fn run(arguments: Arguments) -> ExitCode {
    let outcome = match arguments.command {
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Serve(file) => serve::run(&file).await,
        Command::Config { command } => config::run(command).await,
        Command::Keys { command } => keys::run(command).await,
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
