//! What every store does for maintenance.

use super::*;

/// Every index that is not a primary key; some statement needs each. A new or dropped index must be changed here too.
pub(crate) const INDEXES: [&str; 41] = [
    "destination_due",
    "destination_idle",
    "destination_probed",
    "destination_resting",
    "draft_by_age",
    "event_by_age",
    "event_waiting",
    "journal_by_account",
    "journal_by_age",
    "lane_by_account",
    "lane_due",
    "lane_empty",
    "lane_resting",
    "login_by_key",
    "message_by_key",
    "message_expiry",
    "message_finished",
    "message_leased",
    "message_listed",
    "message_oldest",
    "message_settled",
    "message_unsent",
    "message_waiting",
    "oauth_grant_attached",
    "oauth_grant_counted",
    "oauth_grant_detached",
    "oauth_grant_due",
    "oauth_grant_twins",
    "profile_by_account",
    "profile_by_creation",
    "profile_by_login",
    "profile_in_use",
    "profile_to_check",
    "quarantine_untold",
    "session_by_account",
    "session_by_expiry",
    "sign_in_by_expiry",
    "sign_in_by_session",
    "sign_in_by_state",
    "sign_in_by_ticket",
    "used_token_by_expiry",
];

/// Calls each method once.
pub(super) async fn everything(store: &dyn Store) {
    store.sweep(at(1), at(1)).await.unwrap();
    store.heartbeat(at(1)).await.unwrap();
    store.queue_metrics(at(1)).await.unwrap();
    store.note_refusal(&account("martin"), &some_entry()).await.unwrap();
    store.newly_quarantined(9).await.unwrap();
    store.purge(at(1_000_000), at(1_000_000), 100).await.unwrap();
}
