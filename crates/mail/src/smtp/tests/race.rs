//! Addresses are raced, and a port that drops every packet leads to a verdict in time.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::*;

/// A port that answers nothing: its queue of waiting connections is full.
struct BlackHole {
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl BlackHole {
    #[allow(clippy::disallowed_methods, reason = "the test's own server is filled up")]
    async fn on(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(1).unwrap();
        let mut waiting = Vec::new();
        let patience = Duration::from_millis(150);
        while let Ok(Ok(stream)) = tokio::time::timeout(patience, TcpStream::connect(address)).await {
            waiting.push(stream);
        }
        Self { _listener: listener, _waiting: waiting }
    }
}

fn with_addresses(port: u16, addresses: Vec<IpAddr>) -> Submitter {
    let mut submitter = submitter(port, vec![]);
    policy_of(&mut submitter).static_addresses = vec![("plain.test.example".to_owned(), addresses)];
    submitter
}

#[tokio::test]
async fn a_dead_address_costs_a_quarter_of_a_second() {
    let (port, server) = script::serve(vec![script::send("554 no\r\n")]).await;
    let dead = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    let _hole = BlackHole::on(SocketAddr::new(dead, port)).await;
    let report = with_addresses(port, vec![dead, LOOPBACK])
        .submit(&submission("plain.test.example", port, Security::None), &mut |_| {})
        .await;
    assert_eq!(report.stage, Stage::Greeting, "the living address answered");
    let connect = report.stages.iter().find(|event| event.stage == Stage::Connect).unwrap();
    assert!((200.0..900.0).contains(&connect.ms), "{} ms", connect.ms);
    server.abort();
}

#[tokio::test]
async fn an_address_that_refuses_costs_nothing() {
    let (port, server) = script::serve(vec![script::send("554 no\r\n")]).await;
    let refusing = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
    let report = with_addresses(port, vec![refusing, LOOPBACK])
        .submit(&submission("plain.test.example", port, Security::None), &mut |_| {})
        .await;
    assert_eq!(report.stage, Stage::Greeting);
    let connect = report.stages.iter().find(|event| event.stage == Stage::Connect).unwrap();
    assert!(connect.ms < 150.0, "{} ms", connect.ms);
    server.abort();
}

#[tokio::test]
async fn a_port_that_swallows_everything_ends_in_a_timeout() {
    let listener = TcpListener::bind("127.0.0.4:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let _hole = BlackHole::on(address).await;
    let began = tokio::time::Instant::now();
    let report = with_addresses(address.port(), vec![address.ip()])
        .submit(&submission("plain.test.example", address.port(), Security::None), &mut |_| {})
        .await;
    assert_eq!((report.stage, report.cause), (Stage::Connect, Some(Cause::ConnectTimeout)));
    let limit = limits().connect;
    assert!(began.elapsed() >= limit && began.elapsed() < limit + Duration::from_secs(1));
    assert_eq!(Limits::default().connect, Duration::from_secs(5), "a verdict within five seconds");
}
