//! Server side. Delivers events to portals: Standard Webhooks (standardwebhooks.com), signed with HMAC-SHA256.
//!
//! Each portal has its own task, so an unresponsive portal does not delay the others; with several replicas, one at a
//! time delivers the events of a portal. An event is sent at least once, in no guaranteed order, and repeated until the
//! portal answers 2xx, for about a day. Connections go through the guard like all others; redirects are not followed.

use std::{sync::Arc, time::Duration};

use app::services::Clock;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hmac::{Hmac, Mac};
use http_body_util::Full;
use hyper::{
    Request, StatusCode,
    client::conn::http1::{SendRequest, handshake},
    header,
};
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use mail::net::{Network, Patience};
use sha2::Sha256;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    metrics::Metrics,
    portal::{Portal, Webhook},
    replicas::{Place, Replicas},
    store::{Store, outbox::EventRow},
};

/// How long one call may take, connection included.
const CALL: Duration = Duration::from_secs(15);
/// How long opening a connection may take of that.
const PATIENCE: Patience =
    Patience { resolve: Duration::from_secs(5), connect: Duration::from_secs(5), tls: Duration::from_secs(10) };
/// Calls to one portal at the same time.
const AT_ONCE: usize = 4;
/// Events read with one query.
const SOME: u32 = 64;
/// Poll interval when nothing is due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often a replica tries to become the one that delivers.
const OTHERS_TURN: Duration = Duration::from_secs(5);
/// Pause after a portal failed.
const PAUSE: Duration = Duration::from_secs(2);
/// Seconds between one try and the next: a day in total.
const WAITS_S: [i64; 10] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800];

/// Why a call failed. Of the portal's response, only the status is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum CallError {
    #[error("cannot connect: {0}")]
    Unreachable(&'static str),
    #[error("no response in time")]
    Timeout,
    #[error("the connection was lost")]
    Lost,
    #[error("the portal responded with {0}")]
    Refused(StatusCode),
}

/// Delivers events to every portal with a webhook.
pub struct Webhooks {
    store: Arc<dyn Store>,
    replicas: Replicas,
    network: Arc<Network>,
    portals: Arc<[Portal]>,
    clock: Clock,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// The parts of [`Webhooks`].
pub struct WebhookParts {
    pub store: Arc<dyn Store>,
    pub replicas: Replicas,
    pub network: Arc<Network>,
    pub portals: Arc<[Portal]>,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
}

impl Webhooks {
    pub fn new(parts: WebhookParts) -> Arc<Self> {
        let WebhookParts { store, replicas, network, portals, clock, metrics } = parts;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        Arc::new(Self { store, replicas, network, portals, clock, metrics, stop, tasks })
    }

    /// Delivers until [`stop`](Self::stop).
    pub fn start(self: &Arc<Self>) {
        for portal in self.portals.iter() {
            if let Some(webhook) = &portal.webhook {
                let (all, id, webhook) = (self.clone(), portal.id.clone(), webhook.clone());
                self.tasks.spawn(async move { all.serve(&id, &webhook).await });
            }
        }
    }

    /// Waits for the calls in progress.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        let _ = tokio::time::timeout(CALL, self.tasks.wait()).await;
    }

