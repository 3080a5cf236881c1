//! Many transactions at once, as several processes make them.

use super::*;

#[tokio::test]
async fn no_message_is_claimed_twice() {
    const NAMES: [&str; 3] = ["a", "b", "c"];
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    let given: Vec<QueuedMessage> = (0..120).map(|number| message(NAMES[number % 3], 1)).collect();
    one.insert_messages(&given).await.unwrap();
    let claimer = async |store: &PostgresStore, token: &'static str, order: [&str; 3]| {
        let mut mine = Vec::new();
        loop {
            let claims = order.map(|name| claim(name, Some("relay"), token, 10));
            let claimed = store.claim_through(&claims).await.unwrap();
            let found: Vec<Uuid> = claimed.iter().flat_map(|one| one.messages.iter().map(|row| row.id)).collect();
            if found.is_empty() {
                return mine;
            }
            mine.extend(found);
        }
    };
    let (a, b, c, d) = tokio::join!(
        claimer(&one, "1", ["a", "b", "c"]),
        claimer(&other, "2", ["c", "b", "a"]),
        claimer(&one, "3", ["b", "a", "c"]),
        claimer(&other, "4", ["c", "a", "b"]),
    );
    let all: Vec<Uuid> = [a, b, c, d].concat();
    assert_eq!(all.len(), 120, "every message, once");
    assert_eq!(all.into_iter().collect::<HashSet<_>>(), given.iter().map(|one| one.id).collect());
}

/// Whether no bound is later than the first waiting message (a lane that was read until `now` is due after that), and
/// the tally matches the rows.
async fn is_sound(store: &PostgresStore, now: Timestamp) {
    const MISCOUNTED: &str = "SELECT count(*) FROM lane WHERE queued <> (SELECT count(*) FROM message
        WHERE message.lane = lane.lane AND message.fallback = lane.fallback AND message.state = 'queued')";
    const TOO_HIGH: &str = "SELECT
        (SELECT count(*) FROM message JOIN lane USING (lane, fallback) WHERE state IN ('queued', 'deferred')
             AND (lane.next_at IS NULL OR message.wakings > lane.wakings
                  OR lane.next_at > greatest(message.next_at, $1)))
        + (SELECT count(*) FROM message WHERE state IN ('queued', 'deferred')
             AND NOT EXISTS (SELECT 1 FROM lane WHERE lane.lane = message.lane AND lane.fallback = message.fallback))
        + (SELECT count(*) FROM lane LEFT JOIN destination USING (destination) WHERE lane.due_at IS NOT NULL
             AND (destination.next_at IS NULL OR destination.next_at > lane.due_at))";
    let too_high = sqlx::query_scalar::<_, i64>(TOO_HIGH).bind(now.as_millisecond());
    assert_eq!(too_high.fetch_one(&store.pool).await.unwrap(), 0, "a bound is too high");
    let miscounted = sqlx::query_scalar::<_, i64>(MISCOUNTED).fetch_one(&store.pool).await.unwrap();
    assert_eq!(miscounted, 0, "a lane's count is wrong");
    for _ in 0..2 {
        let rows = sqlx::query(
            "SELECT kind, sum(amount)::bigint AS told,
                 (SELECT count(*) FROM message WHERE state = kind) AS found
             FROM tally GROUP BY kind",
        )
        .fetch_all(&store.pool)
        .await
        .unwrap();
        for row in &rows {
            let (kind, told, found): (String, i64, i64) = (row.get(0), row.get(1), row.get(2));
            assert_eq!(told, found, "{kind}");
        }
        store.sweep(at(0), at(0)).await.unwrap();
    }
}

