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
    profile::{deletions::Deletions, drafts::Drafts, port::Profiles, preset::Catalogue, sent::SentMail},
    sending_mode::port::SendingModes,
    sign_in::port::SignIns,
    test_run::port::Tester,
};

/// The ports of the pages and server functions.
#[derive(Clone)]
pub struct Services {
    pub profiles: Arc<dyn Profiles>,
    pub sending_modes: Arc<dyn SendingModes>,
    pub tester: Arc<dyn Tester>,
    pub drafts: Arc<dyn Drafts>,
    pub sent: Arc<dyn SentMail>,
    pub deletions: Arc<dyn Deletions>,
    pub journal: Arc<dyn Journal>,
    pub sign_ins: Arc<dyn SignIns>,
    pub presets: Arc<Catalogue>,
    pub clock: Clock,
}

/// The clock. Tests use a fixed date.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The ports of the current request, or an error without them.
pub fn services() -> Result<Services, AppError> {
    use_context::<Services>().ok_or_else(|| {
        tracing::error!("services missing from the context");
        AppError::Unavailable
    })
}

/// The current time; the epoch outside a request.
pub fn now() -> Timestamp {
    use_context::<Services>().map_or(Timestamp::UNIX_EPOCH, |services| (services.clock)())
}
