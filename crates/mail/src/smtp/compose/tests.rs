//! A composed message reads back unchanged, in every character set.

use std::time::{Duration, UNIX_EPOCH};

use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;

use super::*;

fn letter(encoding: Encoding, subject: &str, text: &str) -> Letter {
    Letter {
        from: Mailbox::new(Some("Boulangerie Martin".to_owned()), "devis@exemple.fr".parse().unwrap()),
        to: vec![Mailbox::new(None, "claire@exemple.fr".parse().unwrap())],
        reply_to: Some(Mailbox::new(Some("Accueil".to_owned()), "accueil@exemple.fr".parse().unwrap())),
        subject: subject.to_owned(),
        text: Some(text.to_owned()),
        attachments: Vec::new(),
        cc: Vec::new(),
        html: Some(format!("<p>{text}</p>")),
        encoding,
        message_id: "0123@exemple.fr".to_owned(),
        date: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        auto_submitted: true,
        language: "fr".to_owned(),
    }
}

fn read(bytes: &[u8]) -> (String, String) {
    let message = MessageParser::default().parse(bytes).unwrap();
    (message.subject().unwrap_or_default().to_owned(), message.body_text(0).unwrap().into_owned())
}

#[test]
fn the_chosen_character_set_is_really_used() {
    for encoding in Encoding::ALL {
        let composed = compose(&letter(encoding, "Devis à régler", "Été : déjà reçu")).unwrap();
        assert_eq!(composed.charset, encoding);
        let raw = String::from_utf8(composed.bytes.clone()).unwrap();
        assert!(raw.contains(&format!("Subject: =?{}?B?", encoding.as_str())), "{raw}");
        let named = format!("text/plain; charset={}", encoding.as_str()).to_lowercase();
        assert!(raw.to_lowercase().contains(&named), "{raw}");
        assert!(raw.contains(if encoding == Encoding::Utf8 { "=C3=89t=C3=A9" } else { "=C9t=E9" }), "{raw}");
        let (subject, text) = read(&composed.bytes);
        assert_eq!((subject.as_str(), text.trim_end()), ("Devis à régler", "Été : déjà reçu"));
    }
}

#[test]
fn a_text_that_does_not_fit_leaves_in_utf_8() {
    let composed = compose(&letter(Encoding::Latin1, "Total : 12 €", "…")).unwrap();
    assert_eq!(composed.charset, Encoding::Utf8);
    assert_eq!(read(&composed.bytes).0, "Total : 12 €");
}

#[test]
fn headers_are_what_they_should_be() {
    let composed = compose(&letter(Encoding::Utf8, "Bonjour", "Bonjour")).unwrap();
    let message = MessageParser::default().parse(&composed.bytes).unwrap();
    assert_eq!(message.header_raw("Auto-Submitted").map(str::trim), Some("auto-generated"));
    assert_eq!(message.message_id(), Some("0123@exemple.fr"));
    assert_eq!(message.reply_to().and_then(|to| to.first()).and_then(|to| to.address()), Some("accueil@exemple.fr"));
    assert_eq!(message.from().and_then(|from| from.first()).and_then(|from| from.name()), Some("Boulangerie Martin"));
    assert_eq!(message.html_body_count(), 1);
}

#[test]
fn nothing_in_a_text_becomes_a_header() {
    let mut hostile = letter(Encoding::Utf8, "a\r\nBcc: b@exemple.fr\u{2028}\u{85}\0c", "x");
    hostile.from.name = Some("\"Claire\"\r\nBcc: b@exemple.fr\u{202e}".to_owned());
    let composed = compose(&hostile).unwrap();
    let message = MessageParser::default().parse(&composed.bytes).unwrap();
    assert!(message.bcc().is_none());
    assert_eq!(message.subject(), Some("aBcc: b@exemple.frc"));
    assert_eq!(
        message.from().and_then(|from| from.first()).and_then(|from| from.name()),
        Some("\"Claire\"Bcc: b@exemple.fr")
    );
}

