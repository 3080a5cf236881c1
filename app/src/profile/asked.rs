//! Server side. The ids in what a form sends, and what it showed.

use super::{model::ProfileId, port::Shown};
use crate::error::AppError;

/// An id of the form; the empty one is a new profile's.
pub(super) fn profile_id(id: &str) -> Result<Option<ProfileId>, AppError> {
    if id.is_empty() {
        return Ok(None);
    }
    ProfileId::parse(id).map(Some).ok_or(AppError::NotFound)
}

/// The id of a profile that is there already.
pub(super) fn existing(id: &str) -> Result<ProfileId, AppError> {
    ProfileId::parse(id).ok_or(AppError::NotFound)
}

/// The revision that a form showed; `None` where it says nothing. What does not read is no revision there is, so whatever
/// comes with it is stale.
pub fn shown_revision(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (!text.is_empty()).then(|| text.parse().ok().filter(|_| digits).unwrap_or_default())
}

/// What a page showed of something: `was` as the page wrote it, and the profile's revision.
pub fn shown_then<T>(was: &str, revision: &str, read: impl Fn(&str) -> Option<T>) -> Result<Shown<T>, AppError> {
    let value = if was.is_empty() { None } else { Some(read(was).ok_or(AppError::Stale)?) };
    Ok(Shown { value, revision: shown_revision(revision) })
}
