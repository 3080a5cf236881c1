//! Work that may take long, where nothing else waits for the thread.
//!
//! The runtime's threads are shared by all conversations, pages and requests: what one of them computes, the others wait for. A
//! millisecond is little among replies that take ten; what may take longer, for the largest input that is let in, comes here.

use std::{
    num::NonZero,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::runtime::{Handle, RuntimeFlavor};

/// From so many bytes on, work on each byte of a message (copies, base64, encryption) may take a millisecond.
pub const LARGE: usize = 64 * 1024;

/// How many processors this machine has.
pub(crate) static PROCESSORS: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZero::get));
/// How many calls have the runtime start another thread now: one for each processor at most. More threads would not finish
/// sooner, and each keeps memory of its own.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// One of those calls, until it is dropped.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let more = |count| (count < *PROCESSORS).then_some(count + 1);
        UNDER_WAY.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Does what may take `long`: the runtime's other tasks go on meanwhile, on another thread.
pub fn aside<T>(long: bool, work: impl FnOnce() -> T) -> T {
    let others = || Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if !(long && others()) {
        return work();
    }
    match Place::take() {
        Some(_place) => tokio::task::block_in_place(work),
        None => work(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use super::*;

    /// Proves that `work` leaves the thread to others. For a runtime with one thread.
    pub(crate) async fn leaves_the_thread(name: &str, work: impl Fn() + Send + 'static) {
        let other_ran = tokio::spawn(async move {
            let ran = Arc::new(AtomicBool::new(false));
            let mark = ran.clone();
            tokio::spawn(async move { mark.store(true, Ordering::SeqCst) });
            // Nothing here waits: unless the work leaves the thread, the other task never runs.
            (0..1_000).any(|_| {
                work();
                ran.load(Ordering::SeqCst)
            })
        });
        assert!(other_ran.await.unwrap(), "{name}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn long_work_leaves_the_thread() {
        leaves_the_thread("long", || aside(true, || {})).await;
    }

    #[test]
    fn a_place_that_is_not_there_is_not_given_back() {
        let places: Vec<Place> = std::iter::from_fn(Place::take).collect();
        // These are refused, and must not be counted down.
        let _ = (Place::take(), Place::take());
        drop(places);
        assert!(UNDER_WAY.load(Ordering::SeqCst) <= *PROCESSORS);
    }

    #[tokio::test]
    async fn a_runtime_with_one_thread_for_everything_works_on_the_spot() {
        assert_eq!(aside(true, || 2), 2);
    }
}
