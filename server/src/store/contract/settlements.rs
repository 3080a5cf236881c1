//! What every store does with outcomes of attempts.

use app::profile::sending::{HealthSignal, HealthTransition};

use super::*;
use crate::store::outbox::HealthReport;

pub(super) async fn profiles_break_and_recover_with_one_event_each(store: &dyn Store) {
    let account = account("martin");
    insert(store, &account, &row(1, None)).await;
    let stored = async || store.profile(&account, id(1)).await.unwrap().unwrap();
    let report = |signal, fingerprint, failure: Option<TestRun>| HealthReport {
        profile: id(1),
        fingerprint,
        signal,
        failure: failure.map(Box::new),
        check: false,
    };
    let print = fingerprint(&stored().await);
    let failed = HealthSignal::Failed(Cause::BadCredentials);
    let mut transitions = Vec::new();
    for second in 1..=4 {
        let failure = report(failed, print, Some(run(second, Some(Cause::BadCredentials))));
        transitions
            .extend(store.record_health(&account, &failure, at(second), Some(profile_transition)).await.unwrap());
    }
    assert_eq!(transitions, [HealthTransition::Broke(Cause::BadCredentials)]);
    let broken = stored().await;
    assert_eq!((broken.health.failures, broken.health.broken_at), (4, Some(at(3))));
    assert_eq!(broken.health.failed_at, Some(at(4)));
    assert_eq!(store.last_failure(&account, id(1)).await.unwrap().unwrap().at, at(4));
    let stranger = AccountId { account: "dubois".to_owned(), ..account.clone() };
    assert_eq!(store.last_failure(&stranger, id(1)).await.unwrap(), None);
    assert!(store.profiles_with_failures(&stranger, None, 9).await.unwrap().is_empty());
    assert_eq!(
        store
            .record_health(&stranger, &report(HealthSignal::Sent, print, None), at(5), Some(profile_transition))
            .await
            .unwrap(),
        None
    );
    let changed = report(HealthSignal::Sent, [0; 32], None);
    assert_eq!(
        store.record_health(&account, &changed, at(5), Some(profile_transition)).await.unwrap(),
        None,
        "not about these settings"
    );
    let recovered = store
        .record_health(&account, &report(HealthSignal::Sent, print, None), at(6), Some(profile_transition))
        .await
        .unwrap();
    assert_eq!(recovered, Some(HealthTransition::Recovered));
    let well = stored().await;
    assert_eq!((well.health.sent_at, well.health.broken_at), (Some(at(6)), None));
    let told: Vec<String> = store
        .due_events("demo", at(7), 9)
        .await
        .unwrap()
        .iter()
        .map(|event| serde_json::from_str::<serde_json::Value>(&event.content).unwrap()["type"].to_string())
        .collect();
    assert_eq!(told, ["\"profile.broken\"", "\"profile.recovered\""]);
    assert_eq!(store.due_events("other", at(7), 9).await.unwrap(), []);
    // An event is delivered, or deferred.
    let events = store.due_events("demo", at(7), 9).await.unwrap();
    store.event_done(events[0].id).await.unwrap();
    store.event_failed(events[1].id, at(60)).await.unwrap();
    assert_eq!(store.due_events("demo", at(59), 9).await.unwrap(), []);
    assert_eq!(store.due_events("demo", at(60), 9).await.unwrap()[0].tries, 1);
}
