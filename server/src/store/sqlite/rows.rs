//! Server side. What SQLite's rows are read with: see `codec`.

pub(super) use crate::store::codec::{
    encode, instant,
    profiles::{PROFILE, profile},
};
