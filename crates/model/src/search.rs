//! What a search box finds: words in any order, without accents, an address by its domain; without a match, words with
//! a typing error. Small enough for the WebAssembly, which must not contain Unicode's tables.

use crate::near::distance;

/// Shorter domain names occur in too many texts.
const SHORTEST_NAME: usize = 3;

/// Words that people add to a provider's name.
const AROUND: &str =
    "adresse boite chez compte de du e-mail email la le mail ma messagerie mon smtp account address at mailbox my the";

/// Whether a word does not identify a provider.
fn is_around(word: &str) -> bool {
    AROUND.split(' ').any(|known| known == word)
}

/// Whether `text` contains `part`. The standard library's search is faster in long texts, but large in WebAssembly.
fn has(text: &str, part: &str) -> bool {
    part.is_empty() || text.as_bytes().windows(part.len()).any(|there| there == part.as_bytes())
}

/// The letter in lower case without its accent; `None` for a combining mark.
const fn folded(character: char) -> Option<char> {
    let low = match character {
        'A'..='Z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{de}' => character as u8 + 0x20,
        '\0'..='\u{ff}' => character as u8,
        '\u{300}'..='\u{36f}' => return None,
        'Œ' | 'œ' => b'o',
        '’' => b'\'',
        _ => return Some(character),
    };
    Some(match low {
        0xe0..=0xe6 => 'a',
        0xe7 => 'c',
        0xe8..=0xeb => 'e',
        0xec..=0xef => 'i',
        0xf1 => 'n',
        0xf2..=0xf6 | 0xf8 => 'o',
        0xf9..=0xfc => 'u',
        0xfd | 0xff => 'y',
        0xa0 => ' ',
        other => other as char,
    })
}

fn fold(text: &str) -> String {
    text.chars().filter_map(folded).collect()
}

/// Whether `text` contains every word of `query`. Of an address only the part after the `@` counts, and of a domain its
/// name alone is enough: `orange.fr` finds Orange. Words around a name are optional: `ma boîte mail OVH`.
pub fn finds(text: &str, query: &str) -> bool {
    let (text, query) = (fold(text), fold(query));
    let names_one = query.split(' ').any(|word| !word.is_empty() && !is_around(word));
    query.split(' ').all(|word| {
        if names_one && is_around(word) {
            return true;
        }
        let word = word.rsplit('@').next().unwrap_or(word);
        let name = word.rsplit_once('.').map_or("", |(name, _)| name);
        has(&text, word) || (name.len() >= SHORTEST_NAME && has(&text, name))
    })
}

/// Whether both are equal, ignoring accents and case.
pub fn same(text: &str, query: &str) -> bool {
    fold(text) == fold(query)
}

/// Whether `text` contains every word of `query`, or one like it: with one typing error, or two in a long word whose
/// beginning is right. A word of four letters may only lack a letter: `gmal` is Gmail, but `lire` is not Live.
pub fn resembles(text: &str, query: &str) -> bool {
    let (text, query) = (fold(text), fold(query));
    let like = |word: &str, other: &str| {
        let long = word.len() > 5 && other.len() > 5 && word.as_bytes().first() == other.as_bytes().first();
        let most = if long { 2 } else { 1 };
        word.len() > 3 && other.len() > 4 && distance(word, other, most) <= most
    };
    query
        .split(' ')
        .all(|word| has(&text, word) || text.split(|c: char| !c.is_alphanumeric()).any(|other| like(word, other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_the_order_of_words_do_not_count() {
        for (text, query, found) in [
            ("Bac à sable", "bac a sable", true),
            ("Bac à sable", "SABLE bac", true),
            ("Numericable", "numéricable", true),
            ("Numéricable", "NUME\u{301}RICABLE", true),
            ("OVHcloud ssl0.ovh.net mail", "ovh mail", true),
            ("OVHcloud ssl0.ovh.net mail", "ma boîte mail OVH", true),
            ("OVHcloud ssl0.ovh.net mail", "my Gmail account", false),
            ("Gmail gmail.com", "adresse gmail", true),
            ("Orange / Wanadoo", "mail", false),
            ("Orange / Wanadoo", "la boîte", false),
            ("Gmail gmail.com", " Boutique@Gmail.com ", true),
            ("Orange / Wanadoo", "boutique@orange.fr", true),
            ("Orange / Wanadoo", "orange", true),
            ("iCloud smtp.mail.me.com", "me.com", true),
            ("Gmail time", "me.com", false),
            ("Gmail gmail.com", "boutique@", true),
            ("Gmail gmail.com", "", true),
            ("Gmail gmail.com", "orange", false),
            ("Gmail gmail.com", "gmail orange", false),
            ("Straße Ægir", "STRAßE ægir", true),
            ("Łódź 東京", "東京", true),
        ] {
            assert_eq!(finds(text, query), found, "{text} / {query}");
        }
    }

    #[test]
    fn a_slip_is_forgiven_in_words_that_are_long_enough() {
        for (text, query, found) in [
            ("Gmail google", "gmal", true),
            ("Gmail google", "gmial", true),
            ("Gmail google", "GMAÏLL", true),
            ("Outlook.com / Hotmail / Live", "hotmial", true),
            ("Outlook.com / Hotmail / Live", "otlook", true),
            ("Outlook.com / Hotmail / Live", "lire", false),
            ("Outlook.com / Hotmail / Live", "hotel", false),
            ("Apple iCloud Mail", "icould", true),
            ("La Poste (laposte.net)", "la posre", true),
            ("La Poste (laposte.net)", "le posre", false),
            ("Free", "fere", false),
            ("Free", "fre", true),
            ("Orange / Wanadoo", "garage", false),
            ("Gandi Mail", "candy", false),
        ] {
            assert_eq!(resembles(text, query), found, "{text} / {query}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_typed_finds_itself(text in "[^@]{0,20}") {
            proptest::prop_assert!(finds(&text, &text));
        }
    }
}
