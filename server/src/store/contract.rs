//! What every store does, whatever it is made of. An adapter calls [`all`] with a way to make an empty store.

use app::{
    i18n::Locale,
    journal::model::Action,
    profile::{
        address::EmailAddress,
        draft::{Draft, RefusedDraft},
        field::{Fault, Field, FieldError},
        mechanism::Mechanism,
        model::Destination,
        security::Security,
    },
    session::User,
    test_run::{event::Stage, report::Report},
};
use jiff::SignedDuration;
use uuid::Uuid;

use super::*;

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

fn row(number: u128, user: Option<&str>) -> ProfileRow {
    let secret = Some(SealedSecret { sealed: vec![1, 2, 3], changed_at: at(0) });
    ProfileRow { encoding: Encoding::Latin9, secret, ..ProfileRow::new(id(number), settings(user)) }
}

fn run(second: i64, cause: Option<Cause>) -> TestRun {
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

/// Runs every case, each on a store of its own.
fn told<'a>(fingerprint: &'a [u8; 32], secret_refusals: u32, receipt: Option<&'a Receipt>) -> TestTold<'a> {
    TestTold { fingerprint, secret_refusals, receipt, events: &[] }
}

pub async fn all<S: Store>(make: impl AsyncFn() -> S) {
    a_sending_mode_is_kept(&make().await).await;
    sessions_come_back_and_end(&make().await).await;
    sessions_of_an_account_are_ended_together(&make().await).await;
    drafts_belong_to_a_session(&make().await).await;
    tokens_work_once(&make().await).await;
    profiles_come_back_whole(&make().await).await;
    pages_follow_each_other(&make().await).await;
    accounts_are_strangers(&make().await).await;
    exactly_one_profile_is_in_use(&make().await).await;
    a_moved_destination_wipes_the_secret(&make().await).await;
    tests_are_kept_with_their_profile(&make().await).await;
    a_receipt_is_confirmed_once(&make().await).await;
    a_history_is_an_account_s_own(&make().await).await;
    the_canary_stays(&make().await).await;
    outbox::given_once_and_seen_by_their_portal_only(&make().await).await;
    outbox::claims_are_leases(&make().await).await;
    outbox::the_abandoned_are_found_and_the_waiting_end(&make().await).await;
    outbox::lanes_are_held_and_woken(&make().await).await;
    outbox::profiles_break_and_recover_with_one_event_each(&make().await).await;
    outbox::sending_options_are_the_account_s(&make().await).await;
}

async fn a_sending_mode_is_kept(store: &impl Store) {
    let martin = account("martin");
    assert_eq!(store.sending_mode(&martin).await.unwrap(), None);
    store.set_sending_mode(&martin, SendingMode::OwnSmtp).await.unwrap();
    store.set_sending_mode(&martin, SendingMode::OwnSmtp).await.unwrap();
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
    assert_eq!(store.end_sessions(&martin, Some("claire"), at(10)).await.unwrap(), 2);
    assert_eq!(open(at(10)).await, [3, 4, 5]);
    assert_eq!(store.end_sessions(&martin, Some("claire"), at(10)).await.unwrap(), 0, "they have ended");
    assert_eq!(store.end_sessions(&martin, None, at(20)).await.unwrap(), 1);
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

async fn drafts_belong_to_a_session(store: &impl Store) {
    let draft = RefusedDraft {
        profile: None,
        draft: Draft { host: "smtp//".to_owned(), ..Draft::default() },
        errors: vec![FieldError::new(Field::Host, Fault::HostInvalid)],
    };
    for key in [1, 2] {
        store.insert_session(&session(key)).await.unwrap();
    }
    store.keep_draft(&[1; 32], Some(&draft)).await.unwrap();
    assert_eq!(store.draft(&[1; 32]).await.unwrap(), Some(draft));
    assert_eq!(store.draft(&[2; 32]).await.unwrap(), None);
    store.keep_draft(&[1; 32], None).await.unwrap();
    assert_eq!(store.draft(&[1; 32]).await.unwrap(), None);
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
        store.insert_profile(&martin, &profile).await.unwrap();
        let expected = ProfileRow { in_use: true, ..profile.clone() };
        assert_eq!(store.profile(&martin, profile.id).await.unwrap(), Some(expected));
    }
    let changed = Settings { sender_name: "Devis".to_owned(), reply_to: None, preset: None, ..settings(None) };
    assert!(store.update_profile(&martin, id(1), &changed, None).await.unwrap());
    assert!(store.set_encoding(&martin, id(1), Encoding::Windows1252).await.unwrap());
    let after = store.profile(&martin, id(1)).await.unwrap().unwrap();
    assert_eq!((after.settings, after.encoding, after.secret), (changed, Encoding::Windows1252, row(1, None).secret));
    assert!(!store.update_profile(&martin, id(9), &settings(None), None).await.unwrap());
    assert_eq!(store.profile(&martin, id(9)).await.unwrap(), None);
}

async fn pages_follow_each_other(store: &impl Store) {
    let martin = account("martin");
    for number in [3, 1, 2] {
        store.insert_profile(&martin, &row(number, None)).await.unwrap();
    }
    let ids = |rows: Vec<ProfileRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(store.profiles(&martin, None, 2).await.unwrap()), [id(1), id(2)]);
    assert_eq!(ids(store.profiles(&martin, Some(id(2)), 2).await.unwrap()), [id(3)]);
    assert!(store.profiles(&martin, Some(id(3)), 2).await.unwrap().is_empty());
}

