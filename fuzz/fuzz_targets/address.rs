//! An e-mail address: parsing the canonical form again changes nothing, and it fits between the angle brackets of a
//! command.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mail::model::address::EmailAddress;

fuzz_target!(|data: &[u8]| {
    let typed = String::from_utf8_lossy(data);
    let Ok(address) = EmailAddress::parse(&typed) else { return };
    let kept = address.as_str();

    assert_eq!(EmailAddress::parse(kept).as_ref(), Ok(&address), "read again");
    assert_eq!(EmailAddress::parse(&format!(" {kept}\n")).as_ref(), Ok(&address), "with blanks around");

    let harmful = |c: char| c.is_control() || c.is_whitespace() || "<>\",;:()[]\\".contains(c);
    assert!(!kept.contains(harmful), "{kept:?}");
    assert_eq!(kept.matches('@').count(), 1, "{kept:?}");
    assert!(kept.len() <= 254, "{kept:?} is long");

    let (local, domain) = kept.split_once('@').expect("it has an @");
    assert!((1..=64).contains(&local.len()), "{kept:?}");
    assert!(typed.contains(local), "the local part is not ours to change");
    assert_eq!(domain, address.domain());
    let harmless = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    assert!(domain.bytes().all(harmless), "{kept:?}");
    assert!(domain.split('.').all(|label| (1..=63).contains(&label.len())), "{kept:?}");

    let debugged = format!("{address:?}");
    assert!(local.chars().count() == 1 || !debugged.contains(kept), "{debugged} can be written to");
});
