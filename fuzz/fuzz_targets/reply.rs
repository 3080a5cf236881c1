//! A reply, from a connection and from a support ticket: its code is valid, its words are one line, and parsing them
//! again changes nothing.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use mail::{reply::Reply, smtp::door};

fuzz_target!(|data: &[u8]| {
    for reply in door::replies(data) {
        holds(&reply);
    }
    if let Some(reply) = Reply::parse(&String::from_utf8_lossy(data)) {
        holds(&reply);
    }
});

fn holds(reply: &Reply) {
    assert!((200..=599).contains(&reply.code), "code {}", reply.code);
    assert!(!reply.lines.is_empty(), "no line");
    if let Some(code) = reply.enhanced {
        assert!([2, 4, 5].contains(&code.class) && code.subject <= 999 && code.detail <= 999, "{code}");
    }
    let (text, words) = (reply.text(), reply.words());
    assert!(!words.contains(['\r', '\n']), "a line's end in {words:?}");
    assert_eq!(words.trim(), words);

    let said: HashSet<&str> = reply.lines.iter().flat_map(|line| line.split_whitespace()).collect();
    for word in text.split_whitespace() {
        assert!(said.contains(word), "{word:?} was not said in {:?}", reply.lines);
    }

    let again = Reply::parse(&words).expect("words are a reply");
    assert_eq!(again.code, reply.code);
    assert_eq!(again.words(), words, "read again");
    if reply.enhanced.is_some() {
        assert_eq!(again.enhanced, reply.enhanced);
    }
}
