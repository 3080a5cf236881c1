//! What every store does, whatever it is made of. An adapter calls [`all`] with a way to make an empty store.

use app::{
    i18n::Locale,
    journal::model::Action,
    profile::{
        address::EmailAddress,
        draft::{Draft, KeptDraft},
        field::{Fault, Field, FieldError},
        mechanism::Mechanism,
        model::Destination,
        security::Security,
    },
    session::User,
    test_run::{event::Stage, report::Report},
};
use std::sync::LazyLock;

use jiff::SignedDuration;
use uuid::Uuid;

use super::*;
use crate::{
    logins::{
        Admission::{Busy, Granted, Refused},
        LEASE, admit,
    },
    profiles::fingerprint,
};

mod clock;
mod outbox;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn account(name: &str) -> AccountId {
    AccountId { portal: "demo".to_owned(), account: name.to_owned() }
}

fn id(number: u128) -> ProfileId {
    ProfileId(Uuid::from_u128(number))
}

fn settings(user: Option<&str>) -> Settings {
    Settings {
        preset: Some("gmail".to_owned()),
        user: user.map(str::to_owned),
        destination: Destination {
            host: "smtp.gmail.com".to_owned(),
            port: 465,
            security: Security::Tls,
            login: "claire@gmail.com".to_owned(),
            mechanism: Some(Mechanism::Plain),
        },
        sender_name: "Boulangerie Martin".to_owned(),
        sender_address: EmailAddress::parse("claire@gmail.com").unwrap(),
        reply_to: Some(EmailAddress::parse("accueil@exemple.fr").unwrap()),
    }
}

/// The logins of each profile are its own.
fn login_key(number: u128) -> [u8; 32] {
    [u8::try_from(number).unwrap(); 32]
}

pub(crate) fn row(number: u128, user: Option<&str>) -> ProfileRow {
    let secret = Some(SealedSecret { sealed: vec![1, 2, 3], changed_at: at(0), login_key: login_key(number) });
    ProfileRow { encoding: Encoding::Latin9, secret, ..ProfileRow::new(id(number), settings(user)) }
}

pub(crate) fn run(second: i64, cause: Option<Cause>) -> TestRun {
    TestRun {
        at: at(second),
        recipient: "claire@exemple.fr".to_owned(),
        report: Report {
            verdict: if cause.is_some() { Verdict::Failed } else { Verdict::Accepted },
            stage: Stage::Auth,
            cause,
            retryable: false,
            reply: Some("535 no".to_owned()),
            finding: None,
            round_trips: 5,
            queue_id: None,
            mechanism: None,
            survey: None,
            fixes: vec![],
            capabilities: vec!["PIPELINING".to_owned()],
            tls: None,
            recipients: vec![],
            stages: vec![],
            transcript: vec!["S: 220 hello".to_owned()],
        },
    }
}

fn told<'a>(fingerprint: &'a [u8; 32], receipt: Option<&'a Receipt>) -> TestTold<'a> {
    static ENTRY: LazyLock<Entry> = LazyLock::new(|| entry(0, 0));
    // Tests of one profile share it, and an entry has an id of its own.
    let entry = Box::leak(Box::new(Entry { id: Uuid::new_v4(), ..ENTRY.clone() }));
    TestTold { fingerprint, receipt, events: &[], entry }
}

/// An entry of the history.
pub(crate) fn entry(number: u128, second: i64) -> Entry {
    Entry {
        id: Uuid::from_u128(number),
        at: at(second),
        person: "claire".to_owned(),
        person_name: "Claire".to_owned(),
        profile: Some("claire@exemple.fr · smtp.exemple.fr".to_owned()),
        action: Action::ProfileChanged { fields: vec![Field::Host, Field::Secret] },
    }
}

/// The entry of a change that is not looked at.
fn some_entry() -> Entry {
    Entry { id: Uuid::new_v4(), ..entry(0, 0) }
}

fn tell(_: &ProfileRow) -> Entry {
    some_entry()
}

/// Makes a profile, with room for it.
async fn insert(store: &(impl Store + ?Sized), account: &AccountId, profile: &ProfileRow) {
    assert!(store.insert_profile(account, profile, 99, &some_entry()).await.unwrap().is_some());
}

