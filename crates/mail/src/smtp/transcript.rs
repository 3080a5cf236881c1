//! What may be shown of a conversation: cleaned text, and no secret in any form, also when the server
//! echoes it.

use crate::{
    reply::Reply,
    shown::{LONGEST, clean},
};

mod redactor;
#[cfg(test)]
mod tests;

pub(super) use redactor::Redactor;

/// Lines that are kept.
const MOST_LINES: usize = 200;
/// Characters of the server's that are looked at: what comes after that is not kept, and costs nothing.
const MOST_SEARCHED: usize = 6_000;
/// What stands for a secret.
const REDACTED: &str = "•••";

/// The lines of a conversation.
pub(super) struct Transcript {
    lines: Vec<String>,
    redactor: Redactor,
    /// What the server said last, as it said it: a secret may begin there and end in the next reply.
    before: String,
    /// How many characters of the server's were looked at.
    searched: usize,
}

impl Transcript {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { lines: Vec::new(), redactor, before: String::new(), searched: 0 }
    }

    pub(super) fn client(&mut self, line: &str) {
        if self.room() > 0 {
            self.keep("C", self.shown(line));
        }
    }

    pub(super) fn server(&mut self, line: &str) {
        if self.room() > 0 {
            let shown = self.heard(&[line.to_owned()]).concat();
            self.keep("S", shown);
        }
    }

    /// A reply, line by line. Its lines are searched together: a secret may be spread over them.
    pub(super) fn reply(&mut self, reply: &Reply) {
        let last = reply.lines.len().saturating_sub(1);
        let kept = &reply.lines[..reply.lines.len().min(self.room())];
        for (at, line) in self.heard(kept).iter().enumerate() {
            let separator = if at == last { ' ' } else { '-' };
            self.keep("S", clean(format!("{}{separator}{line}", reply.code).trim_end()));
        }
    }

    /// Lines of the server's, after those that it said before.
    fn heard(&mut self, lines: &[String]) -> Vec<String> {
        let Some(last) = lines.last() else { return Vec::new() };
        let all: Vec<&str> = std::iter::once(&self.before).chain(lines).map(String::as_str).collect();
        self.searched += all.iter().map(|line| line.chars().take(2 * LONGEST).count()).sum::<usize>();
        let mut shown = self.redactor.redact_lines(&all);
        shown.remove(0);
        self.before = last.chars().rev().take(LONGEST).collect::<Vec<_>>().into_iter().rev().collect();
        shown
    }

    /// Server words fit to be shown, each on its own line.
    pub(super) fn shown_lines(&self, lines: &[String]) -> Vec<String> {
        self.redactor.redact_lines(lines)
    }

    /// Server words fit to be shown.
    pub(super) fn shown(&self, text: &str) -> String {
        self.redactor.redact(text)
    }

    fn keep(&mut self, who: &str, shown: String) {
        self.lines.push(format!("{who}: {shown}"));
    }

    fn room(&self) -> usize {
        if self.searched >= MOST_SEARCHED { 0 } else { MOST_LINES.saturating_sub(self.lines.len()) }
    }

    pub(super) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}
