//! Server side. The server function of the slice.

use leptos::{prelude::*, server_fn::codec::PostUrl};

use super::model::SendingMode;
use crate::{
    error::{AppError, finish, wants_page},
    profile::{
        asked::shown_then,
        draft::{Choice, KeptDraft},
    },
    services::services,
    session::{Session, session},
};

/// The name under which the choice is stored for the page that asks again.
pub const FORM: &str = "sending-mode";

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

/// The link of the second option: selects it and redirects to the list, for users who never press **Enregistrer**.
#[server(name = ChooseOwnSmtp, prefix = "/api", endpoint = "sending-mode/own", input = PostUrl)]
pub async fn choose_own_smtp(#[server(default)] was: String) -> Result<(), AppError> {
    finish(choose(&was).await)
}

async fn choose(was: &str) -> Result<String, AppError> {
    let session = session()?;
    let mode = SendingMode::OwnSmtp;
    set(&session, mode, was, format!("/profiles?notice=mode-own&mode={}", mode.as_str())).await
}

/// Sets the mode, unless it has changed since the page was shown: then the page shows both.
async fn set(session: &Session, mode: SendingMode, was: &str, then: String) -> Result<String, AppError> {
    let services = services()?;
    let set = match shown_then(was, "", SendingMode::parse) {
        Ok(shown) => services.sending_modes.set(session.author(), mode, shown.value).await,
        Err(stale) => Err(stale),
    };
    match set {
        Err(AppError::Stale) if wants_page() => {
            let kept = KeptDraft::of_choice(FORM.to_owned(), Choice::Mode(mode));
            services.drafts.keep(&session.who(), &kept).await?;
            Ok("/sending-mode?stale=1".to_owned())
        }
        done => {
            done?;
            services.drafts.forget(&session.who(), FORM).await?;
            Ok(then)
        }
    }
}
