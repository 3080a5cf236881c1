//! A linear classifier trained on collected replies: each word, pair of words and code has a weight for or against each
//! cause.
//!
//! The weights are learned from the replies in `corpus.json` and the other collections (`learned/teacher.rs`), and are
//! in `learned/weights.bin`. A test says when that file is out of date, and writes it with `UPDATE=1`.

use model::{cause::Cause, stage::Stage};

use super::{rules::families, text::Text};

#[cfg(test)]
pub(super) mod teacher;

/// The file, little endian: the number of features (u32); for each, in order, its hash and the offset of its entry (u32
/// each); then the entries. An entry is the number of its weights (u8), and for each the cause (u8, its place in
/// [`Cause::ALL`]) and the weight (i8, in steps of [`STEP`]).
static WEIGHTS: &[u8] = include_bytes!("learned/weights.bin");
/// What one step of a weight is worth.
const STEP: f32 = 1.0 / 128.0;
/// Words with so many first letters in common count as forms of one word.
const STEM: usize = 5;
/// The fewest known words; seven tenths of a reply's words must be known, too.
const FEWEST_WORDS: usize = 2;

/// The cause that the collected replies suggest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Suggestion {
    pub cause: Cause,
    /// By how much its score exceeds the second best: about 1 for replies like a collected one.
    pub margin: f32,
    /// How many different words the reply has.
    pub words: usize,
    /// By cause, in the order of [`Cause::ALL`].
    scores: Vec<f32>,
}

impl Suggestion {
    /// By how much the score of another cause is smaller.
    pub(super) fn ahead_of(&self, cause: Cause) -> f32 {
        let score = |cause| {
            Cause::ALL.iter().zip(&self.scores).find(|(one, _)| **one == cause).map_or(0.0, |(_, score)| *score)
        };
        score(self.cause) - score(cause)
    }
}

/// The suggestion for a reply; `None` if too few of its words are known.
pub(super) fn suggestion(stage: Stage, host: &str, text: &Text) -> Option<Suggestion> {
    let index = Index { bytes: WEIGHTS };
    suggestion_by(&|feature| index.find(feature), &Features::of(stage, host, text))
}

/// `weights` returns those of a feature, or `None` if it is unknown.
fn suggestion_by<'w, W: Iterator<Item = (usize, f32)> + 'w>(
    weights: &dyn Fn(u32) -> Option<W>,
    features: &Features,
) -> Option<Suggestion> {
    let known = features.words.iter().filter(|word| weights(**word).is_some()).count();
    if known < FEWEST_WORDS || known * 10 < features.words.len() * 7 {
        return None;
    }
    let mut scores = vec![0.0_f32; Cause::ALL.len()];
    for weights in features.all().filter_map(weights) {
        for (cause, weight) in weights {
            if let Some(score) = scores.get_mut(cause) {
                *score += weight;
            }
        }
    }
    best(scores, features.words.len())
}

fn best(scores: Vec<f32>, words: usize) -> Option<Suggestion> {
    let (at, most) = scores.iter().enumerate().max_by(|one, other| one.1.total_cmp(other.1))?;
    let others = scores.iter().enumerate().filter(|(other, _)| *other != at);
    let second = others.map(|(_, score)| *score).max_by(f32::total_cmp)?;
    let (cause, margin) = (*Cause::ALL.get(at)?, most - second);
    Some(Suggestion { cause, margin, words, scores })
}

/// The entries of the file.
struct Index<'b> {
    bytes: &'b [u8],
}

impl Index<'_> {
    /// The weights of a feature. The first part of the file lists the features in order, with the place of each entry.
    fn find(&self, feature: u32) -> Option<impl Iterator<Item = (usize, f32)> + '_> {
        let number = |at: usize| {
            let bytes = self.bytes.get(at..at + 4)?;
            Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        };
        let count = usize::try_from(number(0)?).ok()?;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = usize::midpoint(low, high);
            match number(4 + middle * 8)?.cmp(&feature) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let place = 4 + count * 8 + usize::try_from(number(8 + middle * 8)?).ok()?;
                    let length = usize::from(*self.bytes.get(place)?);
                    let entry = self.bytes.get(place + 1..place + 1 + length * 2)?;
                    return Some(
                        entry
                            .chunks_exact(2)
                            .map(|pair| (usize::from(pair[0]), f32::from(i8::from_le_bytes([pair[1]])) * STEP)),
                    );
                }
            }
        }
        None
    }
}

/// The features of a reply, as hashes.
pub(super) struct Features {
    /// Its words.
    words: Vec<u32>,
    /// Pairs of words, stems, families, codes, stage and host.
    others: Vec<u32>,
}

impl Features {
    pub(super) fn of(stage: Stage, host: &str, text: &Text) -> Self {
        let (mut words, mut others) = (Vec::new(), Vec::new());
        let stage_name = stage.as_str();
        for sentence in &text.sentences {
            let mut before = "";
            for word in sentence.split_whitespace() {
                let word = if word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_digit()) { "#" } else { word };
                words.push(hash(&["w", word]));
                others.push(hash(&["s", stage_name, word]));
                others.push(hash(&["b", before, word]));
                if let Some((end, _)) = word.char_indices().nth(STEM) {
                    others.push(hash(&["p", &word[..end]]));
                }
                before = word;
            }
            let said = families::said_in(sentence);
            for (at, one) in said.iter().enumerate() {
                others.push(hash(&["f", one]));
                others.extend(said.iter().skip(at + 1).map(|other| hash(&["ff", one, other])));
            }
        }
        others.extend(text.link_parameters.split_whitespace().map(|word| hash(&["u", word])));
        let code = text.code.to_string();
        others.extend([
            hash(&["t", stage_name]),
            hash(&["c", &code]),
            hash(&["c", stage_name, &code]),
            hash(&["k", stage_name, &code[..1]]),
        ]);
        if let Some(enhanced) = text.enhanced {
            let subject = enhanced.subject.to_string();
            others.push(hash(&["e", &enhanced.to_string()]));
            others.push(hash(&["e", &subject, &enhanced.detail.to_string()]));
            others.push(hash(&["e", stage_name, &subject]));
        }
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let mut labels = host.rsplit('.');
        others.push(hash(&["h", labels.next().unwrap_or_default(), labels.next().unwrap_or_default()]));
        for list in [&mut words, &mut others] {
            list.sort_unstable();
            list.dedup();
        }
        Self { words, others }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().chain(&self.others).copied()
    }
}

/// FNV-1a, 32 bits.
fn hash(parts: &[&str]) -> u32 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
