//! The contract of every store. An adapter calls [`all`] with a way to make an empty store.

use app::{
    i18n::Locale,
    journal::model::Action,
    profile::{
        address::EmailAddress,
        draft::{Draft, KeptDraft},
        field::{Fault, Field, FieldError},
        mechanism::Mechanism,
        model::Destination,
        port::{Successor, Written},
        security::Security,
    },
    sending_mode::model::SendingMode,
    session::{AccountId, Person, User},
    test_run::{event::Stage, port::TestRun, report::Report},
    theme::GivenTheme,
};
use std::sync::LazyLock;

use self::sessions::session;
use super::*;
use crate::{events::profile_transition, profiles::fingerprint};
use model::login::{
    Admission::{Busy, Granted, Refused},
    LEASE, admit,
};

mod accounts;
mod clock;
mod deleted;
mod drafts;
mod events;
pub(crate) mod filled;
pub(crate) mod grants;
mod journal;
mod logins;
pub(crate) mod maintenance;
mod messages;
mod profiles;
pub(crate) mod quarantine;
pub(crate) mod queue;
mod rests;
mod sealed;
mod sessions;
mod settlements;
pub(crate) mod sign_ins;
mod test_runs;

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
        name: "Devis".to_owned(),
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

/// A stored message, with defaults for everything else.
pub(crate) fn stored(state: outbox::MessageState, recipients: Vec<outbox::Recipient>) -> outbox::StoredMessage {
    outbox::StoredMessage {
        id: Uuid::nil(),
        lane: outbox::Lane { account: account("martin"), user: None },
        message_id: String::new(),
        reference: None,
        subject: String::new(),
        size: 0,
        recipients,
        state,
        stage: None,
        cause: None,
        reply: None,
        profile: None,
        fallback: false,
        tries: 0,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        expires_at: Timestamp::UNIX_EPOCH,
        next_at: None,
        lease_token: None,
        ending_at: None,
        ending_to: None,
        finished_at: None,
    }
}

/// A login key of its own for each profile.
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

