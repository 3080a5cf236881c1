//! The cost of untrusted text: the worst input of each parser, in one and in four times the length. Four times the text
//! may cost about four times as much; a quadratic parser would cost sixteen times. The tests measure the processor time
//! of this thread, not the clock, so other programs do not count.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use model::address::EmailAddress;
use rustix::time::{ClockId, clock_gettime};

use super::*;
use crate::{
    diagnosis::diagnose,
    net::Host,
    reply::{Line, Reply},
    shown::clean,
    smtp::{
        auth::{Exchange, Server},
        capabilities::Capabilities,
        transcript::{Redactor, Transcript},
    },
};

mod bounds;

fn spent() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

/// The least of five runs: other work of the processor can only add.
fn cost(run: &dyn Fn()) -> Duration {
    let once = || {
        let began = spent();
        run();
        spent().saturating_sub(began)
    };
    (0..5).map(|_| once()).min().unwrap()
}

/// A secret of the maximum length.
fn long_secret(length: usize) -> SecretString {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + u8::try_from(state % 94).unwrap())
    };
    SecretString::from((0..length).map(|_| next()).collect::<String>())
}

fn transcript(length: usize) -> Transcript {
    Transcript::new(Redactor::new(Some(("claire@exemple.fr", &long_secret(length)))))
}

/// Words that look like base64 of almost the whole secret.
fn encoded_words(length: usize) -> String {
    let word = BASE64_STANDARD.encode(secrecy::ExposeSecret::expose_secret(&long_secret(48)));
    format!("{word} %41&#66;\\x43 ").chars().cycle().take(length).collect()
}

fn reply(length: usize) -> Reply {
    let text = encoded_words(length);
    let lines: String =
        text.as_bytes().chunks(1_900).map(|line| format!("535-{}\r\n", String::from_utf8_lossy(line))).collect();
    Reply::parse(&format!("{lines}535 end")).unwrap()
}

fn many_keywords(length: usize) -> Reply {
    Reply::parse(&(0..length / 12).map(|n| format!("250-X{n:06}\r\n")).collect::<String>()).unwrap()
}

fn answer_challenge(reply: &Reply) {
    let secret = SecretString::from("pencil");
    for mechanism in Mechanism::ALL {
        let mut exchange =
            Exchange::new(mechanism, Server { host: "smtp.exemple.fr", port: 587 }, "claire", &secret).unwrap();
        let _ = exchange.shown_challenge(reply);
        let _ = exchange.step(reply);
    }
}

type Case = (&'static str, usize, Box<dyn Fn(usize) -> Box<dyn Fn()>>);

fn case<T: 'static>(name: &'static str, size: usize, input: impl Fn(usize) -> T + 'static, run: fn(&T)) -> Case {
    let made = move |size| {
        let input = input(size);
        Box::new(move || run(&input)) as Box<dyn Fn()>
    };
    (name, size, Box::new(made))
}

