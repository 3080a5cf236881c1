//! Server side. `facteur keys …`.

use std::{path::PathBuf, process::ExitCode};

use super::{ConfigFile, Failed, failed};
use crate::{config::secret_file, http::make_key};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Write a new key, for the vault or to be shared with a portal, into a file that only its owner may read
    New {
        /// The file; it must not exist
        file: PathBuf,
    },
    /// Write a new webhook secret into a file that only its owner may read
    Webhook {
        /// The file; it must not exist
        file: PathBuf,
    },
    /// Print a new API key for a portal's server, and its hash for the configuration
    Api,
    /// Print how many passwords are sealed with which key
    List(ConfigFile),
    /// Seal everything with the first key of the configuration; may be interrupted, and may run while Facteur serves
    Rotate(ConfigFile),
}

pub async fn run(command: Command) -> Result<ExitCode, Failed> {
    match command {
        Command::New { file } => {
            secret_file::make(&file).map_err(failed)?;
            println!("{}: a new key. Keep a copy apart from the database's backups.", file.display());
        }
        Command::Webhook { file } => {
            secret_file::make_webhook(&file).map_err(failed)?;
            println!("{}: a new secret. The portal gets a copy, to verify signatures with.", file.display());
        }
        Command::Api => {
            let (key, hash) = make_key()
                .ok_or_else(|| failed(std::io::Error::other("the operating system provides no randomness")))?;
            println!("For the portal's server, shown this once:\n  {key}");
            println!("For the configuration:\n  api_keys = [{{ id = \"a1\", sha256 = \"{hash}\" }}]");
        }
        Command::List(file) => {
            let service = file.prepare().await?;
            for (id, count) in service.census().await.map_err(failed)? {
                println!("{id}: {count}");
            }
            service.close().await;
        }
        Command::Rotate(file) => {
            let service = file.prepare().await?;
            let rotated = service.rotate().await.map_err(failed)?;
            service.close().await;
            println!("passwords sealed again: {}", rotated.secrets);
            println!("refresh tokens sealed again: {}", rotated.grants);
            println!("waiting messages sealed again: {}", rotated.contents);
            println!("already sealed with the first key: {}", rotated.current + rotated.overtaken);
            if rotated.unreadable > 0 {
                println!("not opened by any key: {}. Keep the keys that are missing here.", rotated.unreadable);
                return Ok(ExitCode::from(1));
            }
            println!("No other key is needed any more.");
        }
    }
    Ok(ExitCode::SUCCESS)
}
