//! After a failure: which ports of the host respond, in which family, and is anything reachable from here?

use std::net::{Ipv4Addr, Ipv6Addr};

use model::survey::{Blame, DoorState, Family};
use tokio::net::TcpListener;

use super::{
    certificates::authority,
    responder::Responder,
    script::{Step, send, serve},
    *,
};

const HOST: &str = "mx.test.example";

/// A port without a listener.
async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn submission_server(starttls: bool) -> u16 {
    let acceptor = Some(authority().acceptor(HOST, 2020, 2100));
    Responder { keywords: &[], acceptor, starttls, refuses: "" }.start().await.port
}

fn looking_at(ports: &[u16], addresses: &[IpAddr], control: Option<(String, u16)>) -> Submitter {
    let mut submitter = submitter(ports[0], vec![]);
    policy_of(&mut submitter).allow_ports = ports.to_vec();
    policy_of(&mut submitter).static_addresses = vec![("*.test.example".to_owned(), addresses.to_vec())];
    submitter.control = control;
    submitter
}

#[tokio::test]
async fn the_door_that_works_is_found_without_a_login() {
    let (closed, tls, starttls) = (closed_port().await, submission_server(false).await, submission_server(true).await);
    let submitter = looking_at(&[closed, tls, starttls], &[LOOPBACK], None);
    let failed = submission(HOST, closed, Security::Tls);
    let survey = submitter.survey(&failed, &[(tls, Security::Tls), (starttls, Security::Starttls)]).await;
    assert_eq!(survey.blame, Blame::Settings);
    let works = |door: u16| survey.doors.iter().any(|one| one.port == door && one.state == DoorState::Works);
    assert!(works(tls) && works(starttls) && !works(closed), "{survey:?}");
    assert_eq!(survey.working().map(|door| door.port), Some(tls), "in the order in which they were named");
    // The usual ports are not among those that the policy allows here: they were not contacted.
    assert!(survey.doors.iter().all(|door| [closed, tls, starttls].contains(&door.port)), "{survey:?}");
}

#[tokio::test]
async fn no_secret_is_shown_to_a_door() {
    let (port, server) = serve(vec![
        send("220 hi\r\n"),
        Step::Expect("EHLO"),
        send("250-hi\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"),
        Step::Expect("STARTTLS"),
        send("454 later\r\n"),
    ])
    .await;
    let closed = closed_port().await;
    let submitter = looking_at(&[closed, port], &[LOOPBACK], None);
    let survey = submitter.survey(&submission(HOST, closed, Security::Tls), &[(port, Security::Starttls)]).await;
    assert!(survey.doors.iter().any(|door| door.port == port && door.state == DoorState::Answers), "{survey:?}");
    assert_eq!(survey.blame, Blame::Server, "it shows signs of life, and nothing can be used");
    let read = server.await.unwrap();
    assert!(!read.contains("AUTH") && !read.contains("claire"), "{read}");
}

#[tokio::test]
async fn the_other_encryption_of_the_same_port_is_tried() {
    let port = submission_server(true).await;
    let submitter = looking_at(&[port], &[LOOPBACK], None);
    let survey = submitter.survey(&submission(HOST, port, Security::Tls), &[]).await;
    let found = survey.working().unwrap();
    assert_eq!((found.port, found.security), (port, Security::Starttls));
}

#[tokio::test]
async fn a_control_host_tells_whose_network_it_is() {
    let closed = closed_port().await;
    let living = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().map(|address| address.port()).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", living)).await.unwrap();
    let failed = submission(HOST, closed, Security::Tls);
    for (control, blame, reached) in [
        (Some(("mx.test.example".to_owned(), living)), Blame::Server, Some(true)),
        (Some(("mx.test.example".to_owned(), closed_port().await)), Blame::Us, Some(false)),
        (Some(("no.such.name.invalid".to_owned(), 25)), Blame::Us, Some(false)),
    ] {
        let survey = looking_at(&[closed], &[LOOPBACK], control).survey(&failed, &[]).await;
        assert_eq!((survey.blame, survey.control), (blame, reached), "{survey:?}");
        assert!(survey.ms < 5_000);
    }
    drop(listener);
}

#[tokio::test]
async fn each_family_is_told_apart() {
    let tls = submission_server(false).await;
    let closed = closed_port().await;
    // Documentation addresses: no answer, or no route.
    let nowhere: IpAddr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into();
    let submitter = looking_at(&[closed, tls], &[LOOPBACK, nowhere], None);
    let survey = submitter.survey(&submission(HOST, closed, Security::Tls), &[(tls, Security::Tls)]).await;
    assert!(survey.is_mute(Family::Ipv6) && !survey.is_mute(Family::Ipv4), "{survey:?}");
    assert_eq!(survey.working().map(|door| door.family), Some(Family::Ipv4));
    assert!(survey.ms < 5_000, "a verdict within five seconds: {} ms", survey.ms);
}

#[tokio::test]
async fn a_host_that_swallows_everything_gives_a_verdict_in_time() {
    let (port, server) = serve(vec![Step::Silence]).await;
    let submitter = looking_at(&[port], &[Ipv4Addr::LOCALHOST.into()], None);
    let survey = submitter.survey(&submission(HOST, port, Security::Tls), &[]).await;
    assert!(survey.working().is_none() && survey.ms < 5_000, "{survey:?}");
    server.abort();
}

#[tokio::test]
async fn the_guard_holds_for_every_door() {
    let submitter = submitter(465, vec![]);
    for host in ["127.0.0.1", "localhost", "router.local", "smtp://x"] {
        let survey = submitter.survey(&submission(host, 465, Security::Tls), &[(587, Security::Starttls)]).await;
        assert_eq!((survey.doors.len(), survey.blame), (0, Blame::Unclear), "{host}");
    }
}
