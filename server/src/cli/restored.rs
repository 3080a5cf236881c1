//! Server side. `facteur restored`: after restoring a backup. Its waiting messages may have been sent since, so none of
//! them is sent again, unless the operator knows better.

use std::process::ExitCode;

use super::{ConfigFile, Failed, failed};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Nothing was sent since the backup: its waiting messages are sent. Use this only if Facteur did not run after the
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
        None => println!("The waiting messages of the backup will be sent."),
    }
    Ok(ExitCode::SUCCESS)
}
