//! Server side. The places this replica holds of each limit. The database says how many it may have; this counts how
//! many of them are in use. Nothing here waits.
//!
//! Writes to the database are always a number of places to have, never a difference: after the next write, the outcome
//! of a failed one does not matter.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::store::replicas::PlaceTarget;

/// A request to the database. A group of requests is answered before the next one is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    /// One more place.
    Take { name: String, most: u32 },
    /// Releases all places that are not in use.
    Return { name: String },
}

impl Request {
    fn name(&self) -> &str {
        match self {
            Self::Take { name, .. } | Self::Return { name } => name,
        }
    }
}

#[derive(Debug, Default)]
struct Holding {
    /// Places granted by the database.
    granted: u32,
    /// The limit's number of places when the last one was granted.
    most: u32,
    used: u32,
    /// A query is running: only the database decides meanwhile.
    asking: bool,
    /// The database may have granted more than is known here.
    doubtful: bool,
    /// Since when a place is unused.
    idle_since: Option<Instant>,
    wanted: bool,
}

impl Holding {
    const fn has_idle(&self) -> bool {
        self.doubtful || self.granted > self.used
    }
}

/// Everything this replica holds.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    by_name: HashMap<String, Holding>,
    /// Generation, counted up when everything is lost: places from an earlier one are invalid.
    epoch: u64,
}

impl Holdings {
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Takes an unused place, unless it was granted under a larger limit.
    pub fn take(&mut self, name: &str, most: u32) -> Option<u64> {
        let holding = self.by_name.get_mut(name)?;
        let free = !holding.asking && holding.granted > holding.used && holding.most <= most;
        free.then(|| {
            holding.used += 1;
            holding.wanted = false;
            self.epoch
        })
    }

    pub fn in_use(&self, name: &str) -> u32 {
        self.by_name.get(name).map_or(0, |holding| holding.used)
    }

    /// The targets to set in the database.
    pub fn plan(&mut self, requests: &[Request]) -> Vec<PlaceTarget> {
        let mut more: HashMap<&str, u32> = HashMap::new();
        requests
            .iter()
            .map(|request| {
                let holding = self.by_name.entry(request.name().to_owned()).or_default();
                let more = more.entry(request.name()).or_default();
                holding.asking = true;
                let most = match request {
                    Request::Take { most, .. } => {
                        *more += 1;
                        *most
                    }
                    Request::Return { .. } => 0,
                };
                PlaceTarget { name: request.name().to_owned(), target: holding.used + *more, most }
            })
            .collect()
    }

    /// Applies the database's answer, and returns which requests got a place. `None`: it did not answer.
    pub fn settle(
        &mut self,
        epoch: u64,
        requests: &[Request],
        targets: &[PlaceTarget],
        set: Option<&[bool]>,
    ) -> Vec<bool> {
        let mut granted = vec![false; requests.len()];
        if epoch != self.epoch {
            for request in requests {
                self.by_name.entry(request.name().to_owned()).or_default().doubtful = true;
            }
            return granted;
        }
        for (number, (request, target)) in requests.iter().zip(targets).enumerate() {
            let Some(holding) = self.by_name.get_mut(request.name()) else { continue };
            holding.asking = false;
            match set.map(|set| set.get(number).copied().unwrap_or_default()) {
                Some(true) => {
                    holding.granted = target.target;
                    holding.doubtful = false;
                    if let Request::Take { most, .. } = request {
                        holding.most = *most;
                        holding.used += 1;
                        granted[number] = true;
                    }
                }
                Some(false) => {}
                None => {
                    holding.granted = holding.granted.min(holding.used);
                    holding.doubtful = true;
                }
            }
        }
        granted
    }

    /// Returns a place that was in use.
    fn give(&mut self, name: &str, epoch: u64) {
        if epoch == self.epoch
            && let Some(holding) = self.by_name.get_mut(name)
        {
            holding.used -= 1;
            holding.idle_since = Some(Instant::now());
        }
    }

    /// Another replica wants a place.
    pub fn wanted(&mut self, name: &str) {
        if let Some(holding) = self.by_name.get_mut(name) {
            holding.wanted = true;
        }
    }

    /// The limits with places to release. Limits without any are forgotten.
    pub fn idle(&mut self, now: Instant, kept: Duration) -> Vec<String> {
        self.by_name.retain(|_, holding| holding.asking || holding.doubtful || holding.granted > 0 || holding.used > 0);
        let is_idle = |holding: &Holding| {
            let long = holding.idle_since.is_none_or(|since| now.duration_since(since) >= kept);
            !holding.asking && holding.has_idle() && (long || holding.wanted || holding.doubtful)
        };
        self.by_name.iter().filter(|(_, holding)| is_idle(holding)).map(|(name, _)| name.clone()).collect()
    }

