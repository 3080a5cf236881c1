//! Learns the weights: a multi-class passive-aggressive classifier (Crammer, Dekel, Keshet, Shalev-Shwartz, Singer:
//! "Online Passive-Aggressive Algorithms", JMLR 7, 2006, PA-I), averaged over all steps. The same replies give the same
//! weights on every machine.

use std::collections::BTreeMap;

use model::cause::Cause;

use super::{Features, STEP, Suggestion, suggestion_by};

/// How far one reply may move the weights.
const AGGRESSIVENESS: f32 = 0.05;
const ROUNDS: usize = 8;
/// Smaller weights are left out.
const SMALLEST: f32 = 0.01;

/// A reply and what it means.
pub struct Lesson {
    pub features: Features,
    pub cause: Cause,
    /// Causes that would not be wrong either.
    pub also: Vec<Cause>,
}

/// The weights of each feature, sorted.
pub struct Weights(BTreeMap<u32, Vec<(usize, f32)>>);

fn place(cause: Cause) -> usize {
    Cause::ALL.iter().position(|one| *one == cause).unwrap()
}

/// Learns from the lessons, in an order that a fixed generator shuffles in each round.
pub fn learn(lessons: &[Lesson]) -> Weights {
    let classes = Cause::ALL.len();
    let mut places: BTreeMap<u32, usize> = BTreeMap::new();
    let numbered: Vec<Vec<usize>> = lessons
        .iter()
        .map(|lesson| {
            let number = |feature| {
                let next = places.len();
                *places.entry(feature).or_insert(next)
            };
            lesson.features.all().map(number).collect()
        })
        .collect();
    // The weights, and their sums weighted by the step of each change.
    let mut weights = vec![0.0_f32; places.len() * classes];
    let mut late = vec![0.0_f32; places.len() * classes];
    let mut order: Vec<usize> = (0..lessons.len()).collect();
    let (mut state, mut step) = (0x2545_f491_4f6c_dd1d_u64, 1.0_f32);
    for _ in 0..ROUNDS {
        for at in (1..order.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(at, usize::try_from((state >> 33) % (at as u64 + 1)).unwrap());
        }
        for &lesson in &order {
            let (features, right) = (&numbered[lesson], place(lessons[lesson].cause));
            let mut scores = vec![0.0_f32; classes];
            for feature in features {
                let row = &weights[feature * classes..(feature + 1) * classes];
                scores.iter_mut().zip(row).for_each(|(score, weight)| *score += weight);
            }
            let excused: Vec<usize> = lessons[lesson].also.iter().copied().map(place).chain([right]).collect();
            let rivals = (0..classes).filter(|class| !excused.contains(class));
            let rival = rivals.max_by(|one, other| scores[*one].total_cmp(&scores[*other])).unwrap();
            let loss = 1.0 - (scores[right] - scores[rival]);
            if loss > 0.0 {
                let length: f32 = features.iter().map(|_| 1.0).sum();
                let by = (loss / (2.0 * length)).min(AGGRESSIVENESS);
                for feature in features {
                    for (class, change) in [(right, by), (rival, -by)] {
                        weights[feature * classes + class] += change;
                        late[feature * classes + class] += change * step;
                    }
                }
            }
            step += 1.0;
        }
    }
    let learned = places.into_iter().filter_map(|(feature, at)| {
        let row = (0..classes).map(|class| (class, weights[at * classes + class] - late[at * classes + class] / step));
        let kept: Vec<_> = row.filter(|(_, weight)| weight.abs() >= SMALLEST).collect();
        (!kept.is_empty()).then_some((feature, kept))
    });
    Weights(learned.collect())
}

impl Weights {
    /// As in the file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut index = u32::try_from(self.0.len()).unwrap().to_le_bytes().to_vec();
        let mut entries: Vec<u8> = Vec::new();
        for (feature, weights) in &self.0 {
            index.extend(feature.to_le_bytes());
            index.extend(u32::try_from(entries.len()).unwrap().to_le_bytes());
            entries.push(u8::try_from(weights.len()).unwrap());
            for (class, weight) in weights {
                #[allow(clippy::cast_possible_truncation, reason = "clamped to the range")]
                let steps = (weight / STEP).round().clamp(-127.0, 127.0) as i8;
                entries.extend([u8::try_from(*class).unwrap(), steps.to_le_bytes()[0]]);
            }
        }
        index.extend(entries);
        index
    }

    pub fn suggestion(&self, features: &Features) -> Option<Suggestion> {
        suggestion_by(&|feature| self.0.get(&feature).map(|weights| weights.iter().copied()), features)
    }
}
