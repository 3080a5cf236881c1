//! Server side. How many recipients each server takes in a transaction, where it has shown a limit: the next message is
//! split before it is sent, not after a refusal (RFC 5321 §4.5.3.1.10). In memory, and forgotten after a while: a limit
//! may be temporary.
//!
//! A limit seen in one transaction is a guess, since the server may have meant something else, and is kept for minutes.
//! When the server takes that many in the next transaction, the limit is kept for an hour; when it takes none, the
//! guess was wrong.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::test_run::report::{Report, Verdict};
use tokio::time::Instant;

use super::{destinations::DestinationId, judge::takes_nobody_any_more};

const GUESSED: Duration = Duration::from_secs(5 * 60);
const KNOWN: Duration = Duration::from_secs(60 * 60);
/// Most servers to remember.
const MOST: usize = 10_000;

#[derive(Clone, Copy)]
struct Limit {
    most: usize,
    at: Instant,
    /// The server has taken this many since.
    confirmed: bool,
}

impl Limit {
    fn holds(&self, now: Instant) -> bool {
        now.duration_since(self.at) < if self.confirmed { KNOWN } else { GUESSED }
    }
}

#[derive(Clone, Default)]
pub struct RecipientLimits(Arc<Mutex<HashMap<DestinationId, Limit>>>);

impl RecipientLimits {
    /// The server seems to take this many and no more.
    pub fn learn(&self, id: &DestinationId, most: usize) {
        let now = Instant::now();
        let mut limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if limits.len() >= MOST && !limits.contains_key(id) {
            limits.retain(|_, limit| limit.holds(now));
            // Evict another one: without its limit, this server's next transaction would fail as well.
            if limits.len() >= MOST
                && let Some(other) = limits.keys().next().cloned()
            {
                limits.remove(&other);
            }
        }
        limits.insert(id.clone(), Limit { most: most.max(1), at: now, confirmed: false });
    }

    /// Confirms or drops a guessed limit after a transaction with `tried` recipients.
    pub fn told(&self, id: &DestinationId, report: &Report, tried: usize) {
        let mut limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(limit) = limits.get_mut(id).filter(|limit| !limit.confirmed && limit.most == tried) else { return };
        if report.verdict == Verdict::Accepted && report.recipients.iter().all(|one| one.accepted) {
            (limit.confirmed, limit.at) = (true, Instant::now());
        } else if takes_nobody_any_more(report) {
            limits.remove(id);
        }
    }

    /// How many recipients to name in one transaction; `None`: all of them.
    pub fn of(&self, id: &DestinationId) -> Option<usize> {
        let limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        limits.get(id).filter(|limit| limit.holds(Instant::now())).map(|limit| limit.most)
    }

    /// The server's settings were changed.
    pub fn forget(&self, id: &DestinationId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn relay(portal: &str) -> DestinationId {
        DestinationId::Relay(portal.to_owned())
    }

    fn report(taken: bool) -> Report {
        let recipient = json!({ "address": "a@x.example", "accepted": taken, "cause": (!taken).then_some("server_busy"),
            "retryable": !taken, "reply": null });
        serde_json::from_value(json!({
            "verdict": if taken { "accepted" } else { "failed" }, "stage": if taken { "data" } else { "rcpt_to" },
            "cause": null, "retryable": true, "reply": null, "round_trips": 1, "queue_id": null, "capabilities": [],
            "tls": null, "recipients": [recipient], "stages": [], "transcript": [],
        }))
        .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_is_guessed_for_minutes_and_known_for_an_hour() {
        let limits = RecipientLimits::default();
        limits.learn(&relay("a"), 3);
        assert_eq!((limits.of(&relay("a")), limits.of(&relay("b"))), (Some(3), None));
        tokio::time::advance(GUESSED).await;
        assert_eq!(limits.of(&relay("a")), None);
        limits.learn(&relay("a"), 3);
        limits.told(&relay("a"), &report(true), 2);
        limits.told(&relay("a"), &report(true), 3);
        tokio::time::advance(GUESSED).await;
        assert_eq!(limits.of(&relay("a")), Some(3), "confirmed: three were accepted");
        limits.told(&relay("a"), &report(false), 3);
        assert_eq!(limits.of(&relay("a")), Some(3), "one refusal does not drop a confirmed limit");
        tokio::time::advance(KNOWN).await;
        assert_eq!(limits.of(&relay("a")), None);
        limits.learn(&relay("a"), 50);
        limits.forget(&relay("a"));
        assert_eq!(limits.of(&relay("a")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_guess_that_takes_nobody_was_wrong_and_there_is_always_room_for_another() {
        let limits = RecipientLimits::default();
        limits.learn(&relay("a"), 1);
        limits.told(&relay("a"), &report(false), 1);
        assert_eq!(limits.of(&relay("a")), None);
        for number in 0..=MOST {
            limits.learn(&relay(&number.to_string()), 2);
        }
        assert_eq!(limits.of(&relay(&MOST.to_string())), Some(2));
        assert_eq!(limits.0.lock().unwrap().len(), MOST);
    }
}
