//! The extensions that a server announces: bounded, cleaned, and the server does not choose their number.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use mail::{
    reply::Reply,
    smtp::{capabilities::Capabilities, door},
};

fuzz_target!(|data: &[u8]| {
    for reply in door::replies(data) {
        holds(&Capabilities::parse(&reply));
    }
    if let Some(reply) = Reply::parse(&String::from_utf8_lossy(data)) {
        holds(&Capabilities::parse(&reply));
    }
});

fn holds(found: &Capabilities) {
    assert!(found.lines.len() <= 64, "{} lines", found.lines.len());
    for line in &found.lines {
        assert!(line.chars().count() <= 100, "{line:?} is long");
        assert!(!line.chars().any(char::is_control), "a control character in {line:?}");
    }

    assert!(found.auth.len() <= 64, "{} mechanisms", found.auth.len());
    let distinct: HashSet<&String> = found.auth.iter().collect();
    assert_eq!(distinct.len(), found.auth.len(), "{:?}", found.auth);
    for name in &found.auth {
        assert!(!name.is_empty() && !name.contains(char::is_whitespace), "{name:?}");
        assert!(!name.bytes().any(|byte| byte.is_ascii_lowercase()), "{name:?} is not in upper case");
    }

    assert_ne!(found.size, Some(Some(0)), "0 means without a limit");
}
