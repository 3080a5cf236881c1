//! Server side. `facteur restored`: after a backup was put back. What waited in it may have been sent since, so nothing of it
//! is sent again.

use std::process::ExitCode;

use super::{ConfigFile, Failed, failed};

pub async fn run(file: &ConfigFile) -> Result<ExitCode, Failed> {
    let service = file.prepare_alone().await?;
    let disowned = service.disown_waiting().await;
    service.close().await;
    println!("{} messages that waited in the backup are delivery_unknown now.", disowned.map_err(failed)?);
    Ok(ExitCode::SUCCESS)
}
