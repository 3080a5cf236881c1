//! What every store does with grants.

use super::*;

const SESSION: [u8; 32] = [7; 32];

/// A new grant, due at second 1,000.
fn grant(number: u128) -> Grant {
    let tokens = GrantTokens {
        issuer: "https://login.example".to_owned(),
        subject: "claire".to_owned(),
        scopes: "openid smtp".to_owned(),
        refresh: vec![1, 2, 0],
        next_refresh_at: at(1_000),
    };
    Grant {
        id: Uuid::from_u128(number),
        client: "microsoft".to_owned(),
        identity: "claire@exemple.fr".to_owned(),
        granted_at: at(0),
        access_ends_at: Some(at(60)),
        ended: None,
        tokens: Some(Box::new(tokens)),
    }
}

/// A profile with a new grant of the same number.
pub(crate) fn with_grant(number: u128) -> ProfileRow {
    ProfileRow { grant: Some(grant(number)), ..row(number, None) }
}

/// The grant as its profile shows it.
fn shown(grant: Grant) -> Grant {
    Grant { tokens: None, ..grant }
}

pub(crate) fn lease(number: u128, version: u32, token: u128) -> GrantLease {
    GrantLease { id: Uuid::from_u128(number), version, token: Uuid::from_u128(token) }
}

pub(crate) fn answer(refresh: Option<&[u8]>) -> Refreshed {
    Refreshed {
        refresh: refresh.map(<[u8]>::to_vec),
        access: SealedSecret { sealed: vec![8], changed_at: at(0), login_key: [8; 32] },
        access_ends_at: at(90),
        next_refresh_at: at(2_000),
    }
}

fn end() -> GrantEnd {
    GrantEnd { cause: Cause::OauthReconnect, code: "invalid_grant".to_owned() }
}

fn destination() -> String {
    settings(None).destination.canonical()
}

async fn stored(store: &impl Store, number: u128) -> GrantRow {
    store.grant(Uuid::from_u128(number)).await.unwrap().unwrap()
}

async fn profile(store: &impl Store, number: u128) -> ProfileRow {
    store.profile(&account("martin"), id(number)).await.unwrap().unwrap()
}

/// Takes the lease of a grant, and refreshes it.
async fn refresh(store: &impl Store, lease: GrantLease, answer: &Refreshed) -> bool {
    assert!(store.lease_grant(lease, at(1), at(31)).await.unwrap());
    store.refresh_grant(lease, answer, &destination()).await.unwrap()
}

async fn delete(store: &impl Store, number: u128) {
    let aside = Aside { session: SESSION, until: at(10) };
    let deletion = Deletion { successor: Successor::Best, revision: None, aside };
    let deleted = store.delete_profile(&account("martin"), id(number), deletion, &tell).await.unwrap();
    assert_eq!(deleted, Written::Done);
}

pub(super) async fn a_grant_is_attached_and_replaced(store: &impl Store) {
    let martin = account("martin");
    insert(store, &martin, &with_grant(1)).await;
    insert(store, &martin, &row(2, None)).await;
    assert_eq!(profile(store, 1).await.grant, Some(shown(grant(1))), "without its tokens");
    let attached = GrantRow {
        id: Uuid::from_u128(1),
        profile: id(1),
        account: martin.clone(),
        client: "microsoft".to_owned(),
        tokens: *grant(1).tokens.unwrap(),
        version: 1,
        leased_until: None,
        attached: true,
    };
    assert_eq!(stored(store, 1).await, attached);
    assert_eq!(store.grant(Uuid::from_u128(9)).await.unwrap(), None);
    let full = store.insert_profile(&martin, &with_grant(3), 2, &some_entry()).await.unwrap();
    assert_eq!((full, store.grant(Uuid::from_u128(3)).await.unwrap()), (None, None), "no profile, no grant");
    // Instead of a password.
    let access = SealedSecret { sealed: vec![5], changed_at: at(2), login_key: [5; 32] };
    let sign_in = async |number| {
        let edited = |row: &ProfileRow| row.with_grant(row.settings.clone(), grant(number), access.clone());
        assert!(edit(store, &martin, id(2), edited).await);
    };
    sign_in(4).await;
    let row = profile(store, 2).await;
    assert_eq!((row.grant, row.secret, row.revision), (Some(shown(grant(4))), Some(access.clone()), 2));
    assert!(stored(store, 4).await.attached && stored(store, 4).await.profile == id(2));
    // Signed in again: the new grant replaces the former one.
    sign_in(5).await;
    assert_eq!(profile(store, 2).await.grant, Some(shown(grant(5))));
    assert_eq!((stored(store, 4).await.attached, stored(store, 5).await.attached), (false, true));
    let renamed = Settings { sender_name: "Devis".to_owned(), ..settings(None) };
    assert!(update(store, &martin, id(2), &renamed, None).await);
    assert!(stored(store, 5).await.attached, "another edit leaves it");
    // A password replaces it, and so does nothing at all.
    let typed = super::row(2, None).secret.unwrap();
    assert!(edit(store, &martin, id(2), |row| row.with_password(row.settings.clone(), typed.clone())).await);
    let row = profile(store, 2).await;
    assert_eq!((row.grant, row.secret, stored(store, 5).await.attached), (None, Some(typed), false));
    assert!(edit(store, &martin, id(1), |row| row.without_grant(row.settings.clone())).await);
    let row = profile(store, 1).await;
    assert_eq!((row.grant, row.secret, stored(store, 1).await.attached), (None, None, false));
}