#[tokio::test]
async fn everything_at_once_leaves_every_bound_low_enough() {
    const ROUNDS: i64 = 12;
    const NAMES: [&str; 4] = ["a", "b", "c", "d"];
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    let worker = async |store: &PostgresStore, token: &'static str, turn: usize| {
        for second in 0..ROUNDS {
            let mut names = NAMES;
            names.rotate_left(turn);
            if turn % 2 == 1 {
                names.reverse();
            }
            let given: Vec<QueuedMessage> = names.iter().map(|name| message(name, second)).collect();
            store.insert_messages(&given).await.unwrap();
            let server = if second % 3 == 0 { "relay" } else { "own" };
            let claims = names.map(|name| claim(name, Some(server), token, second));
            let claimed = store.claim_through(&claims).await.unwrap();
            let mut settlements = Vec::new();
            let mut back = Vec::new();
            for (name, claimed) in names.iter().zip(&claimed) {
                for (number, row) in claimed.messages.iter().enumerate() {
                    match number % 3 {
                        0 => settlements.push(settlement(row.id, name, token, MessageState::Accepted, second)),
                        1 => settlements.push(settlement(row.id, name, token, MessageState::Deferred, second)),
                        _ => back.push(row.id),
                    }
                }
            }
            store.prolong(&[token.to_owned()], at(second + 60)).await.unwrap();
            let settled = store.settle(&settlements).await.unwrap();
            assert!(settled.iter().all(|one| one.done));
            store.release(token, &back, at(second + 5)).await.unwrap();
            store.due_lanes(server, at(second), 9).await.unwrap();
            store.due_lanes("", at(second), 9).await.unwrap();
            match second % 4 {
                0 => {
                    store.wake(&account(names[0]), at(second)).await.unwrap();
                }
                1 => store.rest_lane(&queue(names[1]), at(second + 2), None).await.unwrap(),
                2 => {
                    let rest = |rest: Rest| Rest { until: at(second + 1), ..rest };
                    store.rest_destination(server, &rest).await.unwrap();
                    store.ease(&["own".to_owned(), "relay".to_owned()]).await.unwrap();
                }
                _ => {
                    let behind = names.map(|name| Assignment { queue: queue(name), destination: server.to_owned() });
                    store.assign(&behind).await.unwrap();
                    store.purge(at(second), at(second), 50).await.unwrap();
                }
            }
        }
    };
    tokio::join!(worker(&one, "1", 0), worker(&other, "2", 1), worker(&one, "3", 2), worker(&other, "4", 3));
    is_sound(&one, at(ROUNDS)).await;
    // No message is unreachable: in the end all of them are claimed.
    let mut left: i64 = 0;
    for _ in 0..200 {
        let claims = NAMES.map(|name| Claim { limit: 50, ..claim(name, None, "last", 100_000) });
        one.claim_through(&claims).await.unwrap();
        left = sqlx::query_scalar("SELECT count(*) FROM message WHERE state IN ('queued', 'deferred')")
            .fetch_one(&one.pool)
            .await
            .unwrap();
        if left == 0 {
            break;
        }
    }
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_key_makes_one_message_however_many_give_it_at_once() {
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    for round in 0..10 {
        let keyed = |number| {
            let key = Some(format!("{round}-{number}"));
            QueuedMessage { idempotency_key: key, ..message("a", 1) }
        };
        let (forth, back) = ([keyed(1), keyed(2), keyed(3)], [keyed(3), keyed(2), keyed(1)]);
        let (first, second) = tokio::join!(one.insert_messages(&forth), other.insert_messages(&back));
        let (first, mut second) = (first.unwrap(), second.unwrap());
        second.reverse();
        for (a, b) in first.into_iter().zip(second) {
            assert!(matches!(
                (a, b),
                (Inserted::New, Inserted::Known { .. }) | (Inserted::Known { .. }, Inserted::New)
            ));
        }
    }
}

#[tokio::test]
async fn an_account_has_so_many_profiles_and_one_in_use_however_many_are_made_at_once() {
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    let martin = account("martin");
    let row = |number| ProfileRow { id: ProfileId(Uuid::from_u128(number)), ..contract::row(1, None) };
    let insert = async |store: &PostgresStore, number| {
        store.insert_profile(&martin, &row(number), 3, &contract::entry(number, 0)).await.unwrap()
    };
    let made = tokio::join!(insert(&one, 1), insert(&other, 2), insert(&one, 3), insert(&other, 4), insert(&one, 5));
    let made = [made.0, made.1, made.2, made.3, made.4];
    assert_eq!(made.iter().flatten().count(), 3, "{made:?}");
    let used = async || {
        let rows = one.profiles(&martin, None, 9).await.unwrap();
        rows.into_iter().filter(|row| row.in_use).map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(used().await.len(), 1);
    let there: Vec<ProfileId> = one.profiles(&martin, None, 9).await.unwrap().iter().map(|row| row.id).collect();
    let tell = |_: &ProfileRow| contract::entry(Uuid::new_v4().as_u128(), 0);
    for _ in 0..5 {
        let (a, b) = tokio::join!(
            one.put_in_use(&martin, there[0], None, &tell),
            other.put_in_use(&martin, there[1], None, &tell)
        );
        assert!(a.is_ok() && b.is_ok());
        assert_eq!(used().await.len(), 1);
    }
    // No decision is based on a row that another transaction changes meanwhile.
    let count = async |store: &PostgresStore| {
        for _ in 0..10 {
            let mut decide = |before: &ProfileRow| {
                let mut after = before.clone();
                after.settings.sender_name = format!("{}x", before.settings.sender_name);
                Change::Edit(Box::new(after), contract::entry(Uuid::new_v4().as_u128(), 0))
            };
            assert!(store.change_profile(&martin, there[0], &mut decide).await.unwrap());
        }
    };
    let before = one.profile(&martin, there[0]).await.unwrap().unwrap();
    tokio::join!(count(&one), count(&other));
    let after = one.profile(&martin, there[0]).await.unwrap().unwrap();
    assert_eq!(after.revision, before.revision + 20);
    assert_eq!(after.settings.sender_name.len(), before.settings.sender_name.len() + 20);
}

#[tokio::test]
async fn three_logins_at_once_and_no_more_wherever_they_begin() {
    let Some(one) = cluster::store().await else { return };
    let other = cluster::beside(&one).await;
    let claim = |store: PostgresStore| async move {
        let claim =
            LoginClaim { id: Uuid::new_v4(), key: [7; 32], now: at(1), until: at(1) + LEASE, again_after: None };
        store.claim_logins(&[claim], &admit).await.unwrap()[0]
    };
    let admitted =
        join_all((0..10).map(|number| claim(if number % 2 == 0 { one.clone() } else { other.clone() }))).await;
    assert_eq!(admitted.iter().filter(|one| **one == Admission::Granted).count(), 3, "{admitted:?}");
}
