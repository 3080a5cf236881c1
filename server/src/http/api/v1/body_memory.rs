//! Server side. The memory budget for message bodies.
//!
//! Memory is taken as bytes arrive, not as a header announces them, and each portal has its own budget, so that one
//! portal's bodies, or missing bodies, take nothing from another. A small body is read at once. A large one waits,
//! unread, until its portal's budget has room; TCP flow control holds its sender back meanwhile. Large bodies are
//! parsed one at a time, since parsing needs the most memory.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::body::Body;
use http_body_util::BodyExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::timeout,
};

use super::messages::LARGEST_BODY;
use crate::http::{
    api::problem::{Code, Problem},
    connections::body::is_timeout,
};

/// Largest small body, in bytes.
const SMALL: usize = 256 * 1024;
/// For the small bodies of one portal, in KiB.
const SMALL_BUDGET: usize = 16 * 1024;
/// Memory is acquired in steps of this size, in KiB.
const STEP: usize = 4;
/// From this size on, in bytes, bodies are parsed one at a time.
const HEAVY: usize = 1024 * 1024;
/// How long a large body waits for its portal's budget.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long any body waits for the shared memory.
const SHORT_PATIENCE: Duration = Duration::from_secs(5);

/// How much memory bodies may take, in MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyBudget {
    pub in_all: usize,
    /// For the large bodies of one portal. One body of the largest size always fits.
    pub per_portal: usize,
}

impl Default for BodyBudget {
    fn default() -> Self {
        Self { in_all: 256, per_portal: 64 }
    }
}

/// Hands out memory for bodies.
pub struct BodyMemory {
    all: Arc<Semaphore>,
    portals: HashMap<String, Budget>,
    large: usize,
    heavy: Semaphore,
}

struct Budget {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// The memory that a body holds, freed on drop.
#[derive(Default)]
pub struct BodyPermit {
    /// In KiB, of the shared memory.
    kib: usize,
    small_kib: usize,
    is_large: bool,
    permits: Vec<OwnedSemaphorePermit>,
}

fn take(permits: usize) -> u32 {
    u32::try_from(permits).unwrap_or(u32::MAX)
}

impl BodyMemory {
    pub fn new<'a>(portals: impl Iterator<Item = &'a str>, budget: BodyBudget) -> Self {
        let largest = LARGEST_BODY / 1024;
        let large = (budget.per_portal * 1024).max(largest);
        let portals = portals.map(|id| {
            let budget =
                Budget { small: Arc::new(Semaphore::new(SMALL_BUDGET)), large: Arc::new(Semaphore::new(large)) };
            (id.to_owned(), budget)
        });
        Self {
            all: Arc::new(Semaphore::new((budget.in_all * 1024).max(largest + STEP))),
            portals: portals.collect(),
            large,
            heavy: Semaphore::new(1),
        }
    }

