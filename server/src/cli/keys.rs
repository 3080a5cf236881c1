//! Server side. `facteur keys …`.

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;
use server::config::secret_file;

use super::{Failed, failed, prepare};

#[derive(Subcommand)]
pub enum KeysCommand {
    /// Write a new key, of the vault or to be shared with a portal, into a file that only its owner may read
    New {
        /// The file; it must not be there yet
        file: PathBuf,
    },
    /// Write a new secret of a webhook into a file that only its owner may read
    Webhook {
        /// The file; it must not be there yet
        file: PathBuf,
    },
    /// Print a new API key for a portal's server, and the hash of it for the configuration
    Api,
    /// Print how many passwords are sealed with which key
    List {
        /// The configuration file
        #[arg(long, default_value = "facteur.toml")]
        config: PathBuf,
    },
    /// Seal everything with the first key of the configuration; may be interrupted, and run while Facteur serves
    Rotate {
        /// The configuration file
        #[arg(long, default_value = "facteur.toml")]
        config: PathBuf,
    },
}

pub async fn run(command: KeysCommand) -> Result<ExitCode, Failed> {
    match command {
        KeysCommand::New { file } => {
            secret_file::make(&file).map_err(failed)?;
            println!("{}: a new key. Keep a copy where the database's backups are not.", file.display());
        }
        KeysCommand::Webhook { file } => {
            secret_file::make_webhook(&file).map_err(failed)?;
            println!("{}: a new secret. The portal gets a copy, to verify signatures with.", file.display());
        }
        KeysCommand::Api => {
            let (key, hash) = server::http::make_key()
                .ok_or_else(|| failed(std::io::Error::other("the operating system provides no randomness")))?;
            println!("For the portal's server, shown this once:\n  {key}");
            println!("For the configuration:\n  api_keys = [{{ id = \"a1\", sha256 = \"{hash}\" }}]");
        }
        KeysCommand::List { config } => {
            let service = prepare(&config).await?;
            for (id, count) in service.census().await.map_err(failed)? {
                println!("{id}: {count}");
            }
            service.close().await;
        }
        KeysCommand::Rotate { config } => {
            let service = prepare(&config).await?;
            let rotated = service.rotate().await.map_err(failed)?;
            service.close().await;
            println!("passwords sealed again: {}", rotated.secrets);
            println!("waiting messages sealed again: {}", rotated.contents);
            println!("sealed with the first key already: {}", rotated.current + rotated.overtaken);
            if rotated.unreadable > 0 {
                println!("not opened by any key: {}. Keep the keys that are not here.", rotated.unreadable);
                return Ok(ExitCode::from(1));
            }
            println!("No other key is needed any more.");
        }
    }
    Ok(ExitCode::SUCCESS)
}
