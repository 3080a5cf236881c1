//! Server side. A row of the list.

use jiff::Timestamp;
use leptos::prelude::*;

use crate::{
    diagnosis::{card::cause_title, cause::Cause},
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
        <span class="who"><strong>{title}</strong></span>
        <span class="owner">
            {owner} " "
            {profile.in_use.then(|| view! { <span class="tag">{t!(if own { "list-in-use" } else { "list-chosen" })}</span> })}
        </span>
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
    // The badge says when, or since when and why.
    let said = matches!(profile.sends, SendState::Broken { .. } | SendState::Failing { .. });
    let failed = health
        .failed_at
        .filter(|_| !said)
        .map(|at| t!("sent-failed", moment = distance(at, now), why = cause_title(health.failed_cause)));
    let lines: Vec<String> = sent.into_iter().chain(failed).collect();
    (!lines.is_empty()).then(|| lines.join(" · "))
}

/// The profile's state, in a few words and one colour. The reason of a failure is apart: under its own card it would be said twice.
#[component]
pub fn StateBadge(profile: Profile) -> impl IntoView {
    let State { class, text, why } = State::of(&profile, crate::services::now());
    let why = why.map(|why| view! { <span class="reason">" – " {why}</span> });
    view! { <span class=format!("badge {class}")>{text} {why}</span> }
}

struct State {
    class: &'static str,
    text: String,
    /// Why it failed.
    why: Option<String>,
}

impl State {
    const fn new(class: &'static str, text: String) -> Self {
        Self { class, text, why: None }
    }

    fn failed(text: String, cause: Option<Cause>) -> Self {
        Self { class: "bad", text, why: Some(cause_title(cause)) }
    }

    fn of(profile: &Profile, now: Timestamp) -> Self {
        let newer = |at: Timestamp| profile.test.ended_at().is_none_or(|tested| at > tested);
        let sends = match profile.sends {
            SendState::Broken { cause, .. } => {
                Some(Self::new("bad", t!("state-broken", why = cause_title(Some(cause)))))
            }
            SendState::Failing { at, cause } if newer(at) => {
                Some(Self::failed(t!("state-failing", moment = distance(at, now)), Some(cause)))
            }
            SendState::Sent { at } if newer(at) => {
                Some(Self::new("good", t!("state-sent", moment = distance(at, now))))
            }
            _ => None,
        };
        match (&profile.secret, &profile.test) {
            (SecretState::Unreadable, _) => Self::new("bad", t!("state-secret-unreadable")),
            (SecretState::Missing, _) => Self::new("unsure", t!("state-secret-missing")),
            // Real sending is more recent than the test.
            (SecretState::Stored { .. }, test) => sends.unwrap_or_else(|| Self::tested(test, now)),
        }
    }

    /// The result of the last test.
    fn tested(test: &TestState, now: Timestamp) -> Self {
        match test {
            TestState::Never => Self::new("neutral", t!("state-never")),
            TestState::Changed => Self::new("unsure", t!("state-changed")),
            TestState::Received { at, tested } if at < tested => {
                let (moment, tested) = (distance(*at, now), distance(*tested, now));
                Self::new("good", t!("state-received-before", moment = moment, tested = tested))
            }
            TestState::Received { at, .. } => Self::new("good", t!("state-received", moment = distance(*at, now))),
            TestState::Accepted { at } => {
                Self::new("good open waits", t!("state-accepted", moment = distance(*at, now)))
            }
            TestState::DeliveryUnknown { at } => {
                Self::new("unsure waits", t!("state-unknown", moment = distance(*at, now)))
            }
            TestState::Failed { at, cause } => Self::failed(t!("state-failed", moment = distance(*at, now)), *cause),
        }
    }
}
