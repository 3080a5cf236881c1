//! Server side. The part of the card that answers **Is it you, us, or them?**, with the ports that were tried.

use leptos::prelude::*;

use crate::{
    i18n::DIGITS,
    profile::{model::Profile, security::Security},
    t,
    test_run::survey::{Blame, Door, DoorState, Family, Survey},
};

/// The answer, and the ports.
#[component]
pub fn Found(survey: Survey, failed: Profile) -> impl IntoView {
    let destination = failed.settings.destination;
    let port = |port: u16| format!("{port}{DIGITS}");
    let named = |security: Security| t!(&format!("security-{}", security.as_str()));
    let answer = match (survey.blame, survey.working(), survey.control) {
        (Blame::Settings, Some(door), _) if door.port == destination.port => {
            t!("survey-settings-same-port", security = named(door.security))
        }
        (Blame::Settings, Some(door), _) => {
            let security = named(door.security);
            t!("survey-settings", port = port(destination.port), other = port(door.port), security = security)
        }
        (Blame::Us, ..) => t!("survey-us"),
        (Blame::Server, _, Some(true)) => t!("survey-server"),
        (Blame::Server, ..) => t!("survey-server-alone"),
        _ => t!("survey-unclear"),
    };
    let (v4, v6) = (survey.is_mute(Family::Ipv4), survey.is_mute(Family::Ipv6));
    let mute = match (v4, v6) {
        (false, true) => Some(t!("survey-ipv6-mute")),
        (true, false) if survey.doors.iter().any(|door| door.family == Family::Ipv6) => Some(t!("survey-ipv4-mute")),
        _ => None,
    };
    let doors = survey.doors.clone();
    view! {
        <div class="survey" data-blame=format!("{:?}", survey.blame).to_lowercase()>
            <h3>{t!("survey-title")}</h3>
            <p>{answer}</p>
            {mute.map(|text| view! { <p>{text}</p> })}
            {(!doors.is_empty()).then(|| view! {
                <details>
                    <summary>{t!("survey-doors")}</summary>
                    <ul>{doors.into_iter().map(|door| view! { <li>{door_text(door)}</li> }).collect_view()}</ul>
                </details>
            })}
        </div>
    }
}

fn door_text(door: Door) -> String {
    let state = match door.state {
        DoorState::Works => t!("door-works"),
        DoorState::Answers => t!("door-answers"),
        DoorState::Refuses => t!("door-refuses"),
        DoorState::Silent => t!("door-silent"),
        DoorState::Unreachable => t!("door-unreachable"),
    };
    let family = match door.family {
        Family::Ipv4 => "IPv4",
        Family::Ipv6 => "IPv6",
    };
    format!("{} · {} · {family} · {state}", door.port, t!(&format!("security-{}", door.security.as_str())))
}
