//! Server side. The commit point of a test: once the last bytes of its mail are about to leave, it cannot be stopped.

use std::sync::atomic::{AtomicBool, Ordering};

use app::test_run::port::TestEvent;
use async_trait::async_trait;
use mail::smtp::CommitPoint;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

/// Reached unless the test was stopped. The conversation and the wait for the stop are one task, so nothing happens
/// between the check of the stop and the mark.
pub(super) struct TestCommitPoint {
    stop: CancellationToken,
    reached: AtomicBool,
    events: UnboundedSender<TestEvent>,
}

impl TestCommitPoint {
    pub(super) fn new(stop: CancellationToken, events: UnboundedSender<TestEvent>) -> Self {
        Self { stop, reached: AtomicBool::new(false), events }
    }

    /// Whether the message may have been sent.
    pub(super) fn is_reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }

    /// Resolves when the test is stopped. Never resolves once the commit point is reached: the message may have been
    /// sent.
    pub(super) async fn stopped_before(&self) {
        self.stop.cancelled().await;
        if self.is_reached() {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl CommitPoint for TestCommitPoint {
    async fn reach(&self, _to: &[String]) -> bool {
        if self.stop.is_cancelled() {
            return false;
        }
        self.reached.store(true, Ordering::Relaxed);
        let _ = self.events.send(TestEvent::Leaving);
        true
    }
}
