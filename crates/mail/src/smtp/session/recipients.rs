//! The recipients of a transaction, when the server does not accept all of them.
//!
//! RFC 5321 §4.5.3.1.10: a server that has reached its limit refuses further recipients with `452`, and clients should
//! be prepared for `552`. RFC 9422: it may announce the limit in advance. The refused recipients are reported as
//! [`Cause::TooManyRecipients`], to be retried in a transaction of their own.
//!
//! Many servers use other words, or none. Then the position decides: at least one recipient was accepted before, none
//! was accepted afterwards, and the refusals give no reason specific to the recipient.

use model::{cause::Cause, report::RecipientResult, stage::Stage};

use super::{Failure, Fate, Session, transaction::is_about_a_recipient};
use crate::{reply::Reply, smtp::wire::Wire};

/// Words in refusals because of storage.
const STORAGE: [&str; 8] = ["storage", "space", "disk", "full", "quota", "memory", "resource", "mailbox"];
/// Without PIPELINING, naming recipients stops after this many consecutive refusals without a reason.
const IN_A_ROW: usize = 3;

impl Session<'_> {
    pub(super) async fn recipient_answer(&mut self, wire: &mut Wire, at: usize) -> Result<(), Failure> {
        let reply = self.receive(wire, Stage::RcptTo, self.limit(self.limits.reply)).await?;
        // 251: the server will forward (RFC 5321 §3.4).
        let accepted = matches!(reply.code, 250 | 251);
        let taken = self.recipients.iter().any(|one| one.accepted);
        if !accepted {
            // Lets other tasks run: a hundred refusals may arrive at once.
            tokio::task::yield_now().await;
        }
        let diagnosis = (!accepted).then(|| {
            let mut diagnosis = self.diagnosis(Stage::RcptTo, &reply);
            if is_one_too_many(&reply, diagnosis.cause, taken) {
                diagnosis.cause = Cause::TooManyRecipients;
                diagnosis.retryable |= taken || reply.code == 552;
            }
            diagnosis
        });
        match diagnosis {
            None => self.without_reason.clear(),
            Some(diagnosis) if taken && gives_no_reason(&reply, diagnosis.cause) => {
                self.without_reason.push(self.recipients.len());
            }
            Some(_) => {}
        }
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

    /// Whether the server accepted at least one recipient and wants no more.
    pub(super) fn takes_no_more(&self) -> bool {
        let over = |one: &RecipientResult| !one.accepted && one.cause == Some(Cause::TooManyRecipients);
        let count = self.recipients.len();
        let in_a_row = self.without_reason.len() >= IN_A_ROW
            && self.without_reason.iter().rev().zip((0..count).rev()).take(IN_A_ROW).all(|(at, last)| *at == last);
        (in_a_row || self.recipients.last().is_some_and(over)) && self.recipients.iter().any(|one| one.accepted)
    }

    /// Marks as "too many" the recipients that were refused without a reason after the last accepted one, and those
    /// that were not named, if the transaction had an accepted recipient.
    pub(super) fn leave_the_rest(&mut self) {
        if !self.recipients.iter().any(|one| one.accepted) {
            return;
        }
        for at in std::mem::take(&mut self.without_reason) {
            if let Some(one) = self.recipients.get_mut(at) {
                (one.cause, one.retryable) = (Some(Cause::TooManyRecipients), true);
            }
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

    /// The recipients that get the message with the next bytes: the accepted ones; before any reply, all that were
    /// named.
    pub(super) fn may_get_it(&self) -> Vec<String> {
        if self.recipients.is_empty() {
            return self.submission.to.iter().take(self.named).map(ToString::to_string).collect();
        }
        self.recipients.iter().filter(|one| one.accepted).map(|one| one.address.clone()).collect()
    }
}

/// Whether a refusal means "no more in this transaction". The same codes report that the server or the recipient's
/// mailbox is full. `taken`: a recipient was accepted before.
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

/// Whether a temporary refusal is not specific to the recipient: it concerns neither the address, nor the mailbox, nor
/// a policy such as greylisting (RFC 3463 §3: subjects 1, 2 and 7), nor a lack of space. `450` is about the mailbox
/// (RFC 5321 §4.2.3), unless its enhanced code names the server.
fn gives_no_reason(reply: &Reply, cause: Cause) -> bool {
    let words = reply.text().to_ascii_lowercase();
    let subject = reply.enhanced.map(|code| (code.subject, code.detail));
    let about_the_server = matches!(subject, Some((3, 0 | 2 | 3 | 5) | (4, 0 | 5) | (5, _)));
    let silent = matches!(subject, None | Some((0, _)));
    (matches!(reply.code, 450..=452) && about_the_server || matches!(reply.code, 451 | 452) && silent)
        && matches!(cause, Cause::ServerBusy | Cause::Unknown)
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
            // The same codes, for a lack of space.
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

    #[test]
    fn a_refusal_of_one_recipient_and_one_without_a_reason_are_told_apart() {
        for (words, expected) in [
            ("452 4.3.2 System not accepting network messages", true),
            ("452 4.3.2 Please try again later", true),
            ("451 4.3.2 Please try again later", true),
            ("450 4.3.2 Service currently unavailable", true),
            ("451 4.3.0 Error: queue file write error", true),
            ("451 4.5.0 Not now", true),
            ("451 Requested action aborted: local error in processing", true),
            ("451", true),
            // Specific to the recipient.
            ("450 4.7.1 Greylisted", false),
            ("451 4.7.1 Greylisting in action, please come back later", false),
            ("451 4.7.1 Try again later", false),
            ("451 Greylisted, please try again in 300 seconds", false),
            ("450 4.2.0 Greylisted", false),
            ("452 4.2.2 Mailbox full", false),
            ("452 Mailbox full", false),
            ("450 Requested mail action not taken: mailbox unavailable", false),
            ("450", false),
            ("451 4.1.8 Domain of sender address does not resolve", false),
            ("451 4.4.3 Temporary failure in name resolution", false),
            ("452 4.3.1 Insufficient system storage", false),
            ("451 4.3.0 Mailbox temporarily locked", false),
            ("550 5.1.1 User unknown", false),
            ("421 4.3.2 closing", false),
        ] {
            let reply = Reply::parse(words).unwrap();
            let cause = diagnose(Stage::RcptTo, "mx.example", &reply).cause;
            assert_eq!(gives_no_reason(&reply, cause), expected, "{words} ({})", cause.as_str());
        }
    }
}
