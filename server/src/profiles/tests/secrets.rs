//! What happens to a secret.

use super::*;

#[tokio::test]
async fn a_secret_is_sealed_for_its_profile_and_opens_again() {
    let book = book().await;
    let id = saved(&book).await;
    let row = book.store.profile(&account(), id).await.unwrap().unwrap();
    assert!(!row.secret.as_ref().unwrap().sealed.windows(11).any(|window| window == b"tres-secret"));
    assert_eq!(book.open(&account(), &row).unwrap().unwrap().expose_secret(), "tres-secret");
    assert_eq!(shown(&book, id).await.secret, SecretState::Stored { changed_at: at(0) });
}

#[tokio::test]
async fn no_secret_is_taken_to_another_destination() {
    let book = book().await;
    let id = saved(&book).await;
    let mut moved = settings();
    moved.destination.host = "smtp.evil.fr".to_owned();
    let refused = book.save(by(&account()), Target::profile(id), moved.clone(), SecretChange::Keep).await;
    assert_eq!(faults(refused), [(Field::Secret, Fault::SecretForNewServer)]);
    assert_eq!(shown(&book, id).await.settings, settings(), "nothing was saved");
    book.save(by(&account()), Target::profile(id), moved, replace("un-autre")).await.unwrap();
    let row = book.store.profile(&account(), id).await.unwrap().unwrap();
    assert_eq!(book.open(&account(), &row).unwrap().unwrap().expose_secret(), "un-autre");
    // The database edited by hand: the envelope does not open for the new destination.
    let mut edited = row.clone();
    edited.settings.destination.host = "smtp.exemple.fr".to_owned();
    assert_eq!(book.open(&account(), &edited).unwrap_err(), VaultError::DoesNotOpen);
    assert_eq!(book.shown(&account(), &edited).secret, SecretState::Unreadable);
}

#[tokio::test]
async fn a_mended_profile_keeps_its_secret_on_the_same_host_only() {
    let book = book().await;
    let id = saved(&book).await;
    tested(&book, id).await;
    let row = async || book.store.profile(&account(), id).await.unwrap().unwrap();
    let port = Fix::Port { port: 587, security: Security::Starttls };
    apply_fix(&book, &row().await, &port).await.unwrap();
    let mended = row().await;
    assert_eq!((mended.settings.destination.port, mended.settings.destination.security), (587, Security::Starttls));
    assert_eq!(book.open(&account(), &mended).unwrap().unwrap().expose_secret(), "tres-secret");
    assert_eq!(shown(&book, id).await.test, TestState::Changed, "the old test is another destination's");
    // What the form knows nothing of stays as long as the server is the same.
    apply_fix(&book, &mended, &Fix::Mechanism { mechanism: Mechanism::Plain }).await.unwrap();
    let typed =
        Settings { destination: Destination { mechanism: None, ..mended.settings.destination }, ..mended.settings };
    book.save(by(&account()), Target::profile(id), typed.clone(), SecretChange::Keep).await.unwrap();
    assert_eq!(row().await.settings.destination.mechanism, Some(Mechanism::Plain));
    let elsewhere = Destination { host: "smtp.autre.fr".to_owned(), ..typed.destination.clone() };
    let moved = Settings { destination: elsewhere, ..typed };
    book.save(by(&account()), Target::profile(id), moved, replace("un-autre")).await.unwrap();
    assert_eq!(row().await.settings.destination.mechanism, None, "another server is asked anew");
    let stale = book.apply_fix(by(&account()), id, &port).await;
    assert_eq!(stale, Err(AppError::Conflict), "these settings were never tested");
    // A port that the operator does not allow is refused here too.
    let closed = Fix::Port { port: 22, security: Security::Tls };
    assert_eq!(apply_fix(&book, &row().await, &closed).await, Err(AppError::Conflict));
    // Blanks go out of the secret, and it counts as a new one.
    book.save(by(&account()), Target::profile(id), row().await.settings, replace(" secret ")).await.unwrap();
    apply_fix(&book, &row().await, &Fix::Spaces { count: 2 }).await.unwrap();
    assert_eq!(book.open(&account(), &row().await).unwrap().unwrap().expose_secret(), "secret");
    // Without a secret there is nothing to test again.
    let copy = book.duplicate(by(&account()), id).await.unwrap();
    let copy = book.store.profile(&account(), copy).await.unwrap().unwrap();
    assert_eq!(apply_fix(&book, &copy, &port).await, Err(AppError::Conflict));
}

#[tokio::test]
async fn a_lost_key_makes_the_secret_unreadable_and_nothing_else() {
    let book = book().await;
    let id = saved(&book).await;
    let other = ProfileService { vault: vault(2), ..book.clone() };
    let profile = shown(&other, id).await;
    assert_eq!((profile.secret, profile.settings), (SecretState::Unreadable, settings()));
    other.save(by(&account()), Target::profile(id), settings(), replace("nouveau")).await.unwrap();
    assert!(matches!(shown(&other, id).await.secret, SecretState::Stored { .. }));
}

#[tokio::test]
async fn a_copy_has_no_secret() {
    let book = book().await;
    let id = saved(&book).await;
    tested(&book, id).await;
    let copy = shown(&book, book.duplicate(by(&account()), id).await.unwrap()).await;
    assert_eq!((copy.secret, copy.test, copy.in_use), (SecretState::Missing, TestState::Never, false));
    assert_eq!(copy.settings, settings());
    let kept = book.save(by(&account()), Target::profile(copy.id), settings(), SecretChange::Keep).await;
    assert_eq!(faults(kept), [(Field::Secret, Fault::Required)]);
    let missing = book.save(by(&account()), Target::default(), settings(), SecretChange::Keep).await;
    assert_eq!(faults(missing), [(Field::Secret, Fault::Required)]);
}

#[tokio::test]
async fn a_stored_secret_is_cleaned_when_asked() {
    let book = book().await;
    let id = book.save(by(&account()), Target::default(), settings(), replace(" mon secret\u{200b}")).await.unwrap();
    assert_eq!(book.clean_secret(by(&account()), id, Some(2)).await, Err(AppError::Stale), "another was shown");
    assert_eq!(book.clean_secret(by(&account()), id, Some(1)).await.unwrap(), 2);
    let row = book.store.profile(&account(), id).await.unwrap().unwrap();
    assert_eq!(book.open(&account(), &row).unwrap().unwrap().expose_secret(), "mon secret");
    assert_eq!(book.clean_secret(by(&account()), id, None).await.unwrap(), 0);
}
