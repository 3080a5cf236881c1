//! Server side. The six digits in the confirmation mail.

use jiff::{SignedDuration, Timestamp};
use rand::{Rng, TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};

use crate::store::Receipt;

/// How long a code is valid.
const VALID: SignedDuration = SignedDuration::from_hours(24);
/// How often a wrong code may be entered.
const TRIES: u32 = 5;

/// A fresh code, and the part to store; `None` when the operating system provides no randomness.
pub(super) fn issue(now: Timestamp) -> Option<(String, Receipt)> {
    let mut salt = [0; 16];
    OsRng.try_fill_bytes(&mut salt).ok()?;
    let code = format!("{:06}", OsRng.unwrap_err().random_range(0..1_000_000));
    let receipt = Receipt { salt, code: hash(&salt, &code), expires_at: now + VALID, tries_left: TRIES };
    Some((code, receipt))
}

/// Whether this is the code.
pub(super) fn matches_code(receipt: &Receipt, code: &str) -> bool {
    receipt.code == hash(&receipt.salt, code)
}

fn hash(salt: &[u8; 16], code: &str) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(code.as_bytes()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_six_digits_and_only_it_opens() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let (code, receipt) = issue(now).unwrap();
        assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        assert!(matches_code(&receipt, &code));
        let other = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
        assert!(!matches_code(&receipt, &other) && !matches_code(&receipt, ""));
        assert_eq!(receipt.expires_at, now + VALID);
        assert_ne!(issue(now).unwrap().1.salt, receipt.salt);
    }
}
