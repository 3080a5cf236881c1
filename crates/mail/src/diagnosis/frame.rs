//! Words that a server puts around a policy's answer: Postfix's `<address>: Recipient address rejected: …`, Exim's
//! quotation of earlier refusals at `DATA`. The frame only says when the policy was asked. The words inside give the
//! reason, on any subject.

use model::stage::Stage;

use crate::reply::Reply;

/// The words that open a frame, in lower case, and the stage at which the reason is read; `None`: the reply's own.
const FRAMES: &[(&str, Option<Stage>)] = &[
    ("recipient address rejected:", None),
    ("sender address rejected:", Some(Stage::MailFrom)),
    ("client host rejected:", Some(Stage::Greeting)),
    ("data command rejected:", None),
    ("end-of-data rejected:", None),
    ("commands were rejected with this error:", Some(Stage::RcptTo)),
    ("commands were rejected with these errors:", Some(Stage::RcptTo)),
    ("transaction failed, blame it on the weather:", None),
];
/// The line with which Exim ends its quotation.
const AFTERWARDS: &str = "valid rcpt command must precede data";

/// The reason inside a frame, as a reply, and the stage at which it is read; `None` without a frame.
pub(super) fn reason(stage: Stage, reply: &Reply) -> Option<(Stage, Reply)> {
    let text = reply.text();
    let lower = text.to_ascii_lowercase();
    let (start, read_at) =
        FRAMES.iter().find_map(|(words, read_at)| Some((lower.find(words)? + words.len(), read_at)))?;
    let end = lower.rfind(AFTERWARDS).filter(|end| *end > start).unwrap_or(text.len());
    let inside = text.get(start..end)?.trim();
    let has_words = inside.chars().any(char::is_alphabetic);
    let reason = Reply { code: reply.code, enhanced: reply.enhanced, lines: vec![inside.to_owned()] };
    has_words.then_some((read_at.unwrap_or(stage), reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(stage: Stage, reply: &str) -> Option<(Stage, String)> {
        reason(stage, &Reply::parse(reply).unwrap()).map(|(stage, reply)| (stage, reply.text()))
    }

    #[test]
    fn the_reason_is_what_stands_inside() {
        let of = |words: &str| inside(Stage::RcptTo, words);
        assert_eq!(
            of("554 5.7.1 <a@b.example>: Recipient address rejected: limit of 200 exceeded"),
            Some((Stage::RcptTo, "limit of 200 exceeded".to_owned()))
        );
        assert_eq!(
            of("450 4.1.7 <a@b.example>: Sender address rejected: unverified address"),
            Some((Stage::MailFrom, "unverified address".to_owned()))
        );
        assert_eq!(of("550 5.1.1 No such user"), None);
        assert_eq!(of("554 5.7.1 <a@b.example>: Recipient address rejected:"), None);
        let quoted = "503-All RCPT commands were rejected with this error:\n503-R1: HELO should be a FQDN\n\
                      503 Valid RCPT command must precede DATA";
        let (stage, words) = inside(Stage::Data, quoted).unwrap();
        assert!(stage == Stage::RcptTo && words.contains("HELO should") && !words.contains("precede"), "{words}");
    }
}
