//! Server side. Whether a profile is known to work, and which one replaces the one in use.

use app::{
    profile::{model::ProfileId, port::Standing, sending::SendState},
    test_run::report::Verdict,
};

use super::ProfileRow;

/// What is known of a profile with the settings it has now.
pub fn standing(row: &ProfileRow) -> Standing {
    if row.secret.is_none() {
        return Standing::Fails;
    }
    let now = row.fingerprint();
    let tested = row.tested.as_ref().filter(|tested| tested.fingerprint == now);
    let sends = if row.signed_fingerprint == Some(now) { row.health.state() } else { SendState::Unknown };
    let test = tested.map(|tested| match tested.verdict {
        Verdict::Failed => Standing::Fails,
        _ if tested.received_at.is_some() => Standing::Received,
        Verdict::Accepted | Verdict::DryRunOk => Standing::Works,
        Verdict::DeliveryUnknown => Standing::Unknown,
    });
    let newer = |at| tested.is_none_or(|tested| at > tested.at);
    match sends {
        SendState::Broken { .. } => Standing::Fails,
        SendState::Failing { at, .. } if newer(at) => Standing::Fails,
        SendState::Sent { at } if newer(at) => test.unwrap_or(Standing::Works).max(Standing::Works),
        _ => test.unwrap_or(Standing::Unknown),
    }
}

/// Whether a test of these settings ends too late: the profile has others since, and they were tested.
pub fn is_outdated(of: &[u8; 32], row: &ProfileRow) -> bool {
    let now = row.fingerprint();
    now != *of && row.tested.as_ref().is_some_and(|tested| tested.fingerprint == now)
}

/// The default heir: a profile known to work, the surest first and then the oldest; otherwise one without a history.
/// Never what is known to fail.
pub fn best_heir(rows: &[ProfileRow]) -> Option<ProfileId> {
    let able = rows.iter().map(|row| (standing(row), row.id)).filter(|(standing, _)| *standing > Standing::Fails);
    able.min_by_key(|(standing, id)| (std::cmp::Reverse(*standing), *id)).map(|(_, id)| id)
}