    /// All places belong to others now.
    pub fn lose(&mut self) {
        self.epoch += 1;
        self.by_name.clear();
    }
}

/// A place of a limit; freed on drop.
#[derive(Debug)]
pub struct Place(Option<Held>);

#[derive(Debug)]
struct Held {
    holdings: Arc<Mutex<Holdings>>,
    name: String,
    epoch: u64,
}

impl Place {
    /// A place of a limit that is counted in the process.
    pub const fn unlimited() -> Self {
        Self(None)
    }

    pub(super) fn new(holdings: &Arc<Mutex<Holdings>>, name: String, epoch: u64) -> Self {
        Self(Some(Held { holdings: holdings.clone(), name, epoch }))
    }

    /// Whether it was not lost since.
    pub fn is_held(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|held| held.holdings.lock().unwrap_or_else(PoisonError::into_inner).epoch == held.epoch)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(Held { holdings, name, epoch }) = self.0.take() {
            holdings.lock().unwrap_or_else(PoisonError::into_inner).give(&name, epoch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Duration = Duration::from_secs(2);

    fn take(name: &str, most: u32) -> Request {
        Request::Take { name: name.to_owned(), most }
    }

    /// Requests places, as if the database had this many left for us.
    fn ask(holdings: &mut Holdings, requests: &[Request], left: u32) -> Vec<bool> {
        let targets = holdings.plan(requests);
        let set: Vec<bool> = targets.iter().map(|target| target.target <= left).collect();
        let epoch = holdings.epoch();
        holdings.settle(epoch, requests, &targets, Some(&set))
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_is_there_costs_no_question_and_goes_back_after_a_while() {
        let mut holdings = Holdings::default();
        assert_eq!(holdings.take("a", 2), None, "none was granted yet");
        assert_eq!(ask(&mut holdings, &[take("a", 2), take("a", 2), take("a", 2)], 2), [true, true, false]);
        assert_eq!(holdings.take("a", 2), None);
        holdings.give("a", 0);
        assert_eq!(holdings.take("a", 1), None, "with one place in total, another replica may hold it");
        assert!(holdings.take("a", 2).is_some());
        holdings.give("a", 0);
        assert!(holdings.idle(Instant::now(), KEPT).is_empty());
        holdings.wanted("a");
        assert_eq!(holdings.idle(Instant::now(), KEPT), ["a"], "another replica wants it");
        holdings.by_name.get_mut("a").unwrap().wanted = false;
        tokio::time::advance(KEPT).await;
        assert_eq!(holdings.idle(Instant::now(), KEPT), ["a"]);
        let back = [Request::Return { name: "a".to_owned() }];
        assert_eq!(holdings.plan(&back), [PlaceTarget { name: "a".to_owned(), target: 1, most: 0 }]);
        assert_eq!(holdings.take("a", 2), None, "during a query only the database decides");
    }

    #[tokio::test]
    async fn what_became_of_a_write_is_settled_by_the_next_one() {
        let mut holdings = Holdings::default();
        let requests = [take("a", 2)];
        let targets = holdings.plan(&requests);
        assert_eq!(holdings.settle(0, &requests, &targets, None), [false]);
        assert_eq!(holdings.idle(Instant::now(), KEPT), ["a"], "the database may have granted it");
        let back = [Request::Return { name: "a".to_owned() }];
        assert_eq!(holdings.plan(&back)[0].target, 0);
        let targets = holdings.plan(&back);
        holdings.settle(0, &back, &targets, Some(&[true]));
        assert!(holdings.idle(Instant::now(), KEPT).is_empty() && holdings.by_name.is_empty());
    }

    #[tokio::test]
    async fn what_was_lost_is_not_given_back() {
        let holdings = Arc::new(Mutex::new(Holdings::default()));
        let taken = || {
            let mut held = holdings.lock().unwrap();
            assert_eq!(ask(&mut held, &[take("a", 2)], 2), [true]);
            Place::new(&holdings, "a".to_owned(), held.epoch())
        };
        let before = taken();
        holdings.lock().unwrap().lose();
        let after = taken();
        assert_eq!((before.is_held(), after.is_held()), (false, true));
        drop(before);
        assert_eq!(holdings.lock().unwrap().by_name["a"].used, 1);
        drop(after);
        assert_eq!(holdings.lock().unwrap().by_name["a"].used, 0);
        // Ignore a stale answer.
        let mut held = holdings.lock().unwrap();
        let (epoch, requests) = (held.epoch(), [take("a", 2)]);
        let targets = held.plan(&requests);
        held.lose();
        assert_eq!(held.settle(epoch, &requests, &targets, Some(&[true])), [false]);
        assert_eq!(held.idle(Instant::now(), KEPT), ["a"], "the places it set are released");
    }
}
