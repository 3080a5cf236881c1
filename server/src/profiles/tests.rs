//! The use cases: what happens to a secret, and when a test still counts.

use app::{
    diagnosis::fix::Fix,
    profile::{
        address::EmailAddress,
        field::Fault,
        mechanism::Mechanism,
        model::{Destination, SecretState, TestState},
        security::Security,
    },
    session::User,
    test_run::{
        event::Stage,
        port::TestRun,
        report::{Report, Verdict},
    },
};
use jiff::Timestamp;

use super::*;
use crate::{
    credentials::{VaultError, VaultKey},
    store::{TestRecord, aggregates::*, sqlite::SqliteStore},
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn account() -> AccountId {
    AccountId { portal: "demo".to_owned(), account: "martin".to_owned() }
}

/// Somebody of the account.
pub(crate) fn by(account: &AccountId) -> Author<'_> {
    static CLAIRE: User = User { id: String::new(), name: String::new() };
    Author { account, person: &CLAIRE }
}

async fn apply_fix(book: &ProfileService, row: &ProfileRow, fix: &Fix) -> Result<(), AppError> {
    book.apply_fix(by(&account()), row.id, &fingerprint(row), fix).await
}

fn vault(byte: u8) -> Vault {
    Vault::new(vec![VaultKey::new("v1", [byte; 32]).unwrap()]).unwrap()
}

