//! Server side. Takes connections, and speaks HTTP/1.1 on each. The proxy in front speaks HTTP/2 with the browsers, if it
//! likes: here there are no streams to be flooded with.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

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
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{Connection, ConnectionLimits, Connections, Entry, body::PatientBody};
use crate::http::api::{
    self,
    problem::{Code, Problem},
};

/// Between two looks at who is late.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// After an error of the socket that is not a client's.
const REST: Duration = Duration::from_millis(50);
/// Largest head of a request, in bytes.
const LARGEST_HEAD: usize = 64 * 1024;
const MOST_HEADERS: usize = 100;
/// `Retry-After` of a refused connection, in seconds.
const AGAIN: &str = "5";
/// Connections that were refused.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Who sent a request: a handler that knows its sender says so, and the connection is not closed for a newer one.
#[derive(Clone)]
pub struct Client(Arc<Connection>);

impl Client {
    pub fn vouch(&self) {
        self.0.vouch();
    }
}

/// Serves until `stop`; then requests under way are answered, and it ends with the last one.
pub async fn serve(listener: TcpListener, router: Router, limits: ConnectionLimits, stop: CancellationToken) {
    let body = limits.body;
    let connections = Connections::new(limits);
    let tasks = TaskTracker::new();
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            _ = sweep.tick() => {
                connections.sweep();
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match connections.enter(peer.ip()) {
                Some(entry) => {
                    tasks.spawn(converse(stream, entry, router.clone(), body, stop.clone()));
                }
                // Into the empty buffer of a new socket this does not wait.
                None => drop(tasks.spawn(refuse(stream))),
            },
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot accept connections");
                connections.make_room();
                tokio::time::sleep(REST).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    tokio::select! {
        () = tasks.wait() => {}
        () = keep_sweeping(&connections) => {}
    }
}

async fn keep_sweeping(connections: &Connections) {
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    loop {
        sweep.tick().await;
        connections.sweep();
    }
}

/// The client was gone before we looked.
fn is_the_clients(error: &io::Error) -> bool {
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

async fn converse(stream: TcpStream, entry: Entry, router: Router, limit: Duration, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let entry = Arc::new(entry);
    let connection = entry.connection.clone();
    let service = hyper::service::service_fn({
        let entry = entry.clone();
        move |request: Request<Incoming>| answer(router.clone(), request, entry.clone(), limit)
    });
    let io = TokioIo::new(Watched { stream, connection: connection.clone() });
    let conversation = hyper::server::conn::http1::Builder::new()
        // The registry's clock knows the headers of a request from an idle connection.
        .header_read_timeout(None::<Duration>)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(io, service);
    tokio::pin!(conversation);
    tokio::select! {
        _ = conversation.as_mut() => return,
        () = connection.closed.cancelled() => return,
        () = stop.cancelled() => conversation.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = conversation => {}
        () = connection.closed.cancelled() => {}
    }
}

async fn answer(
    router: Router,
    request: Request<Incoming>,
    entry: Arc<Entry>,
    limit: Duration,
) -> Result<http::Response<Answer>, Infallible> {
    let connection = entry.connection.clone();
    if !entry.requested(request.headers(), hyper::body::Body::is_end_stream(request.body())) {
        return Ok(too_many(&request).map(|body| Answer { body, entry }));
    }
    let mut request = request.map(|body| Body::new(PatientBody::new(body, connection.clone(), limit)));
    request.extensions_mut().insert(Client(connection));
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| Answer { body, entry }))
}

/// A client of a proxy has as many requests under way as one may have.
fn too_many<B>(request: &Request<B>) -> Response {
    if api::is_v1(request.uri().path()) {
        return Problem::new(Code::Busy).into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, AGAIN)]).into_response()
}

/// The body of an answer. When it is gone, hyper has all of it, and the connection waits for the client again.
struct Answer {
    body: Body,
    entry: Arc<Entry>,
}

impl hyper::body::Body for Answer {
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

impl Drop for Answer {
    fn drop(&mut self) {
        self.entry.answered();
    }
}

/// A stream that tells its connection what it sees.
struct Watched {
    stream: TcpStream,
    connection: Arc<Connection>,
}

impl AsyncRead for Watched {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            this.connection.read();
        }
        read
    }
}

impl Watched {
    fn saw<T>(&self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.connection.wrote(written.is_ready());
        written
    }
}

