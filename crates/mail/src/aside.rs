//! Runs long computations without blocking the runtime's worker threads.
//!
//! All conversations, pages and requests share those threads, so a computation on one of them delays the others. A
//! millisecond hardly matters beside replies that take ten. Work that may take longer for its largest permitted input
//! goes through this module.

use std::{
    num::NonZero,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::runtime::{Handle, RuntimeFlavor};

/// In bytes. From this size on, work on each byte of a message (copying, base64, encryption) may take a millisecond.
pub const LARGE: usize = 64 * 1024;

/// The number of processors of this machine.
pub(crate) static PROCESSORS: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZero::get));
/// How many calls occupy another runtime thread now: at most one for each processor. More threads would not finish
/// sooner, and each one needs memory.
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

/// Runs `work`. If it may take `long`, the runtime's other tasks move to another thread meanwhile.
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

    /// Proves that `work` does not block the runtime's other tasks. For a runtime with one thread.
    pub(crate) async fn leaves_the_thread(name: &str, work: impl Fn() + Send + 'static) {
        let other_ran = tokio::spawn(async move {
            let ran = Arc::new(AtomicBool::new(false));
            let mark = ran.clone();
            tokio::spawn(async move { mark.store(true, Ordering::SeqCst) });
            // Nothing here waits: unless `work` leaves the thread, the other task never runs.
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
        // Refused calls, which must not reduce the count.
        let _ = (Place::take(), Place::take());
        drop(places);
        assert!(UNDER_WAY.load(Ordering::SeqCst) <= *PROCESSORS);
    }

    #[tokio::test]
    async fn a_runtime_with_one_thread_for_everything_works_on_the_spot() {
        assert_eq!(aside(true, || 2), 2);
    }
}
