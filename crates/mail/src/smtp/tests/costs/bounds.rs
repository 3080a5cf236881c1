//! The most that the largest input costs, and which work leaves the thread.

use super::*;
use crate::{
    aside::tests::leaves_the_thread,
    smtp::envelope::{bdat, data},
};

/// The most that one step may cost on a shared thread, for the largest permitted input: one or two milliseconds in a
/// release build, many times as much without optimisation.
const TURN: Duration = Duration::from_millis(if cfg!(debug_assertions) { 60 } else { 2 });
/// The most that work may cost on a thread of its own.
const BESIDE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1_500 } else { 50 });

/// Each parser with the largest input that reaches it, on a shared thread.
#[test]
fn no_parser_takes_longer_than_a_turn() {
    // A line is 2 KB at most, a reply 64 KB.
    let words = |n: usize| Reply::parse(&format!("550 {}", "recipient mailbox sender policy ".repeat(n / 32))).unwrap();
    let cases: Vec<Case> = vec![
        case("a line", 2_048, |n| [b"250 ".to_vec(), vec![0xff; n - 4]].concat(), |bytes| drop(Line::parse(bytes))),
        case("a reply", 64_000, |n| "250-\r\n".repeat(n / 6), |text| drop(Reply::parse(text))),
        case("capabilities", 64_000, many_keywords, |reply| drop(Capabilities::parse(reply))),
        case(
            "a challenge",
            2_000,
            |n| Reply::parse(&format!("334 {}", BASE64_STANDARD.encode(",r=".repeat(n / 4)))).unwrap(),
            answer_challenge,
        ),
        case(
            "a text that is searched on the spot",
            1_000,
            |n| (transcript(24), encoded_words(n)),
            |(transcript, text)| drop(transcript.shown(text)),
        ),
        case("a password's forms", 24, |n| n, |n| drop(transcript(*n))),
        case("a refusal that is explained on the spot", 300, words, |reply| {
            let _ = diagnose(Stage::RcptTo, "smtp.gmail.com", reply);
        }),
        case(
            "a refusal in a few sentences",
            300,
            |n| Reply::parse(&format!("550 {}", format!("{}. ", "mailbox policy ".repeat(n / 95)).repeat(6))).unwrap(),
            |reply| {
                let _ = diagnose(Stage::RcptTo, "smtp.gmail.com", reply);
            },
        ),
        case(
            "a message on the wire",
            crate::aside::LARGE,
            |n| b".\r\n".repeat(n / 3),
            |message| {
                drop((data(message), bdat(message)));
            },
        ),
    ];
    for (name, size, made) in cases {
        let cost = cost(&*made(size));
        println!("{name}: {cost:?}");
        assert!(cost < TURN, "{name}: {cost:?}");
    }
    // Work that leaves the thread is limited as well.
    let cases: Vec<Case> = vec![
        case("a long refusal", 64_000, words, |reply| {
            let _ = diagnose(Stage::RcptTo, "smtp.gmail.com", reply);
        }),
        case(
            "a refusal in many sentences",
            64_000,
            |n| Reply::parse(&format!("550 {}", "a. ".repeat(n / 3))).unwrap(),
            |reply| {
                let _ = diagnose(Stage::Auth, "smtp.gmail.com", reply);
            },
        ),
        case(
            "a long text",
            64_000,
            |n| (transcript(1_000), encoded_words(n)),
            |(transcript, text)| {
                drop(transcript.shown(text));
            },
        ),
        case("a token's forms", 2_000, |n| n, |n| drop(transcript(*n))),
    ];
    for (name, size, made) in cases {
        let cost = cost(&*made(size));
        println!("{name}, aside: {cost:?}");
        assert!(cost < BESIDE, "{name}: {cost:?}");
    }
}

/// Long work leaves the thread: meanwhile the runtime runs its other task.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_may_take_long_keeps_nobody_waiting() {
    let refused = |text: String| {
        let reply = Reply::parse(&format!("550 {text}")).unwrap();
        move || {
            let _ = diagnose(Stage::RcptTo, "x.fr", &reply);
        }
    };
    for (name, work) in [("a long refusal", refused("mailbox ".repeat(60))), ("sentences", refused("no. ".repeat(9)))] {
        leaves_the_thread(name, work).await;
    }
}
