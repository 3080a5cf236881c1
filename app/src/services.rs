//! Server side. The ports, as one context.
//!
//! `app` declares what it needs as traits (`port.rs` in each slice) and never depends on `server`, which implements
//! them. To add a port: a trait in its slice, a field here, an adapter in `server`.

use std::sync::Arc;

use jiff::Timestamp;
use leptos::prelude::use_context;

use crate::{
    error::AppError,
    journal::port::Journal,
    profile::{drafts::Drafts, port::Profiles, preset::Catalogue},
    sending_mode::port::SendingModes,
    test_run::port::Tester,
};

/// Everything the pages and the server functions can ask for.
#[derive(Clone)]
pub struct Services {
    pub profiles: Arc<dyn Profiles>,
    pub sending_modes: Arc<dyn SendingModes>,
    pub tester: Arc<dyn Tester>,
    pub drafts: Arc<dyn Drafts>,
    pub journal: Arc<dyn Journal>,
    pub presets: Arc<Catalogue>,
    pub clock: Clock,
}

/// What time it is. Tests have a fixed date.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The ports of the request being answered. Where there are none, nothing is answered.
pub fn services() -> Result<Services, AppError> {
    use_context::<Services>().ok_or_else(|| {
        tracing::error!("services missing from the context");
        AppError::Unavailable
    })
}

/// What time it is for the request being answered; the epoch outside one.
pub fn now() -> Timestamp {
    use_context::<Services>().map_or(Timestamp::UNIX_EPOCH, |services| (services.clock)())
}
