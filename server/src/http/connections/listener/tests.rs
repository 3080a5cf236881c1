//! Silent, slow and greedy clients, while others are still served.

use std::net::SocketAddr;

use axum::routing::{get, post};
use tokio::io::AsyncReadExt;

use super::*;
use crate::http::connections::{body, forwarded};

struct Server {
    address: SocketAddr,
    /// Notified when `/slow` is requested.
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
                match body::collect(body, 1_000).await {
                    Ok(body) => format!("{}", body.len()),
                    Err(unread) => format!("{unread:?}"),
                }
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let place = BasePath("/smtp".to_owned());
    Server { address, begun, ended: tokio::spawn(serve(listener, router, place, limits, stop.clone())), stop }
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
        let bytes =
            ["", "G", "GET / HTTP/1.1\r\nhost: x\r\n", "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nx"];
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
    assert!(kept.ends_with("here"), "answered, and closed when idle");
    // Ends because the client does not read the large response.
    stop.cancel();
    ended.await.unwrap();
    assert!(all(unread).await.len() < 20_000_000);
}

#[tokio::test]
async fn a_client_behind_a_proxy_is_told_and_others_are_served() {
    let proxies = forwarded::Proxies { networks: vec!["127.0.0.1/32".parse().unwrap()], ..Default::default() };
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
    for path in ["/api/v1/messages", "/smtp/api/v1/messages"] {
        let program = all(send(address, &ask(path, "203.0.113.9")).await).await;
        assert!(program.contains("application/problem+json") && program.contains("\"/smtp/api#busy\""), "{program}");
    }
    assert!(all(busy).await.ends_with("late"));
    assert!(all(send(address, &ask("/", "203.0.113.9")).await).await.ends_with("here"), "the request was answered");
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
