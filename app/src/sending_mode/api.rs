//! Server side. The server function of the slice.

use leptos::{prelude::*, server_fn::codec::PostUrl};

use super::model::SendingMode;
use crate::{
    error::{AppError, finish},
    services::services,
    session::session,
};

/// Saves the account's choice.
#[server(name = SaveSendingMode, prefix = "/api", endpoint = "sending-mode/save", input = PostUrl)]
pub async fn save_sending_mode(#[server(default)] mode: String) -> Result<(), AppError> {
    finish(save(&mode).await)
}

async fn save(mode: &str) -> Result<String, AppError> {
    let session = session()?;
    let services = services()?;
    let mode = SendingMode::parse(mode).ok_or(AppError::Malformed)?;
    services.sending_modes.set(session.author(), mode).await?;
    Ok(format!("/sending-mode?notice=mode-saved&mode={}", mode.as_str()))
}
