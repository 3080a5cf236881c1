//! What every store does with profiles.

use super::*;

pub(super) async fn profiles_come_back_whole(store: &impl Store) {
    let martin = account("martin");
    for profile in [row(1, None), ProfileRow { secret: None, ..row(2, Some("karim")) }] {
        insert(store, &martin, &profile).await;
        let expected = ProfileRow { in_use: true, ..profile.clone() };
        assert_eq!(store.profile(&martin, profile.id).await.unwrap(), Some(expected));
    }
    let named = |name: &str| Settings { name: name.to_owned(), ..settings(None) };
    let changed = Settings { sender_name: "Devis".to_owned(), reply_to: None, preset: None, ..named("Lyon") };
    assert!(update(store, &martin, id(1), &changed, None).await);
    assert!(edit(store, &martin, id(1), |row| ProfileRow { encoding: Encoding::Windows1252, ..row.clone() }).await);
    let after = store.profile(&martin, id(1)).await.unwrap().unwrap();
    assert_eq!((after.settings, after.encoding, after.secret), (changed, Encoding::Windows1252, row(1, None).secret));
    assert!(!update(store, &martin, id(9), &settings(None), None).await);
    assert_eq!(store.profile(&martin, id(9)).await.unwrap(), None);
}

pub(super) async fn pages_follow_each_other(store: &impl Store) {
    let martin = account("martin");
    for number in [3, 1, 2] {
        insert(store, &martin, &row(number, None)).await;
    }
    let ids = |rows: Vec<ProfileRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(store.profiles(&martin, None, 2).await.unwrap()), [id(1), id(2)]);
    assert_eq!(ids(store.profiles(&martin, Some(id(2)), 2).await.unwrap()), [id(3)]);
    assert!(store.profiles(&martin, Some(id(3)), 2).await.unwrap().is_empty());
}

pub(super) async fn accounts_are_strangers(store: &impl Store) {
    let (martin, dubois) = (account("martin"), account("dubois"));
    let elsewhere = AccountId { portal: "other".to_owned(), account: "martin".to_owned() };
    insert(store, &martin, &row(1, None)).await;
    for stranger in [&dubois, &elsewhere] {
        assert_eq!(store.profile(stranger, id(1)).await.unwrap(), None);
        assert!(store.profiles(stranger, None, 9).await.unwrap().is_empty());
        assert!(!update(store, stranger, id(1), &settings(None), None).await);
        assert!(!edit(store, stranger, id(1), |row| ProfileRow { encoding: Encoding::Utf8, ..row.clone() }).await);
        assert_eq!(store.put_in_use(stranger, id(1), None, &tell).await.unwrap(), Written::Gone);
        assert_eq!(
            store.delete_profile(stranger, id(1), deletion(Successor::Best, None), &tell).await.unwrap(),
            Written::Gone
        );
        assert_eq!(store.profile_made_by(stranger, "form-0001").await.unwrap(), None);
        assert!(store.others_of_owner(stranger, id(1)).await.unwrap().is_empty());
        assert!(store.profiles_in_use(stranger).await.unwrap().is_empty());
        assert!(!store.record_test(stranger, id(1), &run(1, None), &told(&[1; 32], Some(&receipt()))).await.unwrap());
        assert_eq!(store.last_test(stranger, id(1)).await.unwrap(), None);
        assert_eq!(store.try_receipt(stranger, id(1), at(1)).await.unwrap(), None);
        assert!(!store.confirm_receipt(stranger, id(1), &receipt(), at(1), &tell).await.unwrap());
    }
    assert_eq!(store.profile(&martin, id(1)).await.unwrap(), Some(ProfileRow { in_use: true, ..row(1, None) }));
}

pub(super) async fn exactly_one_profile_is_in_use(store: &impl Store) {
    let martin = account("martin");
    for (number, user) in [(1, None), (2, None), (3, None), (4, Some("karim"))] {
        insert(store, &martin, &row(number, user)).await;
    }
    assert_eq!(in_use(store, &martin).await, [id(1), id(4)], "the first of each owner");
    assert_eq!(store.put_in_use(&martin, id(2), None, &tell).await.unwrap(), Written::Done);
    assert_eq!(in_use(store, &martin).await, [id(2), id(4)]);
    let others = store.others_of_owner(&martin, id(2)).await.unwrap();
    assert_eq!(others.iter().map(|row| row.id).collect::<Vec<_>>(), [id(1), id(3)]);
    assert_eq!(
        store.delete_profile(&martin, id(2), deletion(Successor::Best, None), &tell).await.unwrap(),
        Written::Done
    );
    assert_eq!(in_use(store, &martin).await, [id(1), id(4)], "the oldest of equals takes over");
    // Given to another owner, who already has one in use.
    assert!(update(store, &martin, id(1), &settings(Some("karim")), None).await);
    assert_eq!(in_use(store, &martin).await, [id(3), id(4)]);
    assert!(update(store, &martin, id(4), &settings(None), None).await);
    assert_eq!(in_use(store, &martin).await, [id(1), id(3)]);
    assert_eq!(
        store.delete_profile(&martin, id(1), deletion(Successor::Best, None), &tell).await.unwrap(),
        Written::Done
    );
    assert_eq!(store.others_of_owner(&martin, id(3)).await.unwrap().len(), 1);
}

