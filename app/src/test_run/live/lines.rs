//! Both. Splits a stream of chunks into lines: a chunk may end anywhere, even inside a character.

#![cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "the browser reads streams; the tests run natively"))]

/// The bytes after the last line end, waiting for the rest.
#[derive(Default)]
pub(super) struct Lines {
    carry: Vec<u8>,
}

impl Lines {
    /// The lines that `chunk` completes, without their ends. A line that is not UTF-8 is dropped.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Vec<String> {
        self.carry.extend_from_slice(chunk);
        let Some(last) = self.carry.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.carry.split_off(last + 1);
        let complete = std::mem::replace(&mut self.carry, rest);
        complete
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .filter_map(|line| String::from_utf8(line.to_vec()).ok())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_character_may_be_cut_in_two() {
        let mut lines = Lines::default();
        let bytes = "« é »\n".as_bytes();
        assert!(lines.push(&bytes[..4]).is_empty());
        assert_eq!(lines.push(&bytes[4..]), ["« é »"]);
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(texts in prop::collection::vec("[^\n]{1,12}", 1..6), size in 1_usize..7) {
            let whole = texts.iter().map(|text| format!("{text}\n")).collect::<String>();
            let mut lines = Lines::default();
            let read: Vec<String> = whole.as_bytes().chunks(size).flat_map(|chunk| lines.push(chunk)).collect();
            prop_assert_eq!(read, texts);
        }
    }
}
