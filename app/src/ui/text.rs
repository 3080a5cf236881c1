//! Server side. Line breaks in long addresses and host names.

use leptos::prelude::*;

/// How many characters fit into a line of a 320 px page; a longer host is broken inside as well.
const FITS: usize = 20;
const LONG: usize = 30;

/// An address or a host, with `<wbr>` in a long one: after `@` and slashes, before a port, and before dots if it is
/// very long.
pub fn breakable(text: &str) -> AnyView {
    let length = text.chars().count();
    let ends_before = |character| match character {
        ':' => length > FITS,
        '.' => length > LONG,
        _ => false,
    };
    let mut parts: Vec<String> = vec![String::new()];
    for character in text.chars() {
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
    parts.retain(|part| !part.is_empty());
    let parts = parts.into_iter().enumerate().map(|(at, part)| view! { {(at > 0).then(|| view! { <wbr /> })} {part} });
    parts.collect_view().into_any()
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
            ("", ""),
        ] {
            assert_eq!(breakable(text).to_html().replace("<!>", ""), html);
        }
    }
}