pub(super) async fn a_refresh_replaces_both_tokens(store: &impl Store) {
    let martin = account("martin");
    insert(store, &martin, &with_grant(1)).await;
    let before = profile(store, 1).await;
    assert!(refresh(store, lease(1, 1, 7), &answer(Some(&[9]))).await);
    let row = stored(store, 1).await;
    assert_eq!((row.version, row.leased_until, row.tokens.refresh), (2, None, vec![9]));
    assert_eq!(row.tokens.next_refresh_at, at(2_000));
    let after = profile(store, 1).await;
    let ends = after.grant.as_ref().and_then(|grant| grant.access_ends_at);
    assert_eq!((after.secret.clone(), ends), (Some(answer(None).access), Some(at(90))));
    assert_eq!(after.revision, before.revision, "the owner changed nothing");
    assert_eq!(after.fingerprint(), before.fingerprint(), "and needs no new test");
    assert!(refresh(store, lease(1, 2, 7), &answer(None)).await);
    assert_eq!((stored(store, 1).await.version, stored(store, 1).await.tokens.refresh), (3, vec![9]), "it stays valid");
    // The destination changes while a refresh is under way.
    assert!(store.lease_grant(lease(1, 3, 8), at(1), at(31)).await.unwrap());
    let mut moved = settings(None);
    moved.destination.login = "accueil@gmail.com".to_owned();
    assert!(update(store, &martin, id(1), &moved, None).await);
    assert!(store.refresh_grant(lease(1, 3, 8), &answer(Some(&[10])), &destination()).await.unwrap());
    let after = profile(store, 1).await;
    assert_eq!((after.secret, after.grant.unwrap().access_ends_at), (None, None), "a token for another login");
    assert_eq!((stored(store, 1).await.version, stored(store, 1).await.tokens.refresh), (4, vec![10]));
    // A password replaces the grant while a refresh is under way.
    assert!(store.lease_grant(lease(1, 4, 9), at(1), at(31)).await.unwrap());
    let typed = super::row(1, None).secret.unwrap();
    assert!(edit(store, &martin, id(1), |row| row.with_password(row.settings.clone(), typed.clone())).await);
    let detached = stored(store, 1).await;
    assert_eq!((detached.attached, detached.leased_until), (false, None));
    assert!(!store.refresh_grant(lease(1, 4, 9), &answer(Some(&[11])), &destination()).await.unwrap());
    assert!(!store.end_grant(lease(1, 4, 9), &end()).await.unwrap());
    assert!(!store.lease_grant(lease(1, 4, 9), at(1), at(31)).await.unwrap(), "its tokens are not needed any more");
    assert_eq!(stored(store, 1).await, detached);
    assert_eq!(profile(store, 1).await.secret, Some(typed));
}

