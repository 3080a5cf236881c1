//! Server side. For whom a profile sends, in words.

use super::model::Profile;
use crate::{session::Session, t};

/// For whom the profile's mail is sent.
pub fn owner_name(profile: &Profile, session: &Session) -> String {
    match profile.settings.user.as_deref() {
        None => t!("owner-shop"),
        Some(id) => session.user_name(id).map_or_else(|| t!("owner-gone"), str::to_owned),
    }
}
