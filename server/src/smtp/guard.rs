//! Server side. The address policy: which hosts, addresses and ports may be dialled. The operator alone can allow more.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use app::diagnosis::cause::Cause;
use ipnet::IpNet;

use super::host::{Host, HostError};

mod special;

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
    /// Hosts whose addresses are not looked at: exact names, or `*.suffix`.
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
        let literal = typed.trim().trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if let Ok(address) = literal
            && self.allow_networks.iter().any(|network| network.contains(&address))
        {
            return Ok(Host::of_address(address));
        }
        if let Some(host) = Host::of_local_name(typed)
            && self.static_addresses(&host).is_some()
        {
            return Ok(host);
        }
        Ok(Host::parse(typed)?)
    }

    pub fn check_port(&self, port: u16) -> Result<(), Refusal> {
        if self.allow_ports.contains(&port) { Ok(()) } else { Err(Refusal::PortNotAllowed) }
    }

    /// Refuses the whole answer if any address of it may not be dialled.
    pub fn check_addresses(&self, host: &Host, addresses: &[IpAddr]) -> Result<(), Refusal> {
        if self.allow_hosts.iter().any(|pattern| matches(pattern, host)) {
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
    pub(super) fn static_addresses(&self, host: &Host) -> Option<&[IpAddr]> {
        self.static_addresses
            .iter()
            .find(|(pattern, _)| matches(pattern, host))
            .map(|(_, addresses)| addresses.as_slice())
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn host(name: &str) -> Host {
        Host::parse(name).unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn special_purpose_addresses_are_not_public() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2620:4f:8000::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            // The first and the last of each block, where the table above has one in the middle.
            "0.255.255.255",
            "10.255.255.255",
            "169.254.0.0",
            "172.16.0.0",
            "192.0.0.255",
            "192.31.196.1",
            "192.52.193.1",
            "192.175.48.1",
            "192.168.255.255",
            "198.51.100.255",
            "203.0.113.255",
            "::ffff:0:127.0.0.1",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1:ffff::1",
            "2001:1::1",
            "2001:2::1",
            "2001:3::1",
            "2001:4:112::1",
            "2001:10::1",
            "2001:20::1",
            "2001:30::1",
            "2001:1ff:ffff::1",
            "2001:db8:ffff::1",
            "2002:808:808::1",
            "2620:4f:8000:ffff::1",
            "3fff:fff::1",
            "4000::1",
            "fdff:ffff::1",
            "febf::1",
            "ffff::1",
            // ISATAP
            "2a00::5efe:a00:1",
            "2a00::200:5efe:808:808",
        ] {
            assert!(!is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn ordinary_addresses_are_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "2a00:1450:400c::6c",
            "2607:f8b0::1",
            "9.255.255.255",
            "11.0.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "192.31.195.1",
            "198.17.255.255",
            "2001:200::1",
            "2001:db9::1",
            "2003::1",
            "2620:4f:7fff::1",
            "3ffe::1",
        ] {
            assert!(is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn one_bad_address_refuses_the_whole_answer() {
        let policy = Policy::default();
        let name = host("smtp.exemple.fr");
        assert_eq!(policy.check_addresses(&name, &[address("8.8.8.8")]), Ok(()));
        let mixed = [address("8.8.8.8"), address("10.0.0.5")];
        assert_eq!(policy.check_addresses(&name, &mixed), Err(Refusal::HostNotAllowed));
        let many = vec![address("8.8.8.8"); MOST_ADDRESSES + 1];
        assert_eq!(policy.check_addresses(&name, &many), Err(Refusal::HostNotAllowed));
    }

    #[test]
    fn the_operator_can_allow_more_and_nobody_else() {
        let policy = Policy {
            allow_networks: vec!["10.1.0.0/16".parse().unwrap()],
            allow_hosts: vec!["relais.exemple.fr".to_owned()],
            plaintext_hosts: vec!["*.interne.exemple.fr".to_owned()],
            ..Policy::default()
        };
        assert_eq!(policy.check_addresses(&host("smtp.exemple.fr"), &[address("10.1.2.3")]), Ok(()));
        assert!(policy.check_addresses(&host("smtp.exemple.fr"), &[address("10.2.0.1")]).is_err());
        assert_eq!(policy.check_addresses(&host("relais.exemple.fr"), &[address("10.2.0.1")]), Ok(()));
        assert!(policy.plaintext_allowed(&host("mx.interne.exemple.fr")));
        assert!(!policy.plaintext_allowed(&host("interne.exemple.fr")));
        assert!(!policy.plaintext_allowed(&host("mxinterne.exemple.fr")));
    }

    #[test]
    fn only_submission_ports() {
        let policy = Policy::default();
        for port in [465, 587, 2525] {
            assert_eq!(policy.check_port(port), Ok(()));
        }
        for port in [0, 22, 25, 80, 443, 3306, 6379] {
            assert_eq!(policy.check_port(port), Err(Refusal::PortNotAllowed));
        }
    }

    proptest! {
        #[test]
        fn an_embedded_address_never_passes(bits in any::<u32>()) {
            let v4 = Ipv4Addr::from(bits);
            let [a, b, c, d] = v4.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            for v6 in [
                v4.to_ipv6_mapped(),
                Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 0),
                Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
            ] {
                prop_assert!(!is_public(IpAddr::V6(v6)), "{v6}");
            }
        }
    }
}
