//! Server side. The server function of the slice.

use leptos::{prelude::*, server_fn::codec::PostUrl};

use super::model::SendingMode;
use crate::{
    error::{AppError, finish, wants_page},
    services::services,
    session::{Session, session},
};

/// Saves the account's choice.
#[server(name = SaveSendingMode, prefix = "/api", endpoint = "sending-mode/save", input = PostUrl)]
pub async fn save_sending_mode(
    #[server(default)] mode: String,
    #[server(default)] was: String,
) -> Result<(), AppError> {
    finish(save(&mode, &was).await)
}

async fn save(mode: &str, was: &str) -> Result<String, AppError> {
    let session = session()?;
    let mode = SendingMode::parse(mode).ok_or(AppError::Malformed)?;
    set(&session, mode, was, format!("/sending-mode?notice=mode-saved&mode={}", mode.as_str())).await
}

/// The link of the second option: chooses it, and leads to the list. So the choice is made by the printed tutorial's way
/// too, which never presses **Enregistrer**.
#[server(name = ChooseOwnSmtp, prefix = "/api", endpoint = "sending-mode/own", input = PostUrl)]
pub async fn choose_own_smtp(#[server(default)] was: String) -> Result<(), AppError> {
    finish(choose(&was).await)
}

async fn choose(was: &str) -> Result<String, AppError> {
    let session = session()?;
    let mode = SendingMode::OwnSmtp;
    set(&session, mode, was, format!("/profiles?notice=mode-own&mode={}", mode.as_str())).await
}

/// Sets the mode, unless somebody has changed it since the page was shown: then both are shown.
async fn set(session: &Session, mode: SendingMode, was: &str, then: String) -> Result<String, AppError> {
    match services()?.sending_modes.set(session.author(), mode, SendingMode::parse(was)).await {
        Err(AppError::Stale) if wants_page() => Ok(format!("/sending-mode?stale=1&mine={}", mode.as_str())),
        done => done.map(|()| then),
    }
}
