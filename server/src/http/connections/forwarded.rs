//! Server side. The client that a proxy forwards for: the address the proxy appended, never one that the client sent.
//!
//! Each proxy appends the address it was connected from to `X-Forwarded-For`, or to `Forwarded` (RFC 7239). So the list
//! is read from its right end, past the addresses of trusted proxies: the first other address is the client's.
//! Everything to the left of it came from the client, and may be forged.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use serde::Deserialize;

/// The header that trusted proxies write. The other one is ignored: a proxy passes on what a client puts there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    #[default]
    XForwardedFor,
    Forwarded,
}

impl ForwardedHeader {
    const fn name(self) -> HeaderName {
        match self {
            Self::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            Self::Forwarded => axum::http::header::FORWARDED,
        }
    }

    /// The address in one element of the list.
    fn address(self, element: &str) -> Option<IpAddr> {
        match self {
            Self::XForwardedFor => node(element),
            Self::Forwarded => element.split(';').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                name.trim().eq_ignore_ascii_case("for").then(|| node(value))?
            }),
        }
    }
}

/// The trusted proxies.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    pub networks: Vec<IpNet>,
    pub header: ForwardedHeader,
}

impl Proxies {
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The client for which a trusted proxy sends a request; `None` where the proxy names none: the request is its own,
    /// or the client is `unknown`.
    pub fn client(&self, headers: &HeaderMap) -> Option<IpAddr> {
        // Several headers of a name are one list (RFC 9110 §5.3).
        for value in headers.get_all(self.header.name()).iter().rev() {
            // Untrusted bytes: the client's part need not be UTF-8.
            let text = String::from_utf8_lossy(value.as_bytes());
            for element in elements_from_the_right(&text) {
                let address = self.header.address(element)?;
                if !self.trusts(address) {
                    return Some(address);
                }
            }
        }
        None
    }
}

/// The elements of a list, the last one first. Read from the right, a quote that a client left open ends in the
/// client's own part; from the left it would swallow what the proxy appended.
fn elements_from_the_right(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut quoted = false;
        let comma = text.bytes().enumerate().rev().find(|(_, byte)| {
            quoted ^= *byte == b'"';
            *byte == b',' && !quoted
        });
        let (before, element) = match comma {
            Some((at, _)) => (Some(&text[..at]), &text[at + 1..]),
            None => (None, text),
        };
        rest = before;
        Some(element.trim())
    })
    // Empty elements are skipped (RFC 9110 §5.6.1).
    .filter(|element| !element.is_empty())
}

/// An address as proxies write it, with or without a port: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`,
/// `[2001:db8::1]`, `[2001:db8::1]:4711`; quoted or not.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let with_port = || match text.parse::<SocketAddr>().ok()? {
        // With a zone, it is an address on the proxy's own link.
        SocketAddr::V6(address) if address.scope_id() != 0 => None,
        address => Some(address.ip()),
    };
    let address = text.parse().ok().or_else(|| bracketed().map(IpAddr::V6)).or_else(with_port);
    address.map(|address: IpAddr| address.to_canonical())
}

