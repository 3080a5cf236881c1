//! Opens TCP connections: the only place in the program that does.
//!
//! Addresses are raced (RFC 8305): IPv6 and IPv4 alternate, and the next one starts after 250 ms or as soon as one
//! fails.

use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use model::cause::Cause;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout_at},
};

/// How long an address may take before the next one is tried beside it.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first address that responds, before `deadline`. The addresses come from the guard, and no other
/// address is dialled.
pub(crate) async fn dial(addresses: &[SocketAddr], deadline: Instant) -> Result<TcpStream, Cause> {
    let mut waiting = take_turns(addresses);
    let mut attempts = FuturesUnordered::new();
    let mut failures = Vec::new();
    loop {
        if let Some(address) = waiting.pop_front() {
            attempts.push(connect(address, deadline));
        } else if attempts.is_empty() {
            return Err(worst(&failures));
        }
        tokio::select! {
            Some(outcome) = attempts.next() => match outcome {
                Ok(stream) => return Ok(stream),
                Err(cause) => failures.push(cause),
            },
            () = sleep(HEAD_START), if !waiting.is_empty() => {}
        }
    }
}

/// Alternates IPv6 and IPv4, each in the order of the answer.
fn take_turns(addresses: &[SocketAddr]) -> VecDeque<SocketAddr> {
    let (mut v6, mut v4): (VecDeque<_>, VecDeque<_>) = addresses.iter().copied().partition(SocketAddr::is_ipv6);
    let mut order = VecDeque::new();
    while !(v6.is_empty() && v4.is_empty()) {
        order.extend(v6.pop_front());
        order.extend(v4.pop_front());
    }
    order
}

#[allow(clippy::disallowed_methods, reason = "this is the only way out, behind the guard")]
async fn connect(address: SocketAddr, deadline: Instant) -> Result<TcpStream, Cause> {
    let stream = match timeout_at(deadline, TcpStream::connect(address)).await {
        Err(_) => return Err(Cause::ConnectTimeout),
        Ok(Err(error)) => return Err(cause_of(&error)),
        Ok(Ok(stream)) => stream,
    };
    // A local proxy or a redirection rule may have changed the destination; then the peer is not the checked address.
    if stream.peer_addr().is_ok_and(|peer| peer == address) && stream.set_nodelay(true).is_ok() {
        Ok(stream)
    } else {
        Err(Cause::HostNotAllowed)
    }
}

fn cause_of(error: &io::Error) -> Cause {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Cause::ConnectRefused,
        io::ErrorKind::TimedOut => Cause::ConnectTimeout,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable | io::ErrorKind::AddrNotAvailable => {
            Cause::NetworkUnreachable
        }
        io::ErrorKind::ConnectionReset => Cause::ConnectionLost,
        _ => Cause::NetworkUnreachable,
    }
}

/// The cause when every address failed: a refusal is the clearest, then silence; a missing route may be our own fault.
fn worst(failures: &[Cause]) -> Cause {
    [Cause::ConnectRefused, Cause::ConnectTimeout, Cause::ConnectionLost, Cause::HostNotAllowed]
        .into_iter()
        .find(|cause| failures.contains(cause))
        .unwrap_or(Cause::NetworkUnreachable)
}
