//! Server side. The fields of each server function. A form with any other field is refused.
//!
//! The names come from the functions' arguments. To add a server function: its name in the list below (a test finds
//! missing ones), and the fields that its forms send in addition.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use leptos::server_fn::ServerFn;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    profile::{
        api::{CleanSecret, DeleteProfile, DuplicateProfile, FillProfile, SaveEncoding, SaveProfile, UseProfile},
        autosave::{CheckProfile, ForgetDraft, MergeProfile},
        deleted::RestoreProfile,
        dropping::CancelProfile,
        sending_api::SaveSending,
    },
    sending_mode::api::{ChooseOwnSmtp, SaveSendingMode},
    sign_in::api::{BeginSignIn, SignOut, UseMailbox},
    test_run::{
        api::{ApplyFix, ConfirmReceipt, ReplaceSecret, RunTest},
        stream::StreamTest,
    },
    ui::form_owner::FORM_OWNER,
};

/// The fields that the merge page sends.
const TAKEN: [&str; 10] = [
    "take[preset]",
    "take[host]",
    "take[port]",
    "take[security]",
    "take[user]",
    "take[login]",
    "take[sender_name]",
    "take[sender_address]",
    "take[reply_to]",
    "take[name]",
];

/// The fields of a profile's form, for a button in it that needs none of them.
const PROFILE_FORM: [&str; 12] = [
    "form",
    "secret",
    "draft[preset]",
    "draft[host]",
    "draft[port]",
    "draft[security]",
    "draft[user]",
    "draft[login]",
    "draft[sender_name]",
    "draft[sender_address]",
    "draft[reply_to]",
    "draft[name]",
];

type Fields = HashMap<&'static str, HashSet<String>>;

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let mut fields = Fields::new();
    add::<SaveProfile>(&mut fields, &[]);
    // Other submit buttons of the form send all of its fields.
    add::<FillProfile>(&mut fields, &["secret"]);
    add::<CancelProfile>(&mut fields, &["secret"]);
    add::<BeginSignIn>(&mut fields, &["secret"]);
    add::<SignOut>(&mut fields, &PROFILE_FORM);
    add::<UseMailbox>(&mut fields, &[]);
    add::<SaveEncoding>(&mut fields, &[]);
    // The number of characters the page mentioned.
    add::<CleanSecret>(&mut fields, &["count"]);
    add::<CheckProfile>(&mut fields, &[]);
    add::<MergeProfile>(&mut fields, &TAKEN);
    // Also a button of the merge page.
    add::<ForgetDraft>(&mut fields, &[&TAKEN[..], &["revision"]].concat());
    // The list is one form: its buttons also send the test's recipient and what the list showed.
    add::<DuplicateProfile>(&mut fields, &["to", "listed", "after"]);
    add::<UseProfile>(&mut fields, &["to"]);
    add::<DeleteProfile>(&mut fields, &[]);
    add::<RestoreProfile>(&mut fields, &[]);
    add::<SaveSending>(&mut fields, &[]);
    add::<SaveSendingMode>(&mut fields, &[]);
    add::<ChooseOwnSmtp>(&mut fields, &[]);
    add::<RunTest>(&mut fields, &["listed", "after"]);
    add::<ApplyFix>(&mut fields, &[]);
    add::<ReplaceSecret>(&mut fields, &[]);
    add::<StreamTest>(&mut fields, &[]);
    add::<ConfirmReceipt>(&mut fields, &[]);
    fields
});

/// Adds a function whose arguments all have defaults.
fn add<F: ServerFn + Serialize + DeserializeOwned>(fields: &mut Fields, besides: &[&str]) {
    let empty = serde_json::from_str::<F>("{}").ok();
    let mut names: HashSet<String> = besides.iter().map(|name| (*name).to_owned()).collect();
    if let Some(Value::Object(arguments)) = empty.and_then(|empty| serde_json::to_value(empty).ok()) {
        for (name, argument) in arguments {
            match argument {
                Value::Object(parts) => names.extend(parts.keys().map(|part| format!("{name}[{part}]"))),
                _ => drop(names.insert(name)),
            }
        }
    }
    fields.insert(F::PATH, names);
}

/// The fields of the function at `path`; `None` when there is no such function.
pub fn fields_of(path: &str) -> Option<impl Iterator<Item = &'static str>> {
    FIELDS.get(path).map(|names| names.iter().map(String::as_str))
}

/// Whether a server function is at `path`.
pub fn is_function(path: &str) -> bool {
    FIELDS.contains_key(path)
}

/// The first name that the function at `path` does not take; `None` also when there is no such function.
pub fn unknown_field<'n>(path: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let known = FIELDS.get(path)?;
    names.into_iter().find(|name| *name != FORM_OWNER && !known.contains(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_function_is_known_with_its_fields() {
        let mut sources = Vec::new();
        let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("forms.rs") {
                    sources.push(std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let declared: HashSet<String> = sources
            .iter()
            .flat_map(|source| source.split("#[server(name = ").skip(1))
            .map(|rest| {
                let endpoint = rest.split("endpoint = \"").nth(1).unwrap();
                format!("/api/{}", endpoint.split('"').next().unwrap())
            })
            .collect();
        assert_eq!(FIELDS.keys().map(|path| (*path).to_owned()).collect::<HashSet<_>>(), declared);
        assert!(FIELDS.values().all(|names| !names.is_empty()), "an argument has no default: {:?}", *FIELDS);
    }

    #[test]
    fn an_unknown_field_is_found() {
        let save = ["id", "draft[preset]", "draft[host]", "draft[port]", "draft[security]", "draft[login]", "secret"];
        assert_eq!(unknown_field("/api/profiles/save", save), None);
        for unknown in ["password", "draft[password]", "draft", "draft[host][x]", "secret[0]", "ID", "in_use", ""] {
            assert_eq!(unknown_field("/api/profiles/save", ["id", unknown]), Some(unknown));
        }
        assert_eq!(unknown_field("/api/profiles/use", ["id", "to"]), None);
        assert_eq!(unknown_field("/api/profiles/delete", ["id", "to"]), Some("to"));
        assert_eq!(unknown_field("/api/v1/messages", ["x"]), None, "not a form");
    }
}
