//! After a failure before the login: is the setting, the server or our own network the cause?
//!
//! Tries the other submission ports of the same host in both address families, all at once, up to EHLO and without a
//! login. The guard applies to each. Only the host name is used; nothing else that was entered is sent.

use std::{net::SocketAddr, time::Duration};

use futures::future::{join, join_all};
use model::{
    cause::Cause,
    report::{Report, Verdict},
    security::Security,
    stage::Stage,
    survey::{Blame, Door, DoorState, Family, Survey},
};
use tokio::time::Instant;

use super::{Depth, Limits, Mechanism, Submission, Submitter, session};
use crate::net::dial::dial;

/// The longest time of a survey.
const WHOLE: Duration = Duration::from_millis(3_500);
/// The usual ports of submission servers (RFC 8314, RFC 6409), and the common alternative.
const USUAL_DOORS: [(u16, Security); 3] = [(465, Security::Tls), (587, Security::Starttls), (2525, Security::Starttls)];

impl Submitter {
    /// Surveys the host of a failed submission. `more`: other ports that the provider is known to have.
    pub async fn survey(&self, failed: &Submission, more: &[(u16, Security)]) -> Survey {
        let began = Instant::now();
        let deadline = began + WHOLE;
        let (doors, control) = join(self.doors(failed, more, deadline), self.control(deadline)).await;
        let blame = blame(&doors, control);
        let ms = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
        Survey { doors, control, blame, ms }
    }

    async fn doors(&self, failed: &Submission, more: &[(u16, Security)], deadline: Instant) -> Vec<Door> {
        let Ok(host) = self.network.policy.check_host(&failed.host) else { return Vec::new() };
        let soon = Instant::now() + WHOLE / 2;
        let Ok(addresses) = self.network.dns.resolve(&self.network.policy, &host, failed.port, soon).await else {
            return Vec::new();
        };
        let mut tries = Vec::new();
        for (port, security) in candidates(failed, more) {
            if self.network.policy.check_port(port).is_err() {
                continue;
            }
            for family in [Family::Ipv4, Family::Ipv6] {
                let mut there = addresses.clone();
                there.retain(|address| address.is_ipv6() == (family == Family::Ipv6));
                for address in &mut there {
                    address.set_port(port);
                }
                if !there.is_empty() {
                    tries.push(self.door(failed, port, security, family, there, deadline));
                }
            }
        }
        join_all(tries).await
    }

    async fn door(
        &self,
        failed: &Submission,
        port: u16,
        security: Security,
        family: Family,
        addresses: Vec<SocketAddr>,
        deadline: Instant,
    ) -> Door {
        let submission = Submission {
            port,
            security,
            credentials: None,
            depth: Depth::Capabilities,
            message: Vec::new(),
            ..failed.clone()
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let step = left.mul_f32(0.7);
        let limits =
            Limits { resolve: step, connect: step, tls: step, reply: step, doubt: step, last: left, whole: left };
        let report = session::run(self, &submission, addresses, limits, &mut |_| {}).await;
        Door { port, security, family, state: state(&report) }
    }

    /// Whether the operator's control host is reachable.
    async fn control(&self, deadline: Instant) -> Option<bool> {
        let (host, port) = self.control.as_ref()?;
        let Ok(host) = self.network.policy.check_host(host) else { return None };
        let Ok(addresses) = self.network.dns.resolve(&self.network.policy, &host, *port, deadline).await else {
            return Some(false);
        };
        Some(dial(&addresses, deadline).await.is_ok())
    }
}

/// The other encryption on the same port first, then the usual ports and those of the provider.
fn candidates(failed: &Submission, more: &[(u16, Security)]) -> Vec<(u16, Security)> {
    let same_port = [Security::Tls, Security::Starttls].map(|security| (failed.port, security));
    let mut doors = Vec::new();
    for door in same_port.iter().chain(&USUAL_DOORS).chain(more) {
        let known = doors.contains(door) || *door == (failed.port, failed.security);
        if !known && door.1 != Security::None {
            doors.push(*door);
        }
    }
    doors
}

fn state(report: &Report) -> DoorState {
    match (report.verdict, report.stage, report.cause) {
        (Verdict::DryRunOk, ..) if offers_login(report) => DoorState::Works,
        (Verdict::Failed, Stage::Resolve | Stage::Connect, cause) => match cause {
            Some(Cause::ConnectRefused) => DoorState::Refuses,
            Some(Cause::NetworkUnreachable) => DoorState::Unreachable,
            _ => DoorState::Silent,
        },
        _ => DoorState::Answers,
    }
}

/// Whether the server offers a password login with a mechanism that we support.
fn offers_login(report: &Report) -> bool {
    let ours = |word: &str| Mechanism::from_name(word).is_some_and(|mechanism| !mechanism.is_token());
    report.capabilities.iter().any(|line| {
        let line = line.to_ascii_uppercase().replace("AUTH=", "AUTH ");
        line.split_whitespace().next() == Some("AUTH") && line.split_whitespace().skip(1).any(ours)
    })
}

fn blame(doors: &[Door], control: Option<bool>) -> Blame {
    let any = |states: &[DoorState]| doors.iter().any(|door| states.contains(&door.state));
    if any(&[DoorState::Works]) {
        Blame::Settings
    } else if control == Some(false) && !any(&[DoorState::Answers]) {
        Blame::Us
    } else if control == Some(true) || any(&[DoorState::Answers, DoorState::Refuses]) {
        Blame::Server
    } else {
        Blame::Unclear
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(state: DoorState) -> Door {
        Door { port: 465, security: Security::Tls, family: Family::Ipv4, state }
    }

    #[test]
    fn whose_turn_it_is() {
        use DoorState::{Answers, Refuses, Silent, Unreachable, Works};
        for (states, control, expected) in [
            (&[Silent, Works][..], Some(false), Blame::Settings),
            (&[Silent, Unreachable], Some(false), Blame::Us),
            (&[Refuses], Some(false), Blame::Us),
            (&[Silent], Some(true), Blame::Server),
            (&[Refuses, Silent], None, Blame::Server),
            (&[Answers], Some(false), Blame::Server),
            (&[Silent, Silent], None, Blame::Unclear),
            (&[], None, Blame::Unclear),
        ] {
            let doors: Vec<Door> = states.iter().map(|state| door(*state)).collect();
            assert_eq!(blame(&doors, control), expected, "{states:?} {control:?}");
        }
    }
}
