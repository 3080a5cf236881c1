//! `AUTH` against a server that sends any bytes, for every mechanism: the exchange ends, each command is one line, and
//! the transcript does not contain the password.
//!
//! The first line of an input is the password, the others are what the server sends. A line that begins with `+ `
//! becomes a challenge: 334 and the rest in base64; `{nonce}` in it is the client's nonce.
#![no_main]

use base64::{Engine, prelude::BASE64_STANDARD};
use libfuzzer_sys::{Corpus, fuzz_target};
use mail::smtp::door::{self, End, Login};
use secrecy::SecretString;

const LOGIN: &str = "claire@exemple.fr";
/// More rounds of PBKDF2 take time and find nothing. More than 250,000 are refused at once, and are tried.
const SLOW_ROUNDS: std::ops::RangeInclusive<u32> = 257..=250_000;

fuzz_target!(|data: &[u8]| -> Corpus {
    let mut lines = data.split(|byte| *byte == b'\n');
    // The session refuses control characters. Characters of the mark for a removed password may be part of one.
    let typed = String::from_utf8_lossy(lines.next().unwrap_or_default());
    let password: String = typed.chars().filter(|c| !c.is_control() && !"•…".contains(*c)).collect();
    let lines: Vec<&[u8]> = lines.collect();
    if lines.iter().any(|line| is_slow(line)) {
        return Corpus::Reject;
    }
    let secret = SecretString::from(password.clone());
    for mechanism in door::MECHANISMS {
        let mut login = Login::new(mechanism, LOGIN, &secret).expect("randomness");
        let nonce = login.nonce().unwrap_or_default();
        let sent: Vec<Vec<u8>> = lines.iter().map(|line| spoken(line, &nonce)).collect();
        let replies = door::replies(&sent.join(&b'\n'));
        let command = login.command();
        let end = login.hear(&replies);
        if end == End::Silence {
            assert_ne!(login.hear(&door::replies(&b"334 \n".repeat(8))), End::Silence, "it never ends");
        }

        // At most three challenges; LOGIN starts over at most once.
        assert!(login.answers.len() <= 6, "{} answers", login.answers.len());
        assert!(command.len() <= 510, "the command is longer than 512 octets with its line end");
        for line in login.answers.iter().chain([&command]) {
            assert!(line.is_ascii() && !line.contains(['\r', '\n', '\0']), "{line:?} is not one line");
        }
        if end == End::Done {
            assert!(!login.needs_proof(), "no input can prove that it knows the password");
            assert!(replies.iter().any(|reply| reply.code == 235), "it logged in without a 235");
        }
        for shown in &login.shown {
            assert!(password.is_empty() || !shown.contains(&password), "{password:?} is shown: {shown:?}");
            assert!(!shown.contains(char::is_control), "a control character in {shown:?}");
            assert!(shown.chars().count() <= 503, "{shown:?} is long");
        }
    }
    Corpus::Keep
});

fn spoken(line: &[u8], nonce: &str) -> Vec<u8> {
    let Some(challenge) = line.strip_prefix(b"+ ") else { return line.to_vec() };
    let challenge = match std::str::from_utf8(challenge) {
        Ok(text) => text.replace("{nonce}", nonce).into_bytes(),
        Err(_) => challenge.to_vec(),
    };
    format!("334 {}", BASE64_STANDARD.encode(challenge)).into_bytes()
}

fn is_slow(line: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(line) else { return false };
    let rounds = |part: &str| part.strip_prefix("i=").and_then(|rounds| rounds.parse::<u32>().ok());
    text.trim_start_matches("+ ").split(',').filter_map(rounds).any(|rounds| SLOW_ROUNDS.contains(&rounds))
}
