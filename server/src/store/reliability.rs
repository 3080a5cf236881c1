//! Server side. Whether a profile is known to work.

use app::{
    profile::{port::Reliability, sending::SendState},
    test_run::report::Verdict,
};

use super::ProfileRow;

/// What is known about a profile with its present settings.
pub fn reliability(row: &ProfileRow) -> Reliability {
    if row.secret.is_none() {
        return Reliability::Fails;
    }
    let now = row.fingerprint();
    let tested = row.tested.as_ref().filter(|tested| tested.fingerprint == now);
    let sends = if row.signed_fingerprint == Some(now) { row.health.state() } else { SendState::Unknown };
    let test = tested.map(|tested| match (tested.verdict, tested.received()) {
        (Verdict::Failed, _) => Reliability::Fails,
        (_, Some(_)) => Reliability::Received,
        (Verdict::Accepted | Verdict::DryRunOk, None) => Reliability::Works,
        (Verdict::DeliveryUnknown, None) => Reliability::Unknown,
    });
    let newer = |at| tested.is_none_or(|tested| at > tested.at);
    match sends {
        SendState::Broken { .. } => Reliability::Fails,
        SendState::Failing { at, .. } if newer(at) => Reliability::Fails,
        SendState::Sent { at } if newer(at) => test.unwrap_or(Reliability::Works).max(Reliability::Works),
        _ => test.unwrap_or(Reliability::Unknown),
    }
}
