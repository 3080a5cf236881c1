//! Server side. Lanes that may be served now, in order of arrival: a cache of the database. What is lost here is found
//! again at the next poll.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    admission::{Pace, Party},
    store::outbox::{DueDestination, Queue},
};

/// A lane, and the party whose share its conversations take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub queue: Queue,
    pub party: Party,
}

/// Ready lanes by the pace of their parties: one pace does not wait for the slots of another.
#[derive(Default)]
pub(super) struct Ready {
    quick: VecDeque<Item>,
    new: VecDeque<Item>,
    slow: VecDeque<Item>,
    /// All of them: each lane is in the queues once.
    present: HashSet<Queue>,
    /// Destinations with which a conversation has just ended.
    ended: HashSet<String>,
    /// Lanes and destinations in back-off, with its end.
    skipped: HashMap<String, Instant>,
    /// The destination read last.
    pub cursor: Option<DueDestination>,
}

impl Ready {
    fn of(&mut self, pace: Pace) -> &mut VecDeque<Item> {
        match pace {
            Pace::Quick => &mut self.quick,
            Pace::New => &mut self.new,
            Pace::Slow => &mut self.slow,
        }
    }

    pub fn add(&mut self, item: Item, pace: Pace) {
        if self.present.insert(item.queue.clone()) {
            self.of(pace).push_back(item);
        }
    }

    /// The lane whose party has the fewest conversations (`used`); among equals, the first to arrive.
    pub fn take(&mut self, pace: Pace, used: impl Fn(&Party) -> u32) -> Option<Item> {
        let mut first: Option<(u32, usize)> = None;
        for (at, item) in self.of(pace).iter().enumerate() {
            let has = used(&item.party);
            if first.is_none_or(|(fewest, _)| has < fewest) {
                first = Some((has, at));
            }
            if has == 0 {
                break;
            }
        }
        let item = self.of(pace).remove(first?.1)?;
        self.present.remove(&item.queue);
        Some(item)
    }

    /// There was no slot: the lane stays first.
    pub fn put_back(&mut self, item: Item, pace: Pace) {
        if self.present.insert(item.queue.clone()) {
            self.of(pace).push_front(item);
        }
    }

    pub fn len(&self) -> usize {
        self.present.len()
    }

    pub fn ended(&mut self, destination: String) {
        self.skipped.remove(&destination);
        self.ended.insert(destination);
    }

    pub fn take_ended(&mut self) -> HashSet<String> {
        std::mem::take(&mut self.ended)
    }

    pub fn skip(&mut self, key: String, wait: Duration) {
        self.skipped.insert(key, Instant::now() + wait);
    }

    pub fn is_skipped(&self, key: &str) -> bool {
        self.skipped.get(key).is_some_and(|until| *until > Instant::now())
    }

    /// Ends all back-offs, after a change.
    pub fn forget_skipped(&mut self) {
        self.skipped.clear();
    }

    pub fn tidy(&mut self) {
        let now = Instant::now();
        self.skipped.retain(|_, until| *until > now);
    }
}

#[cfg(test)]
mod tests {
    use app::session::AccountId;

    use super::*;
    use crate::store::outbox::Lane;

    fn item(name: &str) -> Item {
        let account = AccountId { portal: "demo".to_owned(), account: name.to_owned() };
        let party = Party::Account(account.clone());
        Item { queue: Queue { lane: Lane { account, user: None }, fallback: false }, party }
    }

    #[test]
    fn each_lane_stands_there_once_and_keeps_its_place() {
        let mut ready = Ready::default();
        for name in ["a", "b", "a", "c"] {
            ready.add(item(name), Pace::New);
        }
        assert_eq!(ready.len(), 3);
        let first = ready.take(Pace::New, |_| 1).unwrap();
        assert_eq!(first, item("a"));
        ready.put_back(first, Pace::New);
        let order: Vec<Item> = std::iter::from_fn(|| ready.take(Pace::New, |_| 1)).collect();
        assert_eq!(order, [item("a"), item("b"), item("c")]);
        assert_eq!((ready.len(), ready.take(Pace::Quick, |_| 0)), (0, None));
    }

    #[test]
    fn who_has_the_fewest_conversations_comes_first() {
        let mut ready = Ready::default();
        for name in ["busy", "idle", "busier", "other"] {
            ready.add(item(name), Pace::Quick);
        }
        let used = |party: &Party| match party {
            Party::Account(account) if account.account == "busy" => 2,
            Party::Account(account) if account.account == "busier" => 3,
            _ => 0,
        };
        let order: Vec<Item> = std::iter::from_fn(|| ready.take(Pace::Quick, used)).collect();
        assert_eq!(order, ["idle", "other", "busy", "busier"].map(item));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_skipped_is_looked_at_after_its_time_or_when_it_ends() {
        let mut ready = Ready::default();
        ready.skip("one".to_owned(), Duration::from_secs(2));
        ready.skip("two".to_owned(), Duration::from_secs(2));
        ready.ended("two".to_owned());
        assert_eq!((ready.is_skipped("one"), ready.is_skipped("two")), (true, false));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!ready.is_skipped("one"));
    }
}
