//! The name of a mail server: parsing the canonical form again changes nothing; it is a public name, and not an address
//! in any spelling.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use libfuzzer_sys::fuzz_target;
use mail::net::Host;

/// Repeated here: a list shared with the parser would prove nothing.
const LOCAL: [&str; 5] = ["localhost", "local", "internal", "home.arpa", "localdomain"];

fuzz_target!(|data: &[u8]| {
    let typed = String::from_utf8_lossy(data);
    let Ok(host) = Host::parse(&typed) else { return };
    let name = host.as_str();

    assert_eq!(Host::parse(name).as_ref(), Ok(&host), "read again");
    assert_eq!(Host::parse(&name.to_ascii_uppercase()).as_ref(), Ok(&host), "in capitals");
    assert_eq!(Host::parse(&format!("{name}.")).as_ref(), Ok(&host), "with the root's dot");

    let harmless = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    assert!(name.bytes().all(harmless), "{name:?}");
    assert!(name.len() <= 253 && name.contains('.'), "{name:?}");
    let is_label = |label: &str| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
    assert!(name.split('.').all(is_label), "{name:?}");

    for local in LOCAL {
        assert!(name != local && !name.ends_with(&format!(".{local}")), "{name:?} is local");
    }
    assert!(name.parse::<IpAddr>().is_err(), "{name:?} is an address");
    assert_eq!(lenient(name), None, "{name:?} is an address to inet_aton");
});

/// An address as `inet_aton` and browsers parse it: one to four numbers, the last one fills the remaining bytes.
fn lenient(name: &str) -> Option<Ipv4Addr> {
    let number = |part: &str| {
        let (digits, radix) = match part.as_bytes() {
            [b'0', b'x', ..] => (&part[2..], 16),
            [b'0', _, ..] => (&part[1..], 8),
            _ => (part, 10),
        };
        if digits.is_empty() { Some(0) } else { u32::from_str_radix(digits, radix).ok() }
    };
    let parts: Vec<u32> = name.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = parts.split_last().filter(|(_, first)| first.len() < 4)?;
    let high = first.iter().enumerate().fold(0_u32, |sum, (at, part)| sum | (part & 0xff) << (24 - 8 * at));
    Some(Ipv4Addr::from(high | last))
}
