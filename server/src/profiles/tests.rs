//! The use cases: what happens to a secret, and when a test still counts.

use app::{
    diagnosis::fix::Fix,
    profile::{
        address::EmailAddress,
        doubt::Doubt,
        field::Fault,
        mechanism::Mechanism,
        model::{Destination, SecretState, TestState},
        security::Security,
        sending::Health,
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
    store::{TestRecord, Tested, aggregates::*, reliability, sqlite::SqliteStore},
};

mod crash;
mod save;
mod secrets;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn account() -> AccountId {
    AccountId { portal: "demo".to_owned(), account: "martin".to_owned() }
}

/// A person of the account.
pub(crate) fn by(account: &AccountId) -> Author<'_> {
    static CLAIRE: User = User { id: String::new(), name: String::new() };
    Author { account, person: &CLAIRE }
}

/// Applies a fix to a profile that was just tested.
async fn apply_fix(profiles: &ProfileService, row: &ProfileRow, fix: &Fix) -> Result<(), AppError> {
    tested(profiles, row.id).await;
    profiles.apply_fix(by(&account()), row.id, fix).await
}

fn vault(byte: u8) -> Vault {
    Vault::new(vec![VaultKey::new("v1", [byte; 32]).unwrap()]).unwrap()
}

async fn profiles() -> ProfileService {
    let store = Arc::new(SqliteStore::in_memory().await.unwrap());
    ProfileService::new(store, vault(1), Policy::default(), Arc::new(|| at(0)))
}

fn settings() -> Settings {
    Settings {
        name: String::new(),
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

async fn saved(profiles: &ProfileService) -> ProfileId {
    profiles.save(by(&account()), Target::default(), settings(), replace("tres-secret")).await.unwrap()
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

async fn tested(profiles: &ProfileService, id: ProfileId) {
    let row = profiles.store.profile(&account(), id).await.unwrap().unwrap();
    let run = TestRun { at: at(9), recipient: "claire@exemple.fr".to_owned(), report: report(Verdict::Accepted) };
    let action = Action::Tested { verdict: Verdict::Accepted, cause: None };
    let entry = profiles.entry(by(&account()), action, None);
    let told = TestRecord {
        fingerprint: &fingerprint(&row),
        receipt: None,
        events: &[],
        transition_event: None,
        entry: &entry,
    };
    assert!(profiles.store.record_test(&account(), id, &run, &told).await.unwrap());
}

async fn shown(profiles: &ProfileService, id: ProfileId) -> Profile {
    Profiles::get(profiles, &account(), id).await.unwrap().unwrap()
}

fn faults(refused: Result<ProfileId, SaveError>) -> Vec<(Field, Fault)> {
    match refused {
        Err(SaveError::Invalid(errors)) => errors.into_iter().map(|error| (error.field, error.fault)).collect(),
        other => panic!("a refusal was expected: {other:?}"),
    }
}
