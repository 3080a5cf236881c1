//! Server side. What a row of the list says of its profile.

use jiff::Timestamp;
use leptos::prelude::*;

use crate::{
    diagnosis::card::cause_title,
    profile::{
        model::{Profile, SecretState, TestState},
        sending::SendState,
    },
    t,
    ui::{moment::distance, text::breakable},
};

/// The content of a row. After a test the browser replaces it.
#[component]
pub fn RowLabel(
    profile: Profile,
    provider: String,
    owner: String,
    /// Whether the account sends through its own profiles.
    own: bool,
) -> impl IntoView {
    let destination = &profile.settings.destination;
    let server = format!("{}:{}", destination.host, destination.port);
    let title = breakable(profile.settings.title());
    let sender = (!profile.settings.name.is_empty()).then(|| breakable(profile.settings.sender_address.as_str()));
    let named = (provider != destination.host).then_some(provider);
    let sent = last_sent(&profile);
    view! {
        <span class="who">
            <strong>{title}</strong>
            {profile.in_use.then(|| view! { <span class="tag">{t!(if own { "list-in-use" } else { "list-chosen" })}</span> })}
        </span>
        <span class="owner">{owner}</span>
        <span class="state"><StateBadge profile /></span>
        <span class="server">
            {sender.map(|sender| view! { {sender} " · " })} {named.map(|name| format!("{name} · "))} {breakable(&server)}
        </span>
        {sent.map(|text| view! { <span class="sent">{text}</span> })}
    }
}

/// When the profile last sent and last failed, without repeating the badge.
fn last_sent(profile: &Profile) -> Option<String> {
    let (health, now) = (profile.health, crate::services::now());
    let by_the_badge = matches!(profile.secret, SecretState::Stored { .. })
        && matches!(profile.sends, SendState::Sent { at } if profile.test.ended_at().is_none_or(|tested| at > tested));
    let sent = health.sent_at.filter(|_| !by_the_badge).map(|at| t!("sent-last", moment = distance(at, now)));
    // The badge gives the reason.
    let said = matches!(profile.sends, SendState::Broken { .. } | SendState::Failing { .. });
    let failed = health.failed_at.map(|at| {
        let moment = distance(at, now);
        if said {
            t!("sent-failed-last", moment = moment)
        } else {
            t!("sent-failed", moment = moment, why = cause_title(health.failed_cause))
        }
    });
    let lines: Vec<String> = sent.into_iter().chain(failed).collect();
    (!lines.is_empty()).then(|| lines.join(" · "))
}

/// The profile's state, in a few words and one colour.
#[component]
pub fn StateBadge(profile: Profile) -> impl IntoView {
    let now = crate::services::now();
    let newer = |at: Timestamp| profile.test.ended_at().is_none_or(|tested| at > tested);
    let sends = match profile.sends {
        SendState::Broken { cause, .. } => Some(("bad", t!("state-broken", why = cause_title(Some(cause))))),
        SendState::Failing { at, cause } if newer(at) => {
            Some(("bad", t!("state-failing", moment = distance(at, now), why = cause_title(Some(cause)))))
        }
        SendState::Sent { at } if newer(at) => Some(("good", t!("state-sent", moment = distance(at, now)))),
        _ => None,
    };
    let (class, text) = match (&profile.secret, &profile.test) {
        (SecretState::Unreadable, _) => ("bad", t!("state-secret-unreadable")),
        (SecretState::Missing, _) => ("unsure", t!("state-secret-missing")),
        // Real sending is more recent than the test.
        (SecretState::Stored { .. }, test) => sends.unwrap_or_else(|| tested(test, now)),
    };
    view! { <span class=format!("badge {class}")>{text}</span> }
}

/// The result of the last test.
fn tested(test: &TestState, now: Timestamp) -> (&'static str, String) {
    match test {
        TestState::Never => ("neutral", t!("state-never")),
        TestState::Changed => ("unsure", t!("state-changed")),
        TestState::Received { at, tested } if at < tested => {
            let (moment, tested) = (distance(*at, now), distance(*tested, now));
            ("good", t!("state-received-before", moment = moment, tested = tested))
        }
        TestState::Received { at, .. } => ("good", t!("state-received", moment = distance(*at, now))),
        TestState::Accepted { at } => ("good open waits", t!("state-accepted", moment = distance(*at, now))),
        TestState::DeliveryUnknown { at } => ("unsure waits", t!("state-unknown", moment = distance(*at, now))),
        TestState::Failed { at, cause } => {
            ("bad", t!("state-failed", moment = distance(*at, now), why = cause_title(*cause)))
        }
    }
}