/// The key of the limits for each client: an IPv4 address, or the /64 network of an IPv6 client.
pub fn client_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn proxies(header: ForwardedHeader) -> Proxies {
        let networks = ["10.0.0.0/8", "192.168.7.1/32", "2001:db8:ffff::/48"];
        Proxies { networks: networks.iter().map(|network| network.parse().unwrap()).collect(), header }
    }

    fn client(header: ForwardedHeader, lines: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header.name(), HeaderValue::from_bytes(line).unwrap());
        }
        proxies(header).client(&headers).map(|address| address.to_string())
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_s_is_the_client() {
        for (lines, expected) in [
            (&["203.0.113.9"][..], Some("203.0.113.9")),
            (&["203.0.113.9, 10.0.0.1"], Some("203.0.113.9")),
            (&["203.0.113.9,10.0.0.1 ,\t192.168.7.1"], Some("203.0.113.9")),
            // Forged by the client, in front of what the proxy appended.
            (&["198.51.100.1, 203.0.113.9"], Some("203.0.113.9")),
            (&["10.0.0.1, 203.0.113.9"], Some("203.0.113.9")),
            (&["x, \"', 203.0.113.9, 10.0.0.1"], Some("203.0.113.9")),
            (&["\", 203.0.113.9"], Some("203.0.113.9")),
            // In a header of its own, before or after a proxy joined them.
            (&["198.51.100.1", "203.0.113.9"], Some("203.0.113.9")),
            (&["198.51.100.1", "203.0.113.9, 10.0.0.1", "10.0.0.2"], Some("203.0.113.9")),
            (&["203.0.113.9", "", " , "], Some("203.0.113.9")),
            // With ports, and in every spelling of IPv6.
            (&["203.0.113.9:4711"], Some("203.0.113.9")),
            (&["2001:db8::9"], Some("2001:db8::9")),
            (&["2001:DB8:0:0::0009"], Some("2001:db8::9")),
            (&["[2001:db8::9]"], Some("2001:db8::9")),
            (&["[2001:db8::9]:4711, 2001:db8:ffff::1"], Some("2001:db8::9")),
            (&["::ffff:203.0.113.9, ::ffff:10.0.0.1"], Some("203.0.113.9")),
            // The proxy itself, or a client that it does not name.
            (&[], None),
            (&[""], None),
            (&["10.0.0.1, 10.0.0.2"], None),
            (&["203.0.113.9, unknown"], None),
            (&["203.0.113.9, x"], None),
            (&["203.0.113.9, 1.2.3"], None),
            (&["203.0.113.9, 203.0.113.9:99999"], None),
            (&["203.0.113.9, [2001:db8::9"], None),
            (&["203.0.113.9, [fe80::1%2]:80"], None),
        ] {
            let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            assert_eq!(client(ForwardedHeader::XForwardedFor, &lines).as_deref(), expected, "{lines:?}");
        }
        let bytes = client(ForwardedHeader::XForwardedFor, &[b"\xff\xfe, 203.0.113.9"]);
        assert_eq!(bytes.as_deref(), Some("203.0.113.9"), "bytes from the client hide nothing");
    }

    #[test]
    fn forwarded_is_read_where_the_operator_says_that_the_proxies_write_it() {
        for (lines, expected) in [
            (&["for=203.0.113.9"][..], Some("203.0.113.9")),
            (&["For=\"203.0.113.9:4711\";proto=https;by=10.0.0.1"], Some("203.0.113.9")),
            (&["proto=https; for=\"[2001:db8::9]:4711\", for=10.0.0.1"], Some("2001:db8::9")),
            (&["for=\"[2001:db8::9]\""], Some("2001:db8::9")),
            (&["for=198.51.100.1", "for=203.0.113.9"], Some("203.0.113.9")),
            (&["for=198.51.100.1;secret=\"a,b\", for=203.0.113.9"], Some("203.0.113.9")),
            (&["for=\"198.51.100.1, for=203.0.113.9"], Some("203.0.113.9")),
            (&["for=203.0.113.9, for=unknown"], None),
            (&["for=203.0.113.9, for=_hidden"], None),
            (&["for=203.0.113.9, proto=https"], None),
            (&["203.0.113.9"], None),
        ] {
            let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            assert_eq!(client(ForwardedHeader::Forwarded, &lines).as_deref(), expected, "{lines:?}");
        }
    }

    #[test]
    fn the_other_header_is_the_client_s_and_is_not_read() {
        let mut headers = HeaderMap::new();
        headers.append("forwarded", HeaderValue::from_static("for=198.51.100.1"));
        assert_eq!(proxies(ForwardedHeader::XForwardedFor).client(&headers), None);
        headers.append("x-forwarded-for", HeaderValue::from_static("203.0.113.9"));
        let found = |header| proxies(header).client(&headers).unwrap().to_string();
        assert_eq!(found(ForwardedHeader::XForwardedFor), "203.0.113.9");
        assert_eq!(found(ForwardedHeader::Forwarded), "198.51.100.1");
    }

    #[test]
    fn an_ipv6_client_is_counted_by_its_network() {
        let key = |text: &str| client_key(text.parse().unwrap()).to_string();
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(key("::ffff:203.0.113.9"), "203.0.113.9");
    }

    proptest! {
        #[test]
        fn nothing_in_front_changes_what_the_proxy_appended(forged in "[ -~]{0,60}", quoted in any::<bool>()) {
            let (header, own) = if quoted {
                (ForwardedHeader::Forwarded, "for=\"[2001:db8::9]:1\";proto=https")
            } else {
                (ForwardedHeader::XForwardedFor, "2001:db8::9")
            };
            let line = format!("{forged}, {own}");
            prop_assert_eq!(client(header, &[line.as_bytes()]), Some("2001:db8::9".to_owned()));
        }
    }
}