/// What an edit makes of a profile; whether it is there.
async fn edit(
    store: &(impl Store + ?Sized),
    account: &AccountId,
    id: ProfileId,
    edit: impl Fn(&ProfileRow) -> ProfileRow + Send + Sync,
) -> bool {
    let mut decide = |row: &ProfileRow| Change::Edit(Box::new(edit(row)), some_entry());
    store.change_profile(account, id, &mut decide).await.unwrap()
}

/// The form is saved.
async fn update(
    store: &(impl Store + ?Sized),
    account: &AccountId,
    id: ProfileId,
    settings: &Settings,
    secret: Option<&SealedSecret>,
) -> bool {
    edit(store, account, id, |row| row.with_settings(settings.clone(), secret.cloned())).await
}

/// Runs every case, each on a store of its own.
pub async fn all<S: Store>(make: impl AsyncFn() -> S) {
    a_sending_mode_is_kept(&make().await).await;
    sessions_come_back_and_end(&make().await).await;
    sessions_of_an_account_are_ended_together(&make().await).await;
    drafts_belong_to_a_person(&make().await).await;
    a_form_makes_one_profile(&make().await).await;
    a_revision_counts_what_a_form_shows(&make().await).await;
    a_profile_that_fails_takes_nothing_over(&make().await).await;
    tokens_work_once(&make().await).await;
    profiles_come_back_whole(&make().await).await;
    pages_follow_each_other(&make().await).await;
    accounts_are_strangers(&make().await).await;
    exactly_one_profile_is_in_use(&make().await).await;
    a_moved_destination_wipes_the_secret(&make().await).await;
    tests_are_kept_with_their_profile(&make().await).await;
    a_receipt_is_confirmed_once(&make().await).await;
    a_history_is_an_account_s_own(&make().await).await;
    a_change_and_its_entry_are_one(&make().await).await;
    refused_logins_are_counted(&make().await).await;
    a_stray_secret_is_wiped(&make().await).await;
    an_account_has_so_many_profiles(&make().await).await;
    the_canary_stays(&make().await).await;
    outbox::given_once_and_seen_by_their_portal_only(&make().await).await;
    outbox::claims_are_leases(&make().await).await;
    outbox::the_abandoned_are_found_and_the_waiting_end(&make().await).await;
    outbox::lanes_rest_and_are_woken(&make().await).await;
    outbox::destinations_rest_with_all_their_lanes(&make().await).await;
    outbox::lanes_have_their_turns(&make().await).await;
    outbox::profiles_break_and_recover_with_one_event_each(&make().await).await;
    outbox::sending_options_are_the_account_s(&make().await).await;
    clock::deadlines_follow_a_clock_that_was_set(&make().await).await;
    clock::what_is_too_old_after_an_absence_gets_a_while(&make().await).await;
}

async fn a_sending_mode_is_kept(store: &impl Store) {
    let martin = account("martin");
    assert_eq!(store.sending_mode(&martin).await.unwrap(), None);
    store.set_sending_mode(&martin, SendingMode::OwnSmtp, None, &some_entry()).await.unwrap();
    store.set_sending_mode(&martin, SendingMode::OwnSmtp, None, &some_entry()).await.unwrap();
    assert_eq!(store.sending_mode(&martin).await.unwrap(), Some(SendingMode::OwnSmtp));
    assert_eq!(store.sending_mode(&account("dubois")).await.unwrap(), None);
}

fn session(key: u8) -> SessionRow {
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
            return_url: Some("https://portail.exemple/".to_owned()),
            theme: app::theme::GivenTheme::default(),
        },
        expires_at: at(60),
        ends_at: at(3_600),
    }
}

