//! Server side. Line breaks in long addresses and host names.

use leptos::prelude::*;

/// How many characters fit into a line of a 320 px page; a longer host is broken inside as well.
const FITS: usize = 20;
const LONG: usize = 30;

/// A text with `<wbr>` in each long address or host: after `@` and slashes, before a port, and before dots if it is very long.
pub fn breakable(text: &str) -> AnyView {
    let mut parts: Vec<String> = vec![String::new()];
    for (at, word) in text.split(' ').enumerate() {
        if let Some(part) = parts.last_mut().filter(|_| at > 0) {
            part.push(' ');
        }
        break_word(word, &mut parts);
    }
    parts.retain(|part| !part.is_empty());
    let parts = parts.into_iter().enumerate().map(|(at, part)| view! { {(at > 0).then(|| view! { <wbr /> })} {part} });
    parts.collect_view().into_any()
}

fn break_word(word: &str, parts: &mut Vec<String>) {
    let length = word.chars().count();
    let ends_before = |character| match character {
        ':' => length > FITS,
        '.' => length > LONG,
        _ => false,
    };
    for character in word.chars() {
        if ends_before(character) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
        if length > FITS && matches!(character, '@' | '/') {
            parts.push(String::new());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_addresses_break_between_their_parts() {
        for (text, html) in [
            ("claire@exemple.fr", "claire@exemple.fr"),
            ("boutique@sandbox.example", "boutique@<wbr>sandbox.example"),
            ("smtp.exemple.fr:465", "smtp.exemple.fr:465"),
            ("smtp.sandbox.example:2465", "smtp.sandbox.example<wbr>:2465"),
            (
                "email-smtp.eu-central-1.amazonaws.com:465",
                "email-smtp<wbr>.eu-central-1<wbr>.amazonaws<wbr>.com<wbr>:465",
            ),
            ("myaccount.google.com/apppasswords", "myaccount<wbr>.google<wbr>.com/<wbr>apppasswords"),
            ("Test de boutique@sandbox.example, à l’instant", "Test de boutique@<wbr>sandbox.example, à l’instant"),
            ("", ""),
        ] {
            assert_eq!(breakable(text).to_html().replace("<!>", ""), html);
        }
    }
}
