//! Server side. Destinations that the form refused because the operator does not allow them. A few a minute are written
//! to the log and to the account's history; all are counted.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc};

use app::{
    error::AppError,
    journal::model::{Action, Author},
    profile::field::{Fault, Field, FieldError},
    session::AccountId,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::ProfileService;
use crate::{metrics::Metrics, store::StoreError};

/// Entries of an account per minute.
const PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
/// Above this number of accounts, those without recent refusals are forgotten.
const MANY_ACCOUNTS: usize = 10_000;
/// Longest destination that is written down.
const LONGEST: usize = 80;

/// Limits how much is written to the log and the histories.
#[derive(Clone)]
pub(super) struct Blocked {
    pace: Arc<DefaultKeyedRateLimiter<AccountId>>,
    pub(super) metrics: Option<Arc<Metrics>>,
}

impl Default for Blocked {
    fn default() -> Self {
        Self { pace: Arc::new(RateLimiter::keyed(Quota::per_minute(PER_MINUTE))), metrics: None }
    }
}

impl ProfileService {
    /// Records that the destination `host` and `port` was refused, as typed.
    pub(super) async fn note_blocked(
        &self,
        by: Author<'_>,
        (host, port): (&str, &str),
        errors: &[FieldError],
    ) -> Result<(), AppError> {
        let refused = |field, fault| errors.contains(&FieldError::new(field, fault));
        let host_refused = refused(Field::Host, Fault::HostNotAllowed);
        let port_refused = refused(Field::Port, Fault::PortNotAllowed);
        if !host_refused && !port_refused {
            return Ok(());
        }
        for (what, refused) in [("host", host_refused), ("port", port_refused)] {
            if let Some(metrics) = self.blocked.metrics.as_ref().filter(|_| refused) {
                metrics.blocked_destination(what);
            }
        }
        if self.blocked.pace.len() > MANY_ACCOUNTS {
            self.blocked.pace.retain_recent();
        }
        if self.blocked.pace.check_key(by.account).is_err() {
            return Ok(());
        }
        let destination = shown(host, port);
        let AccountId { portal, account } = by.account;
        tracing::warn!(portal, account, person = ?by.person.id, destination = ?destination, "blocked_destination");
        let entry = self.entry(by, Action::DestinationBlocked { destination }, None);
        self.store.note_refusal(by.account, &entry).await.map_err(StoreError::log)
    }
}

/// The part of a destination that may be written down. A password typed into the wrong field must not end up in a log:
/// a host is shown when it is an address or has a dot, a port when it is a number.
fn shown(host: &str, port: &str) -> String {
    let host = host.trim();
    let bare = host.trim_matches(['[', ']']);
    let is_address = bare.parse::<IpAddr>().is_ok();
    let local = ["localhost", "localhost."].contains(&host.to_lowercase().as_str());
    let name = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let host = if is_address || local || (host.contains('.') && host.chars().all(name)) { host } else { "…" };
    let port = port.trim().parse::<u16>().map_or_else(|_| "…".to_owned(), |port| port.to_string());
    let host: String = host.chars().take(LONGEST).collect();
    format!("{host}:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_shown_and_nothing_that_may_be_a_password() {
        for (host, port, expected) in [
            ("127.0.0.1", "25", "127.0.0.1:25"),
            (" [::1] ", "465", "[::1]:465"),
            ("LOCALHOST.", "465", "LOCALHOST.:465"),
            ("mail.internal", "22", "mail.internal:22"),
            ("Tr0ub4dor", "465", "…:465"),
            ("p.a$s", "hunter2", "…:…"),
            ("a.b\nblocked_destination", "99999", "…:…"),
        ] {
            assert_eq!(shown(host, port), expected);
        }
        assert_eq!(shown(&format!("{}.local", "a".repeat(200)), "1").chars().count(), LONGEST + 2);
    }
}