impl AsyncWrite for Watched {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.saw(written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.saw(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::{get, post};
    use tokio::io::AsyncReadExt;

    use super::*;

    struct Server {
        address: SocketAddr,
        /// When `/slow` is asked.
        begun: Arc<tokio::sync::Notify>,
        stop: CancellationToken,
        ended: tokio::task::JoinHandle<()>,
    }

    async fn server(limits: ConnectionLimits) -> Server {
        let begun = Arc::new(tokio::sync::Notify::new());
        let asked = begun.clone();
        let router = Router::new()
            .route("/", get(|| async { "here" }))
            .route(
                "/slow",
                get(move || async move {
                    asked.notify_one();
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    "late"
                }),
            )
            .route("/large", get(|| async { vec![b'x'; 20_000_000] }))
            .route(
                "/echo",
                post(|body: Body| async move {
                    match super::super::body::collect(body, 1_000).await {
                        Ok(body) => format!("{}", body.len()),
                        Err(unread) => format!("{unread:?}"),
                    }
                }),
            );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        Server { address, begun, ended: tokio::spawn(serve(listener, router, limits, stop.clone())), stop }
    }

    #[allow(clippy::disallowed_methods, reason = "the test's own server")]
    async fn send(address: SocketAddr, bytes: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream
    }

    async fn all(mut stream: TcpStream) -> String {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    const ONCE: &str = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

    #[tokio::test]
    async fn silent_and_half_open_connections_keep_nobody_out() {
        let Server { address, begun: _, stop, ended } =
            server(ConnectionLimits { connections: 20, per_address: 20, ..ConnectionLimits::default() }).await;
        let mut half_open = Vec::new();
        for number in 0..100 {
            let bytes = [
                "",
                "G",
                "GET / HTTP/1.1\r\nhost: x\r\n",
                "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nx",
            ];
            half_open.push(send(address, bytes[number % 4]).await);
        }
        for _ in 0..30 {
            assert!(all(send(address, ONCE).await).await.ends_with("here"));
        }
        stop.cancel();
        drop(half_open);
        ended.await.unwrap();
    }

    #[tokio::test]
    async fn a_client_that_is_late_is_let_go() {
        let quick = Duration::from_millis(300);
        let limits = ConnectionLimits { headers: quick, idle: quick, unread: quick, ..ConnectionLimits::default() };
        let Server { address, begun: _, stop, ended } = server(limits).await;
        let silent = send(address, "").await;
        let half = send(address, "GET / HTTP/1.1\r\nho").await;
        let kept = send(address, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let unread = send(address, "GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let (silent, half, kept) = tokio::join!(all(silent), all(half), all(kept));
        assert_eq!((silent.as_str(), half.as_str()), ("", ""));
        assert!(kept.ends_with("here"), "answered, and closed when nothing more came");
        // Ends because the client does not read the large response.
        stop.cancel();
        ended.await.unwrap();
        assert!(all(unread).await.len() < 20_000_000);
    }

    #[tokio::test]
    async fn a_client_behind_a_proxy_is_told_and_others_are_served() {
        let proxies =
            super::super::forwarded::Proxies { networks: vec!["127.0.0.1/32".parse().unwrap()], ..Default::default() };
        let limits = ConnectionLimits { per_address: 1, proxies, ..ConnectionLimits::default() };
        let Server { address, begun, stop, ended } = server(limits).await;
        let ask = |path: &str, client: &str| {
            format!("GET {path} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {client}\r\nconnection: close\r\n\r\n")
        };
        let busy = send(address, &ask("/slow", "203.0.113.9")).await;
        begun.notified().await;
        for (client, served) in [("203.0.113.9", false), ("10.0.0.1, 203.0.113.9", false), ("203.0.113.10", true)] {
            let answer = all(send(address, &ask("/", client)).await).await;
            assert_eq!(answer.ends_with("here"), served, "{client}: {answer}");
            assert!(served || (answer.contains(" 503 ") && answer.contains("retry-after: 5")), "{answer}");
        }
        let program = all(send(address, &ask("/api/v1/messages", "203.0.113.9")).await).await;
        assert!(program.contains("application/problem+json") && program.contains("\"busy\""), "{program}");
        assert!(all(busy).await.ends_with("late"));
        assert!(all(send(address, &ask("/", "203.0.113.9")).await).await.ends_with("here"), "it was answered");
        stop.cancel();
        ended.await.unwrap();
    }

    #[tokio::test]
    async fn who_finds_no_room_is_told_and_a_stop_waits_for_answers() {
        let Server { address, begun, stop, ended } =
            server(ConnectionLimits { connections: 1, per_address: 1, ..ConnectionLimits::default() }).await;
        let busy = send(address, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
        begun.notified().await;
        let refused = all(send(address, ONCE).await).await;
        assert!(refused.contains("retry-after: 5"), "{refused}");
        stop.cancel();
        assert!(all(busy).await.ends_with("late"));
        ended.await.unwrap();
    }
}
