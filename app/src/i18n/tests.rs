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
    // Words that are the same in both languages, or names.
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
    let phases = ["reach", "secure", "sign-in", "send"].map(|phase| format!("phase-{phase}"));
    let phases = phases.into_iter().flat_map(|phase| [format!("{phase}-running"), phase]);
    for key in causes.chain(stages).chain(phases) {
        assert!(known.contains_key(&key), "{key}");
    }
}

#[test]
fn dates_follow_the_language() {
    let first: Timestamp = "2027-01-01T08:05:00Z".parse().unwrap();
    assert_eq!(date(Locale::Fr, &in_utc(first)), "1er janvier 2027");
    assert_eq!(date_time(Locale::Fr, &in_utc(first), "%H:%M"), "1er janvier 2027 à 08:05");
    assert_eq!(date_of(Locale::Fr, "2026-11-27T15:20:00Z"), "27 novembre 2026");
    let paris = first.to_zoned(TimeZone::get("Europe/Paris").unwrap());
    assert_eq!(date_time(Locale::Fr, &paris, "%H:%M"), "1er janvier 2027 à 09:05");
    assert_eq!(date_time(Locale::En, &in_utc(first), "%H:%M"), "1 January 2027 at 08:05");
    assert_eq!(date_of(Locale::En, ""), "");
}

/// Lines of texts: the catalogues, and the texts for people in `crates/model/data`. Providers' own labels, in quotation
/// marks, are left out.
fn texts() -> Vec<String> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/model/data");
    let files = fs::read_dir(data.join("providers")).unwrap().map(|entry| entry.unwrap().path());
    let data = files.chain([data.join("guides.toml")]).flat_map(|file| {
        let text = fs::read_to_string(file).unwrap();
        text.lines().filter(|line| line.contains("fr = ")).map(str::to_owned).collect::<Vec<_>>()
    });
    let catalogues = FRENCH.into_iter().chain(ENGLISH).flat_map(|file| file.lines().map(str::to_owned));
    let lines: Vec<_> = catalogues.filter(|line| !line.starts_with('#')).chain(data).collect();
    let products = |line: String| line.replace("E-mail Pro", "");
    let said = |line: &str| line.split_once(" = ").map_or(line, |(_, text)| text).to_owned();
    lines.iter().map(|line| said(line)).map(|line| outside(&outside(&products(line), '«', '»'), '“', '”')).collect()
}

fn outside(text: &str, open: char, close: char) -> String {
    let mut pieces = text.split(open);
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |kept, piece| kept + piece.split_once(close).map_or("", |(_, after)| after))
}

#[test]
fn retired_wording_is_not_used() {
    const REPLACED: &str = "L’aide d|Ce champ est nécessaire|C’est trop long|une espace|Pour qui ces emails|\
        quand c’est une adresse|lisent à côté|Du réglage|Le même essai|vous avez la preuve|comme souhaité|\
        À vous de jouer|toute mesure|répond sans fin|lisible en route|La liaison|page à lui|\
        Une connexion est faite|Connexions en même temps|, ou rien|compte SMTP à vous|A ajouté|\
        Ce que le serveur sait faire|laissez-passer|Mettez comme serveur|Donnez-en un nouveau|\
        passe pour applications|e-mail|E-mail|emails leave|SMTP login|This field is needed|\
        whole email address|superfluous|For whom|beside the address|you have the proof|without a word|\
        mark it as wanted|is well|signs of life|fell silent|all measure| mended|takes no password|\
        no longer takes|not there?|in a page of its own|application password|App password|switched on on|\
        of its own accord|Register each one|takes at most|see its |Make a key|voyez son |\
        voyez l’administrateur";
    let said: Vec<_> =
        texts().into_iter().filter(|line| REPLACED.split('|').any(|words| line.contains(words))).collect();
    assert!(said.is_empty(), "{said:#?}");
}

#[test]
fn languages_are_recognised_from_tags_and_headers() {
    assert_eq!(Locale::from_tag("fr-CA"), Some(Locale::Fr));
    assert_eq!(Locale::from_tag("EN_gb"), Some(Locale::En));
    assert_eq!(Locale::from_tag("../../x"), None);
    assert_eq!(Locale::from_accept_language("de-DE,en;q=0.8,fr;q=0.5"), Some(Locale::En));
    assert_eq!(Locale::from_accept_language("de"), None);
}
