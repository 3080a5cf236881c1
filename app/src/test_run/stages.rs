//! Server side. The stages of a test, one line each: the same HTML in the live panel and in the report.

use leptos::prelude::*;

use super::event::{Outcome, Stage, StageEvent};
use crate::{profile::security::Security, t};

/// The stage that follows `ended`; `None` after the last one and after a failure.
pub fn next_stage(ended: Stage, security: Security, outcome: Outcome) -> Option<Stage> {
    if outcome != Outcome::Ok {
        return None;
    }
    match (ended, security) {
        (Stage::Resolve, _) => Some(Stage::Connect),
        (Stage::Connect, Security::Tls) | (Stage::Starttls, _) => Some(Stage::Tls),
        (Stage::Connect, _) | (Stage::Tls, Security::Tls) => Some(Stage::Greeting),
        (Stage::Tls, _) => Some(Stage::Auth),
        (Stage::Greeting, _) => Some(Stage::Ehlo),
        (Stage::Ehlo, Security::Starttls) => Some(Stage::Starttls),
        (Stage::Ehlo, _) => Some(Stage::Auth),
        (Stage::Auth, _) => Some(Stage::MailFrom),
        (Stage::MailFrom, _) => Some(Stage::RcptTo),
        (Stage::RcptTo, _) => Some(Stage::Data),
        (Stage::Data, _) => Some(Stage::Quit),
        (Stage::Quit, _) => None,
    }
}

/// The name of the stage in the user's language.
pub fn stage_name(stage: Stage) -> String {
    t!(&format!("stage-{}", stage.as_str().replace('_', "-")))
}

/// One finished stage: its outcome, its duration, the server's reply.
#[component]
pub fn StageLine(event: StageEvent) -> impl IntoView {
    let StageEvent { stage, outcome, ms, reply } = event;
    let (class, said) = match outcome {
        Outcome::Ok => ("stage ok", t!("stage-went-well")),
        Outcome::Failed => ("stage failed", t!("stage-went-wrong")),
        Outcome::Unknown => ("stage unsure", t!("stage-unknown")),
    };
    view! {
        <li class=class>
            <span class="name">{stage_name(stage)}</span>
            <span class="visually-hidden">{said}</span>
            <span class="time">{milliseconds(ms)}</span>
            {reply.map(|words| view! { <samp dir="auto">{words}</samp> })}
        </li>
    }
}

/// A duration in whole milliseconds.
fn milliseconds(ms: f64) -> String {
    if ms < 1.0 { t!("stage-time-short") } else { t!("stage-time", ms = format!("{ms:.0}")) }
}

#[cfg(test)]
mod tests {
    use super::{
        Stage::{Auth, Connect, Data, Ehlo, Greeting, MailFrom, Quit, RcptTo, Resolve, Starttls, Tls},
        *,
    };

    #[test]
    fn stages_follow_the_protocol() {
        let follow = |security| {
            let mut stages = vec![Stage::Resolve];
            while let Some(next) = next_stage(stages[stages.len() - 1], security, Outcome::Ok) {
                stages.push(next);
            }
            stages
        };
        let sending = [Auth, MailFrom, RcptTo, Data, Quit];
        assert_eq!(follow(Security::Tls), [&[Resolve, Connect, Tls, Greeting, Ehlo], &sending[..]].concat());
        assert_eq!(
            follow(Security::Starttls),
            [&[Resolve, Connect, Greeting, Ehlo, Starttls, Tls], &sending[..]].concat()
        );
        assert_eq!(follow(Security::None), [&[Resolve, Connect, Greeting, Ehlo], &sending[..]].concat());
        assert_eq!(next_stage(Stage::Auth, Security::Tls, Outcome::Failed), None);
    }
}
