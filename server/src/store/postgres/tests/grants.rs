//! Grants and sign-ins with several processes at once.

use super::*;
use crate::store::{
    UsedState,
    contract::{
        grants::{answer, lease, with_grant},
        sign_ins::sign_in,
    },
};

#[tokio::test]
async fn one_process_gets_a_lease() {
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    one.insert_profile(&account("martin"), &with_grant(1), 9, &contract::entry(1, 0)).await.unwrap();
    let tries = (0..20).map(|number| {
        let store = if number % 2 == 0 { &one } else { &other };
        store.lease_grant(lease(1, 1, number), at(1), at(31))
    });
    let leased = join_all(tries).await.into_iter().filter(|leased| *leased.as_ref().unwrap()).count();
    assert_eq!(leased, 1);
}

/// Both lock the profile before the grant, so neither waits for the other in vain.
#[tokio::test]
async fn a_refresh_and_an_edit_take_turns() {
    let Some(one) = cluster::store().await else { return };
    let (other, martin) = (cluster::beside(&one).await, account("martin"));
    let row = with_grant(1);
    one.insert_profile(&martin, &row, 9, &contract::entry(1, 0)).await.unwrap();
    let grant = row.grant.clone().unwrap();
    let destination = row.settings.destination.canonical();
    let began = std::time::Instant::now();
    let mut refreshed = 0;
    for round in 0..30_u128 {
        let new = crate::store::Grant { id: Uuid::from_u128(round + 2), ..grant.clone() };
        let lease = lease(round + 1, 1, 7);
        assert!(one.lease_grant(lease, at(1), at(31)).await.unwrap());
        let mut decide = |row: &ProfileRow| {
            let access = answer(None).access;
            Change::Edit(
                Box::new(row.with_grant(row.settings.clone(), new.clone(), access)),
                contract::entry(round + 2, 0),
            )
        };
        let given = answer(Some(&[9]));
        let (written, edited) = tokio::join!(
            one.refresh_grant(lease, &given, &destination),
            other.change_profile(&martin, row.id, &mut decide),
        );
        refreshed += u32::from(written.unwrap());
        assert!(edited.unwrap());
        let now = one.profile(&martin, row.id).await.unwrap().unwrap().grant.unwrap();
        assert_eq!((now.id, now.access_ends_at), (new.id, new.access_ends_at), "{refreshed}: the owner's choice stays");
        assert!(!one.grant(lease.id).await.unwrap().unwrap().attached);
    }
    assert!(began.elapsed() < Duration::from_secs(10), "a deadlock is noticed after a second: {:?}", began.elapsed());
}

#[tokio::test]
async fn a_session_gets_no_more_sign_ins_at_once() {
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    let rows: Vec<_> = (1..=20).map(sign_in).collect();
    let inserts = rows.iter().enumerate().map(|(number, row)| {
        let store = if number % 2 == 0 { &one } else { &other };
        store.insert_sign_in(row, at(1), 3)
    });
    let inserted = join_all(inserts).await.into_iter().filter(|inserted| *inserted.as_ref().unwrap()).count();
    assert_eq!(inserted, 3);
}

#[tokio::test]
async fn a_ticket_and_a_state_are_used_once_by_many() {
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    let row = sign_in(1);
    assert!(one.insert_sign_in(&row, at(1), 3).await.unwrap());
    let store = |number| if number % 2 == 0 { &one } else { &other };
    let browsers: Vec<_> = (0..20_u8).map(|number| [number; 32]).collect();
    let opened = join_all((0..20).map(|number| store(number).use_ticket(&row.ticket, &browsers[number], at(1)))).await;
    assert_eq!(opened.into_iter().filter(|opened| opened.as_ref().unwrap().is_some()).count(), 1);
    let used = join_all((0..20).map(|number| store(number).use_state(&row.state, &row.client, at(1)))).await;
    let (mut first, mut again) = (0, 0);
    for used in used {
        match used.unwrap() {
            UsedState::First(_) => first += 1,
            UsedState::Again(_) => again += 1,
            UsedState::Unknown => {}
        }
    }
    assert_eq!((first, again), (1, 19), "the second one gets the first one's row");
}
