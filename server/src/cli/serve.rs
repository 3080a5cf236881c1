//! Server side. `facteur serve`: the service, until it is asked to stop.

use std::process::ExitCode;

use super::{ConfigFile, Failed, failed, stop::StopRequest};

pub async fn run(file: &ConfigFile) -> Result<ExitCode, Failed> {
    let mut stop = StopRequest::listen().map_err(failed)?;
    let service = tokio::select! {
        service = file.prepare_to_serve() => service?,
        () = stop.received() => return Ok(ExitCode::SUCCESS),
    };
    service.check_backup().await.map_err(failed)?;
    service.serve(async move { stop.received().await }).await.map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}
