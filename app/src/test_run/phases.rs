//! Server side. A test in four phases, for people: reach the server, secure the connection, sign in, send. The ten
//! stages of the protocol are details.

use leptos::prelude::*;

use super::{
    event::{Outcome, Stage, StageEvent},
    report::Verdict,
    stages::next_stage,
};
use crate::{profile::security::Security, t};

/// In order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Reach,
    Secure,
    SignIn,
    Send,
}

impl Phase {
    const ALL: [Self; 4] = [Self::Reach, Self::Secure, Self::SignIn, Self::Send];

    const fn of(stage: Stage) -> Self {
        match stage {
            Stage::Resolve | Stage::Connect | Stage::Greeting | Stage::Ehlo => Self::Reach,
            Stage::Starttls | Stage::Tls => Self::Secure,
            Stage::Auth => Self::SignIn,
            Stage::MailFrom | Stage::RcptTo | Stage::Data | Stage::Quit => Self::Send,
        }
    }

    /// The prefix of the phase's text keys.
    const fn key(self) -> &'static str {
        match self {
            Self::Reach => "phase-reach",
            Self::Secure => "phase-secure",
            Self::SignIn => "phase-sign-in",
            Self::Send => "phase-send",
        }
    }
}

/// The state of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    /// Skipped: the connection is not encrypted.
    Left,
    Ended(Outcome),
}

/// The progress of a test.
#[derive(Debug, Clone)]
pub struct Progress {
    security: Security,
    /// The phase of the last stage that has begun. It never goes back: with TLS from the start, the server's greeting
    /// comes after the encryption.
    at: Phase,
    /// How it ended, unless it is still in progress.
    end: Option<Outcome>,
    ms: [f64; 4],
}

impl Progress {
    pub const fn begin(security: Security) -> Self {
        Self { security, at: Phase::Reach, end: None, ms: [0.0; 4] }
    }

    /// The progress of a test that has ended.
    pub fn of(stages: &[StageEvent], security: Security) -> Self {
        let mut progress = Self::begin(security);
        for event in stages {
            progress.add(event);
        }
        progress
    }

    /// Adds a finished stage; returns whether the phases have changed.
    pub fn add(&mut self, event: &StageEvent) -> bool {
        let before = (self.at, self.end);
        self.at = self.at.max(Phase::of(event.stage));
        self.ms[self.at as usize] += event.ms;
        self.end = match (event.outcome, next_stage(event.stage, self.security, event.outcome)) {
            (Outcome::Ok, Some(next)) => {
                self.at = self.at.max(Phase::of(next));
                None
            }
            (outcome, _) => Some(outcome),
        };
        before != (self.at, self.end)
    }

    /// The test has ended with this verdict, which decides how the last phase ended.
    #[must_use]
    pub const fn concluded(mut self, verdict: Verdict) -> Self {
        self.end = Some(match verdict {
            Verdict::Accepted | Verdict::DryRunOk => Outcome::Ok,
            Verdict::DeliveryUnknown => Outcome::Unknown,
            Verdict::Failed => Outcome::Failed,
        });
        self
    }

    fn state(&self, phase: Phase) -> State {
        if phase == Phase::Secure && self.security == Security::None {
            return State::Left;
        }
        match (phase.cmp(&self.at), self.end) {
            (std::cmp::Ordering::Less, _) => State::Ended(Outcome::Ok),
            (std::cmp::Ordering::Greater, _) => State::Waiting,
            (std::cmp::Ordering::Equal, None) => State::Running,
            (std::cmp::Ordering::Equal, Some(outcome)) => State::Ended(outcome),
        }
    }

    /// The current step as a sentence; empty at the end.
    pub fn sentence(&self) -> String {
        if self.end.is_some() { String::new() } else { t!(&format!("{}-running", self.at.key())) }
    }
}

