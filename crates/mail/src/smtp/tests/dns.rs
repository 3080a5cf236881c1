//! Names that do not exist, DNS servers that fail or stay silent, and answers with a private address.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::{net::UdpSocket, task::JoinHandle};

use super::*;
use crate::net::dns::Dns;

/// What the server answers to every question.
#[derive(Clone, Copy)]
enum Says {
    /// These addresses to a question for `A`, none for `AAAA`.
    Addresses(&'static [[u8; 4]]),
    Code(u8),
    Nothing,
}

const NXDOMAIN: u8 = 3;
const SERVFAIL: u8 = 2;
const TYPE_A: [u8; 2] = [0, 1];

/// A minimal DNS server (RFC 1035 §4).
#[allow(clippy::disallowed_methods, reason = "it only answers questions")]
async fn server(says: Says) -> (SocketAddr, JoinHandle<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let handle = tokio::spawn(async move {
        let mut question = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut question).await {
            if let Some(answer) = answer(&question[..length], says) {
                socket.send_to(&answer, from).await.unwrap();
            }
        }
    });
    (address, handle)
}

fn answer(question: &[u8], says: Says) -> Option<Vec<u8>> {
    // The name ends with an empty label; type and class follow.
    let end = 12 + question[12..].iter().position(|byte| *byte == 0)? + 5;
    let (addresses, code): (&[[u8; 4]], u8) = match says {
        Says::Addresses(addresses) if question[end - 4..end - 2] == TYPE_A => (addresses, 0),
        Says::Addresses(_) => (&[], 0),
        Says::Code(code) => (&[], code),
        Says::Nothing => return None,
    };
    let mut message = question[..2].to_vec();
    message.extend([0x81, 0x80 | code, 0, 1, 0, u8::try_from(addresses.len()).ok()?, 0, 0, 0, 0]);
    message.extend_from_slice(&question[12..end]);
    for address in addresses {
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        message.extend_from_slice(address);
    }
    Some(message)
}

async fn resolve(says: Says) -> (Report, Duration) {
    let (address, server) = server(says).await;
    let mut submitter = submitter(465, vec![]);
    network_of(&mut submitter).dns = Dns::of(address);
    let began = tokio::time::Instant::now();
    let report = submitter.submit(&submission("mx.exemple.fr", 465, Security::Tls), &mut |_| {}).await;
    server.abort();
    check_bounds(&report);
    (report, began.elapsed())
}

#[tokio::test]
async fn names_without_an_answer() {
    for (says, cause) in [
        (Says::Code(NXDOMAIN), Cause::DnsNotFound),
        (Says::Addresses(&[]), Cause::DnsNotFound),
        (Says::Code(SERVFAIL), Cause::DnsFailed),
        (Says::Nothing, Cause::DnsFailed),
    ] {
        let (report, took) = resolve(says).await;
        assert_eq!((report.stage, report.cause), (Stage::Resolve, Some(cause)));
        assert!(took < Duration::from_secs(3), "{took:?}");
        assert_eq!(report.retryable, cause == Cause::DnsFailed);
    }
}

#[tokio::test]
async fn one_private_address_refuses_the_whole_answer() {
    const MIXED: &[[u8; 4]] = &[[8, 8, 8, 8], [10, 0, 0, 5]];
    const METADATA: &[[u8; 4]] = &[[169, 254, 169, 254]];
    const MANY: &[[u8; 4]] = &[[8, 8, 8, 8]; 17];
    assert_eq!(IpAddr::V4(Ipv4Addr::from(MIXED[1])).to_string(), "10.0.0.5");
    for addresses in [MIXED, METADATA, MANY] {
        let (report, _) = resolve(Says::Addresses(addresses)).await;
        assert_eq!(report.round_trips, 0, "nothing was dialled");
        let (nowhere, _) = resolve(Says::Code(NXDOMAIN)).await;
        let seen = |report: &Report| (report.stage, report.cause, report.reply.clone(), report.retryable);
        assert_eq!(seen(&report), seen(&nowhere), "{addresses:?}: it looks like a name that does not exist");
        assert_eq!(report.cause, Some(Cause::DnsNotFound));
    }
}
