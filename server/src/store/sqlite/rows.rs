//! Server side. Readers of SQLite's rows: see `codec`.

pub(super) use crate::store::codec::{
    encode, instant,
    profiles::{PROFILE, profile},
};
