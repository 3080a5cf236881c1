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
