//! Server side. The point of a test from which on it cannot be stopped any more: the last bytes of its mail.

use std::sync::atomic::{AtomicBool, Ordering};

use app::test_run::port::TestEvent;
use async_trait::async_trait;
use mail::smtp::CommitPoint;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

/// Reached unless the test was stopped. The conversation and whoever waits for the stop are one task, so nothing happens
/// between the look at the stop and the mark.
pub(super) struct Leaving {
    stop: CancellationToken,
    left: AtomicBool,
    events: UnboundedSender<TestEvent>,
}

impl Leaving {
    pub(super) fn new(stop: CancellationToken, events: UnboundedSender<TestEvent>) -> Self {
        Self { stop, left: AtomicBool::new(false), events }
    }

    /// Whether the message may be on its way.
    pub(super) fn has_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    /// Until the test is stopped while that still keeps the message here.
    pub(super) async fn stopped_in_time(&self) {
        self.stop.cancelled().await;
        if self.has_left() {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl CommitPoint for Leaving {
    async fn reach(&self, _to: &[String]) -> bool {
        if self.stop.is_cancelled() {
            return false;
        }
        self.left.store(true, Ordering::Relaxed);
        let _ = self.events.send(TestEvent::Leaving);
        true
    }
}