    /// Reads a body of a portal. `declared` is the length it announces.
    pub async fn read(
        &self,
        portal: &str,
        mut body: Body,
        declared: Option<usize>,
    ) -> Result<(Vec<u8>, BodyPermit), Problem> {
        let (mut bytes, mut held) = (Vec::new(), BodyPermit::default());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                if is_timeout(&error) {
                    Problem::new(Code::BodyTooSlow)
                } else {
                    Problem::detailed(Code::InvalidRequest, "the body ended early")
                }
            })?;
            let Ok(data) = frame.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > LARGEST_BODY {
                return Err(Problem::new(Code::TooLarge));
            }
            if !self.has_room(portal, &mut held, length, declared).await {
                return Err(Problem::new(Code::Busy));
            }
            if held.is_large
                && let Some(declared) = declared
            {
                // Reserve once instead of growing repeatedly. Untouched memory costs nothing.
                bytes.reserve_exact(declared.min(LARGEST_BODY).saturating_sub(bytes.len()));
            }
            bytes.extend_from_slice(&data);
        }
        Ok((bytes, held))
    }

    /// Acquires the missing memory for a body of `length` bytes.
    async fn has_room(&self, portal: &str, held: &mut BodyPermit, length: usize, declared: Option<usize>) -> bool {
        let Some(budget) = self.portals.get(portal) else { return false };
        let needed = length.div_ceil(STEP * 1024) * STEP;
        if length <= SMALL && needed > held.small_kib {
            let Ok(permit) = budget.small.clone().try_acquire_many_owned(take(needed - held.small_kib)) else {
                return false;
            };
            held.permits.push(permit);
            held.small_kib = needed;
        }
        if length > SMALL && !held.is_large {
            let whole = declared.unwrap_or(LARGEST_BODY).max(length).div_ceil(1024).min(self.large);
            let Ok(Ok(permit)) = timeout(PATIENCE, budget.large.clone().acquire_many_owned(take(whole))).await else {
                return false;
            };
            held.permits.push(permit);
            held.is_large = true;
        }
        if needed > held.kib {
            let missing = self.all.clone().acquire_many_owned(take(needed - held.kib));
            let Ok(Ok(permit)) = timeout(SHORT_PATIENCE, missing).await else { return false };
            held.permits.push(permit);
            held.kib = needed;
        }
        true
    }

    /// The permit to parse a body of this size; `None` for small ones, which need none.
    pub async fn parse_permit(&self, length: usize) -> Option<SemaphorePermit<'_>> {
        if length < HEAVY { None } else { self.heavy.acquire().await.ok() }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::sync::mpsc;

    use super::*;

    /// A body made of the chunks that the test sends.
    fn told() -> (mpsc::Sender<Bytes>, Body) {
        let (sender, mut receiver) = mpsc::channel::<Bytes>(1);
        let stream = async_stream::stream! {
            while let Some(bytes) = receiver.recv().await {
                yield Ok::<_, std::convert::Infallible>(bytes);
            }
        };
        (sender, Body::from_stream(stream))
    }

    fn memory() -> Arc<BodyMemory> {
        Arc::new(BodyMemory::new(["one", "other"].into_iter(), BodyBudget::default()))
    }

    const LARGE: usize = 31 * 1024 * 1024;

    #[tokio::test]
    async fn what_is_announced_and_does_not_come_takes_nothing() {
        let memory = memory();
        let mut silent = Vec::new();
        for _ in 0..100 {
            let (sender, body) = told();
            let memory = memory.clone();
            silent.push((sender, tokio::spawn(async move { memory.read("one", body, Some(LARGE)).await.is_ok() })));
        }
        for (sender, _) in &silent {
            sender.send(Bytes::from_static(b"{")).await.unwrap();
        }
        let body = Body::from(vec![b' '; LARGE]);
        for portal in ["one", "other"] {
            let read = memory.read(portal, Body::from(vec![b' '; 1_000]), Some(1_000)).await;
            assert_eq!(read.ok().unwrap().0.len(), 1_000, "{portal}");
        }
        assert_eq!(memory.read("one", body, Some(LARGE)).await.ok().unwrap().0.len(), LARGE);
        for (sender, read) in silent {
            drop(sender);
            assert!(read.await.unwrap());
        }
        assert_eq!(memory.all.available_permits(), 256 * 1024, "all memory is freed");
    }

    #[tokio::test(start_paused = true)]
    async fn large_bodies_of_one_portal_wait_for_each_other_and_for_nobody_else() {
        let memory = memory();
        let mut under_way = Vec::new();
        for _ in 0..3 {
            let (sender, body) = told();
            let reader = memory.clone();
            under_way.push((sender, tokio::spawn(async move { reader.read("one", body, Some(LARGE)).await.is_ok() })));
        }
        for (sender, _) in &under_way {
            sender.send(Bytes::from(vec![b' '; 2 * SMALL])).await.unwrap();
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let taken = 256 * 1024 - memory.all.available_permits();
        assert_eq!(taken, 2 * 512, "the third waits without taking any");
        let other = memory.read("other", Body::from(vec![b' '; LARGE]), Some(LARGE)).await;
        assert!(other.is_ok(), "another portal has a budget of its own");
        let (first, read) = under_way.remove(0);
        drop(first);
        assert!(read.await.unwrap());
        let (_, third) = under_way.pop().unwrap();
        assert!(third.await.unwrap(), "it gets the memory of the first");
    }

    #[tokio::test]
    async fn what_is_too_long_is_not_read_to_its_end() {
        let memory = memory();
        let body = Body::from_stream(async_stream::stream! {
            loop {
                yield Ok::<_, std::convert::Infallible>(Bytes::from(vec![b' '; 1024 * 1024]));
            }
        });
        let problem = memory.read("one", body, None).await.err().unwrap();
        assert_eq!(problem.code, Code::TooLarge);
    }
}