/// The successor is known to work, or at least not known to fail.
pub(super) async fn a_profile_that_fails_takes_nothing_over(store: &impl Store) {
    let martin = account("martin");
    for number in 1..=4 {
        insert(store, &martin, &row(number, None)).await;
    }
    let tested = async |number, cause| {
        let row = store.profile(&martin, id(number)).await.unwrap().unwrap();
        let fingerprint = crate::profiles::fingerprint(&row);
        assert!(store.record_test(&martin, id(number), &run(1, cause), &told(&fingerprint, None)).await.unwrap());
    };
    tested(2, Some(Cause::BadCredentials)).await;
    tested(4, None).await;
    assert_eq!(
        store.delete_profile(&martin, id(1), deletion(Successor::Best, None), &tell).await.unwrap(),
        Written::Done
    );
    assert_eq!(in_use(store, &martin).await, [id(4)], "the one that works, not the oldest");
    let gone = store.delete_profile(&martin, id(4), deletion(Successor::One(id(1)), None), &tell).await.unwrap();
    assert_eq!(gone, Written::Stale, "the successor was deleted");
    assert_eq!(in_use(store, &martin).await, [id(4)]);
    assert_eq!(
        store.delete_profile(&martin, id(4), deletion(Successor::Best, None), &tell).await.unwrap(),
        Written::Done
    );
    assert_eq!(in_use(store, &martin).await, [id(3)], "the one without a history");
    // Given to another user, it leaves its former owner a failing profile, which does not take over.
    assert!(update(store, &martin, id(3), &settings(Some("karim")), None).await);
    assert_eq!(in_use(store, &martin).await, [id(3)]);
    insert(store, &martin, &row(5, None)).await;
    assert_eq!(in_use(store, &martin).await, [id(3), id(5)], "a new profile is in use where the owner has none");
    assert_eq!(
        store.delete_profile(&martin, id(5), deletion(Successor::One(id(2)), None), &tell).await.unwrap(),
        Written::Done
    );
    assert_eq!(in_use(store, &martin).await, [id(2), id(3)], "unless it is put in use");
    insert(store, &martin, &row(6, None)).await;
    assert_eq!(
        store.delete_profile(&martin, id(2), deletion(Successor::Nobody, None), &tell).await.unwrap(),
        Written::Done
    );
    assert_eq!(in_use(store, &martin).await, [id(3)]);
}

pub(super) async fn a_moved_destination_wipes_the_secret(store: &impl Store) {
    let martin = account("martin");
    let moves: [fn(&mut Destination); 4] = [
        |to| to.host = "smtp.evil.example".to_owned(),
        |to| to.port = 587,
        |to| to.security = Security::Starttls,
        |to| to.login = "other@gmail.com".to_owned(),
    ];
    for (number, moved) in (1..).zip(moves) {
        insert(store, &martin, &row(number, None)).await;
        let mut changed = settings(None);
        moved(&mut changed.destination);
        assert!(update(store, &martin, id(number), &changed, None).await);
        assert_eq!(store.profile(&martin, id(number)).await.unwrap().unwrap().secret, None);
        let fresh = SealedSecret { sealed: vec![9], changed_at: at(5), login_key: [9; 32] };
        assert!(update(store, &martin, id(number), &settings(None), Some(&fresh)).await);
        assert_eq!(store.profile(&martin, id(number)).await.unwrap().unwrap().secret, Some(fresh));
    }
    let mut same = settings(None);
    same.destination.host = "SMTP.GMAIL.COM.".to_owned();
    assert!(update(store, &martin, id(1), &same, None).await);
    assert!(
        store.profile(&martin, id(1)).await.unwrap().unwrap().secret.is_some(),
        "case and trailing dot do not matter"
    );
    assert!(store.profiles_in_use(&martin).await.unwrap().iter().any(|row| row.secret.is_some()));
}

