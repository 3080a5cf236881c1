//! Properties: no part of any secret is left, in any encoding.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use proptest::prelude::*;
use secrecy::SecretString;

use super::{hex, is_clear, left, percent, plain, redactor, squeeze};
use crate::smtp::transcript::Redactor;

fn separated(text: &str, group: usize, separator: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(group).map(|chunk| chunk.iter().collect::<String>()).collect::<Vec<_>>().join(separator)
}

#[derive(Debug, Clone, Copy)]
enum Encoding {
    None,
    Base64,
    UrlSafe,
    Twice,
    Hex,
    Decimal,
    Percent,
    Printable,
    Json,
}

/// How a server writes what it was sent, and the part of it that the secret alone determines, with the number of
/// symbols for six of its characters.
fn encoded(encoding: Encoding, before: &str, secret: &str, after: &str) -> (String, String, usize) {
    let all = format!("{before}{secret}{after}");
    let middle = |text: &str, from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    let inner = |engine: &base64::engine::GeneralPurpose| {
        let text = engine.encode(&all);
        let secret = middle(&text, (8 * before.len()).div_ceil(6), 8 * (before.len() + secret.len()) / 6);
        (text, secret)
    };
    match encoding {
        Encoding::None => (all, secret.to_owned(), 6),
        Encoding::Base64 | Encoding::UrlSafe => {
            let url_safe = matches!(encoding, Encoding::UrlSafe);
            let (text, secret) = inner(if url_safe { &BASE64_URL_SAFE } else { &BASE64_STANDARD });
            (text, secret, 8)
        }
        Encoding::Twice => {
            let (once, secret) = inner(&BASE64_STANDARD);
            let start = once.find(&secret).unwrap_or_default();
            let twice = BASE64_STANDARD.encode(&once);
            let secret = middle(&twice, (8 * start).div_ceil(6), 8 * (start + secret.len()) / 6);
            (twice, secret, 12)
        }
        Encoding::Hex => (hex(all.as_bytes()), hex(secret.as_bytes()), 13),
        Encoding::Decimal => {
            let numbers = |text: &str| text.bytes().map(|byte| format!("{byte:03}")).collect::<String>();
            (numbers(&all), numbers(secret), 21)
        }
        Encoding::Percent => (percent(&all, '%'), percent(secret, '%'), 18),
        Encoding::Printable => (percent(&all, '='), percent(secret, '='), 18),
        Encoding::Json => {
            let json = |text: &str| {
                let quoted = serde_json::to_string(text).unwrap();
                quoted[1..quoted.len() - 1].to_owned()
            };
            (json(&all), json(secret), 12)
        }
    }
}

proptest! {
    #[test]
    fn no_form_of_the_secret_is_left(
        secret in "[!-~éà ]{4,24}",
        login in "[a-z]{1,8}@[a-z]{1,8}\\.fr",
        before in "[a-z ]{0,12}",
        upper in any::<bool>(),
    ) {
        let redactor = Redactor::new(Some((&login, &SecretString::from(secret.clone()))));
        let json = serde_json::to_string(&secret).unwrap();
        let forms = [
            secret.clone(),
            BASE64_STANDARD.encode(&secret),
            BASE64_STANDARD.encode(format!("\0{login}\0{secret}")),
            percent(&secret, '%'),
            json[1..json.len() - 1].to_owned(),
        ];
        let inside = BASE64_STANDARD.encode(format!("{before}{secret}"));
        let is_inside = |form: &String| *form == inside && secret.len() < 8;
        let forms = forms.into_iter().chain([
            secret.chars().rev().collect(),
            inside.clone(),
            format!("{before}{}", secret.chars().flat_map(|c| [c, '\u{feff}']).collect::<String>()),
        ]);
        for form in forms {
            // In capitals, base64 of a short secret is no longer the secret.
            let echoed = if upper && !is_inside(&form) { form.to_ascii_uppercase() } else { form.clone() };
            let shown = redactor.redact(&format!("{before}{echoed} rejected"));
            prop_assert!(!shown.to_ascii_lowercase().contains(&form.to_ascii_lowercase()), "{form} {shown}");
            prop_assert!(is_clear(&shown, &secret), "{shown}");
        }
    }

    /// In any encoding and case, with any separators and splits: no six consecutive characters are left.
    #[test]
    fn no_six_characters_are_left(
        secret in "[!-~]{8,40}",
        (before, after) in ("[a-z =.]{0,9}", "[a-z =.]{0,9}"),
        encoding in prop::sample::select(vec![
            Encoding::None, Encoding::Base64, Encoding::UrlSafe, Encoding::Twice, Encoding::Hex, Encoding::Decimal,
            Encoding::Percent, Encoding::Printable, Encoding::Json,
        ]),
        separator in prop::sample::select(vec!["", " ", "\u{200b}", "  ", ".", ":", "-", ", "]),
        group in 1_usize..6,
        (upper, split) in (any::<bool>(), any::<prop::sample::Index>()),
    ) {
        let (text, wanted, run) = encoded(encoding, &before, &secret, &after);
        // Separators can be removed only if the secret consists of letters, and an escape must be whole.
        let is_readable = separator.trim_matches([' ', '\u{200b}']).is_empty() || wanted.bytes().all(|b| b.is_ascii_alphanumeric());
        let separator = if is_readable { separator } else { "" };
        let (group, separator) = match encoding {
            Encoding::Decimal => (3, if separator.trim().is_empty() || separator == "\u{200b}" { " " } else { separator }),
            Encoding::Percent | Encoding::Printable | Encoding::Json => (6, ""),
            _ => (group, separator),
        };
        let mut echoed = separated(&text, group, separator);
        if upper && !matches!(encoding, Encoding::Json) {
            echoed = echoed.to_uppercase();
        }
        let redactor = redactor(&secret);
        let in_one = redactor.redact(&echoed);
        // An escape is not split: its halves would mean nothing.
        let split = if matches!(encoding, Encoding::Percent | Encoding::Printable | Encoding::Json) { 0 } else { split.index(echoed.len() + 1) };
        let split = (0..=split).rev().find(|at| echoed.is_char_boundary(*at)).unwrap_or_default();
        let (one, two) = echoed.split_at(split);
        let in_two = redactor.redact_lines(&[one, two]).concat();
        for shown in [in_one, in_two] {
            let (seen, wanted) = if matches!(encoding, Encoding::None | Encoding::Percent | Encoding::Printable | Encoding::Json) && separator.trim_matches([' ', '\u{200b}']).is_empty() {
                (squeeze(&shown), squeeze(&wanted))
            } else {
                (plain(&shown), plain(&wanted))
            };
            if wanted.len() >= run {
                prop_assert!(left(&seen, &wanted, run).is_none(), "{:?} {} in {}", encoding, wanted, shown);
            }
        }
    }
}
