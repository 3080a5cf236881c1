//! No spelling of a host and no answer of the DNS leads to an address that is not public.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use proptest::prelude::*;
use tokio::time::Instant;

use super::*;
use crate::net::{dns::Dns, guard::is_public};

/// The addresses dialled for `typed` if the DNS gave `answer` for every name.
fn dialled(policy: &Policy, typed: &str, port: u16, answer: &[IpAddr]) -> Vec<SocketAddr> {
    let Ok(host) = policy.check_host(typed) else { return Vec::new() };
    if policy.check_port(port).is_err() {
        return Vec::new();
    }
    let dns = Dns::saying(answer);
    let deadline = Instant::now() + Duration::from_secs(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(dns.resolve(policy, &host, port, deadline)).unwrap_or_default()
}

/// Spellings of an IPv4 address that some parser or resolver accepts.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let number = u32::from(address);
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let wide = |text: &str| {
        text.chars().map(|c| if c.is_ascii_digit() { char::from_u32(c as u32 + 0xfee0).unwrap() } else { c }).collect()
    };
    let plain = address.to_string();
    vec![
        plain.clone(),
        format!(" {plain} "),
        format!("{plain}."),
        format!("[{plain}]"),
        number.to_string(),
        format!("{number:#x}"),
        format!("0{number:o}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("{a}.{}", number & 0xff_ffff),
        format!("{a}.{b}.{low}"),
        format!("0x{a:02X}.{b}.0{c:o}.{d}"),
        format!("::ffff:{plain}"),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("::{plain}"),
        format!("[64:ff9b::{plain}]"),
        format!("[2002:{high:x}:{low:x}::1]"),
        format!("{plain}:465"),
        format!("smtp://{plain}"),
        format!("claire@{plain}"),
        plain.replace('.', "。"),
        plain.replace('.', "．"),
        wide(&plain),
        plain.chars().flat_map(|c| [c, '\u{ad}']).collect(),
        plain.chars().flat_map(|c| [c, '\u{200b}']).collect(),
    ]
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from(bits))),
        // Inside global unicast, where the special blocks are.
        (any::<u128>(), 0x2000_u16..0x4000)
            .prop_map(|(bits, head)| { IpAddr::V6(Ipv6Addr::from(bits >> 16 | u128::from(head) << 112)) }),
        (any::<u128>(), any::<u32>()).prop_map(|(bits, v4)| {
            let prefix = (bits >> 67 | 1 << 125) & !(u128::from(u64::MAX));
            IpAddr::V6(Ipv6Addr::from(prefix | 0x0200_5efe << 32 | u128::from(v4)))
        }),
        prop::sample::select(vec![
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "8.8.8.8",
            "2a00::1"
        ])
        .prop_map(|text| text.parse().unwrap()),
    ]
}

proptest! {
    #[test]
    fn only_public_addresses_are_dialled(
        typed in prop_oneof!["\\PC{0,40}", "[a-z0-9.:@/\\[\\]%-]{0,30}", "[a-z]{1,9}\\.[a-z]{2,5}", "[a-z]{1,9}\\.(localhost|local|internal|home\\.arpa)\\.?"],
        port in prop_oneof![Just(465_u16), Just(587), any::<u16>()],
        answer in prop::collection::vec(any_address(), 0..20),
    ) {
        for address in dialled(&Policy::default(), &typed, port, &answer) {
            prop_assert!(is_public(address.ip()), "{typed:?} {address}");
            prop_assert!([465, 587, 2525].contains(&address.port()));
            prop_assert!(answer.len() <= 16 && answer.iter().all(|one| is_public(*one)), "the whole answer or nothing");
        }
    }

    #[test]
    fn no_spelling_of_an_address_is_dialled(bits in any::<u32>(), answer in any_address()) {
        for typed in spellings(Ipv4Addr::from(bits)) {
            prop_assert_eq!(dialled(&Policy::default(), &typed, 465, &[answer]), vec![], "{:?}", typed);
        }
    }

    #[test]
    fn what_the_operator_allows_is_all_that_is_dialled_besides(answer in prop::collection::vec(any_address(), 1..4)) {
        let network = "10.0.0.0/8".parse().unwrap();
        let policy = Policy { allow_networks: vec![network], ..Policy::default() };
        for address in dialled(&policy, "smtp.exemple.fr", 465, &answer) {
            prop_assert!(is_public(address.ip()) || network.contains(&address.ip()), "{address}");
        }
    }
}