async fn accounts_are_strangers(store: &impl Store) {
    let (martin, dubois) = (account("martin"), account("dubois"));
    let elsewhere = AccountId { portal: "other".to_owned(), account: "martin".to_owned() };
    store.insert_profile(&martin, &row(1, None)).await.unwrap();
    for stranger in [&dubois, &elsewhere] {
        assert_eq!(store.profile(stranger, id(1)).await.unwrap(), None);
        assert!(store.profiles(stranger, None, 9).await.unwrap().is_empty());
        assert!(!store.update_profile(stranger, id(1), &settings(None), None).await.unwrap());
        assert!(!store.set_encoding(stranger, id(1), Encoding::Utf8).await.unwrap());
        assert!(!store.put_in_use(stranger, id(1)).await.unwrap());
        assert!(!store.delete_profile(stranger, id(1)).await.unwrap());
        assert_eq!(store.successor(stranger, id(1)).await.unwrap(), None);
        assert!(!store.any_ready(stranger).await.unwrap());
        assert!(
            !store.record_test(stranger, id(1), &run(1, None), &told(&[1; 32], 0, Some(&receipt()))).await.unwrap()
        );
        assert_eq!(store.last_test(stranger, id(1)).await.unwrap(), None);
        assert_eq!(store.try_receipt(stranger, id(1), at(1)).await.unwrap(), None);
        assert!(!store.confirm_receipt(stranger, id(1), &receipt(), at(1)).await.unwrap());
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
        store.insert_profile(&martin, &row(number, user)).await.unwrap();
    }
    assert_eq!(in_use(store, &martin).await, [id(1), id(4)], "the first of each owner");
    assert!(store.put_in_use(&martin, id(2)).await.unwrap());
    assert_eq!(in_use(store, &martin).await, [id(2), id(4)]);
    assert_eq!(store.successor(&martin, id(2)).await.unwrap().map(|row| row.id), Some(id(1)));
    assert!(store.delete_profile(&martin, id(2)).await.unwrap());
    assert_eq!(in_use(store, &martin).await, [id(1), id(4)], "the oldest takes over");
    // Given to another owner, who has one in use already.
    assert!(store.update_profile(&martin, id(1), &settings(Some("karim")), None).await.unwrap());
    assert_eq!(in_use(store, &martin).await, [id(3), id(4)]);
    assert!(store.update_profile(&martin, id(4), &settings(None), None).await.unwrap());
    assert_eq!(in_use(store, &martin).await, [id(1), id(3)]);
    assert!(store.delete_profile(&martin, id(1)).await.unwrap());
    assert_eq!(store.successor(&martin, id(3)).await.unwrap().map(|row| row.id), Some(id(4)));
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
        store.insert_profile(&martin, &row(number, None)).await.unwrap();
        let mut changed = settings(None);
        moved(&mut changed.destination);
        assert!(store.update_profile(&martin, id(number), &changed, None).await.unwrap());
        assert_eq!(store.profile(&martin, id(number)).await.unwrap().unwrap().secret, None);
        let fresh = SealedSecret { sealed: vec![9], changed_at: at(5) };
        assert!(store.update_profile(&martin, id(number), &settings(None), Some(&fresh)).await.unwrap());
        assert_eq!(store.profile(&martin, id(number)).await.unwrap().unwrap().secret, Some(fresh));
    }
    let mut same = settings(None);
    same.destination.host = "SMTP.GMAIL.COM.".to_owned();
    assert!(store.update_profile(&martin, id(1), &same, None).await.unwrap());
    assert!(store.profile(&martin, id(1)).await.unwrap().unwrap().secret.is_some(), "case and dot do not count");
    assert!(store.any_ready(&martin).await.unwrap());
}

