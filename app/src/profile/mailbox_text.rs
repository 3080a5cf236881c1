//! Both. Reads an address as people paste it: `Claire <claire@exemple.fr>`, `"Martin, Claire" <claire@exemple.fr>`,
//! `mailto:claire@exemple.fr`.

use super::server_text::visible;

/// An address and the name before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxText {
    pub name: String,
    pub address: String,
}

/// Quotation marks around a name.
const QUOTES: [(char, char); 4] = [('"', '"'), ('\'', '\''), ('«', '»'), ('“', '”')];

/// `None` if the text is only an address, or contains none: it stays unchanged.
pub fn read(typed: &str) -> Option<MailboxText> {
    let seen = visible(typed);
    let (name, rest) = seen.rsplit_once('<').unwrap_or(("", &seen));
    let rest = rest.trim_end_matches(['>', ',', ';', ' ']).trim_start();
    let address = match rest.split_once(':') {
        Some((scheme, link)) if scheme.eq_ignore_ascii_case("mailto") => link.split('?').next().unwrap_or_default(),
        _ => rest,
    };
    let is_address = address.contains('@') && !address.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>'));
    let name = unquoted(name);
    let name = if name == address { String::new() } else { name };
    (is_address && address != seen).then(|| MailboxText { name, address: address.to_owned() })
}

fn unquoted(name: &str) -> String {
    let name = name.trim();
    let inner = QUOTES.iter().find_map(|(open, close)| name.strip_prefix(*open)?.strip_suffix(*close));
    // A backslash escapes a character that would end the name (RFC 5322 §3.2.1).
    let mut characters = inner.unwrap_or(name).trim().chars();
    std::iter::from_fn(|| characters.next().map(|c| if c == '\\' { characters.next().unwrap_or(c) } else { c }))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_and_an_address_are_told_apart() {
        for (typed, name, address) in [
            ("Claire <claire@gmail.com>", "Claire", "claire@gmail.com"),
            ("  Claire Martin < claire@gmail.com > ", "Claire Martin", "claire@gmail.com"),
            ("\"Martin, Claire\" <claire@gmail.com>;", "Martin, Claire", "claire@gmail.com"),
            ("\"La \\\"Bonne\\\" Boutique\" <b@exemple.fr>", "La \"Bonne\" Boutique", "b@exemple.fr"),
            ("« L’Atelier » <a@exemple.fr>", "L’Atelier", "a@exemple.fr"),
            ("L'Atelier d'Élise <a@exemple.fr>", "L'Atelier d'Élise", "a@exemple.fr"),
            ("<claire@gmail.com>", "", "claire@gmail.com"),
            ("claire@gmail.com <claire@gmail.com>", "", "claire@gmail.com"),
            ("mailto:claire@gmail.com", "", "claire@gmail.com"),
            ("MAILTO:claire@gmail.com?subject=Bonjour", "", "claire@gmail.com"),
            ("Claire <mailto:claire@gmail.com>", "Claire", "claire@gmail.com"),
            ("claire@gmail.com,", "", "claire@gmail.com"),
        ] {
            let read = read(typed);
            let found = read.as_ref().map(|read| (read.name.as_str(), read.address.as_str()));
            assert_eq!(found, Some((name, address)), "{typed}");
        }
    }

    #[test]
    fn anything_else_stays_as_it_is() {
        for typed in
            ["", "claire@gmail.com", " claire@gmail.com ", "apikey", "Claire <claire>", "a@b <c d@e>", "a <b> c@d"]
        {
            assert_eq!(read(typed), None, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn what_was_read_stays_as_it_is(typed in "[a-z@<>\" :]{0,20}") {
            if let Some(mailbox) = read(&typed) {
                prop_assert_eq!(read(&mailbox.address), None);
            }
        }
    }
}
