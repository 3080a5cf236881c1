//! Server side. A fingerprint of a page of the list.

use sha2::{Digest, Sha256};

use super::{model::Profile, port::PAGE_SIZE};

/// Identifies what a page of the list shows: the profiles, their revisions, and which ones are in use.
pub(super) fn fingerprint(profiles: &[Profile]) -> String {
    let mut hash = Sha256::new();
    for profile in profiles.iter().take(PAGE_SIZE as usize) {
        hash.update(profile.id.to_string());
        hash.update(profile.revision.to_be_bytes());
        hash.update([u8::from(profile.in_use)]);
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
