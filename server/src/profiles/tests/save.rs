//! What is saved, and what is refused.

use app::profile::port::Successor;

use super::*;
use crate::store::{Aside, Deletion};

#[tokio::test]
async fn any_change_that_matters_asks_for_a_new_test() {
    let profiles = profiles().await;
    let id = saved(&profiles).await;
    assert_eq!(shown(&profiles, id).await.test, TestState::Never);
    tested(&profiles, id).await;
    assert_eq!(shown(&profiles, id).await.test, TestState::Accepted { at: at(9) });
    profiles.save(by(&account()), Target::profile(id), settings(), SecretChange::Keep).await.unwrap();
    assert_eq!(shown(&profiles, id).await.test, TestState::Accepted { at: at(9) }, "saving the same changes nothing");
    let devis = || EmailAddress::parse("devis@exemple.fr").unwrap();
    let proved = TestState::Accepted { at: at(9) };
    for (other, test) in [
        (Settings { sender_address: devis(), ..settings() }, TestState::Changed),
        // Changes that no server sees.
        (Settings { sender_name: "Martin et Fils".to_owned(), ..settings() }, proved.clone()),
        (Settings { reply_to: Some(devis()), ..settings() }, proved),
    ] {
        profiles.save(by(&account()), Target::profile(id), other, SecretChange::Keep).await.unwrap();
        assert_eq!(shown(&profiles, id).await.test, test);
        profiles.save(by(&account()), Target::profile(id), settings(), SecretChange::Keep).await.unwrap();
        assert_eq!(shown(&profiles, id).await.test, TestState::Accepted { at: at(9) });
    }
    profiles.set_encoding(by(&account()), id, Encoding::Latin9, None.into()).await.unwrap();
    assert_eq!(shown(&profiles, id).await.test, TestState::Changed);
    profiles.set_encoding(by(&account()), id, Encoding::Utf8, None.into()).await.unwrap();
    let later = ProfileService { clock: Arc::new(|| at(60)), ..profiles.clone() };
    later.save(by(&account()), Target::profile(id), settings(), replace("tres-secret")).await.unwrap();
    assert_eq!(shown(&profiles, id).await.test, TestState::Changed, "a secret typed again is a change");
}

#[tokio::test]
async fn the_guard_has_the_last_word() {
    let profiles = profiles().await;
    let good = settings().destination;
    let cases = [
        (Destination { host: "127.0.0.1".to_owned(), ..good.clone() }, Field::Host, Fault::HostNotAllowed),
        (Destination { host: "smtp://x".to_owned(), ..good.clone() }, Field::Host, Fault::HostInvalid),
        (Destination { port: 22, ..good.clone() }, Field::Port, Fault::PortNotAllowed),
        (Destination { security: Security::None, ..good }, Field::Security, Fault::Unencrypted),
    ];
    for (destination, field, fault) in cases {
        let bad = Settings { destination, ..settings() };
        assert_eq!(faults(profiles.save(by(&account()), Target::default(), bad, replace("x")).await), [(field, fault)]);
    }
}

#[tokio::test]
async fn a_refused_destination_is_in_the_history_and_counted_but_not_for_ever() {
    let metrics = Arc::new(crate::metrics::Metrics::new());
    let profiles = profiles().await.with(9, &metrics);
    let local = Destination { host: "127.0.0.1".to_owned(), ..settings().destination };
    for _ in 0..30 {
        let bad = Settings { destination: local.clone(), ..settings() };
        assert!(profiles.save(by(&account()), Target::default(), bad, replace("x")).await.is_err());
    }
    let typed = ("mail.internal", "22");
    let errors = [FieldError::new(Field::Port, Fault::PortNotAllowed), FieldError::new(Field::Host, Fault::Required)];
    Profiles::note_blocked(&profiles, by(&account()), typed, &errors).await.unwrap();
    Profiles::note_blocked(&profiles, by(&account()), typed, &errors[1..]).await.unwrap();
    let history = profiles.store.journal(&account(), None, 99).await.unwrap();
    let expected = Action::DestinationBlocked { destination: "127.0.0.1:465".to_owned() };
    let written = history.iter().filter(|entry| entry.action == expected).count();
    assert!((5..30).contains(&written), "{written}");
    let metrics = metrics.render(&crate::store::outbox::QueueMetrics::default(), 0.0, (0, 0));
    assert!(metrics.contains("facteur_blocked_destinations_total{what=\"host\"} 30"), "{metrics}");
    assert!(metrics.contains("facteur_blocked_destinations_total{what=\"port\"} 1"), "{metrics}");
}