#[test]
fn nothing_is_too_long_or_too_odd() {
    let long_line = "mot ".repeat(1_000);
    let large = "Une ligne de texte.\n".repeat(100_000);
    for (subject, text) in [
        ("é".repeat(10_000), "x".to_owned()),
        ("x".repeat(10_000), long_line.trim_end().to_owned()),
        ("🇫🇷 👩‍🍳 مرحبا".to_owned(), ".\n..\n.a\n\n....\nlone\rreturn\r\n.".to_owned()),
        (String::new(), String::new()),
        ("=?UTF-8?B?w6k=?=".to_owned(), "=E9 =3D".to_owned()),
        ("grand".to_owned(), large.trim_end().to_owned()),
    ] {
        let composed = compose(&letter(Encoding::Utf8, &subject, &text)).unwrap();
        assert!(composed.bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 999));
        let (read_subject, read_text) = read(&composed.bytes);
        assert_eq!(read_subject, subject);
        assert_eq!(read_text.replace("\r\n", "\n").trim_end(), text.replace("\r\n", "\n"));
    }
}

proptest! {
    #[test]
    fn every_text_survives(subject in "\\PC{0,200}", text in "(\\PC|\n|\r){0,400}", which in 0_usize..4) {
        let composed = compose(&letter(Encoding::ALL[which], &subject, &text)).unwrap();
        let raw = &composed.bytes;
        prop_assert!(raw.is_ascii());
        for line in raw.split(|byte| *byte == b'\n') {
            prop_assert!(line.len() <= 999);
        }
        let lone = raw.windows(2).any(|pair| (pair[0] == b'\r') != (pair[1] == b'\n') && (pair[0] == b'\r' || pair[1] == b'\n'));
        prop_assert!(!lone);
        let (read_subject, read_text) = read(raw);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(words(&read_subject), words(&header::clean(&subject)));
        let read_lines = read_text.replace("\r\n", "\n");
        let lines = text.replace("\r\n", "\n");
        prop_assert_eq!(read_lines.trim_end(), lines.trim_end());
    }
}

#[test]
fn files_travel_with_their_names_and_pictures_with_the_html() {
    let file = |filename: &str, content_type: &str, content_id: Option<&str>| Attachment {
        filename: filename.to_owned(),
        content_type: content_type.to_owned(),
        content_id: content_id.map(str::to_owned),
        content: (0..=255).collect(),
    };
    let written = Letter {
        cc: vec![Mailbox::new(Some("Élise".to_owned()), "elise@exemple.fr".parse().unwrap())],
        attachments: vec![
            file("devis n° 12 — été.pdf", "application/pdf", None),
            file("logo.png", "image/png", Some("logo@devis")),
            file("\"\r\nX: y", "application/octet-stream", None),
            file("mail.eml", "message/rfc822", None),
        ],
        ..letter(Encoding::Utf8, "Devis", "Bonjour")
    };
    for text in [Some("Bonjour".to_owned()), None] {
        let composed = compose(&Letter { text: text.clone(), ..written.clone() }).unwrap();
        let raw = String::from_utf8(composed.bytes.clone()).unwrap();
        assert!(!raw.contains("\r\nX:"), "{raw}");
        assert!(raw.split("\r\n").all(|line| line.len() <= 998));
        let message = MessageParser::default().parse(&composed.bytes).unwrap();
        let names: Vec<_> = message.attachments().map(|part| part.attachment_name().unwrap_or_default()).collect();
        for wanted in ["devis n° 12 — été.pdf", "logo.png", "mail.eml"] {
            assert!(names.contains(&wanted), "{names:?}");
        }
        for part in message.attachments() {
            assert_eq!(part.contents(), (0..=255).collect::<Vec<u8>>());
        }
        // Outlook reads the name beside the type.
        let beside = "Content-Type: application/pdf;\r\n name=\"=?utf-8?B?";
        assert!(raw.to_lowercase().contains(&beside.to_lowercase()), "{raw}");
        assert!(raw.contains("Content-Type: image/png;\r\n name=\"logo.png\""), "{raw}");
        assert_eq!(message.cc().and_then(|cc| cc.first()).and_then(|cc| cc.name()), Some("Élise"));
        assert!(raw.contains("Content-ID: <logo@devis>"), "{raw}");
        assert_eq!(message.body_html(0).unwrap().trim(), "<p>Bonjour</p>");
    }
    let html_only = compose(&Letter { text: None, ..letter(Encoding::Latin1, "Été", "déjà") }).unwrap();
    assert_eq!(html_only.charset, Encoding::Latin1);
    let raw = String::from_utf8(html_only.bytes).unwrap();
    assert!(raw.contains("text/html; charset=iso-8859-1") || raw.contains("text/html; charset=ISO-8859-1"), "{raw}");
}

