//! What this process knows about a server, and for how long.

use super::*;

fn relay() -> DestinationId {
    DestinationId::Relay("demo".to_owned())
}

#[tokio::test]
async fn places_are_given_back_and_idle_servers_forgotten() {
    let destinations = Destinations::default();
    let slots: Vec<ConnectionSlot> = (0..3).filter_map(|_| destinations.enter(&relay(), 2)).collect();
    assert_eq!((slots.len(), destinations.connection_counts()), (2, (2, 0)));
    destinations.tidy(false);
    drop(slots);
    assert!(destinations.enter(&relay(), 1).is_some());
    destinations.tidy(false);
    assert!(destinations.states.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_left_alone_is_so_until_then_or_until_it_works() {
    let destinations = Destinations::default();
    destinations.block(&relay(), 0, Duration::from_secs(2), Some(Cause::Timeout));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(destinations.blocked(&relay()), Some((Duration::from_secs(1), Some(Cause::Timeout))));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(destinations.blocked(&relay()), None);
    destinations.block(&relay(), destinations.recoveries(&relay()), Duration::from_secs(2), None);
    destinations.unblock(&relay());
    assert_eq!(destinations.blocked(&relay()), None);
}

#[tokio::test(start_paused = true)]
async fn a_rest_decided_before_a_recovery_does_not_outlive_it() {
    let destinations = Destinations::default();
    let before = destinations.recoveries(&relay());
    destinations.unblock(&relay());
    destinations.block(&relay(), before, Duration::from_secs(120), Some(Cause::ServerBusy));
    assert_eq!(destinations.blocked(&relay()), None);
}

#[tokio::test(start_paused = true)]
async fn a_limit_a_minute_holds() {
    let destinations = Destinations::default();
    let mut sent = 0;
    for _ in 0..60_000 {
        sent += u32::from(destinations.acquire_permit(&relay(), Some(60)).is_ok());
        tokio::time::advance(Duration::from_millis(2)).await;
    }
    // Two minutes, and the initial burst.
    assert!((120..=126).contains(&sent), "{sent}");
    assert!(destinations.acquire_permit(&relay(), None).is_ok());
}