#[tokio::test]
async fn an_account_has_so_many_profiles_and_another_one_its_own() {
    let profiles = profiles().await.with(2, &Arc::new(crate::metrics::Metrics::new()));
    let first = saved(&profiles).await;
    saved(&profiles).await;
    let full = AppError::TooManyProfiles { most: 2 };
    let refused = profiles.save(by(&account()), Target::default(), settings(), replace("x-secret")).await;
    assert!(matches!(refused, Err(SaveError::App(error)) if error == full));
    assert_eq!(profiles.duplicate(by(&account()), first).await, Err(full));
    let other = AccountId { account: "dubois".to_owned(), ..account() };
    profiles.save(by(&other), Target::default(), settings(), replace("x-secret")).await.unwrap();
    let aside = Aside { session: [0; 32], until: at(10) };
    let deletion = Deletion { successor: Successor::Best, revision: None, aside };
    let account = account();
    let entry_for = profiles.entry_for(by(&account), Action::ProfileDeleted);
    profiles.store.delete_profile(&account, first, deletion, &entry_for).await.unwrap();
    saved(&profiles).await;
}

#[tokio::test]
async fn a_form_that_shows_an_older_revision_overwrites_nothing() {
    let profiles = profiles().await;
    let id = saved(&profiles).await;
    let renamed = |name: &str| Settings { sender_name: name.to_owned(), ..settings() };
    let shown = Target { revision: Some(1), ..Target::profile(id) };
    profiles.save(by(&account()), shown.clone(), renamed("Première"), SecretChange::Keep).await.unwrap();
    let late = profiles.save(by(&account()), shown, renamed("Seconde"), SecretChange::Keep).await;
    assert!(matches!(late, Err(SaveError::Stale(stale)) if stale == id));
    let stored = profiles.get(&account(), id).await.unwrap().unwrap();
    assert_eq!((stored.settings.sender_name.as_str(), stored.revision), ("Première", 2));
    // A request without a revision, as programs send it, always applies.
    profiles.save(by(&account()), Target::profile(id), renamed("Seconde"), SecretChange::Keep).await.unwrap();
    profiles.set_encoding(by(&account()), id, Encoding::Latin1, Some(Encoding::Utf8).into()).await.unwrap();
    let stale = profiles.set_encoding(by(&account()), id, Encoding::Latin9, Some(Encoding::Utf8).into()).await;
    assert_eq!(stale, Err(AppError::Stale));
    let revision = profiles.get(&account(), id).await.unwrap().unwrap().revision;
    let moved = Shown { value: Some(Encoding::Latin1), revision: Some(revision - 1) };
    assert_eq!(profiles.set_encoding(by(&account()), id, Encoding::Utf8, moved).await, Err(AppError::Stale));
    let moved = Shown { value: None, revision: Some(revision - 1) };
    let other = SendingOptions { fallback: true, ..SendingOptions::default() };
    assert_eq!(profiles.set_sending(by(&account()), id, other, moved).await, Err(AppError::Stale));
    assert_eq!(profiles.put_in_use(by(&account()), id, Some(revision - 1)).await, Err(AppError::Stale));
    let few = SendingOptions { per_day: Some(5), ..SendingOptions::default() };
    profiles.set_sending(by(&account()), id, few, Some(SendingOptions::default()).into()).await.unwrap();
    let many = SendingOptions { per_day: Some(500), ..SendingOptions::default() };
    let stale = profiles.set_sending(by(&account()), id, many, Some(SendingOptions::default()).into()).await;
    assert_eq!(stale, Err(AppError::Stale));
}