pub(super) async fn one_process_refreshes_a_version(store: &impl Store) {
    insert(store, &account("martin"), &with_grant(1)).await;
    assert!(store.lease_grant(lease(1, 1, 1), at(1), at(31)).await.unwrap());
    assert_eq!(stored(store, 1).await.leased_until, Some(at(31)));
    assert!(!store.lease_grant(lease(1, 1, 2), at(30), at(60)).await.unwrap(), "another process has it");
    store.release_grant(lease(1, 1, 2)).await.unwrap();
    assert!(!store.lease_grant(lease(1, 1, 2), at(30), at(60)).await.unwrap(), "only its holder releases it");
    assert!(store.lease_grant(lease(1, 1, 2), at(31), at(60)).await.unwrap(), "it has expired");
    assert!(!store.refresh_grant(lease(1, 1, 1), &answer(Some(&[4])), &destination()).await.unwrap());
    assert!(!store.end_grant(lease(1, 1, 1), &end()).await.unwrap());
    store.release_grant(lease(1, 1, 1)).await.unwrap();
    assert_eq!(stored(store, 1).await.leased_until, Some(at(60)), "it belongs to the second one");
    store.release_grant(lease(1, 1, 2)).await.unwrap();
    assert_eq!(stored(store, 1).await.leased_until, None);
    assert!(!store.refresh_grant(lease(1, 1, 2), &answer(None), &destination()).await.unwrap(), "it was released");
    assert!(refresh(store, lease(1, 1, 3), &answer(Some(&[5]))).await);
    assert!(!store.refresh_grant(lease(1, 1, 3), &answer(Some(&[6])), &destination()).await.unwrap(), "once");
    assert!(!store.lease_grant(lease(1, 1, 4), at(99), at(120)).await.unwrap(), "an old version");
    assert!(!store.lease_grant(lease(9, 1, 4), at(99), at(120)).await.unwrap(), "no such grant");
    assert_eq!((stored(store, 1).await.tokens.refresh, stored(store, 1).await.version), (vec![5], 2));
}

pub(super) async fn an_ended_grant_is_not_used_until_the_owner_signs_in_again(store: &impl Store) {
    let martin = account("martin");
    let options = SendingOptions { check_hourly: true, ..SendingOptions::default() };
    for number in [1, 2] {
        insert(store, &martin, &ProfileRow { secret: None, sending: options, ..with_grant(number) }).await;
    }
    insert(store, &martin, &ProfileRow { secret: None, sending: options, ..row(3, None) }).await;
    let checked = async || {
        let rows = store.profiles_to_check(at(1), 9).await.unwrap();
        let mut ids: Vec<_> = rows.into_iter().map(|one| one.row.id).collect();
        ids.sort_unstable();
        ids
    };
    let counted = |ended, grants| GrantCount { client: "microsoft".to_owned(), ended, grants };
    let count = async || {
        let mut counts = store.count_grants().await.unwrap();
        counts.sort_by_key(|count| count.ended.map(Cause::as_str));
        counts
    };
    assert_eq!(checked().await, [id(1), id(2)], "a grant needs no access token, which a refresh brings");
    assert_eq!(count().await, [counted(None, 2)]);
    assert!(store.lease_grant(lease(1, 1, 1), at(1), at(31)).await.unwrap());
    assert!(store.end_grant(lease(1, 1, 1), &end()).await.unwrap());
    assert!(!store.end_grant(lease(1, 1, 1), &end()).await.unwrap(), "its lease has ended");
    let ended = profile(store, 1).await;
    assert_eq!((ended.grant.and_then(|grant| grant.ended), ended.revision), (Some(end()), 1));
    assert_eq!(checked().await, [id(2)]);
    assert_eq!(count().await, [counted(None, 1), counted(Some(Cause::OauthReconnect), 1)]);
    let due = store.grants_to_refresh(at(9_000), 9).await.unwrap();
    assert_eq!(due.iter().map(|row| row.profile).collect::<Vec<_>>(), [id(2)]);
    // A refresh that works all the same.
    assert!(refresh(store, lease(1, 1, 2), &answer(None)).await);
    assert_eq!(profile(store, 1).await.grant.and_then(|grant| grant.ended), None);
    assert_eq!(count().await, [counted(None, 2)]);
    // Ended, and signed in again.
    assert!(store.lease_grant(lease(2, 1, 1), at(1), at(31)).await.unwrap());
    assert!(store.end_grant(lease(2, 1, 1), &end()).await.unwrap());
    let access = answer(None).access;
    let again = |row: &ProfileRow| row.with_grant(row.settings.clone(), grant(4), access.clone());
    assert!(edit(store, &martin, id(2), again).await);
    assert_eq!(profile(store, 2).await.grant, Some(shown(grant(4))));
    assert_eq!(checked().await, [id(1), id(2)]);
    assert_eq!(count().await, [counted(None, 2)], "a detached one is not counted");
}

