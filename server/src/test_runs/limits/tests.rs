//! Shares, and which tests are refused.

use std::num::NonZeroU32;

use app::{i18n::Locale, session::User};
use uuid::Uuid;

use super::*;

pub(super) fn session(account: &str, person: &str) -> Session {
    Session {
        key: [0; 32],
        account: AccountId { portal: "demo".to_owned(), account: account.to_owned() },
        account_name: account.to_owned(),
        portal_name: "Comptoir".to_owned(),
        person: User { id: person.to_owned(), name: person.to_owned() },
        email: String::new(),
        users: vec![],
        locale: Locale::Fr,
        time_zone: None,
        return_url: None,
        theme: app::theme::GivenTheme::default(),
    }
}

pub(super) fn profile(number: u128) -> ProfileId {
    ProfileId(Uuid::from_u128(number))
}

pub(super) fn quota(per_person: u32, per_profile: u32, per_account: u32) -> TestQuota {
    let quota = |n| NonZeroU32::new(n).unwrap();
    TestQuota {
        per_person: quota(per_person),
        per_profile: quota(per_profile),
        per_account: quota(per_account),
        in_all: quota(1_000),
    }
}

pub(super) async fn admit(limits: &Limits, session: &Session, id: ProfileId) -> Result<TestPermit, Refusal> {
    limits.admit(session, id, "smtp.example").await
}

#[tokio::test(start_paused = true)]
async fn each_limit_holds_by_itself_and_others_are_not_affected() {
    for (quota, second) in [
        (quota(1, 9, 9), (session("martin", "claire"), profile(2))),
        (quota(9, 1, 9), (session("martin", "karim"), profile(1))),
        (quota(9, 9, 1), (session("martin", "karim"), profile(2))),
    ] {
        let limits = Limits::new(quota, Replicas::alone());
        drop(admit(&limits, &session("martin", "claire"), profile(1)).await.unwrap());
        let refusal = admit(&limits, &second.0, second.1).await.map(drop).unwrap_err();
        let Refusal::Limited { retry_after_s } = refusal else { panic!("{refusal:?}") };
        assert!((1..=61).contains(&retry_after_s));
        assert!(admit(&limits, &session("dubois", "hugo"), profile(3)).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_and_an_account_have_their_shares_and_give_them_back() {
    let limits = Limits::new(quota(100, 100, 100), Replicas::alone());
    let (claire, karim) = (session("martin", "claire"), session("martin", "karim"));
    let mut slots = Vec::new();
    for number in 0..4 {
        slots.push(admit(&limits, &claire, profile(number)).await.unwrap());
    }
    let refused = async |session| admit(&limits, session, profile(9)).await.map(drop);
    assert_eq!(refused(&claire).await, Err(Refusal::AtOnce(AtOnce::Person)));
    for number in 4..6 {
        slots.push(admit(&limits, &karim, profile(number)).await.unwrap());
    }
    assert_eq!(refused(&karim).await, Err(Refusal::AtOnce(AtOnce::Account)));
    slots.pop();
    assert_eq!(refused(&karim).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn tests_that_stall_stop_nobody_else_s() {
    let limits = Arc::new(Limits::new(quota(1_000, 1_000, 1_000), Replicas::alone()));
    for number in 0..100_u32 {
        for person in ["a", "b"] {
            let (limits, session) = (limits.clone(), session(&format!("evil{number}"), person));
            tokio::spawn(async move {
                for _ in 0..2 {
                    let slot = limits.admit(&session, profile(u128::from(number)), "tar.example").await;
                    if let Ok(slot) = slot {
                        tokio::spawn(async move { slot.watch(std::future::pending::<()>()).await });
                    }
                }
            });
        }
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(limits.admission.counts().0, 32, "one server has half of the workers");
    for round in 0..3 {
        let good = session(&format!("good{round}"), "claire");
        let began = Instant::now();
        let slot = limits.admit(&good, profile(10_000), "smtp.good.example").await;
        assert!(slot.is_ok() && began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_there_is_for_all_is_not_used_up_by_a_few() {
    let few = TestQuota { in_all: NonZeroU32::new(40).unwrap(), ..quota(1_000, 1_000, 1_000) };
    let limits = Limits::new(few, Replicas::alone());
    let mut tests = 0;
    for number in 0..20 {
        let greedy = session(&format!("greedy{}", number % 2), "a");
        while admit(&limits, &greedy, profile(number)).await.is_ok() {
            tests += 1;
        }
    }
    assert!((30..=36).contains(&tests), "{tests}");
    assert!(admit(&limits, &session("good", "claire"), profile(99)).await.is_ok());
}