/// The four phases. The style sheet counts the seconds of the current one.
#[component]
pub fn Phases(progress: Progress) -> impl IntoView {
    let line = |phase: Phase| {
        let state = progress.state(phase);
        let (class, said) = match state {
            State::Waiting => ("phase", t!("phase-waits")),
            State::Running => ("phase running", t!("phase-runs")),
            State::Left => ("phase left", t!("phase-left")),
            State::Ended(Outcome::Ok) => ("phase ok", t!("stage-went-well")),
            State::Ended(Outcome::Failed) => ("phase failed", t!("stage-went-wrong")),
            State::Ended(Outcome::Unknown) => ("phase unsure", t!("stage-unknown")),
        };
        let time = matches!(state, State::Ended(_)).then(|| seconds(progress.ms[phase as usize])).flatten();
        view! {
            <li class=class>
                <span class="name">{t!(phase.key())}</span>
                <span class="visually-hidden">{said}</span>
                {time.map(|text| view! { " " <span class="time">{text}</span> })}
            </li>
        }
    };
    Phase::ALL.map(line).collect_view()
}

/// Whole seconds; `None` below one second.
fn seconds(ms: f64) -> Option<String> {
    (ms >= 1_000.0).then(|| t!("phase-seconds", s = format!("{:.0}", (ms / 1_000.0).floor())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(stage: Stage, outcome: Outcome) -> StageEvent {
        StageEvent { stage, outcome, ms: 600.0, reply: None }
    }

    fn all(security: Security) -> Vec<StageEvent> {
        let mut stages = vec![Stage::Resolve];
        while let Some(next) = next_stage(stages[stages.len() - 1], security, Outcome::Ok) {
            stages.push(next);
        }
        stages.into_iter().map(|stage| event(stage, Outcome::Ok)).collect()
    }

    fn states(progress: &Progress) -> [State; 4] {
        Phase::ALL.map(|phase| progress.state(phase))
    }

    #[test]
    fn phases_follow_each_other_whatever_the_order_of_the_stages() {
        let ok = State::Ended(Outcome::Ok);
        for security in [Security::Tls, Security::Starttls, Security::None] {
            let second = if security == Security::None { State::Left } else { ok };
            let mut progress = Progress::begin(security);
            let mut before = Phase::Reach;
            let mut changes = 0;
            for event in all(security) {
                changes += u32::from(progress.add(&event));
                assert!(progress.at >= before, "{security:?}: {event:?}");
                before = progress.at;
            }
            assert_eq!(states(&progress), [ok, second, ok, ok], "{security:?}");
            assert_eq!(changes, if security == Security::None { 3 } else { 4 }, "only a change is sent");
        }
    }

    #[test]
    fn a_failure_ends_its_phase_and_the_rest_never_begins() {
        for (failed, expected) in [
            (Stage::Connect, [Some(Outcome::Failed), None, None, None]),
            (Stage::Tls, [Some(Outcome::Ok), Some(Outcome::Failed), None, None]),
            (Stage::Auth, [Some(Outcome::Ok), Some(Outcome::Ok), Some(Outcome::Failed), None]),
            (Stage::RcptTo, [Some(Outcome::Ok), Some(Outcome::Ok), Some(Outcome::Ok), Some(Outcome::Failed)]),
        ] {
            let mut stages = all(Security::Tls);
            let at = stages.iter().position(|event| event.stage == failed).unwrap();
            stages.truncate(at + 1);
            stages[at].outcome = Outcome::Failed;
            let progress = Progress::of(&stages, Security::Tls);
            let expected = expected.map(|outcome| outcome.map_or(State::Waiting, State::Ended));
            assert_eq!(states(&progress), expected, "{failed:?}");
        }
        // The server closed the connection without a reply to QUIT, or with a bad one.
        let mut stages = all(Security::Tls);
        stages.pop();
        let progress = Progress::of(&stages, Security::Tls);
        assert_eq!(progress.state(Phase::Send), State::Running);
        for (verdict, outcome) in [
            (Verdict::Accepted, Outcome::Ok),
            (Verdict::DeliveryUnknown, Outcome::Unknown),
            (Verdict::Failed, Outcome::Failed),
        ] {
            assert_eq!(progress.clone().concluded(verdict).state(Phase::Send), State::Ended(outcome));
        }
        let running = Progress::begin(Security::Tls);
        assert_eq!(states(&running), [State::Running, State::Waiting, State::Waiting, State::Waiting]);
    }
}
