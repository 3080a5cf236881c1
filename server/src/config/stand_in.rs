//! Server side. Placeholders instead of a secret: a mask printed by a tool, a placeholder that was not filled in, a
//! value copied from a document, which every reader of that document knows.

use app::profile::mask::is_mask;
use sha2::{Digest, Sha256};

/// Texts that are meant to be changed later. Compared without case, blanks and punctuation, anywhere in the text: in 40
/// random characters of base64 the shortest of them occurs once in a hundred million.
const LATER: [&str; 15] = [
    "changeme",
    "changeit",
    "changethis",
    "pleasechange",
    "replaceme",
    "replacethis",
    "yoursecret",
    "yourpassword",
    "yourkeyhere",
    "insertsecret",
    "supersecret",
    "placeholder",
    "motdepasseici",
    "àchanger",
    "achanger",
];
/// The same, if there is nothing else.
const ALONE: [&str; 16] = [
    "password",
    "passwd",
    "passwort",
    "motdepasse",
    "secret",
    "example",
    "exemple",
    "sample",
    "todo",
    "fixme",
    "tbd",
    "default",
    "dummy",
    "xxx",
    "test",
    "none",
];
/// Example values from documents, ours and the standards they name, unchanged: RFC 7636 appendix B, RFC 7515 appendix
/// A.1, Standard Webhooks.
const PUBLISHED: [&str; 8] = [
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    "abcdefghijklmnop",
    "abcdefghijklmnopqrstuvwxyz123456",
    "correct horse battery staple",
];

/// Whether a text is a placeholder rather than a secret.
pub fn is_stand_in(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let text = text.trim();
    // An empty file lacks its secret: the caller reports that.
    if text.is_empty() {
        return false;
    }
    let word: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    is_mask(text)
        || LATER.iter().any(|later| word.contains(later))
        || ALONE.contains(&word.trim_start_matches("my").trim_end_matches(|c: char| c.is_ascii_digit()))
        || text.starts_with("64 hexadecimal")
        || PUBLISHED.iter().any(|known| text.eq_ignore_ascii_case(known))
        || (text.chars().count() > 3 && text.chars().all(|c| c.eq_ignore_ascii_case(&'x')))
}

/// Whether a key of 24 bytes or more repeats a few bytes or counts up: it is not random.
pub fn is_monotonous(key: &[u8]) -> bool {
    let repeats = (1..=key.len() / 2).any(|period| key.iter().zip(&key[period..]).all(|(one, other)| one == other));
    let step = |pair: &[u8]| pair[1].wrapping_sub(pair[0]);
    let counts = key.windows(2).map(step).all(|found| [1, 255].contains(&found));
    repeats || counts
}

/// Whether a hash is that of a placeholder, or of nothing.
pub fn is_hash_of_one(hash: &[u8; 32]) -> bool {
    let texts = LATER.iter().chain(&ALONE).chain(&PUBLISHED).chain(&["", "***", "fct_", "fct_changeme"]);
    is_monotonous(hash) || texts.into_iter().any(|text| Sha256::digest(text.as_bytes())[..] == hash[..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_keeps_secret_is_found() {
        for text in [
            "***",
            "********",
            "••••••",
            "null",
            "<password>",
            "${SMTP_PASSWORD}",
            "changeme",
            "Change-Me!",
            "change_me_please_change_me_please",
            "CHANGEMECHANGEMECHANGEMECHANGEME",
            "please change this secret before production",
            "your-secret-key-at-least-32-bytes-long",
            "REPLACE_ME",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "dbjftjez4cvp-mb92k27uhbujU1p1r_wW1gFWFOEjXk",
            "password",
            "Password123",
            "my-secret",
            "secret",
            "example",
            "TODO",
            "xxxxxxxxxxxxxxxx",
            "à changer",
            "  changeme \n",
        ] {
            assert!(is_stand_in(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_secret_is_a_secret() {
        for text in [
            "",
            "x",
            "Tr0ub4dor&3",
            "secretariat",
            "example.com-9f2c",
            "p4ssw0rd-of-the-relay",
            "\u{e9}t\u{e9}-2026",
            "passwords7q",
        ] {
            assert!(!is_stand_in(text.as_bytes()), "{text}");
        }
        assert!(!is_stand_in(&[0xff; 40]));
    }

    #[test]
    fn a_key_that_nobody_drew_is_found() {
        let counted: Vec<u8> = (1..=32).collect();
        let backwards: Vec<u8> = (0..32).rev().collect();
        for key in
            [&[0; 32][..], &[7; 32], b"0123456789abcdef0123456789abcdef", &counted, &backwards, &[1, 2].repeat(16)]
        {
            assert!(is_monotonous(key), "{key:?}");
        }
        for seed in 0..200_u8 {
            let drawn: [u8; 32] = Sha256::digest([seed]).into();
            assert!(!is_monotonous(&drawn) && !is_hash_of_one(&drawn));
        }
    }

    #[test]
    fn a_hash_of_no_secret_is_found() {
        for text in ["", "changeme", "secret", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"] {
            assert!(is_hash_of_one(&Sha256::digest(text.as_bytes()).into()), "{text}");
        }
        assert!(is_hash_of_one(&[0; 32]));
    }

    #[test]
    fn no_secret_of_the_documents_is_taken() {
        // Every secret value in the documents, except file names.
        let documents = [
            include_str!("../../../README.md"),
            include_str!("../../../docs/operating.md"),
            include_str!("../../../docs/embedding.md"),
            include_str!("../../../docs/messages.md"),
            include_str!("../../../examples/facteur.toml"),
            include_str!("../../../examples/README.md"),
        ];
        for word in documents.iter().flat_map(|text| text.split_whitespace()) {
            let word = word.trim_matches(|c: char| "`\"'(),.;".contains(c));
            let value = word.strip_prefix("whsec_").is_some_and(|rest| rest.len() > 8) || is_a_key(word);
            assert!(!value || is_stand_in(word.as_bytes()), "{word} is in a document: add it to PUBLISHED");
        }
    }

    /// 32 bytes in base64 or hexadecimal.
    fn is_a_key(word: &str) -> bool {
        let base64 = word.len() == 44 && word.ends_with('=') && !word.contains('/');
        let hexadecimal = word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        base64 || hexadecimal
    }
}
