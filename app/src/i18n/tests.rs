//! The catalogues against each other and against the sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use fluent_bundle::FluentResource;

use super::*;

/// Key → the names of the variables its text uses.
fn messages(files: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for file in files {
        FluentResource::try_new((*file).to_owned()).unwrap_or_else(|(_, errors)| panic!("{errors:?} in {file}"));
        let mut key = String::new();
        for line in file.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) = line.split_once(" =")
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            {
                name.clone_into(&mut key);
                assert!(found.insert(key.clone(), BTreeSet::new()).is_none(), "{key} stands twice");
            }
            for placeable in line.split("{ $").skip(1) {
                let variable: String = placeable.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                found.get_mut(&key).expect("a variable belongs to a message").insert(variable);
            }
        }
    }
    found
}

#[test]
fn both_languages_have_the_same_texts_with_the_same_variables() {
    let (french, english) = (messages(&FRENCH), messages(&ENGLISH));
    assert_eq!(french.keys().collect::<Vec<_>>(), english.keys().collect::<Vec<_>>());
    for (key, variables) in &french {
        assert_eq!(variables, &english[key], "the variables of {key}");
    }
}

#[test]
fn no_text_is_the_same_in_both_languages_by_oversight() {
    // Words that really are the same, or names.
    const SAME: &[&str] =
        &["encoding-iso-8859-1", "encoding-iso-8859-15", "encoding-windows-1252", "stage-time", "stage-time-short"];
    for key in messages(&FRENCH).keys().filter(|key| !SAME.contains(&key.as_str())) {
        let (french, english) = (Locale::Fr.text(key, &[]), Locale::En.text(key, &[]));
        assert!(french != english || french.len() < 16, "{key}: {french}");
    }
}

#[test]
fn french_typography_is_kept() {
    for file in FRENCH {
        for line in file.lines().filter(|line| !line.starts_with('#')) {
            let Some((_, text)) = line.split_once(" = ") else {
                continue;
            };
            assert!(!text.contains('\''), "straight apostrophe: {line}");
            for sign in [" :", " ;", " ?", " !", "« ", " »"] {
                assert!(!text.contains(sign), "breaking space at {sign:?}: {line}");
            }
        }
    }
}

/// Every `t!("key"` and `text("key"` of the sources.
fn keys_in_sources(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            keys_in_sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("i18n.rs") {
            let source = fs::read_to_string(&path).unwrap();
            for opening in ["t!(\"", "text(\"", "t!(\n"] {
                for rest in source.split(opening).skip(1) {
                    let rest = rest.trim_start().trim_start_matches('"');
                    let key: String = rest
                        .chars()
                        .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')
                        .collect();
                    if rest[key.len()..].starts_with('"') && key.contains('-') {
                        found.insert(key);
                    }
                }
            }
        }
    }
}

#[test]
fn every_key_in_the_sources_has_its_text() {
    let mut keys = BTreeSet::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    keys_in_sources(&root.join("src"), &mut keys);
    keys_in_sources(&root.join("../server/src"), &mut keys);
    assert!(keys.len() > 50, "the scan finds the keys: {}", keys.len());
    let known = messages(&FRENCH);
    let missing: Vec<_> = keys.iter().filter(|key| !known.contains_key(*key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_cause_and_stage_has_its_texts() {
    use crate::{diagnosis::cause::Cause, test_run::event::Stage};
    let known = messages(&FRENCH);
    let causes = Cause::ALL.iter().flat_map(|cause| {
        ["title", "what", "next"].map(|part| format!("cause-{}-{part}", cause.as_str().replace('_', "-")))
    });
    let stages = Stage::ALL.iter().map(|stage| format!("stage-{}", stage.as_str().replace('_', "-")));
    let running = Stage::ALL.iter().map(|stage| format!("stage-{}-running", stage.as_str().replace('_', "-")));
    for key in causes.chain(stages).chain(running) {
        assert!(known.contains_key(&key), "{key}");
    }
}

#[test]
fn languages_are_recognised_from_tags_and_headers() {
    assert_eq!(Locale::from_tag("fr-CA"), Some(Locale::Fr));
    assert_eq!(Locale::from_tag("EN_gb"), Some(Locale::En));
    assert_eq!(Locale::from_tag("../../x"), None);
    assert_eq!(Locale::from_accept_language("de-DE,en;q=0.8,fr;q=0.5"), Some(Locale::En));
    assert_eq!(Locale::from_accept_language("de"), None);
}