/// Names that some mail readers decode a second time.
const HIDING: [&str; 24] = [
    "facture%0d%0aBcc: b@exemple.fr.pdf",
    "facture%0D.pdf",
    "a%00.pdf",
    "=?utf-8?B?YQ0KQmNjOiBiQGV4ZW1wbGUuZnI=?=",
    "=?utf-8?Q?a=0D=0ABcc:_b?=.pdf",
    "=?utf-8?Q?a%250d%250a?=",
    "%3D?utf-8?B?DQo=?%3D",
    "a%E2%80%AEfdp.exe",
    "%25250d%25250a",
    // Found in only one of the two orders: undoing the escapes first leaves an encoded word that is not decoded.
    "=?utf-8?Q?%0d?=",
    // Unknown charsets, and charsets that do not preserve ASCII.
    "=?x?Q?=0a?=",
    "=?x?Q?facture?=",
    "=?utf-16?b?AA0ACg==?=",
    "=?utf-7?q?+AAo-?=",
    "=?us-ascii?q?=E2=80=AE?=",
    "=?iso-8859-1?q?=85?=",
    "=?windows-1252?q?=E2=80=AE?=",
    "=?utf-8*fr?q?=0a?=",
    "=?utf-8?q?=0a",
    // Half a character, an invalid escape, invalid base64, an unknown encoding.
    "=?utf-8?q?=E2=80?= =?utf-8?q?=AE?=",
    "=?utf-8?q?=0?=",
    "=?utf-8?b?D!Qo=?=",
    "=?utf-8?u?=0a?=",
    "=3D?x?q?a?=%3D?x?q?a?=",
];

#[test]
fn a_name_that_hides_a_line_end_is_known() {
    for name in HIDING {
        assert!(hides_a_control(name), "{name}");
    }
    for name in [
        "devis 100%.pdf",
        "été%20indien.pdf",
        "a=b?c.txt",
        "=?utf-8?Q?facture?=.pdf",
        "50%ff",
        "日本.pdf",
        "=?iso-8859-15?q?=E9t=E9?=.pdf",
        "=?windows-1252?b?gA==?=.pdf",
        "a=?b.pdf",
        "=?.txt",
    ] {
        assert!(!hides_a_control(name), "{name}");
    }
}

fn with_file(filename: &str) -> (Vec<u8>, Option<String>) {
    let mut letter = letter(Encoding::Utf8, "Devis", "Bonjour");
    letter.attachments = vec![Attachment {
        filename: filename.to_owned(),
        content_type: "application/pdf".to_owned(),
        content_id: None,
        content: b"%PDF".to_vec(),
    }];
    let bytes = compose(&letter).unwrap().bytes;
    let message = MessageParser::default().parse(&bytes).unwrap();
    assert!(message.bcc().is_none(), "{filename:?}");
    assert_eq!(message.attachment_count(), 1, "{filename:?}");
    let name = message.attachment(0).and_then(|part| part.attachment_name().map(str::to_owned));
    (bytes, name)
}

#[test]
fn no_reader_finds_a_line_end_in_a_file_s_name() {
    for name in HIDING {
        let (_, read) = with_file(name);
        assert!(read.is_none_or(|read| !hides_a_control(&read)), "{name}");
    }
}

proptest! {
    #[test]
    fn a_file_s_name_is_never_more_than_a_name(name in "([a-z%=?0-9ADd/é\\r\\n\u{2028}\u{202e}_.-]|%0[da]|=\\?utf-8\\?[BQ]\\?|\\?=){1,40}") {
        let (_, read) = with_file(&name);
        prop_assert!(read.is_none_or(|read| !hides_a_control(&read)), "{}", name);
    }
}
