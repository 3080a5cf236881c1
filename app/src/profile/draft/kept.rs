//! Server side. Unsaved input, as it is stored until it is saved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Draft;
use crate::{
    profile::{encoding::Encoding, field::FieldError, typed_sending::TypedSending},
    sending_mode::model::SendingMode,
};

/// The unsaved input of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDraft {
    /// The form's name: the profile's id, or what [`Drafts::new_form`](crate::profile::drafts::Drafts::new_form) gave.
    pub form: String,
    /// The profile being edited; `None` for a new one.
    pub profile: Option<String>,
    /// The profile's revision that the form showed.
    pub revision: Option<u32>,
    pub draft: Draft,
    pub errors: Vec<FieldError>,
    /// Discarded with **Annuler**: it can be restored, but no page offers it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dropped: bool,
    /// The input of another page than the form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
}

impl KeptDraft {
    pub fn of_choice(form: String, choice: Choice) -> Self {
        Self { form, choice: Some(choice), ..Self::default() }
    }
}

/// The unsaved input of a page with a few fields. It is stored, because input is never put into a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    Encoding(Encoding),
    Mode(SendingMode),
    /// With the names of the invalid fields.
    Sending(TypedSending, Vec<String>),
    /// The successor of a profile that is to be deleted.
    Successor(String),
    /// The code from a test's mail.
    Code(String),
    /// The chosen value of each field, when two people changed the same profile.
    Merge(BTreeMap<String, String>),
}

impl Choice {
    pub fn successor(typed: &str) -> Self {
        Self::Successor(typed.chars().take(LONGEST_CHOICE).collect())
    }

    pub fn code(typed: &str) -> Self {
        Self::Code(typed.chars().take(LONGEST_CHOICE).collect())
    }

    pub fn merge<'f>(taken: impl Iterator<Item = (&'f str, &'f str)>) -> Self {
        let one = |(name, value): (&str, &str)| (name.to_owned(), value.chars().take(LONGEST_CHOICE).collect());
        Self::Merge(taken.map(one).collect())
    }
}

/// Maximum length of a stored id or code, in characters.
const LONGEST_CHOICE: usize = 40;

/// Whether a text is a valid name of a form.
pub fn is_form_name(text: &str) -> bool {
    (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
