//! Server side. Whether a profile is known to work.

use app::{
    profile::{port::Standing, sending::SendState},
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