/// No edit leaves a secret with another destination.
pub(super) async fn a_stray_secret_is_wiped(store: &impl Store) {
    let martin = account("martin");
    insert(store, &martin, &row(1, None)).await;
    let mut moved = settings(None);
    moved.destination.host = "smtp.evil.example".to_owned();
    assert!(edit(store, &martin, id(1), |row| ProfileRow { settings: moved.clone(), ..row.clone() }).await);
    assert_eq!(store.profile(&martin, id(1)).await.unwrap().unwrap().secret, None);
}

pub(super) async fn an_account_has_so_many_profiles(store: &impl Store) {
    let (martin, dubois) = (account("martin"), account("dubois"));
    for number in 1..=3 {
        let made = store.insert_profile(&martin, &row(number, None), 3, &some_entry()).await.unwrap();
        assert_eq!(made, Some(number == 1), "the first one is in use");
    }
    assert_eq!(store.insert_profile(&martin, &row(4, None), 3, &some_entry()).await.unwrap(), None);
    let another_s = store.insert_profile(&dubois, &row(5, None), 3, &some_entry()).await.unwrap();
    assert_eq!(another_s, Some(true), "another account's do not count");
    assert_eq!(store.profiles(&martin, None, 9).await.unwrap().len(), 3);
    assert_eq!(store.journal(&martin, None, 9).await.unwrap().len(), 3);
    assert_eq!(
        store.delete_profile(&martin, id(1), deletion(Successor::Best, None), &tell).await.unwrap(),
        Written::Done
    );
    assert_eq!(store.insert_profile(&martin, &row(4, None), 3, &some_entry()).await.unwrap(), Some(false));
}

pub(super) async fn a_form_makes_one_profile(store: &impl Store) {
    let martin = account("martin");
    let made = |number| ProfileRow { creation: Some("form-0001".to_owned()), ..row(number, None) };
    assert_eq!(store.insert_profile(&martin, &made(1), 9, &some_entry()).await.unwrap(), Some(true));
    assert_eq!(store.insert_profile(&martin, &made(2), 9, &some_entry()).await.unwrap(), None);
    assert_eq!(store.profile_made_by(&martin, "form-0001").await.unwrap().map(|row| row.id), Some(id(1)));
    assert_eq!(store.profile_made_by(&martin, "form-0002").await.unwrap(), None);
    // Forms of different accounts may have the same name.
    assert_eq!(store.insert_profile(&account("dubois"), &made(3), 9, &some_entry()).await.unwrap(), Some(true));
}

pub(super) async fn a_revision_counts_what_a_form_shows(store: &impl Store) {
    let martin = account("martin");
    insert(store, &martin, &row(1, None)).await;
    let revision = async || store.profile(&martin, id(1)).await.unwrap().unwrap().revision;
    assert_eq!(revision().await, 1);
    assert!(update(store, &martin, id(1), &settings(None), None).await);
    assert_eq!(revision().await, 1, "nothing changed");
    let renamed = Settings { sender_name: "Devis".to_owned(), ..settings(None) };
    assert!(update(store, &martin, id(1), &renamed, None).await);
    assert_eq!(revision().await, 2);
    let fresh = SealedSecret { sealed: vec![9], changed_at: at(5), login_key: [9; 32] };
    assert!(update(store, &martin, id(1), &renamed, Some(&fresh)).await);
    assert_eq!(revision().await, 3, "a secret counts");
    let stale = store.delete_profile(&martin, id(1), deletion(Successor::Best, Some(2)), &tell).await.unwrap();
    assert_eq!((stale, revision().await), (Written::Stale, 3), "nothing was deleted");
    insert(store, &martin, &row(2, None)).await;
    let used = async || store.profile_in_use(&martin, None).await.unwrap().unwrap().id;
    assert_eq!(store.put_in_use(&martin, id(2), Some(2), &tell).await.unwrap(), Written::Stale);
    assert_eq!(used().await, id(1), "nothing was put in use");
    assert_eq!(store.put_in_use(&martin, id(2), Some(1), &tell).await.unwrap(), Written::Done);
    assert_eq!(used().await, id(2));
    assert!(
        !store
            .set_sending_mode(&martin, SendingMode::OwnSmtp, Some(SendingMode::OwnSmtp), &some_entry())
            .await
            .unwrap()
    );
    assert!(
        store.set_sending_mode(&martin, SendingMode::OwnSmtp, Some(SendingMode::Portal), &some_entry()).await.unwrap()
    );
    assert!(
        !store.set_sending_mode(&martin, SendingMode::Portal, Some(SendingMode::Portal), &some_entry()).await.unwrap()
    );
    assert_eq!(store.sending_mode(&martin).await.unwrap(), Some(SendingMode::OwnSmtp));
}
