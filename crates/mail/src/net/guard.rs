//! The address policy: which hosts, addresses and ports may be dialled. The operator alone can allow more.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use model::cause::Cause;

use super::host::{Host, HostError};

mod missing;
mod special;
#[cfg(test)]
mod tests;

pub use missing::Missing;

/// The ports of mail submission (RFC 8314, RFC 6409), and the usual third one.
const SUBMISSION_PORTS: [u16; 3] = [465, 587, 2525];
/// A name with more addresses than this is refused.
pub const MOST_ADDRESSES: usize = 16;

/// Why a destination is refused. Refused targets all look the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("not a host name")]
    HostInvalid,
    #[error("the host is not allowed")]
    HostNotAllowed,
    #[error("the port is not allowed")]
    PortNotAllowed,
}

impl Refusal {
    pub const fn cause(self) -> Cause {
        match self {
            Self::HostInvalid => Cause::HostInvalid,
            Self::HostNotAllowed => Cause::HostNotAllowed,
            Self::PortNotAllowed => Cause::PortNotAllowed,
        }
    }
}

impl From<HostError> for Refusal {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Invalid => Self::HostInvalid,
            HostError::NotAllowed => Self::HostNotAllowed,
        }
    }
}

/// The policy. Its default is the strict one: public addresses, the submission ports, no password in clear.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Networks that may be dialled though they are not public.
    pub allow_networks: Vec<IpNet>,
    /// Hosts that may be dialled wherever they are, local names included: exact names, `*.suffix`, or addresses. As
    /// [`pattern`] writes them.
    pub allow_hosts: Vec<String>,
    pub allow_ports: Vec<u16>,
    /// Names that are not asked of the DNS: exact names, or `*.suffix`. The operator vouches for the addresses.
    pub static_addresses: Vec<(String, Vec<IpAddr>)>,
    /// Hosts to which a password may be sent without encryption: exact names, or `*.suffix`.
    pub plaintext_hosts: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            allow_networks: Vec::new(),
            allow_hosts: Vec::new(),
            allow_ports: SUBMISSION_PORTS.to_vec(),
            static_addresses: Vec::new(),
            plaintext_hosts: Vec::new(),
        }
    }
}

impl Policy {
    /// The host in canonical form. An address, or a local name, is taken where the operator allows it by itself.
    pub fn check_host(&self, typed: &str) -> Result<Host, Refusal> {
        if let Some(address) = literal(typed) {
            let host = Host::of_address(address);
            let in_network = self.allow_networks.iter().any(|network| network.contains(&address));
            if in_network || self.is_allowed(&host) {
                return Ok(host);
            }
        }
        if let Some(host) = Host::of_any_name(typed)
            && (self.static_addresses(&host).is_some() || self.is_allowed(&host))
        {
            return Ok(host);
        }
        Ok(Host::parse(typed)?)
    }

    /// Whether the operator named the host: its addresses are not looked at.
    pub(crate) fn is_allowed(&self, host: &Host) -> bool {
        self.allow_hosts.iter().any(|pattern| matches(pattern, host))
    }

    pub fn check_port(&self, port: u16) -> Result<(), Refusal> {
        if self.allow_ports.contains(&port) { Ok(()) } else { Err(Refusal::PortNotAllowed) }
    }

    /// Refuses the whole answer if any address of it may not be dialled.
    pub fn check_addresses(&self, host: &Host, addresses: &[IpAddr]) -> Result<(), Refusal> {
        if self.is_allowed(host) {
            return Ok(());
        }
        let allowed =
            |address: &IpAddr| is_public(*address) || self.allow_networks.iter().any(|net| net.contains(address));
        if addresses.len() <= MOST_ADDRESSES && addresses.iter().all(allowed) {
            Ok(())
        } else {
            Err(Refusal::HostNotAllowed)
        }
    }

    /// Whether a password may be sent there without encryption.
    pub fn plaintext_allowed(&self, host: &Host) -> bool {
        self.plaintext_hosts.iter().any(|pattern| matches(pattern, host))
    }

    /// The addresses the operator gave to a name.
    pub(crate) fn static_addresses(&self, host: &Host) -> Option<&[IpAddr]> {
        self.static_addresses
            .iter()
            .find(|(pattern, _)| matches(pattern, host))
            .map(|(_, addresses)| addresses.as_slice())
    }
}

/// An address as it is typed, in brackets or not.
fn literal(typed: &str) -> Option<IpAddr> {
    typed.trim().trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// What an operator writes for a host, in the form in which hosts are kept: a name, `*.suffix` or an address. `None` when
/// it is none of these.
pub fn pattern(written: &str) -> Option<String> {
    if let Some(address) = literal(written) {
        return Some(Host::of_address(address).to_string());
    }
    let (star, name) = match written.trim().strip_prefix("*.") {
        Some(suffix) => ("*.", suffix),
        None => ("", written),
    };
    Host::of_any_name(name).map(|host| format!("{star}{host}"))
}

/// Whether `host` is `pattern`, or below it when it begins with `*.`.
fn matches(pattern: &str, host: &Host) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => suffix.starts_with('.') && host.as_str().ends_with(suffix),
        None => host.as_str() == pattern,
    }
}

/// Whether an address is an ordinary one of the public Internet. Nearly every form of IPv6 address that embeds an IPv4
/// one lies outside of what is taken: global unicast (`2000::/3`) without the special-purpose blocks. ISATAP (RFC 5214)
/// embeds one behind any prefix; no mail server lives there either.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !special::IPV4.iter().any(|(network, length)| {
        let mask = u32::MAX << (32 - length);
        u32::from(address) & mask == u32::from(Ipv4Addr::from(*network))
    })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let bits = u128::from(address);
    let is_isatap = matches!(address.segments(), [_, _, _, _, 0 | 0x0200, 0x5efe, _, _]);
    bits >> 125 == 1
        && !is_isatap
        && !special::IPV6.iter().any(|(network, length)| {
            let mask = u128::MAX << (128 - length);
            bits & mask == u128::from(Ipv6Addr::from(*network))
        })
}
