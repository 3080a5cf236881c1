//! Server side. How many descriptors the process may open, and how many of them client connections may use: the rest is
//! reserved for mail servers, the DNS and the database.

/// Reserved for the database, the log, listeners, webhooks.
const KEPT: u64 = 128;
/// For each worker: its connection, an idle one, and two DNS queries.
const PER_WORKER: u64 = 4;
/// More descriptors are of no use.
#[cfg(unix)]
const MOST: u64 = 65_536;

/// Raises the soft limit to the hard one, and returns the present limit; `None` where there is none.
#[cfg(unix)]
pub(super) fn raise() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(MOST).min(MOST);
    if current.is_some_and(|current| current < wanted)
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })
    {
        tracing::warn!(error = &error as &dyn std::error::Error, "cannot raise the limit of file descriptors");
    }
    getrlimit(Resource::Nofile).current
}

#[cfg(not(unix))]
pub(super) fn raise() -> Option<u64> {
    None
}

/// How many of the `wanted` connections the descriptors allow.
pub(super) fn connections(wanted: usize, descriptors: Option<u64>, workers: usize) -> usize {
    let Some(descriptors) = descriptors else { return wanted };
    let kept = KEPT + PER_WORKER * workers as u64;
    // With few descriptors, clients get a quarter of them.
    let left = descriptors - kept.min(descriptors / 4 * 3);
    wanted.min(usize::try_from(left).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_and_database_keep_theirs() {
        assert_eq!(connections(2_000, None, 64), 2_000);
        assert_eq!(connections(2_000, Some(65_536), 64), 2_000);
        assert_eq!(connections(2_000, Some(1_024), 64), 1_024 - 128 - 256);
        assert_eq!(connections(2_000, Some(64), 64), 16);
        assert_eq!(connections(10, Some(1_024), 64), 10);
    }
}