#[tokio::test]
async fn a_form_sent_twice_makes_one_profile() {
    let profiles = profiles().await;
    let form = || Target { creation: Some("form-0001".to_owned()), ..Target::default() };
    let first = profiles.save(by(&account()), form(), settings(), replace("secret-1")).await.unwrap();
    let again = profiles.save(by(&account()), form(), settings(), replace("secret-1")).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(profiles.get(&account(), first).await.unwrap().unwrap().revision, 1, "nothing changed");
    let corrected = Settings { sender_name: "Devis".to_owned(), ..settings() };
    let updated = profiles.save(by(&account()), form(), corrected, SecretChange::Keep).await.unwrap();
    assert_eq!(first, updated);
    assert_eq!(Profiles::page(&profiles, &account(), None).await.unwrap().len(), 1);
    // Another tab with the same form, sent under another account name, does not overwrite it.
    let book_of = |name: &str| Settings { sender_name: name.to_owned(), ..settings() };
    let tab = profiles.save(by(&account()), form(), book_of("Autre"), replace("secret-2")).await;
    assert!(matches!(tab, Err(SaveError::Stale(stale)) if stale == first));
    // It does not know the changes made after its own.
    let late = profiles.save(by(&account()), form(), settings(), SecretChange::Keep).await;
    assert!(matches!(late, Err(SaveError::Stale(stale)) if stale == first));
}

#[tokio::test]
async fn a_local_name_that_the_operator_allows_can_be_saved() {
    let names = ["localhost", "mailpit", "mail.internal", "smtp.localhost", "x.home.arpa"];
    let with = async |policy: Policy| {
        let store = Arc::new(SqliteStore::in_memory().await.unwrap());
        ProfileService::new(store, vault(1), policy, Arc::new(|| at(0)))
    };
    let allowed = Policy {
        allow_hosts: names.iter().map(|name| mail::net::guard::pattern(name).unwrap()).collect(),
        ..Policy::default()
    };
    let (allowing, strict) = (with(allowed).await, with(Policy::default()).await);
    for name in names {
        let mut settings = settings();
        name.clone_into(&mut settings.destination.host);
        let save = async |profiles: &ProfileService| {
            profiles.save(by(&account()), Target::default(), settings.clone(), replace("tres-secret")).await
        };
        let id = save(&allowing).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(allowing.get(&account(), id).await.unwrap().unwrap().settings.destination.host, name);
        let Err(SaveError::Invalid(errors)) = save(&strict).await else {
            panic!("{name} is saved, though the operator does not allow it")
        };
        assert_eq!(errors[0].fault, Fault::HostNotAllowed, "{name}");
    }
}

/// The question before **Utiliser** and the order of the successors are computed in two places, which must agree.
#[tokio::test]
async fn what_is_doubted_is_what_counts_as_failing() {
    let profiles = profiles().await;
    let id = saved(&profiles).await;
    let row = profiles.store.profile(&account(), id).await.unwrap().unwrap();
    let print = fingerprint(&row);
    let tests = [None, Some(Verdict::Accepted), Some(Verdict::DeliveryUnknown), Some(Verdict::Failed)];
    let healths = [
        Health::default(),
        Health { sent_at: Some(at(5)), ..Health::default() },
        Health { sent_at: Some(at(15)), ..Health::default() },
        Health { failed_at: Some(at(5)), failures: 1, ..Health::default() },
        Health { failed_at: Some(at(15)), failures: 1, ..Health::default() },
        Health { failed_at: Some(at(5)), failures: 3, broken_at: Some(at(5)), ..Health::default() },
    ];
    for verdict in tests {
        for health in healths {
            for (has_secret, current) in [(true, true), (true, false), (false, true)] {
                let tested = verdict.map(|verdict| Tested {
                    fingerprint: print,
                    at: at(9),
                    verdict,
                    cause: None,
                    received_at: None,
                });
                let secret = row.secret.clone().filter(|_| has_secret);
                let signed_fingerprint = current.then_some(print);
                let one = ProfileRow { secret, tested, health, signed_fingerprint, ..row.clone() };
                let doubted = Doubt::of(&profiles.shown(&account(), &one)).is_some();
                assert_eq!(doubted, reliability(&one) == Reliability::Fails, "{one:?}");
            }
        }
    }
}