    async fn serve(&self, portal: &str, webhook: &Webhook) {
        let mut turn: Option<Place> = None;
        while !self.stop.is_cancelled() {
            if !turn.as_ref().is_some_and(Place::is_held) {
                turn = self.replicas.take_turn(|| format!("webhooks\u{1f}{portal}")).await;
            }
            let pause = match &turn {
                None => OTHERS_TURN,
                Some(_) => self.deliver_due(portal, webhook).await,
            };
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Delivers due events. Returns when to look again.
    async fn deliver_due(&self, portal: &str, webhook: &Webhook) -> Duration {
        loop {
            match self.store.due_events(portal, (self.clock)(), SOME).await {
                Ok(events) if events.is_empty() || self.stop.is_cancelled() => return LOOK_EVERY,
                Ok(events) if self.deliver_all(portal, webhook, &events).await => {}
                Ok(_) => return PAUSE,
                Err(error) => {
                    error.log();
                    return PAUSE;
                }
            }
            if !self.replicas.is_current() {
                return PAUSE;
            }
        }
    }

    /// Delivers these events over a few connections. Returns whether all were accepted.
    async fn deliver_all(&self, portal: &str, webhook: &Webhook, events: &[EventRow]) -> bool {
        let share = events.len().div_ceil(AT_ONCE);
        let shares = events.chunks(share.max(1)).map(|events| self.deliver_some(portal, webhook, events));
        futures::future::join_all(shares).await.into_iter().all(|well| well)
    }

    async fn deliver_some(&self, portal: &str, webhook: &Webhook, events: &[EventRow]) -> bool {
        let mut connection = None;
        for event in events {
            if self.stop.is_cancelled() || !self.replicas.is_current() {
                return true;
            }
            let outcome = match tokio::time::timeout(CALL, self.call(webhook, event, &mut connection)).await {
                Ok(told) => told,
                Err(_) => Err(CallError::Timeout),
            };
            let written = match outcome {
                Ok(()) => {
                    self.metrics.webhook("delivered");
                    self.store.event_done(event.id).await
                }
                Err(error) => {
                    self.postpone(portal, event, error).await;
                    return false;
                }
            };
            if let Err(error) = written {
                error.log();
                return false;
            }
        }
        true
    }

    async fn postpone(&self, portal: &str, event: &EventRow, error: CallError) {
        let wait = WAITS_S.get(event.tries as usize).filter(|_| error != CallError::Refused(StatusCode::GONE));
        let written = if let Some(wait) = wait {
            self.metrics.webhook("failed");
            tracing::warn!(portal, event = %event.id, %error, tries = event.tries + 1, "webhook failed");
            // Up to a fifth more, so that events that failed together are not retried together.
            let spread = SignedDuration::from_millis(rand::random_range(0..=wait * 200));
            let next_at = (self.clock)() + SignedDuration::from_secs(*wait) + spread;
            self.store.event_failed(event.id, next_at).await
        } else {
            self.metrics.webhook("given_up");
            tracing::error!(portal, event = %event.id, %error, "webhook given up");
            self.store.event_done(event.id).await
        };
        if let Err(error) = written {
            error.log();
        }
    }

    async fn call(
        &self,
        webhook: &Webhook,
        event: &EventRow,
        connection: &mut Option<SendRequest<Full<Bytes>>>,
    ) -> Result<(), CallError> {
        let mut open = connection.take();
        if let Some(sender) = &mut open
            && sender.ready().await.is_err()
        {
            open = None;
        }
        let mut sender = match open {
            Some(sender) => sender,
            None => self.connect(webhook).await?,
        };
        let request = self.request(webhook, event).map_err(|_| CallError::Unreachable("cannot build the request"))?;
        let answer = sender.send_request(request).await.map_err(|_| CallError::Lost)?;
        let status = answer.status();
        let closes = answer.headers().get(header::CONNECTION).is_some_and(|value| value == "close");
        // A response with a body would have to be read before the next request.
        let empty = answer.headers().get(header::CONTENT_LENGTH).is_some_and(|value| value == "0")
            || status == StatusCode::NO_CONTENT;
        if empty && !closes {
            *connection = Some(sender);
        }
        if status.is_success() { Ok(()) } else { Err(CallError::Refused(status)) }
    }

    async fn connect(&self, webhook: &Webhook) -> Result<SendRequest<Full<Bytes>>, CallError> {
        let url = &webhook.url;
        let stream = self.network.open(&url.host, url.port, url.secure, PATIENCE).await;
        let stream = stream.map_err(|cause| CallError::Unreachable(cause.as_str()))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| CallError::Lost)?;
        tokio::spawn(async move {
            // Its result shows in the response.
            let _ = connection.await;
        });
        Ok(sender)
    }

    fn request(&self, webhook: &Webhook, event: &EventRow) -> Result<Request<Full<Bytes>>, http::Error> {
        let url = &webhook.url;
        let timestamp = (self.clock)().as_second();
        let usual = url.port == if url.secure { 443 } else { 80 };
        let host = if usual { url.host.clone() } else { format!("{}:{}", url.host, url.port) };
        Request::post(&url.path)
            .header(header::HOST, host)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("Facteur/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", event.id.to_string())
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature(webhook, event, timestamp))
            .body(Full::new(Bytes::from(event.content.clone())))
    }
}

/// One signature for each secret, `v1,` and base64, separated by blanks.
fn signature(webhook: &Webhook, event: &EventRow, timestamp: i64) -> String {
    let signed = format!("{}.{timestamp}.{}", event.id, event.content);
    let sign = |secret: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(signed.as_bytes());
        Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
    };
    webhook.secrets.iter().filter_map(|secret| sign(secret)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
