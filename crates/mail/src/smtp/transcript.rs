//! What may be shown of a conversation: cleaned text, without the secret in any form, even if the server repeats it.

use crate::{
    reply::Reply,
    shown::{LONGEST, clean},
};

mod redactor;
#[cfg(test)]
mod tests;

pub(super) use redactor::Redactor;

/// The most lines that are kept.
const MOST_LINES: usize = 200;
/// How many characters of the server's replies are searched. Text beyond that is not kept and costs nothing.
const MOST_SEARCHED: usize = 6_000;
/// Shown instead of a secret.
const REDACTED: &str = "•••";

/// The lines of a conversation.
pub(super) struct Transcript {
    lines: Vec<String>,
    redactor: Redactor,
    /// The server's last text, unchanged: a secret may begin there and end in the next reply.
    before: String,
    /// How many characters of the server's text were searched.
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

    /// Records a reply line by line. Its lines are searched together: a secret may be spread over them.
    pub(super) fn reply(&mut self, reply: &Reply) {
        let last = reply.lines.len().saturating_sub(1);
        let kept = &reply.lines[..reply.lines.len().min(self.room())];
        for (at, line) in self.heard(kept).iter().enumerate() {
            let separator = if at == last { ' ' } else { '-' };
            self.keep("S", clean(format!("{}{separator}{line}", reply.code).trim_end()));
        }
    }

    /// Cleans lines of the server, searched together with its earlier ones.
    fn heard(&mut self, lines: &[String]) -> Vec<String> {
        let Some(last) = lines.last() else { return Vec::new() };
        let all: Vec<&str> = std::iter::once(&self.before).chain(lines).map(String::as_str).collect();
        self.searched += all.iter().map(|line| line.chars().take(2 * LONGEST).count()).sum::<usize>();
        let mut shown = self.redactor.redact_lines(&all);
        shown.remove(0);
        self.before = last.chars().rev().take(LONGEST).collect::<Vec<_>>().into_iter().rev().collect();
        shown
    }

    /// Cleans text of the server for display, each line on its own.
    pub(super) fn shown_lines(&self, lines: &[String]) -> Vec<String> {
        self.redactor.redact_lines(lines)
    }

    /// Cleans text of the server for display.
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
