//! Server side. The typed secret, and its validation.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::profile::{
    field::{Fault, Field, FieldError},
    mask::is_mask,
    password::{Cleaned, InnerSpaces, clean},
};

/// Maximum length of a secret, in bytes.
const LONGEST_SECRET: usize = 1024;

/// A secret as typed. Redacted in `Debug`, empty when serialised.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "String")]
pub struct TypedSecret(SecretString);

impl From<String> for TypedSecret {
    fn from(typed: String) -> Self {
        Self(SecretString::from(typed))
    }
}

impl fmt::Debug for TypedSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// Server functions require the trait; nothing is sent.
impl Serialize for TypedSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("")
    }
}

/// A secret ready to be sealed, and what the page says about it.
pub struct CheckedSecret {
    pub secret: SecretString,
    /// The number of characters removed as cosmetic.
    pub removed: u32,
    /// The number of characters that look superfluous but were kept, because they may be part of the password.
    pub suspicious: u32,
}

impl TypedSecret {
    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }

    /// Removes superfluous characters and validates the rest. If a space may be part of the password, only surrounding
    /// line ends are removed, which no password field can contain; other characters are counted, and the page offers to
    /// remove them.
    pub fn check(&self, inner: InnerSpaces) -> Result<CheckedSecret, FieldError> {
        let typed = self.0.expose_secret();
        if typed.len() > LONGEST_SECRET {
            return Err(FieldError::new(Field::Secret, Fault::TooLong));
        }
        let Cleaned { value, spaces, invisible } = clean(typed, inner);
        if value.is_empty() {
            // White space only: the field looks empty.
            return Err(FieldError::new(Field::Secret, Fault::Required));
        }
        let (kept, removed, suspicious) = match inner {
            InnerSpaces::Cosmetic => (value, spaces + invisible, 0),
            InnerSpaces::Significant => {
                let kept = typed.trim_matches(['\r', '\n']);
                let line_ends = u32::try_from(typed.len() - kept.len()).unwrap_or(u32::MAX);
                (kept.to_owned(), line_ends, spaces + invisible - line_ends.min(invisible))
            }
        };
        if is_mask(&kept) || is_mask(typed) {
            return Err(FieldError::new(Field::Secret, Fault::Mask));
        }
        if kept.chars().any(char::is_control) {
            return Err(FieldError::new(Field::Secret, Fault::Unprintable));
        }
        Ok(CheckedSecret { secret: SecretString::from(kept), removed, suspicious })
    }
}
