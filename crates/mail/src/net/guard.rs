//! The address policy: which hosts, addresses and ports may be dialled. Only the operator can allow more.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use model::cause::Cause;

use super::host::{Host, HostError};

mod missing;
mod special;
#[cfg(test)]
mod tests;

pub use missing::Missing;

/// The ports of mail submission (RFC 8314, RFC 6409), and the common alternative.
const SUBMISSION_PORTS: [u16; 3] = [465, 587, 2525];
/// A name with more addresses than this is refused.
pub const MOST_ADDRESSES: usize = 16;

/// Why a destination is refused. All refused addresses look the same to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It breaks the rules of host names.
    #[error("not a host name")]
    HostInvalid,
    /// It is a local name or an address, or resolves to an address, that the policy does not allow.
    #[error("the host is not allowed")]
    HostNotAllowed,
    /// It is neither a submission port nor in [`Policy::allow_ports`].
    #[error("the port is not allowed")]
    PortNotAllowed,
}

impl Refusal {
    /// The cause to report.
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

/// The policy. The default is strict: public addresses, the submission ports, no password without encryption.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Networks that may be dialled although they are not public.
    pub allow_networks: Vec<IpNet>,
    /// Hosts that may be dialled at any address, including local names: exact names, `*.suffix`, or addresses, in the
    /// form that [`pattern`] returns.
    pub allow_hosts: Vec<String>,
    /// Ports that may be dialled in addition to 465, 587 and 2525.
    pub allow_ports: Vec<u16>,
    /// Names that are not looked up in the DNS: exact names, or `*.suffix`. The operator vouches for the addresses.
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
    /// The host in canonical form. An address or a local name is accepted only if the operator allows it.
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

    /// Whether the operator named the host: then its addresses are not checked.
    pub(crate) fn is_allowed(&self, host: &Host) -> bool {
        self.allow_hosts.iter().any(|pattern| matches(pattern, host))
    }

    /// Refuses a port that may not be dialled.
    pub fn check_port(&self, port: u16) -> Result<(), Refusal> {
        if self.allow_ports.contains(&port) { Ok(()) } else { Err(Refusal::PortNotAllowed) }
    }

    /// Refuses the whole answer if any of its addresses may not be dialled.
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

    /// Whether a password may be sent to this host without encryption.
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

/// An IP address as typed, with or without brackets.
fn literal(typed: &str) -> Option<IpAddr> {
    typed.trim().trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Normalises what an operator writes for a host: a name, `*.suffix` or an address, in the form in which hosts are
/// kept. `None` for anything else.
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

/// Whether `host` equals `pattern`, or is below it if the pattern begins with `*.`.
fn matches(pattern: &str, host: &Host) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => suffix.starts_with('.') && host.as_str().ends_with(suffix),
        None => host.as_str() == pattern,
    }
}

/// Whether an address is an ordinary one of the public Internet. Almost every IPv6 form that embeds an IPv4 address is
/// outside the accepted range: global unicast (`2000::/3`) without the special-purpose blocks. ISATAP (RFC 5214) embeds
/// one under any prefix, and is refused separately, since no mail server uses it.
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
