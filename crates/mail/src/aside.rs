//! Work that may take long, where nothing else waits for the thread.
//!
//! The runtime's threads are shared by all conversations, pages and requests: what one of them computes, the others wait for. A
//! millisecond is little among replies that take ten; what may take longer, for the largest input that is let in, comes here.

use tokio::runtime::{Handle, RuntimeFlavor};

/// From so many bytes on, work on each byte of a message (copies, base64, encryption) may take a millisecond.
pub const LARGE: usize = 64 * 1024;

/// Does what may take `long`: the runtime's other tasks go on meanwhile, on another thread.
pub fn aside<T>(long: bool, work: impl FnOnce() -> T) -> T {
    let others = || Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if long && others() { tokio::task::block_in_place(work) } else { work() }
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

    #[tokio::test]
    async fn a_runtime_with_one_thread_for_everything_works_on_the_spot() {
        assert_eq!(aside(true, || 2), 2);
    }
}
