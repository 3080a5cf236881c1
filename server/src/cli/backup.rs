//! Server side. `facteur backup`: copies the database, even while Facteur serves.

use std::{path::PathBuf, process::ExitCode};

use super::{ConfigFile, Failed, failed};

#[derive(clap::Args)]
pub struct Arguments {
    /// The new file
    to: PathBuf,
    #[command(flatten)]
    file: ConfigFile,
}

pub async fn run(Arguments { to, file }: &Arguments) -> Result<ExitCode, Failed> {
    let service = file.prepare().await?;
    let done = service.back_up(to).await;
    service.close().await;
    done.map_err(failed)?;
    println!("{}: a copy of the database. Store it apart from the keys.", to.display());
    Ok(ExitCode::SUCCESS)
}
