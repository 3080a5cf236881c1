//! A batch of the outbox costs the same number of statements for forty messages as for one, except for claims, which
//! need one for each lane. A program of its own, with one test, because it counts every statement of the process.
#![allow(clippy::unwrap_used, reason = "clippy recognises only functions with #[test] as tests")]

use app::session::AccountId;
use jiff::Timestamp;
use server::store::{
    MaintenanceStore, MessageStore, QueueStore, SettlementStore,
    outbox::{
        Assignment, Attempt, AttemptOutcome, Claim, CommitMark, Inserted, Lane, MessageState, MessageStatus, NewEvent,
        Precondition, Queue, QueuedMessage, Recipient, RecipientKind, RecipientState, Settlement, Via,
    },
    sqlite::SqliteStore,
};
use uuid::Uuid;

mod counted;

use counted::Statements;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn lane(number: u128) -> Lane {
    Lane { account: AccountId { portal: "demo".to_owned(), account: format!("a{number}") }, user: None }
}

fn recipient(state: RecipientState) -> Recipient {
    let address = "a@x.example".to_owned();
    Recipient { address, kind: RecipientKind::To, state, cause: None, reply: None, stage: None }
}

fn message(number: u128) -> QueuedMessage {
    QueuedMessage {
        id: Uuid::from_u128(number),
        lane: lane(number),
        idempotency_key: Some(number.to_string()),
        request_hash: [1; 32],
        message_id: format!("{number}@x.example"),
        reference: None,
        subject: "Devis".to_owned(),
        size: 12,
        recipients: vec![recipient(RecipientState::Pending)],
        at: at(1),
        expires_at: at(1_000),
        sealed: vec![9; 12],
    }
}

fn settlement(number: u128) -> Settlement {
    let attempt = Attempt {
        at: at(3),
        duration_ms: 5,
        via: Some(Via::Relay),
        profile: None,
        outcome: AttemptOutcome::Accepted,
        stage: None,
        cause: None,
        reply: None,
        queue_id: None,
    };
    let (portal, content) = ("demo".to_owned(), "{}".to_owned());
    Settlement {
        id: Uuid::from_u128(number),
        lane: lane(number),
        precondition: Precondition::Lease("lease".to_owned()),
        at: at(3),
        attempt: Some(attempt),
        counts: true,
        status: MessageStatus::new(MessageState::Accepted),
        recipients: vec![recipient(RecipientState::Accepted)],
        content_done: true,
        next_at: None,
        fallback: false,
        health: None,
        event: Some(NewEvent { id: Uuid::from_u128(1_000 + number), portal, content, at: at(3) }),
        transition_event: None,
    }
}

#[tokio::test]
async fn a_batch_costs_as_many_statements_for_forty_messages_as_for_one() {
    let statements = Statements::of_this_process();
    let folder = std::env::temp_dir().join(Uuid::new_v4().to_string());
    std::fs::create_dir(&folder).unwrap();
    let store = SqliteStore::open(&folder.join("facteur.db")).await.unwrap();
    let mut costs = Vec::new();
    for numbers in [1..2_u128, 10..50] {
        let ids: Vec<Uuid> = numbers.clone().map(Uuid::from_u128).collect();
        let messages: Vec<_> = numbers.clone().map(message).collect();
        let queues: Vec<_> = numbers.clone().map(|number| Queue { lane: lane(number), fallback: false }).collect();
        statements.take();
        assert!(store.insert_messages(&messages).await.unwrap().iter().all(|one| *one == Inserted::New));
        let mut cost = vec![statements.take().len()];
        let again = store.insert_messages(&messages).await.unwrap();
        assert!(again.iter().all(|one| matches!(one, Inserted::Known { same: true, .. })));
        cost.push(statements.take().len());
        let assignment = |queue: &Queue| Assignment { queue: queue.clone(), destination: "relay".to_owned() };
        store.assign(&queues.iter().map(assignment).collect::<Vec<_>>()).await.unwrap();
        cost.push(statements.take().len());
        let claim = |queue: &Queue| Claim {
            queue: queue.clone(),
            destination: Some("relay".to_owned()),
            lease_token: "lease".to_owned(),
            now: at(2),
            until: at(30),
            limit: 16,
        };
        let claims: Vec<_> = queues.iter().map(claim).collect();
        assert!(store.claim_through(&claims).await.unwrap().iter().all(|claimed| claimed.messages.len() == 1));
        statements.take();
        store.release("lease", &ids, at(2)).await.unwrap();
        cost.push(statements.take().len());
        assert!(store.claim_through(&claims).await.unwrap().iter().all(|claimed| claimed.messages.len() == 1));
        statements.take();
        let mark = |id: &Uuid| CommitMark { id: *id, lease_token: "lease".to_owned(), to: None };
        let marks: Vec<_> = ids.iter().map(mark).collect();
        assert!(store.mark_commit(&marks, at(3)).await.unwrap().iter().all(|held| *held));
        cost.push(statements.take().len());
        let settlements: Vec<_> = numbers.map(settlement).collect();
        assert!(store.settle(&settlements).await.unwrap().iter().all(|settled| settled.done));
        cost.push(statements.take().len());
        assert!(!store.settle(&settlements).await.unwrap().iter().any(|settled| settled.done));
        statements.take();
        assert!(store.purge(at(50), at(50), 100).await.unwrap() > 0);
        cost.push(statements.take().len());
        costs.push(cost);
    }
    assert!(costs[0].iter().all(|count| *count > 0), "statements are counted: {costs:?}");
    assert_eq!(costs[0], costs[1]);
    std::fs::remove_dir_all(&folder).unwrap();
}
