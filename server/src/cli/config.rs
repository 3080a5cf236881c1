//! Server side. `facteur config check`.

use std::process::ExitCode;

use super::{ConfigFile, Failed};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Read the configuration and everything it names, and open the database, without serving
    Check(ConfigFile),
}

pub async fn run(command: Command) -> Result<ExitCode, Failed> {
    let Command::Check(file) = command;
    file.prepare().await?.close().await;
    println!("{} is good: its files are there, and its keys open the database.", file.config.display());
    Ok(ExitCode::SUCCESS)
}
