//! Server side. The owner of a form. A browser has one session; when another account is opened in it, older tabs still
//! show the former one. So each form names its account and person, and the server compares
//! (`http/forms/other_account.rs`).

use std::fmt;

use leptos::prelude::*;
use sha2::{Digest, Sha256};

use crate::{
    i18n::Locale,
    session::{Person, Session, Visit, visit},
};

/// The name of the field.
pub const FORM_OWNER: &str = "form_owner";
/// Length of the mark, in hexadecimal digits.
const DIGITS: usize = 16;
/// Maximum length of the name, in characters.
const LONGEST: usize = 120;

/// An account and a person: a mark to compare, a name to show. Forging one gains nothing: it can only cause a refusal;
/// the session decides everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormOwner {
    mark: String,
    /// The language of the form; `None` if unknown.
    pub locale: Option<Locale>,
    pub name: String,
}

impl FormOwner {
    pub fn of(session: &Session) -> Self {
        Self {
            mark: mark(&session.who()),
            locale: Some(session.locale),
            name: shown(&format!("{} ({})", session.account_name, session.person.name)),
        }
    }

    /// Parses the field of a form.
    pub fn parse(text: &str) -> Self {
        let (mark, name) = text.split_once(' ').unwrap_or((text, ""));
        let (mark, locale) = mark.split_once('.').unwrap_or((mark, ""));
        Self { mark: mark.to_owned(), locale: Locale::from_tag(locale), name: shown(name) }
    }

    /// Whether it belongs to this person.
    pub fn is_of(&self, who: &Person) -> bool {
        self.mark == mark(who)
    }

    /// Whether both are the same person of the same account.
    pub fn is(&self, other: &Self) -> bool {
        self.mark == other.mark
    }
}

impl fmt::Display for FormOwner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let locale = self.locale.map(|locale| format!(".{}", locale.tag())).unwrap_or_default();
        write!(formatter, "{}{locale} {}", self.mark, self.name)
    }
}

fn mark(who: &Person) -> String {
    let mut hash = Sha256::new();
    for part in [&who.account.portal, &who.account.account, &who.id] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// The name on one line, truncated.
fn shown(name: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    name.chars().filter(|c| !c.is_control() && !turns(*c)).take(LONGEST).collect()
}

/// The hidden field, in every form that is posted.
#[component]
pub fn FormOwnerField() -> impl IntoView {
    match visit() {
        Visit::Open(session) => {
            let owner = FormOwner::of(&session).to_string();
            Some(view! { <input type="hidden" name=FORM_OWNER value=owner /> })
        }
        Visit::Ended { .. } | Visit::Stranger { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_posted_form_has_the_field() {
        let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
        let mut forms = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                if path.extension().is_none_or(|end| end != "rs") || path.ends_with("form_owner.rs") {
                    continue;
                }
                let source = std::fs::read_to_string(&path).unwrap();
                for form in source.split("<form").skip(1).map(|rest| rest.split("</form>").next().unwrap()) {
                    // Except the form that opens a session.
                    if form.contains("method=\"post\"") && !form.contains("/session/tab") {
                        assert!(form.contains("<FormOwnerField />"), "{}: {form}", path.display());
                        forms += 1;
                    }
                }
            }
        }
        assert!(forms > 10, "{forms}");
    }

    #[test]
    fn the_field_round_trips_and_its_name_is_plain_text() {
        let owner = FormOwner::parse("0011223344556677 Boulangerie Martin (Claire)");
        assert_eq!(owner.name, "Boulangerie Martin (Claire)");
        assert_eq!(FormOwner::parse(&owner.to_string()), owner);
        let english = FormOwner::parse("0011223344556677.en Boulangerie Martin (Claire)");
        assert_eq!(
            (FormOwner::parse(&english.to_string()).locale, english.locale),
            (Some(Locale::En), Some(Locale::En))
        );
        assert!(english.is(&owner) && FormOwner::parse("00.xx a").locale.is_none());
        assert!(owner.is(&FormOwner::parse("0011223344556677")) && !owner.is(&FormOwner::parse("")));
        assert_eq!(FormOwner::parse("x a\u{202e}\nb").name, "ab");
        assert_eq!(FormOwner::parse(&format!("x {}", "a".repeat(500))).name.len(), LONGEST);
    }
}
