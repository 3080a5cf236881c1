//! Tests. The marks on the providers' cards: `style/marks.css`, generated from the table of providers.
//!
//! After a change there: delete the file and run the tests twice.

use std::fmt::Write;

use ::model::provider::{Preset, all};

use super::colour::{Colour, WHITE};

/// The preset's radio button; presets share a selector if no other preset's id has the same prefix.
fn selectors(presets: &[Preset]) -> Vec<String> {
    let ids: Vec<&str> = presets.iter().map(|preset| preset.id.as_str()).collect();
    let common = ids.iter().skip(1).fold(ids[0], |common, id| {
        let length = common.bytes().zip(id.bytes()).take_while(|(one, other)| one == other).count();
        &common[..length]
    });
    let others = all().iter().flat_map(|provider| &provider.presets).filter(|other| other.id.starts_with(common));
    if ids.len() > 1 && common.len() > 2 && others.count() == ids.len() {
        return vec![format!("[value^={common}]+i")];
    }
    ids.into_iter().map(|id| format!("[value={id}]+i")).collect()
}

fn sheet() -> String {
    let mut sheet = "/* Written by the tests of app/src/theme/marks.rs. */\n".to_owned();
    for provider in all().iter().filter(|provider| !provider.presets.is_empty()) {
        let mark = &provider.mark;
        let small = if mark.text.chars().count() > 2 { "; font-size: .625rem" } else { "" };
        let selectors = selectors(&provider.presets).join(", ");
        let _ = writeln!(sheet, "{selectors} {{ --m: \"{}\"; background: {}{small} }}", mark.text, mark.colour);
    }
    sheet
}

#[test]
fn the_style_sheet_is_the_table_s() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../style/marks.css");
    let sheet = sheet();
    if !std::path::Path::new(path).exists() {
        std::fs::write(path, &sheet).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), sheet, "delete style/marks.css and run the tests twice");
}

/// The tile is the same in the light and the dark page.
#[test]
fn a_mark_is_short_and_readable() {
    for provider in all() {
        let mark = &provider.mark;
        let colour = Colour::parse(&mark.colour).unwrap();
        assert!(colour.contrast(WHITE) >= 4.5, "{}: {}", provider.id, colour.contrast(WHITE));
        assert!((1..=3).contains(&mark.text.chars().count()), "{}", provider.id);
    }
}
