//! The use cases: what happens to a secret, and when a test still counts.

use app::{
    diagnosis::fix::Fix,
    profile::{address::EmailAddress, mechanism::Mechanism, model::Destination, security::Security},
    test_run::{event::Stage, port::TestRun, report::Report},
};
use jiff::Timestamp;

use super::*;
use crate::store::TestTold;
use crate::{store::sqlite::SqliteStore, vault::VaultKey};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn account() -> AccountId {
    AccountId { portal: "demo".to_owned(), account: "martin".to_owned() }
}

fn vault(byte: u8) -> Vault {
    Vault::new(vec![VaultKey::new("v1", [byte; 32]).unwrap()]).unwrap()
}

async fn book() -> ProfileBook {
    let store = Arc::new(SqliteStore::in_memory().await.unwrap());
    ProfileBook::new(store, vault(1), Policy::default(), Arc::new(|| at(0)))
}

fn settings() -> Settings {
    Settings {
        preset: None,
        user: None,
        destination: Destination {
            host: "smtp.exemple.fr".to_owned(),
            port: 465,
            security: Security::Tls,
            login: "claire@exemple.fr".to_owned(),
            mechanism: None,
        },
        sender_name: "Martin".to_owned(),
        sender_address: EmailAddress::parse("claire@exemple.fr").unwrap(),
        reply_to: None,
    }
}

fn replace(secret: &str) -> SecretChange {
    SecretChange::Replace(SecretString::from(secret))
}

async fn saved(book: &ProfileBook) -> ProfileId {
    book.save(&account(), None, settings(), replace("tres-secret")).await.unwrap()
}

fn report(verdict: Verdict) -> Report {
    Report {
        verdict,
        stage: Stage::Data,
        cause: None,
        retryable: false,
        reply: None,
        finding: None,
        round_trips: 6,
        queue_id: None,
        mechanism: None,
        survey: None,
        fixes: vec![],
        capabilities: vec![],
        tls: None,
        recipients: vec![],
        stages: vec![],
        transcript: vec![],
    }
}

async fn tested(book: &ProfileBook, id: ProfileId) {
    let row = book.store.profile(&account(), id).await.unwrap().unwrap();
    let run = TestRun { at: at(9), recipient: "claire@exemple.fr".to_owned(), report: report(Verdict::Accepted) };
    let told = TestTold { fingerprint: &fingerprint(&row), secret_refusals: 0, receipt: None, events: &[] };
    assert!(book.store.record_test(&account(), id, &run, &told).await.unwrap());
}

async fn shown(book: &ProfileBook, id: ProfileId) -> Profile {
    Profiles::get(book, &account(), id).await.unwrap().unwrap()
}

fn faults(refused: Result<ProfileId, SaveError>) -> Vec<(Field, Fault)> {
    match refused {
        Err(SaveError::Invalid(errors)) => errors.into_iter().map(|error| (error.field, error.fault)).collect(),
        other => panic!("a refusal was expected: {other:?}"),
    }
}

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
    let refused = book.save(&account(), Some(id), moved.clone(), SecretChange::Keep).await;
    assert_eq!(faults(refused), [(Field::Secret, Fault::SecretForNewServer)]);
    assert_eq!(shown(&book, id).await.settings, settings(), "nothing was saved");
    book.save(&account(), Some(id), moved, replace("un-autre")).await.unwrap();
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
    book.mend(&account(), &row().await, &port).await.unwrap();
    let mended = row().await;
    assert_eq!((mended.settings.destination.port, mended.settings.destination.security), (587, Security::Starttls));
    assert_eq!(book.open(&account(), &mended).unwrap().unwrap().expose_secret(), "tres-secret");
    assert_eq!(shown(&book, id).await.test, TestState::Changed, "the old test is another destination's");
    // What the form knows nothing of stays as long as the server is the same.
    book.mend(&account(), &mended, &Fix::Mechanism { mechanism: Mechanism::Plain }).await.unwrap();
    let typed =
        Settings { destination: Destination { mechanism: None, ..mended.settings.destination }, ..mended.settings };
    book.save(&account(), Some(id), typed.clone(), SecretChange::Keep).await.unwrap();
    assert_eq!(row().await.settings.destination.mechanism, Some(Mechanism::Plain));
    let elsewhere = Destination { host: "smtp.autre.fr".to_owned(), ..typed.destination.clone() };
    let moved = Settings { destination: elsewhere, ..typed };
    book.save(&account(), Some(id), moved, replace("un-autre")).await.unwrap();
    assert_eq!(row().await.settings.destination.mechanism, None, "another server is asked anew");
    // A port that the operator does not allow is refused here too.
    let closed = Fix::Port { port: 22, security: Security::Tls };
    assert_eq!(book.mend(&account(), &row().await, &closed).await, Err(AppError::Conflict));
    // Blanks go out of the secret, and it counts as a new one.
    book.save(&account(), Some(id), row().await.settings, replace(" secret ")).await.unwrap();
    book.mend(&account(), &row().await, &Fix::Spaces { count: 2 }).await.unwrap();
    assert_eq!(book.open(&account(), &row().await).unwrap().unwrap().expose_secret(), "secret");
    // Without a secret there is nothing to test again.
    let copy = book.duplicate(&account(), id).await.unwrap();
    let copy = book.store.profile(&account(), copy).await.unwrap().unwrap();
    assert_eq!(book.mend(&account(), &copy, &port).await, Err(AppError::Conflict));
}

