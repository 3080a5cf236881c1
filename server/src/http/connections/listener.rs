//! Server side. Accepts connections, and speaks HTTP/1.1 on each. A proxy in front may speak HTTP/2 with browsers;
//! without HTTP/2 here, there are no streams to flood.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use app::base_path::BasePath;
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper_util::rt::TokioIo;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{
    body::DeadlineBody,
    connection::Connection,
    limits::ConnectionLimits,
    registry::{Connections, Entry},
    stream::ObservedStream,
};
use crate::http::api::{
    self,
    problem::{Code, Problem},
};

#[cfg(test)]
mod tests;

/// How often connections that exceed a limit are closed.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Pause after an error of `accept` that a client did not cause.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);
/// Largest head of a request, in bytes.
const LARGEST_HEAD: usize = 64 * 1024;
const MOST_HEADERS: usize = 100;
/// `Retry-After` of a refused request, in seconds.
const RETRY_AFTER_S: &str = "5";
/// The response to a refused connection.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// The connection of a request. A handler that has authenticated the sender protects it: it is not closed for a newer
/// one.
#[derive(Clone)]
pub struct ClientConnection(Arc<Connection>);

impl ClientConnection {
    pub fn protect(&self) {
        self.0.protect();
    }
}

/// Serves until `stop`, then until the requests in progress are answered. `place` is the path of the router's pages.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    place: BasePath,
    limits: ConnectionLimits,
    stop: CancellationToken,
) {
    let body = limits.body;
    let connections = Connections::new(limits);
    let tasks = TaskTracker::new();
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            _ = sweep.tick() => {
                connections.close_overdue();
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match connections.enter(peer.ip()) {
                Some(entry) => {
                    tasks.spawn(serve_connection(stream, entry, (router.clone(), place.clone()), body, stop.clone()));
                }
                // Does not block: the buffer of a new socket is empty.
                None => drop(tasks.spawn(refuse(stream))),
            },
            Err(error) if is_client_error(&error) => {}
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot accept connections");
                connections.evict_one();
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    tokio::select! {
        () = tasks.wait() => {}
        () = keep_closing_overdue(&connections) => {}
    }
}

async fn keep_closing_overdue(connections: &Connections) {
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    loop {
        sweep.tick().await;
        connections.close_overdue();
    }
}

/// Whether the client closed the connection before it was accepted.
fn is_client_error(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn refuse(mut stream: TcpStream) {
    let answer = async {
        stream.write_all(FULL).await?;
        stream.shutdown().await
    };
    let _ = tokio::time::timeout(SWEEP_EVERY, answer).await;
}

async fn serve_connection(
    stream: TcpStream,
    entry: Entry,
    served: (Router, BasePath),
    limit: Duration,
    stop: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    let entry = Arc::new(entry);
    let connection = entry.connection.clone();
    let service = hyper::service::service_fn({
        let entry = entry.clone();
        move |request: Request<Incoming>| respond(served.clone(), request, entry.clone(), limit)
    });
    let io = TokioIo::new(ObservedStream { stream, connection: connection.clone() });
    let exchange = hyper::server::conn::http1::Builder::new()
        // The registry times them: unlike hyper, it distinguishes headers in progress from an idle connection.
        .header_read_timeout(None::<Duration>)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(io, service);
    tokio::pin!(exchange);
    tokio::select! {
        _ = exchange.as_mut() => return,
        () = connection.closed.cancelled() => return,
        () = stop.cancelled() => exchange.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = exchange => {}
        () = connection.closed.cancelled() => {}
    }
}

async fn respond(
    (router, BasePath(place)): (Router, BasePath),
    request: Request<Incoming>,
    entry: Arc<Entry>,
    limit: Duration,
) -> Result<http::Response<TrackedBody>, Infallible> {
    let connection = entry.connection.clone();
    if !entry.received_request(request.headers(), hyper::body::Body::is_end_stream(request.body())) {
        return Ok(too_many(&request, &place).map(|body| TrackedBody { body, entry }));
    }
    let mut request = request.map(|body| Body::new(DeadlineBody::new(body, connection.clone(), limit)));
    request.extensions_mut().insert(ClientConnection(connection));
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| TrackedBody { body, entry }))
}

/// The response to a proxy's client that already has the most requests in progress.
fn too_many<B>(request: &Request<B>, place: &str) -> Response {
    let path = request.uri().path();
    // The proxy may have removed the base path.
    if api::is_v1(path) || path.strip_prefix(place).is_some_and(api::is_v1) {
        return Problem::new(Code::Busy).answer(place);
    }
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_AFTER_S)]).into_response()
}

/// The body of a response. When it is dropped, hyper has all of it, and the connection waits for the client again.
struct TrackedBody {
    body: Body,
    entry: Arc<Entry>,
}

impl hyper::body::Body for TrackedBody {
    type Data = bytes::Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, axum::Error>>> {
        hyper::body::Body::poll_frame(Pin::new(&mut self.get_mut().body), cx)
    }

    fn is_end_stream(&self) -> bool {
        hyper::body::Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        hyper::body::Body::size_hint(&self.body)
    }
}

impl Drop for TrackedBody {
    fn drop(&mut self) {
        self.entry.responded();
    }
}
