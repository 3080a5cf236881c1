//! Server side. `facteur config check`.

use std::process::ExitCode;

use super::{ConfigFile, Failed, failed};
use crate::service::ServeError;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Read the configuration and everything it names, and open the database, without serving
    Check(ConfigFile),
}

pub async fn run(command: Command) -> Result<ExitCode, Failed> {
    let Command::Check(file) = command;
    let service = file.prepare().await?;
    let servable = service.check_backup().await;
    let registrations = service.registrations();
    service.close().await;
    println!("{} is valid: its files exist, and its keys open the database.", file.config.display());
    for client in &registrations.0 {
        let (id, scopes) = (&client.id, client.scopes.join(" "));
        println!("oauth {id}: register the redirect URI {} and the scopes {scopes}", client.redirect_uri);
    }
    if let Err(ServeError::Store(_, problem)) = &servable {
        println!("Facteur does not serve from it yet: {problem}.");
    } else {
        servable.map_err(failed)?;
    }
    Ok(ExitCode::SUCCESS)
}
