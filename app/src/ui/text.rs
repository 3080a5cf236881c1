//! Server side. Texts that must not overflow a narrow page.

use leptos::prelude::*;

/// What fits into a line of the narrowest page, and what does not even without its port, in characters.
const FITS: usize = 20;
const LONG: usize = 30;

/// An address or a host; a long one with the places where a line may end: behind the `@` of an address or a slash, before a
/// port, and before the dots where that is not enough.
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
    fn lines_end_between_the_parts_of_a_long_address() {
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
