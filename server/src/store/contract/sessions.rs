//! What every store does with sessions and used tokens.

use super::*;

/// A session that was just opened.
pub(super) fn session(key: u8) -> SessionRow {
    SessionRow {
        session: Session {
            key: [key; 32],
            account: account("martin"),
            account_name: "Boulangerie Martin".to_owned(),
            portal_name: "Comptoir".to_owned(),
            person: User { id: "claire".to_owned(), name: "Claire".to_owned() },
            email: "claire@exemple.fr".to_owned(),
            users: vec![User { id: "karim".to_owned(), name: "Karim".to_owned() }],
            locale: Locale::En,
            time_zone: Some("Europe/Paris".to_owned()),
            return_url: Some("https://portail.exemple/".to_owned()),
            theme: app::theme::GivenTheme::default(),
        },
        expires_at: at(60),
        ends_at: at(3_600),
    }
}

pub(super) async fn sessions_come_back_and_end(store: &impl Store) {
    store.insert_session(&session(1)).await.unwrap();
    assert_eq!(store.session(&[1; 32]).await.unwrap(), Some(session(1)));
    assert_eq!(store.session(&[2; 32]).await.unwrap(), None);
    store.prolong_session(&[1; 32], at(120)).await.unwrap();
    assert_eq!(store.session(&[1; 32]).await.unwrap().map(|row| row.expires_at), Some(at(120)));
    store.prolong_session(&[1; 32], at(9_999)).await.unwrap();
    assert_eq!(store.session(&[1; 32]).await.unwrap().map(|row| row.expires_at), Some(at(3_600)), "never past its end");
    let theme = GivenTheme { scheme: Some(app::theme::Scheme::Dark), ..GivenTheme::default() };
    assert!(store.set_theme(&[1; 32], &theme).await.unwrap());
    assert!(!store.set_theme(&[9; 32], &theme).await.unwrap());
    assert_eq!(store.session(&[1; 32]).await.unwrap().map(|row| row.session.theme), Some(theme));
    store.sweep(at(4_000), at(3_000)).await.unwrap();
    assert!(store.session(&[1; 32]).await.unwrap().is_some(), "an ended session is remembered");
    store.sweep(at(9_000), at(4_000)).await.unwrap();
    assert!(store.session(&[1; 32]).await.unwrap().is_none());
    store.insert_session(&session(3)).await.unwrap();
    store.delete_session(&[3; 32]).await.unwrap();
    assert!(store.session(&[3; 32]).await.unwrap().is_none());
}

pub(super) async fn sessions_of_an_account_are_ended_together(store: &impl Store) {
    let (martin, dubois) = (account("martin"), account("dubois"));
    let of = |key, account: &AccountId, person: &str| {
        let SessionRow { session, expires_at, ends_at } = session(key);
        let person = User { id: person.to_owned(), name: "…".to_owned() };
        SessionRow { session: Session { account: account.clone(), person, ..session }, expires_at, ends_at }
    };
    let stranger = AccountId { portal: "other".to_owned(), ..martin.clone() };
    for row in [
        of(1, &martin, "claire"),
        of(2, &martin, "claire"),
        of(3, &martin, "karim"),
        of(4, &dubois, "claire"),
        of(5, &stranger, "claire"),
    ] {
        store.insert_session(&row).await.unwrap();
    }
    let open = async |now| {
        let mut open = Vec::new();
        for key in 1..=5 {
            let row = store.session(&[key; 32]).await.unwrap();
            if row.is_some_and(|row| row.expires_at > now && row.ends_at > now) {
                open.push(key);
            }
        }
        open
    };
    assert_eq!(store.end_sessions(&martin, Some("claire"), at(10), &some_entry()).await.unwrap(), 2);
    assert_eq!(open(at(10)).await, [3, 4, 5]);
    assert_eq!(store.end_sessions(&martin, Some("claire"), at(10), &some_entry()).await.unwrap(), 0, "they have ended");
    assert_eq!(store.end_sessions(&martin, None, at(20), &some_entry()).await.unwrap(), 1);
    assert_eq!(open(at(20)).await, [4, 5]);
    store.prolong_session(&[1; 32], at(60)).await.unwrap();
    assert!(!open(at(20)).await.contains(&1), "an ended session is not extended");
    assert!(store.renew_session(&[4; 32], at(30), at(7_000), at(9_000)).await.unwrap());
    let renewed = store.session(&[4; 32]).await.unwrap().unwrap();
    assert_eq!((renewed.expires_at, renewed.ends_at), (at(7_000), at(9_000)), "even past its former end");
    assert!(store.renew_session(&[4; 32], at(30), at(9_999), at(9_000)).await.unwrap());
    assert_eq!(store.session(&[4; 32]).await.unwrap().unwrap().expires_at, at(9_000));
    assert!(
        !store.renew_session(&[1; 32], at(30), at(7_000), at(9_000)).await.unwrap(),
        "an ended session stays ended"
    );
}

pub(super) async fn tokens_work_once(store: &impl Store) {
    assert!(store.use_token("demo", &[1; 32], at(10)).await.unwrap());
    assert!(!store.use_token("demo", &[1; 32], at(10)).await.unwrap());
    assert!(store.use_token("other", &[1; 32], at(10)).await.unwrap(), "another portal's ids are its own");
    store.sweep(at(11), at(0)).await.unwrap();
    assert!(store.use_token("demo", &[1; 32], at(99)).await.unwrap(), "forgotten once it has expired by itself");
}
