//! Server side. The body of a request, with a deadline.
//!
//! Only the time spent waiting for the client counts. A client has ten seconds, and one more for each 16 KiB that
//! arrived; never more than the limit in total, and never ten seconds of silence.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::connection::Connection;

/// The longest silence.
const SILENCE: Duration = Duration::from_secs(10);
/// Bytes that earn a client one more second.
const PER_SECOND: u64 = 16 * 1024;

/// The body did not arrive in time.
#[derive(Debug, thiserror::Error)]
#[error("the body did not arrive in time")]
pub struct BodyTimeout;

/// Whether an error was caused by [`BodyTimeout`].
pub fn is_timeout(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(<dyn std::error::Error>::is::<BodyTimeout>)
}

/// A body that fails when its client is too slow.
pub struct DeadlineBody<B = Incoming> {
    body: B,
    connection: Arc<Connection>,
    limit: Duration,
    received: u64,
    /// Time spent waiting so far, without the present wait.
    waited: Duration,
    /// The present wait: its start and its deadline.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B> DeadlineBody<B> {
    pub fn new(body: B, connection: Arc<Connection>, limit: Duration) -> Self {
        Self { body, connection, limit, received: 0, waited: Duration::ZERO, waiting: None }
    }

    /// How long the next wait may be.
    fn allowance(&self) -> Duration {
        let allowed = SILENCE + Duration::from_secs(self.received / PER_SECOND);
        allowed.min(self.limit).saturating_sub(self.waited).min(SILENCE)
    }
}

impl<B> Body for DeadlineBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
            let allowance = this.allowance();
            let (_, until) = this.waiting.get_or_insert_with(|| {
                let now = Instant::now();
                (now, Box::pin(sleep_until(now + allowance)))
            });
            ready!(until.as_mut().poll(cx));
            return Poll::Ready(Some(Err(BodyTimeout.into())));
        };
        if let Some((since, _)) = this.waiting.take() {
            this.waited += since.elapsed();
        }
        match &frame {
            Some(Ok(frame)) => this.received += frame.data_ref().map_or(0, |data| data.len() as u64),
            Some(Err(_)) => {}
            None => this.connection.protect(),
        }
        if this.body.is_end_stream() {
            this.connection.protect();
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The whole body, at most this many bytes.
pub async fn collect(body: axum::body::Body, most: usize) -> Result<Bytes, BodyError> {
    match http_body_util::Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if is_timeout(&*error) => Err(BodyError::Timeout),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::Broken),
    }
}

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    Timeout,
    TooLarge,
    /// The connection ended, or the body is malformed.
    Broken,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::connections::{ConnectionLimits, registry::Connections};

    fn with_deadline(body: axum::body::Body, limit: Duration) -> DeadlineBody<axum::body::Body> {
        let entry = Connections::new(ConnectionLimits::default()).enter([127, 0, 0, 1].into()).unwrap();
        DeadlineBody::new(body, entry.connection.clone(), limit)
    }

    /// A body of this many chunks of one size, with a wait before each.
    fn chunks(count: usize, size: usize, wait: Duration) -> axum::body::Body {
        axum::body::Body::from_stream(async_stream::stream! {
            for _ in 0..count {
                tokio::time::sleep(wait).await;
                yield Ok::<_, std::convert::Infallible>(Bytes::from(vec![b'x'; size]));
            }
        })
    }

    async fn read(body: axum::body::Body, limit: u64) -> Result<usize, BodyError> {
        let body = axum::body::Body::new(with_deadline(body, Duration::from_secs(limit)));
        collect(body, 10_000_000).await.map(|bytes| bytes.len())
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_client_is_read_to_the_end_and_a_silent_one_is_not() {
        let second = Duration::from_secs(1);
        assert_eq!(read(chunks(100, 16 * 1024, second), 120).await, Ok(1_638_400), "a slow line");
        assert_eq!(read(chunks(2, 1, 11 * second), 120).await, Err(BodyError::Timeout), "silence");
        assert_eq!(read(chunks(100, 1, second), 120).await, Err(BodyError::Timeout), "a byte a second");
        assert_eq!(read(chunks(200, 16 * 1024, second), 120).await, Err(BodyError::Timeout), "too long in total");
        assert_eq!(read(chunks(1_000, 64 * 1024, Duration::ZERO), 120).await, Err(BodyError::TooLarge));
    }
}
