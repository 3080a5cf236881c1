//! The commands of a mail transaction, and the bytes of the message on the wire.

use std::borrow::Cow;

use lettre::Address;

use super::{capabilities::Capabilities, submit::Submission};

/// `MAIL FROM`, with the parameters that the server supports and the message needs.
pub(super) fn mail_from(submission: &Submission, capabilities: &Capabilities) -> String {
    let mut command = format!("MAIL FROM:<{}>", submission.from);
    if capabilities.size.is_some() {
        command = format!("{command} SIZE={}", submission.message.len());
    }
    if capabilities.eight_bit_mime && !submission.message.is_ascii() {
        command.push_str(" BODY=8BITMIME");
    }
    if needs_smtputf8(submission) {
        command.push_str(" SMTPUTF8");
    }
    command
}

pub(super) fn rcpt_to(recipient: &Address) -> String {
    format!("RCPT TO:<{recipient}>")
}

/// Whether an address, or a header of the message, contains non-ASCII characters (RFC 6531 §3.1; domains are A-labels
/// already).
pub(super) fn needs_smtputf8(submission: &Submission) -> bool {
    let international = |address: &Address| !AsRef::<str>::as_ref(address).is_ascii();
    let end = submission.message.windows(4).position(|window| window == b"\r\n\r\n");
    let headers = &submission.message[..end.unwrap_or(submission.message.len())];
    international(&submission.from) || submission.to.iter().any(international) || !headers.is_ascii()
}

/// The message for `DATA`: every line end is CRLF, a line that begins with a dot gets a second one, and the final dot
/// follows (RFC 5321 §4.5.2).
pub(super) fn data(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(message.len() + message.len() / 50 + 5);
    for line in normalised(message).split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

/// The message for `BDAT`, in a single last chunk (RFC 3030).
pub(super) fn bdat(message: &[u8]) -> Vec<u8> {
    let body = normalised(message);
    let mut wire = format!("BDAT {} LAST\r\n", body.len()).into_bytes();
    wire.extend_from_slice(&body);
    wire
}

/// Every line end as CRLF, including a bare CR or LF: a line end for some servers must be one for all (SMTP smuggling).
/// Ends in a line end.
fn normalised(message: &[u8]) -> Cow<'_, [u8]> {
    if is_normal(message) {
        return Cow::Borrowed(message);
    }
    let mut lines = Vec::with_capacity(message.len() + 2);
    let mut bytes = message.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if_eq(&b'\n');
                lines.extend_from_slice(b"\r\n");
            }
            b'\n' => lines.extend_from_slice(b"\r\n"),
            other => lines.push(other),
        }
    }
    if !lines.ends_with(b"\r\n") {
        lines.extend_from_slice(b"\r\n");
    }
    Cow::Owned(lines)
}

/// Whether every line ends in CRLF and there is no other CR or LF, as in every message composed here.
fn is_normal(message: &[u8]) -> bool {
    let lines = || message.split(|byte| *byte == b'\n');
    let carriage_returns = message.iter().filter(|byte| **byte == b'\r').count();
    let line_ends = lines().count() - 1;
    message.ends_with(b"\r\n")
        && carriage_returns == line_ends
        && lines().take(line_ends).all(|line| line.last() == Some(&b'\r'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dots_are_doubled_at_the_start_of_lines_only() {
        assert_eq!(data(b".a\r\nb.\r\n..\r\n"), b"..a\r\nb.\r\n...\r\n.\r\n");
        assert_eq!(data(b""), b"\r\n.\r\n");
    }

    #[test]
    fn no_line_end_can_smuggle_a_second_message() {
        for smuggled in ["a\n.\nMAIL", "a\r.\rMAIL", "a\r\n.\nMAIL", "a\n.\r\nMAIL"] {
            assert_eq!(data(smuggled.as_bytes()), b"a\r\n..\r\nMAIL\r\n.\r\n", "{smuggled:?}");
        }
    }

    proptest! {
        #[test]
        fn the_final_dot_is_the_only_one_alone(message in prop::collection::vec(prop::sample::select(b".\r\nab".to_vec()), 0..60)) {
            let wire = data(&message);
            let lines: Vec<&[u8]> = wire.split(|byte| *byte == b'\n').collect();
            let alone = lines.iter().filter(|line| **line == b".\r").count();
            prop_assert_eq!(alone, 1);
            prop_assert!(wire.ends_with(b"\r\n.\r\n"));
            prop_assert_eq!(wire.iter().filter(|b| **b == b'\r').count(), wire.iter().filter(|b| **b == b'\n').count());
        }

        #[test]
        fn a_chunk_is_as_long_as_it_says(message in prop::collection::vec(prop::sample::select(b".\r\nab".to_vec()), 0..60)) {
            let wire = bdat(&message);
            let at = wire.iter().position(|byte| *byte == b'\n').unwrap();
            let command = String::from_utf8(wire[..at].to_vec()).unwrap();
            let size: usize = command.split(' ').nth(1).unwrap().parse().unwrap();
            prop_assert_eq!(wire.len() - at - 1, size);
        }
    }
}
