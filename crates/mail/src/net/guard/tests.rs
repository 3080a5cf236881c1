//! The address policy against the registries, and against every spelling of an address.

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
fn the_operator_s_word_stands_for_local_names_and_addresses() {
    for (written, typed, kept) in [
        ("localhost", "LOCALHOST.", "localhost"),
        ("mailpit", "mailpit", "mailpit"),
        ("mail_relay", "mail_relay", "mail_relay"),
        ("Mail.Internal.", "mail.internal", "mail.internal"),
        ("*.localhost", "smtp.localhost", "smtp.localhost"),
        ("x.home.arpa", "x.home.arpa", "x.home.arpa"),
        ("nas.local", "nas.local", "nas.local"),
        ("*.internal", "a.b.internal", "a.b.internal"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("::1", "[::1]", "::1"),
        ("smtp.exämple.fr", "smtp.exa\u{308}mple.fr", "smtp.xn--exmple-cua.fr"),
    ] {
        let policy = Policy { allow_hosts: vec![pattern(written).unwrap()], ..Policy::default() };
        let host = policy.check_host(typed).unwrap_or_else(|refusal| panic!("{written}: {refusal}"));
        assert_eq!(host.as_str(), kept);
        assert_eq!(policy.check_addresses(&host, &[address("127.0.0.1"), address("::1")]), Ok(()));
        assert_eq!(policy.missing(typed, Some(587), false), vec![]);
        // Not for other names, and not without the setting.
        for other in ["mail", "other.internal.fr", "internal", "10.0.0.1", "localhost.localdomain"] {
            assert!(policy.check_host(other).is_err() || other == "other.internal.fr", "{written} lets {other} pass");
        }
        if Host::parse(typed).is_err() {
            assert!(Policy::default().check_host(typed).is_err());
        }
    }
    for wrong in ["", "*", "*.", "a b", "http://x", "x:25", "*.*.fr", "a/b", "127.1", "0x7f.1"] {
        assert_eq!(pattern(wrong), None, "{wrong}");
    }
}

#[test]
fn what_is_missing_is_named_for_the_operator() {
    let missing = |typed: &str, port, in_clear| Missing::list(&Policy::default().missing(typed, Some(port), in_clear));
    assert_eq!(missing("smtp.exemple.fr", 587, false), "");
    assert_eq!(
        missing("Localhost", 587, false),
        "host = \"localhost\" is refused, unless smtp.allow_hosts has \"localhost\""
    );
    assert_eq!(
        missing("[::1]", 1025, true),
        "host = \"::1\" is refused, unless smtp.allow_hosts has \"::1\"; port = 1025 is refused, unless smtp.allow_ports has \
         1025; a password without encryption to ::1 is refused, unless smtp.plaintext_hosts has \"::1\""
    );
    assert_eq!(missing("no host at all", 587, false), "");
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
