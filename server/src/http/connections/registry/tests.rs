//! Which connection is closed to make room.

use std::time::Duration;

use super::*;
use crate::http::connections::forwarded::Proxies;

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

fn limits(connections: usize, per_address: usize) -> ConnectionLimits {
    ConnectionLimits { connections, per_address, ..ConnectionLimits::default() }
}

#[test]
fn whoever_waits_for_its_client_makes_room_and_whoever_waits_for_us_stays() {
    let connections = Connections::new(limits(3, 3));
    let [answering, body, silent] = [0, 1, 2].map(|_| connections.enter(CLIENT).unwrap());
    answering.connection.received_request(true);
    body.connection.received_request(false);
    let fourth = connections.enter(CLIENT).unwrap();
    assert!(silent.connection.closed.is_cancelled(), "it has no headers yet");
    fourth.connection.received_request(true);
    let fifth = connections.enter(CLIENT).unwrap();
    assert!(body.connection.closed.is_cancelled(), "nothing else is left");
    fifth.connection.received_request(true);
    assert!(connections.enter(OTHER).is_none(), "all three are being answered");
    assert!(!answering.connection.closed.is_cancelled());
    drop(answering);
    assert!(connections.enter(OTHER).is_some());
    drop((body, silent));
    assert_eq!(connections.count(), 2, "a closed entry is not subtracted twice");
}

#[test]
fn one_address_takes_no_place_from_another_and_a_proxy_is_many() {
    let connections = Connections::new(limits(4, 2));
    let theirs = connections.enter(OTHER).unwrap();
    let ours: Vec<_> = (0..9).filter_map(|_| connections.enter(CLIENT)).collect();
    assert_eq!((connections.count(), theirs.connection.closed.is_cancelled()), (3, false));
    ours[7].connection.received_request(true);
    ours[8].connection.received_request(true);
    assert!(connections.enter(CLIENT).is_none());
    let mapped = "::ffff:192.0.2.1".parse().unwrap();
    assert!(connections.enter(mapped).is_none(), "the same client");
    let trusting = Connections::new(ConnectionLimits { proxies: proxy(), ..limits(4, 1) });
    let many: Vec<_> = (0..4).filter_map(|_| trusting.enter(CLIENT)).collect();
    assert_eq!(many.iter().filter(|one| one.connection.closed.is_cancelled()).count(), 0);
}

fn proxy() -> Proxies {
    Proxies { networks: vec!["192.0.2.0/24".parse().unwrap()], ..Proxies::default() }
}

fn from(client: &str) -> HeaderMap {
    HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), client.parse().unwrap())])
}

#[test]
fn behind_a_proxy_each_client_has_its_own_limit() {
    let connections = Connections::new(ConnectionLimits { proxies: proxy(), ..limits(40, 2) });
    let [first, second, third, fourth] = [0; 4].map(|_| connections.enter(CLIENT).unwrap());
    let greedy = from("198.51.100.1, 203.0.113.9");
    assert!(first.received_request(&greedy, true) && second.received_request(&from("203.0.113.9"), true));
    assert!(
        !third.received_request(&from("10.9.9.9, 203.0.113.9:99"), true),
        "a forged address in front is not another client"
    );
    assert!(third.received_request(&from("203.0.113.10"), true), "another client");
    first.responded();
    assert!(fourth.received_request(&greedy, false), "an answered request does not count any more");
    assert!(first.received_request(&greedy, true));
    assert!(fourth.connection.closed.is_cancelled(), "the client's own waiting connection makes room");
    assert!(!second.connection.closed.is_cancelled() && !third.connection.closed.is_cancelled());
    drop((first, second, third, fourth));
    assert!(connections.lock().by_address.is_empty(), "all are subtracted");
}

#[test]
fn who_is_no_trusted_proxy_names_nobody() {
    let connections = Connections::new(ConnectionLimits { proxies: Proxies::default(), ..limits(40, 2) });
    let mut entries = Vec::new();
    for number in 0..3 {
        entries.extend(connections.enter(CLIENT));
        if let Some(entry) = entries.last() {
            entry.received_request(&from(&format!("203.0.113.{number}")), true);
        }
    }
    assert_eq!(entries.len(), 2, "the limit of its own address");
    assert_eq!(connections.lock().by_address.len(), 1);
}

#[test]
fn clients_of_one_ipv6_network_are_one() {
    let connections = Connections::new(limits(40, 2));
    let mut entries = Vec::new();
    for number in 1..=3 {
        let entry = connections.enter(format!("2001:db8::{number}").parse().unwrap());
        entries.extend(entry.inspect(|entry| entry.connection.received_request(true)));
    }
    assert_eq!(entries.len(), 2);
    assert!(connections.enter("2001:db8:0:1::1".parse().unwrap()).is_some());
}

#[test]
fn those_that_are_late_are_closed() {
    let quick = ConnectionLimits {
        headers: Duration::ZERO,
        idle: Duration::ZERO,
        body: Duration::ZERO,
        unread: Duration::ZERO,
        ..ConnectionLimits::default()
    };
    let connections = Connections::new(quick);
    let entries: Vec<_> = (0..5).map(|_| connections.enter(CLIENT).unwrap()).collect();
    entries[1].connection.responded();
    entries[2].connection.received_request(false);
    entries[3].connection.received_request(true);
    entries[4].connection.received_request(true);
    entries[4].connection.wrote(false);
    while connections.epoch.elapsed() < Duration::from_millis(5) {
        std::thread::yield_now();
    }
    connections.close_overdue();
    let closed = entries.iter().map(|entry| entry.connection.closed.is_cancelled()).collect::<Vec<_>>();
    assert_eq!(closed, [true, true, true, false, true]);
}
