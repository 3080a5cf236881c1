//! Server side. `facteur restored`: after a backup was put back. What waited in it may have been sent since, so nothing of it
//! is sent again, unless the operator knows better.

use std::process::ExitCode;

use super::{ConfigFile, Failed, failed};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Nothing was sent since the backup: what waits goes on waiting, and is sent. Only if Facteur did not run after the
    /// backup was made
    #[arg(long)]
    keep_waiting: bool,
}

pub async fn run(Arguments { file, keep_waiting }: &Arguments) -> Result<ExitCode, Failed> {
    let service = file.prepare_alone().await?;
    let done = async {
        let disowned = if *keep_waiting { None } else { Some(service.disown_waiting().await?) };
        service.release_backup().await?;
        Ok(disowned)
    };
    let done = done.await;
    service.close().await;
    match done.map_err(|error: crate::service::ServeError| failed(error))? {
        Some(disowned) => println!("{disowned} messages that waited in the backup are delivery_unknown now."),
        None => println!("The messages that waited in the backup go on waiting."),
    }
    Ok(ExitCode::SUCCESS)
}
