//! Server side. **Accepted is not received**: the confirmation mail contains a six-digit code; entering it proves that
//! the mail arrived.

use crate::profile::model::ProfileId;

/// The result of entering a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptOutcome {
    /// Correct: the profile counts as received.
    Received,
    /// Wrong, with the number of tries left.
    Wrong { tries_left: u32 },
    /// The code has expired, has no tries left, or does not exist: a new test sends a new one.
    Gone,
}

/// The name under which a refused code is kept.
pub fn code_form(id: ProfileId) -> String {
    format!("code-{id}")
}

/// The six digits, without spaces and dashes. `None` for anything else.
pub fn digits(typed: &str) -> Option<String> {
    let found: String = typed.chars().filter(|c| !c.is_whitespace() && !"-–.\u{200b}".contains(*c)).collect();
    (found.len() == 6 && found.bytes().all(|byte| byte.is_ascii_digit())).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_in_any_grouping_are_a_code() {
        for typed in ["123456", " 123 456 ", "123-456", "123\u{a0}456"] {
            assert_eq!(digits(typed).as_deref(), Some("123456"), "{typed:?}");
        }
        for typed in ["", "12345", "1234567", "12345a", "١٢٣٤٥٦"] {
            assert_eq!(digits(typed), None, "{typed:?}");
        }
    }
}
