//! Encodes text in a character set, or reports that it does not fit.

use encoding_rs::{ISO_8859_15, WINDOWS_1252};
use model::encoding::Encoding;

/// The bytes of `text`; `None` if the set lacks a character.
pub(super) fn encode(text: &str, charset: Encoding) -> Option<Vec<u8>> {
    match charset {
        Encoding::Utf8 => Some(text.as_bytes().to_vec()),
        // encoding_rs follows the web, where this name means windows-1252.
        Encoding::Latin1 => {
            text.chars().map(|c| u8::try_from(u32::from(c)).ok().filter(|byte| !(0x80..0xa0).contains(byte))).collect()
        }
        Encoding::Latin9 => with(ISO_8859_15, text),
        Encoding::Windows1252 => with(WINDOWS_1252, text),
    }
}

fn with(encoding: &'static encoding_rs::Encoding, text: &str) -> Option<Vec<u8>> {
    // The web's tables map the C1 controls to themselves; in mail they have no meaning.
    if text.chars().any(|c| ('\u{80}'..'\u{a0}').contains(&c)) {
        return None;
    }
    let (bytes, _, unmappable) = encoding.encode(text);
    (!unmappable).then(|| bytes.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_has_its_euro_or_none() {
        assert_eq!(encode("é€", Encoding::Latin1), None);
        assert_eq!(encode("é€œ", Encoding::Latin9), Some(vec![0xe9, 0xa4, 0xbd]));
        assert_eq!(encode("é€’", Encoding::Windows1252), Some(vec![0xe9, 0x80, 0x92]));
        assert_eq!(encode("é«\u{a0}»", Encoding::Latin1), Some(vec![0xe9, 0xab, 0xa0, 0xbb]));
        for charset in Encoding::ALL {
            assert_eq!(encode("中", charset).is_some(), charset == Encoding::Utf8);
            assert_eq!(encode("\u{85}", charset).is_some(), charset == Encoding::Utf8);
        }
    }
}
