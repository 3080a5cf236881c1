//! What every store does with sealed values.

use super::{
    queue::{lane, message},
    *,
};

pub(super) async fn the_canary_stays(store: &impl Store) {
    assert_eq!(store.canary().await.unwrap(), None);
    store.set_canary(&[1, 2]).await.unwrap();
    assert_eq!(store.canary().await.unwrap(), Some(vec![1, 2]));
}

pub(super) async fn sending_options_are_the_account_s(store: &dyn Store) {
    let account = account("martin");
    insert(store, &account, &row(1, None)).await;
    insert(store, &account, &row(2, Some("karim"))).await;
    let options = SendingOptions {
        max_connections: Some(3),
        per_minute: Some(30),
        per_day: None,
        check_hourly: true,
        fallback: true,
    };
    let stranger = AccountId { account: "dubois".to_owned(), ..account.clone() };
    let set = |row: &ProfileRow| ProfileRow { sending: options, ..row.clone() };
    assert!(!edit(store, &stranger, id(1), set).await);
    assert!(edit(store, &account, id(1), set).await);
    assert_eq!(store.profile(&account, id(1)).await.unwrap().unwrap().sending, options);
    let in_use = async |account: &AccountId, user| store.profile_in_use(account, user).await.unwrap().map(|row| row.id);
    assert_eq!(in_use(&account, None).await, Some(id(1)));
    assert_eq!(in_use(&account, Some("karim")).await, Some(id(2)));
    assert_eq!(in_use(&account, Some("lea")).await, None);
    assert_eq!(in_use(&stranger, None).await, None);
    let due = store.profiles_to_check(at(1), 9).await.unwrap();
    assert_eq!(due.iter().map(|one| one.row.id).collect::<Vec<_>>(), [id(1)]);
    // Sealed values, page by page, replaced if they are still the same.
    let secrets = store.secrets(None, 1).await.unwrap();
    assert_eq!((secrets[0].account.clone(), secrets[0].row.id), (account.clone(), id(1)));
    assert_eq!(store.secrets(Some(id(1)), 9).await.unwrap().len(), 1);
    let sealed = |byte| SealedSecret { sealed: vec![byte], changed_at: at(0), login_key: [byte; 32] };
    let claim = LoginClaim { id: Uuid::new_v4(), key: [1; 32], now: at(1), until: at(2), again_after: None };
    store.claim_logins(&[claim], &model::login::admit).await.unwrap();
    let end = LoginEnd { id: claim.id, key: [1; 32], outcome: LoginOutcome::Refused, at: at(1) };
    store.end_logins(&[end]).await.unwrap();
    assert!(store.replace_secret(id(1), &[1, 2, 3], &sealed(4)).await.unwrap());
    assert!(!store.replace_secret(id(1), &[1, 2, 3], &sealed(5)).await.unwrap());
    let row = store.profile(&account, id(1)).await.unwrap().unwrap();
    assert_eq!((row.secret, row.secret_refusals), (Some(sealed(4)), 1), "its refusals stay");
    store.insert_messages(&[message(1, &lane("martin", None), 1)]).await.unwrap();
    let contents = store.contents(None, 9).await.unwrap();
    assert_eq!((contents.len(), contents[0].account.clone()), (1, account));
    assert!(store.replace_content(contents[0].id, &contents[0].sealed, &[7]).await.unwrap());
    assert!(!store.replace_content(contents[0].id, &contents[0].sealed, &[8]).await.unwrap());
}
