//! What happens to a secret.

use super::*;

#[tokio::test]
async fn a_secret_is_sealed_for_its_profile_and_opens_again() {
    let profiles = profiles().await;
    let id = saved(&profiles).await;
    let row = profiles.store.profile(&account(), id).await.unwrap().unwrap();
    assert!(!row.secret.as_ref().unwrap().sealed.windows(11).any(|window| window == b"tres-secret"));
    assert_eq!(profiles.open(&account(), &row).unwrap().unwrap().expose_secret(), "tres-secret");
    assert_eq!(shown(&profiles, id).await.secret, SecretState::Stored { changed_at: at(0) });
}

#[tokio::test]
async fn no_secret_is_taken_to_another_destination() {
    let profiles = profiles().await;
    let id = saved(&profiles).await;
    let mut moved = settings();
    moved.destination.host = "smtp.evil.fr".to_owned();
    let refused = profiles.save(by(&account()), Target::profile(id), moved.clone(), SecretChange::Keep).await;
    assert_eq!(faults(refused), [(Field::Secret, Fault::SecretForNewServer)]);
    assert_eq!(shown(&profiles, id).await.settings, settings(), "nothing was saved");
    profiles.save(by(&account()), Target::profile(id), moved, replace("un-autre")).await.unwrap();
    let row = profiles.store.profile(&account(), id).await.unwrap().unwrap();
    assert_eq!(profiles.open(&account(), &row).unwrap().unwrap().expose_secret(), "un-autre");
    // The database was edited by hand: the envelope does not open for the new destination.
    let mut edited = row.clone();
    edited.settings.destination.host = "smtp.exemple.fr".to_owned();
    assert_eq!(profiles.open(&account(), &edited).unwrap_err(), VaultError::DoesNotOpen);
    assert_eq!(profiles.shown(&account(), &edited).secret, SecretState::Unreadable);
}

#[tokio::test]
async fn a_mended_profile_keeps_its_secret_on_the_same_host_only() {
    let profiles = profiles().await;
    let id = saved(&profiles).await;
    tested(&profiles, id).await;
    let row = async || profiles.store.profile(&account(), id).await.unwrap().unwrap();
    let port = Fix::Port { port: 587, security: Security::Starttls };
    apply_fix(&profiles, &row().await, &port).await.unwrap();
    let mended = row().await;
    assert_eq!((mended.settings.destination.port, mended.settings.destination.security), (587, Security::Starttls));
    assert_eq!(profiles.open(&account(), &mended).unwrap().unwrap().expose_secret(), "tres-secret");
    assert_eq!(shown(&profiles, id).await.test, TestState::Changed, "the old test was of another destination");
    // The mechanism, which the form does not show, stays as long as the server is the same.
    apply_fix(&profiles, &mended, &Fix::Mechanism { mechanism: Mechanism::Plain }).await.unwrap();
    let typed =
        Settings { destination: Destination { mechanism: None, ..mended.settings.destination }, ..mended.settings };
    profiles.save(by(&account()), Target::profile(id), typed.clone(), SecretChange::Keep).await.unwrap();
    assert_eq!(row().await.settings.destination.mechanism, Some(Mechanism::Plain));
    let elsewhere = Destination { host: "smtp.autre.fr".to_owned(), ..typed.destination.clone() };
    let moved = Settings { destination: elsewhere, ..typed };
    profiles.save(by(&account()), Target::profile(id), moved, replace("un-autre")).await.unwrap();
    assert_eq!(row().await.settings.destination.mechanism, None, "another server is asked again");
    let stale = profiles.apply_fix(by(&account()), id, &port).await;
    assert_eq!(stale, Err(AppError::Conflict), "these settings were never tested");
    // A port that the operator does not allow is refused here too.
    let closed = Fix::Port { port: 22, security: Security::Tls };
    assert_eq!(apply_fix(&profiles, &row().await, &closed).await, Err(AppError::Conflict));
    // Blanks are removed from the secret, which then counts as new.
    profiles.save(by(&account()), Target::profile(id), row().await.settings, replace(" secret ")).await.unwrap();
    apply_fix(&profiles, &row().await, &Fix::Spaces { count: 2 }).await.unwrap();
    assert_eq!(profiles.open(&account(), &row().await).unwrap().unwrap().expose_secret(), "secret");
    // Without a secret there is nothing to test again.
    let copy = profiles.duplicate(by(&account()), id).await.unwrap();
    let copy = profiles.store.profile(&account(), copy).await.unwrap().unwrap();
    assert_eq!(apply_fix(&profiles, &copy, &port).await, Err(AppError::Conflict));
}

#[tokio::test]
async fn a_lost_key_makes_the_secret_unreadable_and_nothing_else() {
    let profiles = profiles().await;
    let id = saved(&profiles).await;
    let other = ProfileService { vault: vault(2), ..profiles.clone() };
    let profile = shown(&other, id).await;
    assert_eq!((profile.secret, profile.settings), (SecretState::Unreadable, settings()));
    other.save(by(&account()), Target::profile(id), settings(), replace("nouveau")).await.unwrap();
    assert!(matches!(shown(&other, id).await.secret, SecretState::Stored { .. }));
}

#[tokio::test]
async fn a_copy_has_no_secret() {
    let profiles = profiles().await;
    let id = saved(&profiles).await;
    tested(&profiles, id).await;
    let copy = shown(&profiles, profiles.duplicate(by(&account()), id).await.unwrap()).await;
    assert_eq!((copy.secret, copy.test, copy.in_use), (SecretState::Missing, TestState::Never, false));
    assert_eq!(copy.settings, settings());
    let kept = profiles.save(by(&account()), Target::profile(copy.id), settings(), SecretChange::Keep).await;
    assert_eq!(faults(kept), [(Field::Secret, Fault::Required)]);
    let missing = profiles.save(by(&account()), Target::default(), settings(), SecretChange::Keep).await;
    assert_eq!(faults(missing), [(Field::Secret, Fault::Required)]);
}

#[tokio::test]
async fn a_stored_secret_is_cleaned_when_asked() {
    let profiles = profiles().await;
    let id =
        profiles.save(by(&account()), Target::default(), settings(), replace(" mon secret\u{200b}")).await.unwrap();
    assert_eq!(
        profiles.clean_secret(by(&account()), id, Some(2)).await,
        Err(AppError::Stale),
        "the page showed another one"
    );
    assert_eq!(profiles.clean_secret(by(&account()), id, Some(1)).await.unwrap(), 2);
    let row = profiles.store.profile(&account(), id).await.unwrap().unwrap();
    assert_eq!(profiles.open(&account(), &row).unwrap().unwrap().expose_secret(), "mon secret");
    assert_eq!(profiles.clean_secret(by(&account()), id, None).await.unwrap(), 0);
}
