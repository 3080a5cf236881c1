//! How well replies of unknown sources are explained.

use super::*;
use crate::diagnosis::learned::teacher::learn;

/// Writes the file with `UPDATE=1`.
#[test]
fn the_weights_are_those_of_the_collected_replies() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/diagnosis/learned/weights.bin");
    let (known, corpus, public) = (known(), corpus(), public());
    let lessons: Vec<Lesson> = known.iter().chain(&corpus).chain(&public).map(Example::lesson).collect();
    let bytes = learn(&lessons).bytes();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &bytes).unwrap();
    }
    assert!(std::fs::read(path).unwrap() == bytes, "{path} is out of date: run this test with UPDATE=1");
}

/// The measure that counts: replies of sources that neither the rules nor the weights know. The public replies are
/// split by source into five folds. For each, the weights are learned without it, and patterns that only its own
/// replies reach are switched off.
#[test]
fn replies_of_unknown_sources_are_explained() {
    const FOLDS: u64 = 5;
    let fold = |example: &Example| {
        let bytes = example.source.bytes();
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
            % FOLDS
    };
    let (known, corpus, public) = (known(), corpus(), public());
    let (mut right, mut unknown, mut misleading) = (0, 0, Vec::new());
    for held_out in 0..FOLDS {
        let (asked, others): (Vec<&Example>, Vec<_>) = public.iter().partition(|example| fold(example) == held_out);
        let taught = || known.iter().chain(&corpus).chain(others.iter().copied());
        let weights = learn(&taught().map(Example::lesson).collect::<Vec<_>>());
        let patterns: BTreeSet<(usize, usize)> = taught().flat_map(Example::reached).collect();
        let before = (right, unknown, misleading.len());
        for example in asked {
            let host = example.host.as_str();
            let rules = |stage, text: &Text| rules::tests::in_words_of(&patterns, (stage, host, text));
            let suggestion = |stage, text: &Text| weights.suggestion(&Features::of(stage, host, text));
            match decide(example.stage, &example.parsed(), &rules, &suggestion) {
                cause if example.allows(cause) => right += 1,
                Cause::Unknown => unknown += 1,
                cause => misleading.push(format!("{} instead of {}", cause.as_str(), example.shown())),
            }
        }
        let (right, unknown, misleading) = (right - before.0, unknown - before.1, misleading.len() - before.2);
        println!("fold {held_out}: {right} right, {unknown} unknown, {misleading} misleading");
    }
    let all = public.len();
    println!("{right} right, {unknown} unknown, {} misleading of {all}", misleading.len());
    println!("{}", misleading.join("\n"));
    assert!(right * 100 >= all * 88, "{right} of {all}");
    assert!(misleading.len() * 100 <= all * 8, "{} of {all}", misleading.len());
}
