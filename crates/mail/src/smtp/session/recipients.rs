//! The recipients of a transaction, when there are more than the server takes.
//!
//! RFC 5321 §4.5.3.1.10: a server that has taken as many as it wants refuses the others with `452`, and clients should be
//! prepared for `552`. RFC 9422: it may say in advance how many those are. Who was not taken is told as
//! [`Cause::TooManyRecipients`], to be tried in a transaction of their own.

use model::{cause::Cause, report::RecipientResult, stage::Stage};

use super::{Failure, Fate, Session, transaction::is_about_a_recipient};
use crate::{reply::Reply, smtp::wire::Wire};

/// A server that refuses storage says so in one of these words.
const STORAGE: [&str; 9] = ["storage", "space", "disk", "full", "quota", "memory", "resource", "mailbox", "system"];

impl Session<'_> {
    pub(super) async fn recipient_answer(&mut self, wire: &mut Wire, at: usize) -> Result<(), Failure> {
        let reply = self.receive(wire, Stage::RcptTo, self.limit(self.limits.reply)).await?;
        // 251: the server will forward (RFC 5321 §3.4).
        let accepted = matches!(reply.code, 250 | 251);
        let taken = self.recipients.iter().any(|one| one.accepted);
        let diagnosis = (!accepted).then(|| {
            let mut diagnosis = self.diagnosis(Stage::RcptTo, &reply);
            if is_one_too_many(&reply, diagnosis.cause, taken) {
                diagnosis.cause = Cause::TooManyRecipients;
                diagnosis.retryable |= taken || reply.code == 552;
            }
            diagnosis
        });
        self.recipients.push(RecipientResult {
            address: self.submission.to.get(at).map(ToString::to_string).unwrap_or_default(),
            accepted,
            cause: diagnosis.map(|diagnosis| diagnosis.cause),
            retryable: diagnosis.is_some_and(|diagnosis| diagnosis.retryable),
            reply: Some(self.transcript.shown(&reply.words())),
        });
        if accepted {
            self.in_step &= reply.enhanced.is_some_and(is_about_a_recipient);
            self.passed(Stage::RcptTo, Some(&reply));
        } else if self.recipients.len() == self.named && self.recipients.iter().all(|one| !one.accepted) {
            self.last_refusal = self.expect(Stage::RcptTo, &reply, 250).err().map(|failure| {
                let retryable = failure.fate.is_retryable() || diagnosis.is_some_and(|diagnosis| diagnosis.retryable);
                Failure { fate: Fate::NotSent { retryable }, ..failure }
            });
        }
        Ok(())
    }

    /// Whether the server has taken somebody and wants no more.
    pub(super) fn takes_no_more(&self) -> bool {
        self.recipients.last().is_some_and(|last| !last.accepted && last.cause == Some(Cause::TooManyRecipients))
            && self.recipients.iter().any(|one| one.accepted)
    }

    /// Those who were not named in a transaction that took somebody.
    pub(super) fn leave_the_rest(&mut self) {
        if !self.recipients.iter().any(|one| one.accepted) {
            return;
        }
        let rest = self.submission.to.iter().skip(self.named).map(|address| RecipientResult {
            address: address.to_string(),
            accepted: false,
            cause: Some(Cause::TooManyRecipients),
            retryable: true,
            reply: None,
        });
        self.recipients.extend(rest);
    }

    /// The recipients that the next bytes send the message to: the accepted ones; before any reply, all that were named.
    pub(super) fn may_get_it(&self) -> Vec<String> {
        if self.recipients.is_empty() {
            return self.submission.to.iter().take(self.named).map(ToString::to_string).collect();
        }
        self.recipients.iter().filter(|one| one.accepted).map(|one| one.address.clone()).collect()
    }
}

/// Whether a refusal means "no more in this transaction", and not that the server, or the recipient's mailbox, has no room:
/// that is said with the same codes. `taken`: somebody was taken before it.
fn is_one_too_many(reply: &Reply, cause: Cause, taken: bool) -> bool {
    if cause == Cause::TooManyRecipients {
        return true;
    }
    let words = reply.text().to_ascii_lowercase();
    taken
        && matches!(reply.code, 452 | 552)
        && reply.enhanced.is_none_or(|code| matches!(code.subject, 0 | 5))
        && !STORAGE.iter().any(|word| words.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;

    #[test]
    fn too_many_and_no_room_are_told_apart() {
        for (words, taken, expected) in [
            ("452 4.5.3 Too many recipients", true, true),
            ("452 4.5.3 Too many recipients", false, true),
            ("452 too many recipients", true, true),
            ("452", true, true),
            ("452 Error", true, true),
            ("452 4.5.0 Try the others later", true, true),
            ("552 5.5.3 Too many recipients", true, true),
            ("552 try again", true, true),
            ("550 5.5.3 Too many recipients for one message", true, true),
            ("451 4.5.3 Recipient limit reached", true, true),
            // The same codes, about room.
            ("452", false, false),
            ("452 4.2.2 Mailbox full", true, false),
            ("452 4.2.2 The email account that you tried to reach is over quota", true, false),
            ("452 4.3.1 Insufficient system storage", true, false),
            ("452 Requested action not taken: insufficient system storage", true, false),
            ("452 4.3.2 Please try again later", true, false),
            ("452 No space left", true, false),
            ("552 5.2.2 Mailbox full", true, false),
            ("552 Requested mail action aborted: exceeded storage allocation", true, false),
            ("450 4.7.1 Greylisted", true, false),
            ("550 5.1.1 User unknown", true, false),
        ] {
            let reply = Reply::parse(words).unwrap();
            let cause = diagnose(Stage::RcptTo, "mx.example", &reply).cause;
            assert_eq!(is_one_too_many(&reply, cause, taken), expected, "{words} ({})", cause.as_str());
        }
    }
}
