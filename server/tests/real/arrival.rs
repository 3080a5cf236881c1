//! The messages that arrived, as the servers stored them.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use mail_parser::MessageParser;

use crate::servers::Server;

/// Longer than any of the servers takes to deliver.
const PATIENCE: Duration = Duration::from_secs(20);

/// A message in a mailbox, with the line ends it had on the wire.
pub struct Arrived(pub Vec<u8>);

impl Arrived {
    /// The text of the message, decoded.
    pub fn text(&self) -> String {
        let message = MessageParser::default().parse(&self.0).expect("an Internet message");
        message.body_text(0).expect("a text").into_owned()
    }

    /// Whether it is `message`, preceded only by header fields that servers add on the way.
    pub fn is(&self, message: &[u8]) -> bool {
        const TRACE: [&str; 6] =
            ["return-path:", "x-original-to:", "delivered-to:", "envelope-to:", "delivery-date:", "received:"];
        self.0.strip_suffix(message).is_some_and(|added| {
            let added = String::from_utf8_lossy(added).to_lowercase();
            let mut lines = added.split_terminator("\r\n");
            lines.all(|line| line.starts_with([' ', '\t']) || TRACE.iter().any(|name| line.starts_with(name)))
        })
    }
}

/// Waits for the message with this subject in this mailbox.
pub fn arrived(server: &Server, mailbox: &str, subject: &str) -> Arrived {
    let began = Instant::now();
    loop {
        if let Some(arrived) = find(server, mailbox, subject) {
            return arrived;
        }
        assert!(began.elapsed() < PATIENCE, "{}: {subject} did not arrive for {mailbox}", server.name);
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The message with this subject, if it has arrived.
pub fn find(server: &Server, mailbox: &str, subject: &str) -> Option<Arrived> {
    let folder: PathBuf = server.mail.join(mailbox).join("new");
    let needle = format!("\nSubject: {subject}\n");
    fs::read_dir(folder).ok()?.map(|entry| fs::read(entry.unwrap().path()).unwrap()).find_map(|bytes| {
        let head = &bytes[..bytes.len().min(8_192)];
        let mine = head.windows(needle.len()).any(|window| window == needle.as_bytes());
        mine.then(|| {
            // A Maildir's lines end in LF; no CR remains of those on the wire, so each LF was a CRLF.
            assert!(!bytes.contains(&b'\r'), "{}: a stray carriage return", server.name);
            Arrived(bytes.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]))
        })
    })
}
