//! Server side. `facteur oauth check`.

use std::process::ExitCode;

use super::{ConfigFile, Failed};
use crate::oauth::check::Checked;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Ask each provider whether it knows the registration and its secret. No one has to sign in
    Check(Arguments),
}

#[derive(clap::Args)]
pub struct Arguments {
    /// Only this registration
    id: Option<String>,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, thiserror::Error)]
#[error("there is no registration {0}: [[oauth]] has {1}")]
struct UnknownId(String, String);

pub async fn run(command: Command) -> Result<ExitCode, Failed> {
    let Command::Check(Arguments { id, file }) = command;
    let service = file.prepare().await?;
    let all = service.registrations().0;
    let chosen = all.iter().filter(|client| id.as_ref().is_none_or(|id| *id == client.id));
    let mut works = true;
    let mut count = 0;
    for client in chosen {
        count += 1;
        let checked = service.check_registration(client).await;
        works &= checked == Checked::Works;
        match checked {
            Checked::Works => println!("{}: {} accepts the client id and the secret", client.id, client.name),
            Checked::Refused(code) => {
                println!(
                    "{}: {} refuses the registration ({code}): check client_id and the secret",
                    client.id, client.name
                );
            }
            Checked::Unavailable(problem) => println!("{}: cannot be checked: {problem}", client.id),
        }
    }
    service.close().await;
    if count == 0 {
        let known = all.iter().map(|client| client.id.as_str()).collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "no registration".to_owned() } else { known };
        return Err(Failed { error: UnknownId(id.unwrap_or_default(), known).into(), code: 2 });
    }
    Ok(if works { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