#[test]
fn every_parser_is_linear_in_what_a_stranger_sends() {
    const KB: usize = 1_000;
    let cases: Vec<Case> = vec![
        case("a line", 64 * KB, |n| vec![b'2'; n], |bytes| drop(Line::parse(bytes))),
        case("a reply", 16 * KB, |n| "250-\r\n".repeat(n / 6), |text| drop(Reply::parse(text))),
        case("the words of a reply", 16 * KB, reply, |reply| drop(reply.words())),
        case(
            "capabilities",
            16 * KB,
            |n| Reply::parse(&format!("250-x\r\n250 AUTH{}", " M".repeat(n / 2))).unwrap(),
            |reply| drop(Capabilities::parse(reply)),
        ),
        case("many keywords", 16 * KB, many_keywords, |reply| drop(Capabilities::parse(reply))),
        case(
            "a challenge",
            16 * KB,
            |n| Reply::parse(&format!("334 {}", BASE64_STANDARD.encode(",r=".repeat(n / 3)))).unwrap(),
            answer_challenge,
        ),
        case("cleaning", 64 * KB, |n| "\u{200b}\u{7}".repeat(n / 4), |text| drop(clean(text))),
        case(
            "one shown text",
            64 * KB,
            |n| (transcript(1_000), encoded_words(n)),
            |(transcript, text)| drop(transcript.shown(text)),
        ),
        case(
            "a dressed-up text",
            64 * KB,
            |n| (transcript(1_000), "e\u{301}\u{ff41}x".repeat(n / 6)),
            |(transcript, text)| drop(transcript.shown(text)),
        ),
        case("a password", 60, |n| n, |n| drop(transcript(*n))),
        case("the secret", KB, |n| n, |n| drop(transcript(*n))),
        case(
            "short sentences",
            16 * KB,
            |n| Reply::parse(&format!("550 {}", "a. ".repeat(n / 3))).unwrap(),
            |reply| {
                let _ = diagnose(Stage::Auth, "smtp.gmail.com", reply);
            },
        ),
        case(
            "open names",
            16 * KB,
            |n| Reply::parse(&format!("550 {}", "< a".repeat(n / 3))).unwrap(),
            |reply| {
                let _ = diagnose(Stage::RcptTo, "x.fr", reply);
            },
        ),
        case("a host", 16 * KB, |n| "a.".repeat(n / 2), |text| drop(Host::parse(text))),
        case(
            "an international host",
            16 * KB,
            |n| format!("xn--{}", "é".repeat(n / 2)),
            |text| drop(Host::parse(text)),
        ),
        case("an encoded host", 16 * KB, |n| format!("xn--{}.fr", "a9".repeat(n / 2)), |text| drop(Host::parse(text))),
        case(
            "an address",
            16 * KB,
            |n| format!("a@{}fr", "xn--a9-.".repeat(n / 8)),
            |text| drop(EmailAddress::parse(text)),
        ),
        case("many at signs", 16 * KB, |n| "a@".repeat(n / 2), |text| drop(EmailAddress::parse(text))),
    ];
    for (name, size, made) in cases {
        let (once, four_times) = (cost(&*made(size)), cost(&*made(4 * size)));
        println!("{name}: {once:?}, {four_times:?}");
        assert!(four_times < once * 9 + Duration::from_millis(2), "{name}: {once:?} became {four_times:?}");
    }
}

/// The cost used to be the product of both: a long secret, and replies full of words that look encoded.
#[test]
fn a_long_secret_makes_no_reply_dearer() {
    let heard = |length: usize| {
        let (reply, transcript) = (reply(60_000), transcript(length));
        cost(&move || {
            for line in &reply.lines {
                drop(transcript.shown(line));
            }
        })
    };
    let (short, long) = (heard(16), heard(1_000));
    assert!(long < short * 3 + Duration::from_millis(2), "{short:?} became {long:?}");
}

/// The worst case for the thread of a conversation: the longest secret, and 200 lines of the searched length, each a
/// reply of its own, in letters that are read twice and with escapes that are undone twice.
#[test]
fn what_the_worst_conversation_costs() {
    for (name, length) in [("a password", 24), ("a long password", 256), ("a token", 2_000)] {
        let line = format!("{} é %2541&#66;", encoded_words(1_900 - 30));
        let replies: Vec<Reply> = (0..200).map(|_| Reply::parse(&format!("535 {line}")).unwrap()).collect();
        let made = cost(&|| drop(transcript(length)));
        let heard = cost(&|| {
            let mut transcript = transcript(length);
            for reply in &replies {
                transcript.reply(reply);
            }
            assert!(transcript.take().len() <= 200);
        });
        println!("{name}: {made:?} to begin, {heard:?} in all");
        let one = cost(&|| drop(transcript(length).shown(&line)));
        assert!(
            heard < one * 40 + Duration::from_millis(2),
            "{name}: {one:?} for a line, {heard:?} for a conversation"
        );
    }
}

/// A conversation shows 200 lines, and further lines of the server cost nothing.
#[test]
fn what_is_not_shown_costs_nothing() {
    let reply = reply(60_000);
    let heard = |times: usize| {
        cost(&|| {
            let mut transcript = transcript(1_000);
            for _ in 0..times {
                transcript.reply(&reply);
            }
            assert!(transcript.take().len() <= 200);
        })
    };
    let (full, more) = (heard(8), heard(64));
    assert!(more < full * 2 + Duration::from_millis(2), "{full:?} became {more:?}");
}