async fn book() -> ProfileService {
    let store = Arc::new(SqliteStore::in_memory().await.unwrap());
    ProfileService::new(store, vault(1), Policy::default(), Arc::new(|| at(0)))
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

async fn saved(book: &ProfileService) -> ProfileId {
    book.save(by(&account()), Target::default(), settings(), replace("tres-secret")).await.unwrap()
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

async fn tested(book: &ProfileService, id: ProfileId) {
    let row = book.store.profile(&account(), id).await.unwrap().unwrap();
    let run = TestRun { at: at(9), recipient: "claire@exemple.fr".to_owned(), report: report(Verdict::Accepted) };
    let action = Action::Tested { verdict: Verdict::Accepted, cause: None };
    let entry = book.entry(by(&account()), action, None);
    let told = TestRecord {
        fingerprint: &fingerprint(&row),
        receipt: None,
        events: &[],
        transition_event: None,
        entry: &entry,
    };
    assert!(book.store.record_test(&account(), id, &run, &told).await.unwrap());
}

async fn shown(book: &ProfileService, id: ProfileId) -> Profile {
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
async fn any_change_that_matters_asks_for_a_new_test() {
    let book = book().await;
    let id = saved(&book).await;
    assert_eq!(shown(&book, id).await.test, TestState::Never);
    tested(&book, id).await;
    assert_eq!(shown(&book, id).await.test, TestState::Accepted { at: at(9) });
    book.save(by(&account()), Target::profile(id), settings(), SecretChange::Keep).await.unwrap();
    assert_eq!(shown(&book, id).await.test, TestState::Accepted { at: at(9) }, "saving the same changes nothing");
    let changes: [fn(&mut Settings); 3] = [
        |settings| settings.sender_name = "Devis".to_owned(),
        |settings| settings.sender_address = EmailAddress::parse("devis@exemple.fr").unwrap(),
        |settings| settings.reply_to = Some(EmailAddress::parse("devis@exemple.fr").unwrap()),
    ];
    for change in changes {
        let mut other = settings();
        change(&mut other);
        book.save(by(&account()), Target::profile(id), other, SecretChange::Keep).await.unwrap();
        assert_eq!(shown(&book, id).await.test, TestState::Changed);
        book.save(by(&account()), Target::profile(id), settings(), SecretChange::Keep).await.unwrap();
        assert_eq!(shown(&book, id).await.test, TestState::Accepted { at: at(9) });
    }
    book.set_encoding(by(&account()), id, Encoding::Latin9, None.into()).await.unwrap();
    assert_eq!(shown(&book, id).await.test, TestState::Changed);
    book.set_encoding(by(&account()), id, Encoding::Utf8, None.into()).await.unwrap();
    let later = ProfileService { clock: Arc::new(|| at(60)), ..book.clone() };
    later.save(by(&account()), Target::profile(id), settings(), replace("tres-secret")).await.unwrap();
    assert_eq!(shown(&book, id).await.test, TestState::Changed, "a secret typed again is a change");
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
        assert_eq!(faults(book.save(by(&account()), Target::default(), bad, replace("x")).await), [(field, fault)]);
    }
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

#[tokio::test]
async fn a_refused_destination_is_in_the_history_and_counted_but_not_for_ever() {
    let metrics = Arc::new(crate::metrics::Metrics::new());
    let book = book().await.with(9, &metrics);
    let local = Destination { host: "127.0.0.1".to_owned(), ..settings().destination };
    for _ in 0..30 {
        let bad = Settings { destination: local.clone(), ..settings() };
        assert!(book.save(by(&account()), Target::default(), bad, replace("x")).await.is_err());
    }
    let typed = ("mail.internal", "22");
    let errors = [FieldError::new(Field::Port, Fault::PortNotAllowed), FieldError::new(Field::Host, Fault::Required)];
    Profiles::note_blocked(&book, by(&account()), typed, &errors).await.unwrap();
    Profiles::note_blocked(&book, by(&account()), typed, &errors[1..]).await.unwrap();
    let history = book.store.journal(&account(), None, 99).await.unwrap();
    let expected = Action::DestinationBlocked { destination: "127.0.0.1:465".to_owned() };
    let written = history.iter().filter(|entry| entry.action == expected).count();
    assert!((5..30).contains(&written), "{written}");
    let metrics = metrics.render(&crate::store::outbox::QueueMetrics::default(), 0.0, (0, 0));
    assert!(metrics.contains("facteur_blocked_destinations_total{what=\"host\"} 30"), "{metrics}");
    assert!(metrics.contains("facteur_blocked_destinations_total{what=\"port\"} 1"), "{metrics}");
}

#[tokio::test]
async fn an_account_has_so_many_profiles_and_another_one_its_own() {
    let book = book().await.with(2, &Arc::new(crate::metrics::Metrics::new()));
    let first = saved(&book).await;
    saved(&book).await;
    let full = AppError::TooManyProfiles { most: 2 };
    let refused = book.save(by(&account()), Target::default(), settings(), replace("x-secret")).await;
    assert!(matches!(refused, Err(SaveError::App(error)) if error == full));
    assert_eq!(book.duplicate(by(&account()), first).await, Err(full));
    let other = AccountId { account: "dubois".to_owned(), ..account() };
    book.save(by(&other), Target::default(), settings(), replace("x-secret")).await.unwrap();
    book.delete(by(&account()), first, Heir::Best, None).await.unwrap();
    saved(&book).await;
}

/// Where a process that is about to be killed saves to.
const CHILD: &str = "FACTEUR_TEST_SAVES_TO";

/// Saves one profile after another state, and says each time that it has.
async fn save_for_ever(path: &std::path::Path) {
    use std::io::Write;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(path).await.unwrap());
    let book = ProfileService::new(store, vault(1), Policy::default(), Arc::new(|| at(0)));
    let id = saved(&book).await;
    for number in 1..100_000 {
        let state = Settings { sender_name: number.to_string(), ..settings() };
        book.save(by(&account()), Target::profile(id), state, SecretChange::Keep).await.unwrap();
        writeln!(std::io::stdout(), "\nsaved {number}").unwrap();
    }
}

#[tokio::test]
async fn what_was_committed_when_the_process_died_is_in_the_history() {
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };
    if let Some(path) = std::env::var_os(CHILD) {
        return save_for_ever(path.as_ref()).await;
    }
    for round in 0..3 {
        let path = std::env::temp_dir().join(format!("{}.db", uuid::Uuid::new_v4()));
        let this = "profiles::tests::what_was_committed_when_the_process_died_is_in_the_history";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this, "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut told = lines.filter_map(|line| line.strip_prefix("saved ")?.parse::<usize>().ok());
        let heard = told.nth(20 + 7 * round).unwrap();
        // SIGKILL: nothing is finished.
        child.kill().unwrap();
        child.wait().unwrap();
        let store = SqliteStore::open(&path).await.unwrap();
        let rows = store.profiles(&account(), None, 9).await.unwrap();
        let changes: usize = rows[0].settings.sender_name.parse().unwrap();
        let history = store.journal(&account(), None, 100_000).await.unwrap();
        assert_eq!(history.len(), 1 + changes, "one entry for making it, and one for each change");
        assert!(changes >= heard, "what was said to be saved is");
        store.close().await;
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
    }
}

#[tokio::test]
async fn a_form_that_shows_an_older_revision_overwrites_nothing() {
    let book = book().await;
    let id = saved(&book).await;
    let renamed = |name: &str| Settings { sender_name: name.to_owned(), ..settings() };
    let shown = Target { revision: Some(1), ..Target::profile(id) };
    book.save(by(&account()), shown.clone(), renamed("Première"), SecretChange::Keep).await.unwrap();
    let late = book.save(by(&account()), shown, renamed("Seconde"), SecretChange::Keep).await;
    assert!(matches!(late, Err(SaveError::Stale(stale)) if stale == id));
    let stored = book.get(&account(), id).await.unwrap().unwrap();
    assert_eq!((stored.settings.sender_name.as_str(), stored.revision), ("Première", 2));
    // A request without a revision, as programs send it, always applies.
    book.save(by(&account()), Target::profile(id), renamed("Seconde"), SecretChange::Keep).await.unwrap();
    book.set_encoding(by(&account()), id, Encoding::Latin1, Some(Encoding::Utf8).into()).await.unwrap();
    let stale = book.set_encoding(by(&account()), id, Encoding::Latin9, Some(Encoding::Utf8).into()).await;
    assert_eq!(stale, Err(AppError::Stale));
    let revision = book.get(&account(), id).await.unwrap().unwrap().revision;
    let moved = Shown { value: Some(Encoding::Latin1), revision: Some(revision - 1) };
    assert_eq!(book.set_encoding(by(&account()), id, Encoding::Utf8, moved).await, Err(AppError::Stale));
    let moved = Shown { value: None, revision: Some(revision - 1) };
    let other = SendingOptions { fallback: true, ..SendingOptions::default() };
    assert_eq!(book.set_sending(by(&account()), id, other, moved).await, Err(AppError::Stale));
    assert_eq!(book.put_in_use(by(&account()), id, Some(revision - 1)).await, Err(AppError::Stale));
    let few = SendingOptions { per_day: Some(5), ..SendingOptions::default() };
    book.set_sending(by(&account()), id, few, Some(SendingOptions::default()).into()).await.unwrap();
    let many = SendingOptions { per_day: Some(500), ..SendingOptions::default() };
    let stale = book.set_sending(by(&account()), id, many, Some(SendingOptions::default()).into()).await;
    assert_eq!(stale, Err(AppError::Stale));
}

#[tokio::test]
async fn a_form_sent_twice_makes_one_profile() {
    let book = book().await;
    let form = || Target { creation: Some("form-0001".to_owned()), ..Target::default() };
    let first = book.save(by(&account()), form(), settings(), replace("secret-1")).await.unwrap();
    let again = book.save(by(&account()), form(), settings(), replace("secret-1")).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(book.get(&account(), first).await.unwrap().unwrap().revision, 1, "nothing changed");
    let corrected = Settings { sender_name: "Devis".to_owned(), ..settings() };
    let updated = book.save(by(&account()), form(), corrected, SecretChange::Keep).await.unwrap();
    assert_eq!(first, updated);
    assert_eq!(Profiles::page(&book, &account(), None).await.unwrap().len(), 1);
    // Another tab with the same form and another account does not overwrite it.
    let book_of = |name: &str| Settings { sender_name: name.to_owned(), ..settings() };
    let tab = book.save(by(&account()), form(), book_of("Autre"), replace("secret-2")).await;
    assert!(matches!(tab, Err(SaveError::Stale(stale)) if stale == first));
    // It does not know what came after what it made.
    let late = book.save(by(&account()), form(), settings(), SecretChange::Keep).await;
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
        let save = async |book: &ProfileService| {
            book.save(by(&account()), Target::default(), settings.clone(), replace("tres-secret")).await
        };
        let id = save(&allowing).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(allowing.get(&account(), id).await.unwrap().unwrap().settings.destination.host, name);
        let Err(SaveError::Invalid(errors)) = save(&strict).await else {
            panic!("{name} is saved without a word of the operator")
        };
        assert_eq!(errors[0].fault, Fault::HostNotAllowed, "{name}");
    }
}
