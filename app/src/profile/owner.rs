//! Server side. The name of the owner whose mail a profile sends.

use super::model::Profile;
use crate::{i18n::Texts, session::Session};

/// The owner's name in the session's language: the live test needs it outside a request.
pub fn owner_name(profile: &Profile, session: &Session) -> String {
    match profile.settings.user.as_deref() {
        None => session.locale.text("owner-shop", &[]),
        Some(id) => session.user_name(id).map_or_else(|| session.locale.text("owner-gone", &[]), str::to_owned),
    }
}