async fn tests_are_kept_with_their_profile(store: &impl Store) {
    let martin = account("martin");
    store.insert_profile(&martin, &row(1, None)).await.unwrap();
    assert_eq!(store.last_test(&martin, id(1)).await.unwrap(), None);
    for second in 0..30 {
        assert!(store.record_test(&martin, id(1), &run(second, None), &told(&[7; 32], 0, None)).await.unwrap());
    }
    let failed = run(40, Some(Cause::BadCredentials));
    assert!(store.record_test(&martin, id(1), &failed, &told(&[8; 32], 2, None)).await.unwrap());
    assert_eq!(store.last_test(&martin, id(1)).await.unwrap(), Some(failed));
    let after = store.profile(&martin, id(1)).await.unwrap().unwrap();
    let tested = Tested {
        fingerprint: [8; 32],
        at: at(40),
        verdict: Verdict::Failed,
        cause: Some(Cause::BadCredentials),
        received_at: None,
    };
    assert_eq!((after.tested, after.secret_refusals), (Some(tested), 2));
    let fresh = SealedSecret { sealed: vec![9], changed_at: at(50) };
    store.update_profile(&martin, id(1), &settings(None), Some(&fresh)).await.unwrap();
    assert_eq!(store.profile(&martin, id(1)).await.unwrap().unwrap().secret_refusals, 0, "a new secret starts anew");
    assert!(store.delete_profile(&martin, id(1)).await.unwrap());
    assert_eq!(store.last_test(&martin, id(1)).await.unwrap(), None);
}

fn receipt() -> Receipt {
    Receipt { salt: [3; 16], code: [4; 32], expires_at: at(100), tries_left: 2 }
}

async fn a_receipt_is_confirmed_once(store: &impl Store) {
    let martin = account("martin");
    store.insert_profile(&martin, &row(1, None)).await.unwrap();
    let with_receipt = async || {
        assert!(store.record_test(&martin, id(1), &run(1, None), &told(&[7; 32], 0, Some(&receipt()))).await.unwrap());
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
    assert!(!store.confirm_receipt(&martin, id(1), &other, at(3)).await.unwrap(), "another test came between");
    assert!(store.confirm_receipt(&martin, id(1), &found, at(3)).await.unwrap());
    assert_eq!(received_at().await, Some(at(3)));
    assert!(!store.confirm_receipt(&martin, id(1), &found, at(4)).await.unwrap(), "once");
    assert_eq!(tries_left(at(4)).await, None);
    assert!(store.record_test(&martin, id(1), &run(5, None), &told(&[7; 32], 0, None)).await.unwrap());
    assert_eq!(received_at().await, None, "a new test starts anew");
    assert_eq!(tries_left(at(6)).await, None);
}

async fn a_history_is_an_account_s_own(store: &impl Store) {
    let entry = |number: u128, second| Entry {
        id: Uuid::from_u128(number),
        at: at(second),
        person: "claire".to_owned(),
        person_name: "Claire".to_owned(),
        profile: Some("claire@exemple.fr · smtp.exemple.fr".to_owned()),
        action: Action::ProfileChanged { fields: vec![Field::Host, Field::Secret] },
    };
    let (martin, dubois) = (account("martin"), account("dubois"));
    for number in [1, 3, 2] {
        store.note(&martin, &entry(number, i64::try_from(number).unwrap())).await.unwrap();
    }
    let ids = |entries: Vec<Entry>| entries.iter().map(|entry| entry.id.as_u128()).collect::<Vec<_>>();
    assert_eq!(ids(store.journal(&martin, None, 2).await.unwrap()), [3, 2], "the newest first");
    assert_eq!(store.journal(&martin, Some(Uuid::from_u128(2)), 9).await.unwrap(), [entry(1, 1)]);
    assert!(store.journal(&dubois, None, 9).await.unwrap().is_empty());
    let a_year = SignedDuration::from_hours(24 * 365);
    store.sweep(at(2) + a_year, at(0)).await.unwrap();
    assert_eq!(ids(store.journal(&martin, None, 9).await.unwrap()), [3, 2], "kept for a year");
}

async fn the_canary_stays(store: &impl Store) {
    assert_eq!(store.canary().await.unwrap(), None);
    store.set_canary(&[1, 2]).await.unwrap();
    assert_eq!(store.canary().await.unwrap(), Some(vec![1, 2]));
}