#[tokio::test]
async fn a_lost_key_makes_the_secret_unreadable_and_nothing_else() {
    let book = book().await;
    let id = saved(&book).await;
    let other = ProfileBook { vault: vault(2), ..book.clone() };
    let profile = shown(&other, id).await;
    assert_eq!((profile.secret, profile.settings), (SecretState::Unreadable, settings()));
    other.save(&account(), Some(id), settings(), replace("nouveau")).await.unwrap();
    assert!(matches!(shown(&other, id).await.secret, SecretState::Stored { .. }));
}

#[tokio::test]
async fn any_change_that_matters_asks_for_a_new_test() {
    let book = book().await;
    let id = saved(&book).await;
    assert_eq!(shown(&book, id).await.test, TestState::Never);
    tested(&book, id).await;
    assert_eq!(shown(&book, id).await.test, TestState::Accepted { at: at(9) });
    book.save(&account(), Some(id), settings(), SecretChange::Keep).await.unwrap();
    assert_eq!(shown(&book, id).await.test, TestState::Accepted { at: at(9) }, "saving the same changes nothing");
    let changes: [fn(&mut Settings); 3] = [
        |settings| settings.sender_name = "Devis".to_owned(),
        |settings| settings.sender_address = EmailAddress::parse("devis@exemple.fr").unwrap(),
        |settings| settings.reply_to = Some(EmailAddress::parse("devis@exemple.fr").unwrap()),
    ];
    for change in changes {
        let mut other = settings();
        change(&mut other);
        book.save(&account(), Some(id), other, SecretChange::Keep).await.unwrap();
        assert_eq!(shown(&book, id).await.test, TestState::Changed);
        book.save(&account(), Some(id), settings(), SecretChange::Keep).await.unwrap();
        assert_eq!(shown(&book, id).await.test, TestState::Accepted { at: at(9) });
    }
    book.set_encoding(&account(), id, Encoding::Latin9).await.unwrap();
    assert_eq!(shown(&book, id).await.test, TestState::Changed);
    book.set_encoding(&account(), id, Encoding::Utf8).await.unwrap();
    let later = ProfileBook { clock: Arc::new(|| at(60)), ..book.clone() };
    later.save(&account(), Some(id), settings(), replace("tres-secret")).await.unwrap();
    assert_eq!(shown(&book, id).await.test, TestState::Changed, "a secret typed again is a change");
}

#[tokio::test]
async fn a_copy_has_no_secret() {
    let book = book().await;
    let id = saved(&book).await;
    tested(&book, id).await;
    let copy = shown(&book, book.duplicate(&account(), id).await.unwrap()).await;
    assert_eq!((copy.secret, copy.test, copy.in_use), (SecretState::Missing, TestState::Never, false));
    assert_eq!(copy.settings, settings());
    let kept = book.save(&account(), Some(copy.id), settings(), SecretChange::Keep).await;
    assert_eq!(faults(kept), [(Field::Secret, Fault::Required)]);
    let missing = book.save(&account(), None, settings(), SecretChange::Keep).await;
    assert_eq!(faults(missing), [(Field::Secret, Fault::Required)]);
}

#[tokio::test]
async fn the_guard_has_the_last_word() {
    let book = book().await;
    let good = settings().destination;
    let cases = [
        (Destination { host: "127.0.0.1".to_owned(), ..good.clone() }, Field::Host, Fault::HostNotAllowed),
        (Destination { host: "smtp://x".to_owned(), ..good.clone() }, Field::Host, Fault::HostInvalid),
        (Destination { port: 22, ..good.clone() }, Field::Port, Fault::PortNotAllowed),
        (Destination { security: Security::None, ..good }, Field::Security, Fault::Unencrypted),
    ];
    for (destination, field, fault) in cases {
        let bad = Settings { destination, ..settings() };
        assert_eq!(faults(book.save(&account(), None, bad, replace("x")).await), [(field, fault)]);
    }
}

#[tokio::test]
async fn a_stored_secret_is_cleaned_when_asked() {
    let book = book().await;
    let id = book.save(&account(), None, settings(), replace(" mon secret\u{200b}")).await.unwrap();
    assert_eq!(book.clean_secret(&account(), id).await.unwrap(), 2);
    let row = book.store.profile(&account(), id).await.unwrap().unwrap();
    assert_eq!(book.open(&account(), &row).unwrap().unwrap().expose_secret(), "mon secret");
    assert_eq!(book.clean_secret(&account(), id).await.unwrap(), 0);
}
