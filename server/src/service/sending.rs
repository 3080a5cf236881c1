//! Server side. Limits on messages and tests, and retention: `[outbox]`, `[tests]`, `[retention]`.

use std::{num::NonZeroU32, time::Duration};

use jiff::SignedDuration;

use crate::{
    config::{Config, ConfigError, sections},
    outbox::OutboxOptions,
    test_runs::TestQuota,
};

pub(super) fn quota(tests: &sections::Tests) -> TestQuota {
    let usual = TestQuota::default();
    TestQuota {
        per_person: tests.per_person.unwrap_or(usual.per_person),
        per_profile: tests.per_profile.unwrap_or(usual.per_profile),
        per_account: tests.per_account.unwrap_or(usual.per_account),
        in_all: tests.in_all.unwrap_or(usual.in_all),
    }
}

pub(super) fn outbox(config: &Config) -> Result<OutboxOptions, ConfigError> {
    let (usual, given, retention) = (OutboxOptions::default(), config.outbox, config.retention);
    let seconds = |given: Option<NonZeroU32>, usual: Duration| {
        given.map_or(usual, |seconds| Duration::from_secs(u64::from(seconds.get())))
    };
    if retention.metadata_days.is_some_and(|days| days.get() > 3_650) {
        return Err(ConfigError::wrong("retention.metadata_days", "must be a number from 1 to 3,650"));
    }
    let hours = given.give_up_after_hours.unwrap_or(24.0);
    if !(hours.is_finite() && (0.001..=240.0).contains(&hours)) {
        return Err(ConfigError::wrong("outbox.give_up_after_hours", "must be a number from 0.001 to 240"));
    }
    if given.workers.is_some_and(|workers| workers.get() > 1_000) {
        return Err(ConfigError::wrong("outbox.workers", "must be a number from 1 to 1,000"));
    }
    if given.waiting.is_some_and(|waiting| !(4..=10_000).contains(&waiting.get())) {
        return Err(ConfigError::wrong("outbox.waiting", "must be a number from 4 to 10,000"));
    }
    let give_up_after = SignedDuration::try_from_secs_f64(hours * 3_600.0)
        .map_err(|_| ConfigError::wrong("outbox.give_up_after_hours", "must be a number from 0.001 to 240"))?;
    Ok(OutboxOptions {
        workers: given.workers.map_or(usual.workers, NonZeroU32::get),
        waiting: given.waiting.map_or(usual.waiting, NonZeroU32::get),
        per_account: given.per_account.map_or(usual.per_account, NonZeroU32::get),
        connections: given.connections.map_or(usual.connections, NonZeroU32::get),
        first_retry: seconds(given.first_retry_seconds, usual.first_retry),
        longest_retry: seconds(given.longest_retry_seconds, usual.longest_retry),
        give_up_after,
        lease: seconds(given.lease_seconds, usual.lease),
        reply: seconds(given.reply_seconds, usual.reply),
        last_reply: seconds(given.final_seconds, usual.last_reply),
        kept: retention.metadata_days.map_or(usual.kept, |days| SignedDuration::from_hours(24 * i64::from(days.get()))),
        content_kept: retention
            .unsent_body_hours
            .map_or(usual.content_kept, |hours| SignedDuration::from_hours(i64::from(hours))),
    })
}
