//! Server side. New ids: UUIDs of version 7, which sort by age, even within a millisecond.

use std::sync::{LazyLock, Mutex};

use jiff::Timestamp;
use uuid::{ContextV7, Timestamp as UuidTimestamp, Uuid};

static CONTEXT: LazyLock<Mutex<ContextV7>> = LazyLock::new(|| Mutex::new(ContextV7::new()));

/// A new id for this moment.
pub fn at(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
    Uuid::new_v7(UuidTimestamp::from_unix(&*CONTEXT, seconds, nanoseconds))
}