pub(super) async fn a_grant_stays_with_a_profile_that_may_be_restored(store: &impl Store) {
    let martin = account("martin");
    insert(store, &martin, &with_grant(1)).await;
    delete(store, 1).await;
    assert!(stored(store, 1).await.attached);
    assert!(refresh(store, lease(1, 1, 1), &answer(Some(&[9]))).await, "an answer is not lost");
    let request = RestoreRequest { session: &SESSION, at: at(9) };
    assert_eq!(store.restore_profile(&martin, id(1), request, 9, &tell).await.unwrap(), Restored::Done);
    let restored = profile(store, 1).await;
    assert_eq!(restored.grant, Some(Grant { access_ends_at: Some(at(90)), ..shown(grant(1)) }));
    assert_eq!(restored.secret, Some(answer(None).access));
    assert!(stored(store, 1).await.attached);
}

pub(super) async fn a_grant_is_detached_when_its_profile_is_gone(store: &impl Store) {
    for number in [1, 2] {
        insert(store, &account("martin"), &with_grant(number)).await;
    }
    assert!(store.has_twin(&stored(store, 1).await).await.unwrap(), "revoking one ends both");
    delete(store, 1).await;
    assert_eq!(store.forget_deleted(at(9)).await.unwrap(), 0);
    assert!(stored(store, 1).await.attached);
    store.forget_grant(Uuid::from_u128(1)).await.unwrap();
    assert!(store.lease_grant(lease(1, 1, 1), at(1), at(31)).await.unwrap());
    assert_eq!(store.forget_deleted(at(10)).await.unwrap(), 1);
    let detached = stored(store, 1).await;
    assert_eq!((detached.attached, detached.profile, detached.account.clone()), (false, id(1), account("martin")));
    assert!(!store.refresh_grant(lease(1, 1, 1), &answer(Some(&[9])), &destination()).await.unwrap());
    assert_eq!(stored(store, 1).await.tokens.refresh, [1, 2, 0]);
    assert!(store.has_twin(&detached).await.unwrap());
    assert!(!store.has_twin(&stored(store, 2).await).await.unwrap(), "a detached one does not count");
    for number in [1, 2] {
        store.forget_grant(Uuid::from_u128(number)).await.unwrap();
    }
    assert_eq!(store.grant(Uuid::from_u128(1)).await.unwrap(), None);
    assert!(stored(store, 2).await.attached, "only a detached one is forgotten");
}

pub(super) async fn grants_are_found_page_by_page(store: &impl Store) {
    let martin = account("martin");
    let due_at = |number: u128, second| {
        let mut row = with_grant(number);
        let tokens = row.grant.as_mut().and_then(|grant| grant.tokens.as_mut()).unwrap();
        tokens.next_refresh_at = at(second);
        tokens.subject = format!("person-{number}");
        row
    };
    for (number, second) in [(1, 30), (2, 10), (3, 20), (4, 40)] {
        insert(store, &martin, &due_at(number, second)).await;
    }
    let numbers = |rows: Vec<GrantRow>| rows.into_iter().map(|row| row.id.as_u128()).collect::<Vec<_>>();
    assert_eq!(numbers(store.grants_to_refresh(at(30), 9).await.unwrap()), [2, 3, 1], "the longest due first");
    assert_eq!(numbers(store.grants_to_refresh(at(30), 2).await.unwrap()), [2, 3]);
    store.postpone_refresh(Uuid::from_u128(2), at(31)).await.unwrap();
    assert_eq!(numbers(store.grants_to_refresh(at(30), 9).await.unwrap()), [3, 1]);
    assert!(!store.has_twin(&stored(store, 1).await).await.unwrap(), "other persons");
    assert_eq!(numbers(store.grants(None, 3).await.unwrap()), [1, 2, 3]);
    assert_eq!(numbers(store.grants(Some(Uuid::from_u128(3)), 3).await.unwrap()), [4]);
    assert!(store.detached_grants(None, 9).await.unwrap().is_empty());
    for number in [4, 2, 3] {
        assert!(edit(store, &martin, id(number), |row| row.without_grant(row.settings.clone())).await);
    }
    assert_eq!(numbers(store.detached_grants(None, 2).await.unwrap()), [2, 3]);
    assert_eq!(numbers(store.detached_grants(Some(Uuid::from_u128(3)), 2).await.unwrap()), [4]);
    assert_eq!(numbers(store.grants_to_refresh(at(99), 9).await.unwrap()), [1]);
    // Replaced if it is still the same, also when it is detached.
    for id in [1, 2].map(Uuid::from_u128) {
        assert!(store.replace_refresh(id, &[1, 2, 0], &[3]).await.unwrap());
        assert!(!store.replace_refresh(id, &[1, 2, 0], &[4]).await.unwrap());
        assert_eq!(store.grant(id).await.unwrap().unwrap().tokens.refresh, [3]);
    }
}
