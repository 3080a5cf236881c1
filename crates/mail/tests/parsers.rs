//! Composed messages are read back by two parsers that are not ours, and are what was written: Python's `email` and
//! `mail-parser`. Without Python the test says so and checks the other one.

#![allow(clippy::unwrap_used, reason = "a panic in a test says what is wrong")]

use std::{
    io::Write,
    process::{Command, Stdio},
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use lettre::message::Mailbox;
use mail::smtp::{Attachment, Letter, compose};
use mail_parser::{MessageParser, MimeHeaders};
use model::encoding::Encoding;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde::Deserialize;

const LETTERS: usize = 300;

/// A line for each message: what Python reads.
const SCRIPT: &str = include_str!("parsers.py");

#[derive(Debug, Deserialize)]
struct Read {
    subject: String,
    from: String,
    to: String,
    reply_to: String,
    text: Option<String>,
    html: Option<String>,
    files: Vec<File>,
    boundaries: Vec<String>,
    defects: Vec<String>,
    shape: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct File {
    name: String,
    beside: String,
    inline: bool,
    content: String,
}

fn words() -> impl Strategy<Value = String> {
    let accented =
        "(Été|Noël|cœur|déjà|n° 12|à régler|Señor|Größe|12 €|日本語|🥐|a|Devis|du|facture|long-mot-composé){1}";
    prop::collection::vec(accented, 1..14).prop_map(|words| words.join(" "))
}

fn file() -> impl Strategy<Value = Attachment> {
    let name = (words(), prop::sample::select(vec!["pdf", "png", "été"])).prop_map(|(name, end)| {
        let short: String = name.chars().take(70).collect();
        format!("{}.{end}", short.trim())
    });
    (name, prop::collection::vec(any::<u8>(), 0..300), any::<bool>()).prop_map(|(filename, content, inline)| {
        Attachment {
            content_type: if filename.ends_with("png") { "image/png" } else { "application/pdf" }.to_owned(),
            content_id: inline.then(|| "logo@exemple.fr".to_owned()),
            filename,
            content,
        }
    })
}

/// A text of several lines; one may have 5,000 characters, with a link in it.
fn body() -> impl Strategy<Value = String> {
    let long = words().prop_map(|words| {
        let link =
            "<a href=\"https://exemple.fr/devis?numero=2041&jeton=abcdefghijklmnopqrstuvwxyz0123456789\">Voir</a>";
        format!("{link} {}", words.repeat(5_000 / words.len() + 1))
    });
    let line = prop_oneof![4 => words(), 1 => long, 1 => Just(".".to_owned()), 1 => Just("From ici".to_owned())];
    prop::collection::vec(line, 1..6).prop_map(|lines| lines.join("\n"))
}

fn letter() -> impl Strategy<Value = Letter> {
    let texts = (words(), prop::option::of(body()), prop::option::of(body()));
    let names = (words(), words(), words());
    (texts, names, prop::collection::vec(file(), 0..4), 0..Encoding::ALL.len()).prop_map(
        |((subject, text, html), (from, to, reply_to), attachments, encoding)| Letter {
            from: Mailbox::new(Some(from), "devis@exemple.fr".parse().unwrap()),
            to: vec![Mailbox::new(Some(to), "claire@exemple.fr".parse().unwrap())],
            cc: Vec::new(),
            reply_to: Some(Mailbox::new(Some(reply_to), "accueil@exemple.fr".parse().unwrap())),
            subject,
            text,
            html,
            attachments,
            encoding: Encoding::ALL[encoding],
            message_id: "0123@exemple.fr".to_owned(),
            date: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            auto_submitted: true,
            language: "fr".to_owned(),
        },
    )
}

/// What Python reads of each message; `None` without Python.
fn python(messages: &[Vec<u8>]) -> Option<Vec<Read>> {
    let mut command = Command::new("python3");
    let mut child = command.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut input = child.stdin.take().unwrap();
    let lines: String = messages.iter().map(|message| BASE64_STANDARD.encode(message) + "\n").collect();
    let writing = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end_matches('\n').to_owned()
}

/// Whether the letter has files of this kind: shown in the HTML, or attached.
fn has(letter: &Letter, shown: bool) -> bool {
    letter.attachments.iter().any(|file| (file.content_id.is_some() && letter.html.is_some()) == shown)
}

fn check_python(letter: &Letter, read: &Read) {
    assert_eq!(read.defects, Vec::<String>::new(), "{letter:?}");
    assert_eq!(read.subject, letter.subject);
    // Python up to 3.12 shows a space where two encoded words of a name meet.
    let once = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = |mailbox: &Mailbox| mailbox.name.clone().unwrap();
    assert_eq!((once(&read.from), once(&read.to)), (name(&letter.from), name(&letter.to[0])));
    assert_eq!(once(&read.reply_to), name(letter.reply_to.as_ref().unwrap()));
    let written = |text: &Option<String>| text.as_deref().map(plain);
    assert_eq!(read.html.as_deref().map(plain), written(&letter.html));
    if letter.text.is_some() {
        assert_eq!(read.text.as_deref().map(plain), written(&letter.text));
    }
    assert!(read.boundaries.iter().all(|boundary| boundary.len() <= 70), "RFC 2046 §5.1.1: {:?}", read.boundaries);
    let sorted = |mut files: Vec<(String, bool, String)>| {
        files.sort();
        files
    };
    let found = read.files.iter().map(|file| (file.name.clone(), file.inline, file.content.clone())).collect();
    let wanted = letter
        .attachments
        .iter()
        .map(|file| (file.filename.clone(), file.content_id.is_some(), BASE64_STANDARD.encode(&file.content)));
    assert_eq!(sorted(found), sorted(wanted.collect()));
    for file in &read.files {
        assert_eq!(file.beside, file.name, "the name beside the type, for Outlook");
    }
    // Pictures of the HTML stand beside it, in `related`; files stand outside, in `mixed`.
    assert_eq!(read.shape.iter().any(|kind| kind == "multipart/related"), has(letter, true), "{:?}", read.shape);
    assert_eq!(read.shape[0] == "multipart/mixed", has(letter, false), "{:?}", read.shape);
}

fn check_mail_parser(letter: &Letter, raw: &[u8]) {
    let message = MessageParser::default().parse(raw).unwrap();
    assert_eq!(message.subject(), Some(letter.subject.as_str()));
    let name = message.from().and_then(|from| from.first()).and_then(|from| from.name());
    assert_eq!(name, letter.from.name.as_deref());
    if let Some(html) = &letter.html {
        assert_eq!(plain(&message.body_html(0).unwrap()), plain(html));
    }
    if let Some(text) = &letter.text {
        assert_eq!(plain(&message.body_text(0).unwrap()), plain(text));
    }
    let names: Vec<_> = message.attachments().filter_map(|part| part.attachment_name()).collect();
    assert!(letter.attachments.iter().all(|file| names.contains(&file.filename.as_str())), "{names:?} {letter:?}");
}

/// No encoded word begins or ends inside a character, and lines are as long as they should be.
fn check_raw(raw: &[u8]) {
    let text = std::str::from_utf8(raw).unwrap();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.lines().all(|line| line.len() <= 78), "RFC 5322 §2.1.1: {head}");
    assert!(text.split("\r\n").all(|line| line.len() <= 998));
    for word in head.split("=?utf-8?B?").skip(1) {
        let word = word.split("?=").next().unwrap();
        assert!(String::from_utf8(BASE64_STANDARD.decode(word).unwrap()).is_ok(), "{head}");
    }
}

#[test]
fn two_other_parsers_read_what_was_written() {
    let mut runner = TestRunner::new(Config::default());
    let letters: Vec<Letter> = (0..LETTERS).map(|_| letter().new_tree(&mut runner).unwrap().current()).collect();
    let messages: Vec<Vec<u8>> = letters.iter().map(|letter| compose(letter).unwrap().bytes).collect();
    for (letter, raw) in letters.iter().zip(&messages) {
        check_raw(raw);
        check_mail_parser(letter, raw);
    }
    let Some(read) = python(&messages) else {
        let _ = writeln!(std::io::stderr(), "\n*** SKIPPED: Python's email: there is no python3 ***");
        return;
    };
    assert_eq!(read.len(), letters.len());
    letters.iter().zip(&read).for_each(|(letter, read)| check_python(letter, read));
}
