//! Server side. Ids and revisions in posted forms.

use super::{model::ProfileId, port::Shown};
use crate::error::AppError;

/// The id in a form; empty for a new profile.
pub(super) fn profile_id(id: &str) -> Result<Option<ProfileId>, AppError> {
    if id.is_empty() {
        return Ok(None);
    }
    ProfileId::parse(id).map(Some).ok_or(AppError::NotFound)
}

/// The id of an existing profile.
pub(crate) fn existing(id: &str) -> Result<ProfileId, AppError> {
    ProfileId::parse(id).ok_or(AppError::NotFound)
}

/// The revision that a form showed; `None` without one. An invalid value becomes a revision that never exists, so that
/// the form counts as stale.
pub fn shown_revision(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (!text.is_empty()).then(|| text.parse().ok().filter(|_| digits).unwrap_or_default())
}

/// The value and the profile's revision that a page showed. `was`: the value as the page wrote it.
pub fn shown_then<T>(was: &str, revision: &str, read: impl Fn(&str) -> Option<T>) -> Result<Shown<T>, AppError> {
    let value = if was.is_empty() { None } else { Some(read(was).ok_or(AppError::Stale)?) };
    Ok(Shown { value, revision: shown_revision(revision) })
}