async fn sessions_come_back_and_end(store: &impl Store) {
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

async fn sessions_of_an_account_are_ended_together(store: &impl Store) {
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
    assert!(!open(at(20)).await.contains(&1), "an ended session is not prolonged");
    assert!(store.renew_session(&[4; 32], at(30), at(7_000), at(9_000)).await.unwrap());
    let renewed = store.session(&[4; 32]).await.unwrap().unwrap();
    assert_eq!((renewed.expires_at, renewed.ends_at), (at(7_000), at(9_000)), "also past its former end");
    assert!(store.renew_session(&[4; 32], at(30), at(9_999), at(9_000)).await.unwrap());
    assert_eq!(store.session(&[4; 32]).await.unwrap().unwrap().expires_at, at(9_000));
    assert!(!store.renew_session(&[1; 32], at(30), at(7_000), at(9_000)).await.unwrap(), "what has ended stays so");
}

async fn drafts_belong_to_a_person(store: &impl Store) {
    let draft = |form: &str, host: &str| KeptDraft {
        form: form.to_owned(),
        profile: None,
        revision: Some(3),
        draft: Draft { host: host.to_owned(), ..Draft::default() },
        errors: vec![FieldError::new(Field::Host, Fault::HostInvalid)],
        choice: None,
    };
    let who = |account: AccountId, id: &str| Person { account, id: id.to_owned() };
    let claire = who(account("martin"), "claire");
    store.keep_draft(&claire, &draft("form-0001", "a"), at(1)).await.unwrap();
    store.keep_draft(&claire, &draft("form-0002", "b"), at(2)).await.unwrap();
    store.keep_draft(&claire, &draft("form-0001", "c"), at(3)).await.unwrap();
    let (first, second) = (draft("form-0001", "c"), draft("form-0002", "b"));
    assert_eq!(store.drafts(&claire, at(0)).await.unwrap(), [first.clone(), second], "the newest first, one a form");
    assert_eq!(store.drafts(&claire, at(3)).await.unwrap(), std::slice::from_ref(&first), "not what is too old");
    for stranger in [who(account("martin"), "karim"), who(account("dubois"), "claire")] {
        assert!(store.drafts(&stranger, at(0)).await.unwrap().is_empty());
        store.forget_draft(&stranger, "form-0001").await.unwrap();
    }
    store.forget_draft(&claire, "form-0002").await.unwrap();
    assert_eq!(store.drafts(&claire, at(0)).await.unwrap(), [first]);
    for number in 10..40 {
        store.keep_draft(&claire, &draft(&format!("form-{number}"), "x"), at(number)).await.unwrap();
    }
    let kept = store.drafts(&claire, at(0)).await.unwrap();
    assert_eq!(kept.len(), usize::try_from(MOST_DRAFTS).unwrap(), "the oldest gives way");
    assert_eq!(kept[0].form, "form-39");
    store.sweep(at(39) + DRAFTS_LAST, at(0)).await.unwrap();
    assert_eq!(store.drafts(&claire, at(0)).await.unwrap().len(), 1);
}

async fn a_form_makes_one_profile(store: &impl Store) {
    let martin = account("martin");
    let made = |number| ProfileRow { creation: Some("form-0001".to_owned()), ..row(number, None) };
    assert_eq!(store.insert_profile(&martin, &made(1), 9, &some_entry()).await.unwrap(), Some(true));
    assert_eq!(store.insert_profile(&martin, &made(2), 9, &some_entry()).await.unwrap(), None);
    assert_eq!(store.profile_made_by(&martin, "form-0001").await.unwrap().map(|row| row.id), Some(id(1)));
    assert_eq!(store.profile_made_by(&martin, "form-0002").await.unwrap(), None);
    // Another account's form of the same name is its own.
    assert_eq!(store.insert_profile(&account("dubois"), &made(3), 9, &some_entry()).await.unwrap(), Some(true));
}

async fn a_revision_counts_what_a_form_shows(store: &impl Store) {
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
    let stale = store.delete_profile(&martin, id(1), (Heir::Best, Some(2)), &tell).await.unwrap();
    assert_eq!((stale, revision().await), (Written::Stale, 3), "nothing was deleted");
    insert(store, &martin, &row(2, None)).await;
    let used = async || store.profile_in_use(&martin, None).await.unwrap().unwrap().id;
    assert_eq!(store.put_in_use(&martin, id(2), Some(2), &tell).await.unwrap(), Written::Stale);
    assert_eq!(used().await, id(1), "nor was anything put in use");
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

/// Who takes over is known to work, or at least not to fail.
async fn a_profile_that_fails_takes_nothing_over(store: &impl Store) {
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
    assert_eq!(store.delete_profile(&martin, id(1), (Heir::Best, None), &tell).await.unwrap(), Written::Done);
    assert_eq!(in_use(store, &martin).await, [id(4)], "what works, not what is oldest");
    let gone = store.delete_profile(&martin, id(4), (Heir::One(id(1)), None), &tell).await.unwrap();
    assert_eq!(gone, Written::Stale, "the heir has gone");
    assert_eq!(in_use(store, &martin).await, [id(4)]);
    assert_eq!(store.delete_profile(&martin, id(4), (Heir::Best, None), &tell).await.unwrap(), Written::Done);
    assert_eq!(in_use(store, &martin).await, [id(3)], "what nothing is known of");
    // Given to somebody else, it leaves the one that fails behind, which does not take over.
    assert!(update(store, &martin, id(3), &settings(Some("karim")), None).await);
    assert_eq!(in_use(store, &martin).await, [id(3)]);
    insert(store, &martin, &row(5, None)).await;
    assert_eq!(in_use(store, &martin).await, [id(3), id(5)], "a new one does, where nobody sends");
    assert_eq!(store.delete_profile(&martin, id(5), (Heir::One(id(2)), None), &tell).await.unwrap(), Written::Done);
    assert_eq!(in_use(store, &martin).await, [id(2), id(3)], "unless somebody says so");
    insert(store, &martin, &row(6, None)).await;
    assert_eq!(store.delete_profile(&martin, id(2), (Heir::Nobody, None), &tell).await.unwrap(), Written::Done);
    assert_eq!(in_use(store, &martin).await, [id(3)]);
}

async fn tokens_work_once(store: &impl Store) {
    assert!(store.use_token("demo", &[1; 32], at(10)).await.unwrap());
    assert!(!store.use_token("demo", &[1; 32], at(10)).await.unwrap());
    assert!(store.use_token("other", &[1; 32], at(10)).await.unwrap(), "another portal's ids are its own");
    store.sweep(at(11), at(0)).await.unwrap();
    assert!(store.use_token("demo", &[1; 32], at(99)).await.unwrap(), "forgotten once it has expired by itself");
}

async fn profiles_come_back_whole(store: &impl Store) {
    let martin = account("martin");
    for profile in [row(1, None), ProfileRow { secret: None, ..row(2, Some("karim")) }] {
        insert(store, &martin, &profile).await;
        let expected = ProfileRow { in_use: true, ..profile.clone() };
        assert_eq!(store.profile(&martin, profile.id).await.unwrap(), Some(expected));
    }
    let changed = Settings { sender_name: "Devis".to_owned(), reply_to: None, preset: None, ..settings(None) };
    assert!(update(store, &martin, id(1), &changed, None).await);
    assert!(edit(store, &martin, id(1), |row| ProfileRow { encoding: Encoding::Windows1252, ..row.clone() }).await);
    let after = store.profile(&martin, id(1)).await.unwrap().unwrap();
    assert_eq!((after.settings, after.encoding, after.secret), (changed, Encoding::Windows1252, row(1, None).secret));
    assert!(!update(store, &martin, id(9), &settings(None), None).await);
    assert_eq!(store.profile(&martin, id(9)).await.unwrap(), None);
}

async fn pages_follow_each_other(store: &impl Store) {
    let martin = account("martin");
    for number in [3, 1, 2] {
        insert(store, &martin, &row(number, None)).await;
    }
    let ids = |rows: Vec<ProfileRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(store.profiles(&martin, None, 2).await.unwrap()), [id(1), id(2)]);
    assert_eq!(ids(store.profiles(&martin, Some(id(2)), 2).await.unwrap()), [id(3)]);
    assert!(store.profiles(&martin, Some(id(3)), 2).await.unwrap().is_empty());
}

async fn accounts_are_strangers(store: &impl Store) {
    let (martin, dubois) = (account("martin"), account("dubois"));
    let elsewhere = AccountId { portal: "other".to_owned(), account: "martin".to_owned() };
    insert(store, &martin, &row(1, None)).await;
    for stranger in [&dubois, &elsewhere] {
        assert_eq!(store.profile(stranger, id(1)).await.unwrap(), None);
        assert!(store.profiles(stranger, None, 9).await.unwrap().is_empty());
        assert!(!update(store, stranger, id(1), &settings(None), None).await);
        assert!(!edit(store, stranger, id(1), |row| ProfileRow { encoding: Encoding::Utf8, ..row.clone() }).await);
        assert_eq!(store.put_in_use(stranger, id(1), None, &tell).await.unwrap(), Written::Gone);
        assert_eq!(store.delete_profile(stranger, id(1), (Heir::Best, None), &tell).await.unwrap(), Written::Gone);
        assert_eq!(store.profile_made_by(stranger, "form-0001").await.unwrap(), None);
        assert!(store.others_of_owner(stranger, id(1)).await.unwrap().is_empty());
        assert!(!store.any_ready(stranger).await.unwrap());
        assert!(!store.record_test(stranger, id(1), &run(1, None), &told(&[1; 32], Some(&receipt()))).await.unwrap());
        assert_eq!(store.last_test(stranger, id(1)).await.unwrap(), None);
        assert_eq!(store.try_receipt(stranger, id(1), at(1)).await.unwrap(), None);
        assert!(!store.confirm_receipt(stranger, id(1), &receipt(), at(1), &tell).await.unwrap());
    }
    assert_eq!(store.profile(&martin, id(1)).await.unwrap(), Some(ProfileRow { in_use: true, ..row(1, None) }));
}

async fn in_use(store: &impl Store, account: &AccountId) -> Vec<ProfileId> {
    let rows = store.profiles(account, None, 99).await.unwrap();
    rows.into_iter().filter(|row| row.in_use).map(|row| row.id).collect()
}

async fn exactly_one_profile_is_in_use(store: &impl Store) {
    let martin = account("martin");
    for (number, user) in [(1, None), (2, None), (3, None), (4, Some("karim"))] {
        insert(store, &martin, &row(number, user)).await;
    }
    assert_eq!(in_use(store, &martin).await, [id(1), id(4)], "the first of each owner");
    assert_eq!(store.put_in_use(&martin, id(2), None, &tell).await.unwrap(), Written::Done);
    assert_eq!(in_use(store, &martin).await, [id(2), id(4)]);
    let others = store.others_of_owner(&martin, id(2)).await.unwrap();
    assert_eq!(others.iter().map(|row| row.id).collect::<Vec<_>>(), [id(1), id(3)]);
    assert_eq!(store.delete_profile(&martin, id(2), (Heir::Best, None), &tell).await.unwrap(), Written::Done);
    assert_eq!(in_use(store, &martin).await, [id(1), id(4)], "the oldest of those that are alike takes over");
    // Given to another owner, who has one in use already.
    assert!(update(store, &martin, id(1), &settings(Some("karim")), None).await);
    assert_eq!(in_use(store, &martin).await, [id(3), id(4)]);
    assert!(update(store, &martin, id(4), &settings(None), None).await);
    assert_eq!(in_use(store, &martin).await, [id(1), id(3)]);
    assert_eq!(store.delete_profile(&martin, id(1), (Heir::Best, None), &tell).await.unwrap(), Written::Done);
    assert_eq!(store.others_of_owner(&martin, id(3)).await.unwrap().len(), 1);
}

async fn a_moved_destination_wipes_the_secret(store: &impl Store) {
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
    assert!(store.profile(&martin, id(1)).await.unwrap().unwrap().secret.is_some(), "case and dot do not count");
    assert!(store.any_ready(&martin).await.unwrap());
}

async fn tests_are_kept_with_their_profile(store: &impl Store) {
    let martin = account("martin");
    insert(store, &martin, &row(1, None)).await;
    assert_eq!(store.last_test(&martin, id(1)).await.unwrap(), None);
    for second in 0..30 {
        assert!(store.record_test(&martin, id(1), &run(second, None), &told(&[7; 32], None)).await.unwrap());
    }
    let failed = run(40, Some(Cause::BadCredentials));
    assert!(store.record_test(&martin, id(1), &failed, &told(&[8; 32], None)).await.unwrap());
    assert_eq!(store.last_test(&martin, id(1)).await.unwrap(), Some(failed));
    let after = store.profile(&martin, id(1)).await.unwrap().unwrap();
    let tested = Tested {
        fingerprint: [8; 32],
        at: at(40),
        verdict: Verdict::Failed,
        cause: Some(Cause::BadCredentials),
        received_at: None,
    };
    assert_eq!(after.tested, Some(tested));
    // The test of what the settings were before ends after one of the present ones: it does not take its place.
    let (before, now) = ([8; 32], fingerprint(&after));
    let well = run(45, None);
    assert!(store.record_test(&martin, id(1), &well, &told(&now, Some(&receipt()))).await.unwrap());
    let late = run(46, Some(Cause::Timeout));
    assert!(store.record_test(&martin, id(1), &late, &told(&before, None)).await.unwrap());
    assert_eq!(store.last_test(&martin, id(1)).await.unwrap(), Some(well));
    let tested = store.profile(&martin, id(1)).await.unwrap().unwrap().tested.unwrap();
    assert_eq!((tested.fingerprint, tested.at, tested.verdict), (now, at(45), Verdict::Accepted));
    assert!(store.try_receipt(&martin, id(1), at(47)).await.unwrap().is_some(), "nor its receipt");
    assert_eq!(store.journal(&martin, None, 1).await.unwrap().len(), 1);
    let fresh = SealedSecret { sealed: vec![9], changed_at: at(50), login_key: [9; 32] };
    update(store, &martin, id(1), &settings(None), Some(&fresh)).await;
    assert_eq!(store.delete_profile(&martin, id(1), (Heir::Best, None), &tell).await.unwrap(), Written::Done);
    assert_eq!(store.last_test(&martin, id(1)).await.unwrap(), None);
}

fn receipt() -> Receipt {
    Receipt { salt: [3; 16], code: [4; 32], expires_at: at(100), tries_left: 2 }
}

async fn a_receipt_is_confirmed_once(store: &impl Store) {
    let martin = account("martin");
    insert(store, &martin, &row(1, None)).await;
    let with_receipt = async || {
        assert!(store.record_test(&martin, id(1), &run(1, None), &told(&[7; 32], Some(&receipt()))).await.unwrap());
    };
    let received_at = async || store.profile(&martin, id(1)).await.unwrap().unwrap().tested.unwrap().received_at;
    let tries_left = async |now| store.try_receipt(&martin, id(1), now).await.unwrap().map(|found| found.tries_left);
    assert_eq!(tries_left(at(2)).await, None, "no test, no receipt");
    with_receipt().await;
    assert_eq!(tries_left(at(100)).await, None, "expired");
    assert_eq!(tries_left(at(2)).await, Some(1));
    assert_eq!(tries_left(at(2)).await, Some(0), "the last try counts");
    assert_eq!(tries_left(at(2)).await, None);
    assert_eq!(received_at().await, None);
    with_receipt().await;
    let found = store.try_receipt(&martin, id(1), at(2)).await.unwrap().unwrap();
    assert_eq!(found, Receipt { tries_left: 1, ..receipt() });
    let other = Receipt { code: [5; 32], ..receipt() };
    assert!(!store.confirm_receipt(&martin, id(1), &other, at(3), &tell).await.unwrap(), "another test came between");
    assert!(store.confirm_receipt(&martin, id(1), &found, at(3), &tell).await.unwrap());
    assert_eq!(received_at().await, Some(at(3)));
    assert!(!store.confirm_receipt(&martin, id(1), &found, at(4), &tell).await.unwrap(), "once");
    assert_eq!(tries_left(at(4)).await, None);
    assert!(store.record_test(&martin, id(1), &run(5, None), &told(&[7; 32], None)).await.unwrap());
    assert_eq!(received_at().await, None, "a new test starts anew");
    assert_eq!(tries_left(at(6)).await, None);
}

async fn a_history_is_an_account_s_own(store: &impl Store) {
    let (martin, dubois) = (account("martin"), account("dubois"));
    for number in [1, 3, 2] {
        let entry = entry(number, i64::try_from(number).unwrap());
        store.set_sending_mode(&martin, SendingMode::OwnSmtp, None, &entry).await.unwrap();
    }
    let ids = |entries: Vec<Entry>| entries.iter().map(|entry| entry.id.as_u128()).collect::<Vec<_>>();
    assert_eq!(ids(store.journal(&martin, None, 2).await.unwrap()), [3, 2], "the newest first");
    assert_eq!(store.journal(&martin, Some(Uuid::from_u128(2)), 9).await.unwrap(), [entry(1, 1)]);
    assert!(store.journal(&dubois, None, 9).await.unwrap().is_empty());
    let a_year = SignedDuration::from_hours(24 * 365);
    store.sweep(at(2) + a_year, at(0)).await.unwrap();
    assert_eq!(ids(store.journal(&martin, None, 9).await.unwrap()), [3, 2], "kept for a year");
}

/// Every change is in the history, and a change whose entry cannot be written is not made: an entry whose id is taken
/// already fails the transaction.
async fn a_change_and_its_entry_are_one(store: &impl Store) {
    let martin = account("martin");
    store.insert_session(&session(1)).await.unwrap();
    let taken = entry(7, 1);
    store.set_sending_mode(&martin, SendingMode::Portal, None, &taken).await.unwrap();
    insert(store, &martin, &row(1, None)).await;
    insert(store, &martin, &row(2, None)).await;
    assert!(store.record_test(&martin, id(1), &run(1, None), &told(&[7; 32], Some(&receipt()))).await.unwrap());
    let entries = async || store.journal(&martin, None, 99).await.unwrap().len();
    assert_eq!(entries().await, 4, "the mode, two profiles, a test");
    let everything = async || {
        let rows = store.profiles(&martin, None, 9).await.unwrap();
        let mode = store.sending_mode(&martin).await.unwrap();
        let session = store.session(&[1; 32]).await.unwrap();
        (rows, mode, session, store.last_test(&martin, id(1)).await.unwrap(), entries().await)
    };
    let before = everything().await;
    let tell_taken = |_: &ProfileRow| taken.clone();
    let mut settings = settings(None);
    settings.sender_name = "Devis".to_owned();
    let mut decide =
        |row: &ProfileRow| Change::Edit(Box::new(row.with_settings(settings.clone(), None)), taken.clone());
    let told = TestTold { entry: &taken, ..told(&[9; 32], None) };
    assert!(store.set_sending_mode(&martin, SendingMode::OwnSmtp, None, &taken).await.is_err());
    assert!(store.insert_profile(&martin, &row(3, None), 99, &taken).await.is_err());
    assert!(store.change_profile(&martin, id(1), &mut decide).await.is_err());
    assert!(store.put_in_use(&martin, id(2), None, &tell_taken).await.is_err());
    assert!(store.delete_profile(&martin, id(1), (Heir::Best, None), &tell_taken).await.is_err());
    assert!(store.record_test(&martin, id(1), &run(2, None), &told).await.is_err());
    assert!(store.confirm_receipt(&martin, id(1), &receipt(), at(2), &tell_taken).await.is_err());
    assert!(store.end_sessions(&martin, None, at(2), &taken).await.is_err());
    assert_eq!(everything().await, before, "nothing was changed without its entry");
    assert_eq!(store.try_receipt(&martin, id(1), at(2)).await.unwrap().unwrap().code, receipt().code);
    // And with it, all of them.
    store.set_sending_mode(&martin, SendingMode::OwnSmtp, None, &some_entry()).await.unwrap();
    assert!(update(store, &martin, id(1), &settings, None).await);
    assert_eq!(store.put_in_use(&martin, id(2), None, &tell).await.unwrap(), Written::Done);
    assert!(store.confirm_receipt(&martin, id(1), &receipt(), at(2), &tell).await.unwrap());
    assert_eq!(store.delete_profile(&martin, id(1), (Heir::Best, None), &tell).await.unwrap(), Written::Done);
    assert_eq!(store.end_sessions(&martin, None, at(2), &some_entry()).await.unwrap(), 1);
    assert_eq!(entries().await, 10);
    assert_eq!(store.end_sessions(&martin, None, at(2), &some_entry()).await.unwrap(), 0);
    let mut nothing = |_: &ProfileRow| Change::None;
    assert!(store.change_profile(&martin, id(2), &mut nothing).await.unwrap());
    let mut again = |_: &ProfileRow| Change::StartOver;
    assert!(store.change_profile(&martin, id(2), &mut again).await.unwrap());
    assert_eq!(entries().await, 10, "no entry where nothing changed");
}

async fn refused_logins_are_counted(store: &impl Store) {
    let martin = account("martin");
    insert(store, &martin, &row(1, None)).await;
    let key = login_key(1);
    let claim =
        |second| LoginClaim { id: Uuid::new_v4(), key, now: at(second), until: at(second) + LEASE, again_after: None };
    let claims = async |claims: &[LoginClaim]| store.claim_logins(claims, &admit).await.unwrap();
    let end = async |claim: &LoginClaim, outcome| {
        store.end_logins(&[LoginEnd { id: claim.id, key: claim.key, outcome, at: claim.now }]).await.unwrap();
    };
    let refusals = async || store.profile(&martin, id(1)).await.unwrap().unwrap().secret_refusals;
    // Many at once are no more than three, and each refusal is one, whoever writes it when.
    let many: Vec<LoginClaim> = (0..5).map(|_| claim(1)).collect();
    assert_eq!(claims(&many).await, [Granted, Granted, Granted, Busy, Busy]);
    end(&many[0], LoginOutcome::Refused).await;
    assert_eq!((refusals().await, claims(&[claim(2)]).await), (1, vec![Busy]));
    end(&many[1], LoginOutcome::Refused).await;
    end(&many[2], LoginOutcome::Unclear).await;
    let last = claim(3);
    assert_eq!(claims(&[last, claim(3)]).await, [Granted, Busy], "one after another");
    end(&last, LoginOutcome::Refused).await;
    assert_eq!((refusals().await, claims(&[claim(4)]).await), (3, vec![Refused]));
    // The settings are not the secret; the secret typed anew is.
    assert!(update(store, &martin, id(1), &Settings { sender_name: "x".to_owned(), ..settings(None) }, None).await);
    assert_eq!(refusals().await, 3);
    let typed = SealedSecret { sealed: vec![8], changed_at: at(5), login_key: key };
    assert!(update(store, &martin, id(1), &settings(None), Some(&typed)).await);
    assert_eq!(refusals().await, 0);
    // One that goes along with a fix is not typed.
    let tried = claim(6);
    assert_eq!(claims(&[tried]).await, [Granted]);
    end(&tried, LoginOutcome::Refused).await;
    let along =
        |row: &ProfileRow| row.with_secret_along(settings(None), SealedSecret { sealed: vec![7], ..typed.clone() });
    assert!(edit(store, &martin, id(1), along).await);
    assert_eq!(refusals().await, 1);
    // Another secret is counted by itself; what is heard of the old one says nothing of it.
    let old = claim(7);
    assert_eq!(claims(&[old]).await, [Granted]);
    let fresh = SealedSecret { sealed: vec![6], changed_at: at(8), login_key: [99; 32] };
    assert!(update(store, &martin, id(1), &settings(None), Some(&fresh)).await);
    end(&old, LoginOutcome::Refused).await;
    assert_eq!(refusals().await, 0);
    let fresh_one = LoginClaim { key: [99; 32], ..claim(9) };
    assert_eq!(claims(&[fresh_one]).await, [Granted]);
    end(&fresh_one, LoginOutcome::Refused).await;
    let old = LoginClaim { id: old.id, ..claim(9) };
    end(&old, LoginOutcome::Accepted).await;
    assert_eq!(refusals().await, 1, "a login with the old one does not end its count");
    end(&LoginClaim { key: [99; 32], ..claim(10) }, LoginOutcome::Accepted).await;
    assert_eq!(refusals().await, 0);
    // A place whose holder is gone ends by itself, one that is prolonged does not; nor is one kept by a clock set back.
    let crashed: Vec<LoginClaim> = (0..3).map(|_| claim(20)).collect();
    assert_eq!(claims(&crashed).await, [Granted; 3]);
    store.prolong_login(crashed[0].id, at(49) + LEASE).await.unwrap();
    assert_eq!(claims(&[claim(49)]).await, [Busy]);
    let after: Vec<LoginClaim> = (0..3).map(|_| claim(50)).collect();
    assert_eq!(claims(&after).await, [Granted, Granted, Busy]);
    assert_eq!(claims(&[claim(-86_400)]).await, [Granted]);
}

/// A secret is never left with another destination, whatever an edit says.
async fn a_stray_secret_is_wiped(store: &impl Store) {
    let martin = account("martin");
    insert(store, &martin, &row(1, None)).await;
    let mut moved = settings(None);
    moved.destination.host = "smtp.evil.example".to_owned();
    assert!(edit(store, &martin, id(1), |row| ProfileRow { settings: moved.clone(), ..row.clone() }).await);
    assert_eq!(store.profile(&martin, id(1)).await.unwrap().unwrap().secret, None);
}

async fn an_account_has_so_many_profiles(store: &impl Store) {
    let (martin, dubois) = (account("martin"), account("dubois"));
    for number in 1..=3 {
        let made = store.insert_profile(&martin, &row(number, None), 3, &some_entry()).await.unwrap();
        assert_eq!(made, Some(number == 1), "the first one is in use");
    }
    assert_eq!(store.insert_profile(&martin, &row(4, None), 3, &some_entry()).await.unwrap(), None);
    let another_s = store.insert_profile(&dubois, &row(5, None), 3, &some_entry()).await.unwrap();
    assert_eq!(another_s, Some(true), "another's do not count");
    assert_eq!(store.profiles(&martin, None, 9).await.unwrap().len(), 3);
    assert_eq!(store.journal(&martin, None, 9).await.unwrap().len(), 3);
    assert_eq!(store.delete_profile(&martin, id(1), (Heir::Best, None), &tell).await.unwrap(), Written::Done);
    assert_eq!(store.insert_profile(&martin, &row(4, None), 3, &some_entry()).await.unwrap(), Some(false));
}

async fn the_canary_stays(store: &impl Store) {
    assert_eq!(store.canary().await.unwrap(), None);
    store.set_canary(&[1, 2]).await.unwrap();
    assert_eq!(store.canary().await.unwrap(), Some(vec![1, 2]));
}