fn told<'a>(fingerprint: &'a [u8; 32], receipt: Option<&'a Receipt>) -> TestRecord<'a> {
    static ENTRY: LazyLock<Entry> = LazyLock::new(|| entry(0, 0));
    // Tests of one profile share it, and an entry has an id of its own.
    let entry = Box::leak(Box::new(Entry { id: Uuid::new_v4(), ..ENTRY.clone() }));
    TestRecord { fingerprint, receipt, events: &[], transition_event: None, entry }
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

/// An entry that no test reads.
fn some_entry() -> Entry {
    Entry { id: Uuid::new_v4(), ..entry(0, 0) }
}

fn deletion(successor: Successor, revision: Option<u32>) -> Deletion {
    Deletion { successor, revision, aside: Aside { session: [0; 32], until: at(0) } }
}

fn tell(_: &ProfileRow) -> Entry {
    some_entry()
}

/// Makes a profile, without reaching the account's limit.
async fn insert(store: &(impl Store + ?Sized), account: &AccountId, profile: &ProfileRow) {
    assert!(store.insert_profile(account, profile, 99, &some_entry()).await.unwrap().is_some());
}

/// Applies an edit to a profile; whether it exists.
async fn edit(
    store: &(impl Store + ?Sized),
    account: &AccountId,
    id: ProfileId,
    edit: impl Fn(&ProfileRow) -> ProfileRow + Send + Sync,
) -> bool {
    let mut decide = |row: &ProfileRow| Change::Edit(Box::new(edit(row)), some_entry());
    store.change_profile(account, id, &mut decide).await.unwrap()
}

/// Saves the form.
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
    accounts::a_sending_mode_is_kept(&make().await).await;
    sessions::sessions_come_back_and_end(&make().await).await;
    sessions::sessions_of_an_account_are_ended_together(&make().await).await;
    drafts::drafts_belong_to_a_person(&make().await).await;
    profiles::a_form_makes_one_profile(&make().await).await;
    profiles::a_revision_counts_what_a_form_shows(&make().await).await;
    profiles::a_profile_that_fails_takes_nothing_over(&make().await).await;
    sessions::tokens_work_once(&make().await).await;
    profiles::profiles_come_back_whole(&make().await).await;
    profiles::pages_follow_each_other(&make().await).await;
    profiles::accounts_are_strangers(&make().await).await;
    profiles::exactly_one_profile_is_in_use(&make().await).await;
    profiles::a_moved_destination_wipes_the_secret(&make().await).await;
    test_runs::tests_are_kept_with_their_profile(&make().await).await;
    test_runs::a_receipt_is_confirmed_once(&make().await).await;
    journal::a_history_is_an_account_s_own(&make().await).await;
    journal::a_change_and_its_entry_are_one(&make().await).await;
    logins::refused_logins_are_counted(&make().await).await;
    logins::a_batch_of_ends_keeps_its_order(&make().await).await;
    events::events_are_due_in_order_until_they_are_done(&make().await).await;
    profiles::a_stray_secret_is_wiped(&make().await).await;
    deleted::a_deleted_profile_comes_back_whole(&make().await).await;
    deleted::a_restored_profile_takes_nothing_from_a_later_choice(&make().await).await;
    deleted::a_deleted_profile_is_forgotten_when_its_time_is_over(&make().await).await;
    profiles::an_account_has_so_many_profiles(&make().await).await;
    grants::a_grant_is_attached_and_replaced(&make().await).await;
    grants::a_refresh_replaces_both_tokens(&make().await).await;
    grants::one_process_refreshes_a_version(&make().await).await;
    grants::an_ended_grant_is_not_used_until_the_owner_signs_in_again(&make().await).await;
    grants::a_grant_stays_with_a_profile_that_may_be_restored(&make().await).await;
    grants::a_grant_is_detached_when_its_profile_is_gone(&make().await).await;
    grants::grants_are_found_page_by_page(&make().await).await;
    sign_ins::a_ticket_works_once(&make().await).await;
    sign_ins::a_state_is_used_once(&make().await).await;
    sign_ins::a_session_has_so_many_sign_ins(&make().await).await;
    sealed::the_canary_stays(&make().await).await;
    messages::given_once_and_seen_by_their_portal_only(&make().await).await;
    messages::a_message_is_listed_in_the_state_that_it_shows(&make().await).await;
    messages::what_was_settled_through_a_profile(&make().await).await;
    queue::claims_are_leases(&make().await).await;
    queue::the_abandoned_are_found_and_the_waiting_end(&make().await).await;
    rests::lanes_rest_and_are_woken(&make().await).await;
    rests::destinations_rest_with_all_their_lanes(&make().await).await;
    rests::many_claims_at_once(&make().await).await;
    rests::lanes_have_their_turns(&make().await).await;
    settlements::profiles_break_and_recover_with_one_event_each(&make().await).await;
    sealed::sending_options_are_the_account_s(&make().await).await;
    clock::deadlines_follow_a_clock_that_was_set(&make().await).await;
    clock::what_is_too_old_after_an_absence_gets_a_while(&make().await).await;
}

/// Makes a store send each of its statements, for tests of query plans.
pub async fn every_statement<S: Store>(make: impl AsyncFn() -> S) {
    all(&make).await;
    let store = make().await;
    filled::fill(&store).await;
    maintenance::everything(&store).await;
}

async fn in_use(store: &impl Store, account: &AccountId) -> Vec<ProfileId> {
    let rows = store.profiles(account, None, 99).await.unwrap();
    rows.into_iter().filter(|row| row.in_use).map(|row| row.id).collect()
}

fn receipt() -> Receipt {
    Receipt { salt: [3; 16], code: [4; 32], expires_at: at(100), tries_left: 2 }
}

/// Claims due messages of a lane, without a destination.
pub(crate) async fn claim(
    store: &dyn Store,
    lane: &outbox::Lane,
    lease_token: &str,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Vec<outbox::StoredMessage> {
    let queue = outbox::Queue { lane: lane.clone(), fallback: false };
    let claim = outbox::Claim { queue, destination: None, lease_token: lease_token.to_owned(), now, until, limit };
    store.claim_through(&[claim]).await.unwrap().remove(0).messages
}
