//! The mail transaction: sender, recipients, message, in as few flights as the server allows.
//!
//! With PIPELINING, the commands up to `DATA` go in one write (RFC 2920); with CHUNKING, the message follows in the
//! same flight (RFC 3030). Without them, commands are sent one at a time. If a server offers groups of commands but
//! loses track of one, the failure is [`Fate::OutOfStep`]: the conversation is repeated with one command at a time, but
//! only if the server certainly does not have the message.

use std::time::Duration;

use model::{cause::Cause, report::Finding, stage::Stage};

use super::{Failure, Fate, Session};
use crate::{
    aside::{LARGE, aside},
    reply::EnhancedCode,
    smtp::{
        envelope::{bdat, data, mail_from, needs_smtputf8, rcpt_to},
        submit::Depth,
        wire::Wire,
    },
};
pub(super) use queue_id::queue_id;

mod flight;
mod queue_id;

pub(super) use flight::{BeforeTheEnd, Load};

/// With more recipients than this, a message is not sent in the flight of its commands.
const FEW_RECIPIENTS: usize = 10;
/// Every server accepts this many recipients. If a server closed the connection because of one more, the outcome of the
/// message would be unknown.
const VERY_FEW_RECIPIENTS: usize = 3;
/// How long to wait for an unsolicited reply after a group that contains a message, if its replies arrived together.
pub(super) const SURPLUS: Duration = Duration::from_millis(5);

impl Session<'_> {
    /// Transfers the message.
    pub(super) async fn hand_over(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        if needs_smtputf8(self.submission) && !self.capabilities.smtputf8 {
            return Err(Failure::found(Stage::MailFrom, Cause::AddressSyntax, Finding::Smtputf8NotOffered));
        }
        if let Some(Some(limit)) = self.capabilities.size
            && self.submission.message.len() as u64 > limit
        {
            return Err(Failure::found(Stage::MailFrom, Cause::MessageTooLarge, Finding::SizeLimit));
        }
        let sender = mail_from(self.submission, &self.capabilities);
        (self.in_step, self.left, self.ready, self.unproven) = (true, false, false, false);
        self.without_reason.clear();
        let all = self.submission.to.len();
        self.named = self.capabilities.most_recipients.map_or(all, |most| most.min(all));
        let recipients: Vec<String> = self.submission.to.iter().take(self.named).map(rcpt_to).collect();
        let outcome = if self.ahead.begun.is_some() {
            self.after_the_last(wire, &sender, &recipients).await
        } else if self.capabilities.pipelining && !self.cautious {
            self.in_a_group(wire, &sender, &recipients).await
        } else {
            self.one_at_a_time(wire, &sender, &recipients).await
        };
        self.ahead.begun = None;
        self.leave_the_rest();
        self.most_taken = self.most_taken.max(self.recipients.iter().filter(|one| one.accepted).count());
        self.codes_tell &= self.in_step;
        outcome
    }

    /// Whether the message may be sent as a chunk (RFC 3030). No `354` separates a chunk from the commands before it,
    /// so if a server answers one of those twice, the late `250` would be taken for the acceptance of the message. Only
    /// enhanced codes (RFC 2034), used as RFC 3463 defines them, distinguish the two. Otherwise the message uses
    /// `DATA`, whose `354` answers nothing else.
    fn may_chunk(&self) -> bool {
        self.capabilities.chunking && self.capabilities.enhanced_status_codes && self.codes_tell
    }

    fn is_dry_run(&self) -> bool {
        self.submission.depth == Depth::Recipients
    }

    async fn in_a_group(&mut self, wire: &mut Wire, sender: &str, recipients: &[String]) -> Result<(), Failure> {
        let mut flight = commands(std::iter::once(sender).chain(recipients.iter().map(String::as_str)));
        self.transcript.client(sender);
        for recipient in recipients {
            self.transcript.client(recipient);
        }
        // The message waits for the server's replies in three cases: the connection may be dead; there are many
        // recipients, because the commit point needs to know which were accepted; or a kept connection has not yet
        // accepted this many.
        let few = if self.keeps { self.most_taken.clamp(VERY_FEW_RECIPIENTS, FEW_RECIPIENTS) } else { FEW_RECIPIENTS };
        let waits = self.cool || recipients.len() > few;
        let apart = waits && self.may_chunk() && !self.is_dry_run();
        let chunked = self.may_chunk() && !self.is_dry_run() && !apart;
        if apart {
            // The flight ends here.
        } else if chunked {
            flight.extend_from_slice(&self.wire_form(bdat));
            self.transcript.client(&format!("BDAT {} LAST", self.submission.message.len()));
        } else {
            let last = if self.is_dry_run() { "RSET" } else { "DATA" };
            self.transcript.client(last);
            flight.extend_from_slice(&commands([last]));
        }
        let replies = recipients.len() + 2;
        let replies = if apart { replies - 1 } else { replies };
        let load = if chunked { Load::Message } else { Load::Commands };
        let flown = self.fly(wire, &flight, replies, Stage::MailFrom, load).await;
        flown.map_err(|failure| in_the_group(failure, false, false))?;
        self.sender_answer(wire).await.map_err(|failure| in_the_group(failure, chunked, false))?;
        for at in 0..recipients.len() {
            let answer = self.recipient_answer(wire, at).await;
            answer.map_err(|failure| in_the_group(failure, chunked, true))?;
        }
        let accepted = self.any_recipient().map_err(|failure| in_the_group(failure, chunked, true));
        if self.is_dry_run() {
            // The recipients' results are reported, regardless of this reply.
            let _ = self.receive(wire, Stage::RcptTo, self.limit(self.limits.reply)).await;
            return accepted;
        }
        if apart {
            accepted?;
            return self.send_message(wire).await;
        }
        if chunked {
            accepted?;
            let outcome = self.final_answer(wire, Load::Message, true).await;
            return outcome.map_err(|failure| in_the_group(failure, false, true));
        }
        self.go_ahead(wire, accepted).await
    }

    /// Reads the reply to `DATA` in a group, and sends the message.
    pub(super) async fn go_ahead(&mut self, wire: &mut Wire, accepted: Result<(), Failure>) -> Result<(), Failure> {
        let go = self.receive(wire, Stage::Data, self.limit(self.limits.reply)).await;
        let go = match (go, &accepted) {
            (Ok(go), _) => go,
            (Err(_), Err(_)) => return accepted,
            (Err(failure), Ok(())) => return Err(in_the_group(failure, false, true)),
        };
        if go.is_positive() && go.code != 354 && accepted.is_err() {
            // This acceptance answers another command, so the refusals may as well.
            let shifted = self.expect(Stage::Data, &go, 354).map_err(|failure| in_the_group(failure, false, true));
            return shifted.and(accepted);
        }
        if go.code != 354 {
            wire.is_not_begun();
        }
        if go.code == 354 && accepted.is_err() {
            // The server expects a message although no recipient was accepted (RFC 2920 §3.1): send an empty one.
            self.fly(wire, b".\r\n", 1, Stage::Data, Load::Commands).await?;
        }
        accepted?;
        self.expect(Stage::Data, &go, 354).map_err(|failure| in_the_group(failure, false, true))?;
        self.send_data(wire).await
    }

    async fn one_at_a_time(&mut self, wire: &mut Wire, sender: &str, recipients: &[String]) -> Result<(), Failure> {
        self.transcript.client(sender);
        self.fly(wire, &commands([sender]), 1, Stage::MailFrom, Load::Commands).await?;
        self.sender_answer(wire).await?;
        for (at, recipient) in recipients.iter().enumerate() {
            self.transcript.client(recipient);
            self.fly(wire, &commands([recipient]), 1, Stage::RcptTo, Load::Commands).await?;
            self.recipient_answer(wire, at).await?;
            if self.takes_no_more() {
                self.named = at + 1;
                break;
            }
        }
        let accepted = self.any_recipient();
        if self.is_dry_run() {
            // The recipients' results are reported, regardless of this reply.
            let _ = self.ask(wire, Stage::RcptTo, "RSET").await;
            return accepted;
        }
        accepted?;
        self.send_message(wire).await
    }

    /// Sends the message after the replies to all recipients.
    async fn send_message(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        if self.may_chunk() && self.in_step && !self.cautious {
            return self.send_chunk(wire).await;
        }
        let go = self.ask(wire, Stage::Data, "DATA").await?;
        self.expect(Stage::Data, &go, 354)?;
        self.send_data(wire).await
    }

    /// The message in the form of the command that carries it.
    fn wire_form(&self, form: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let message = &self.submission.message;
        aside(message.len() > LARGE, || form(message))
    }

    pub(super) async fn sender_answer(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        let reply = self.receive(wire, Stage::MailFrom, self.limit(self.limits.reply)).await?;
        self.expect(Stage::MailFrom, &reply, 250)?;
        self.in_step &= reply.enhanced.is_some_and(|code| !is_about_a_recipient(code));
        self.passed(Stage::MailFrom, Some(&reply));
        Ok(())
    }

    /// Continues if at least one recipient was accepted.
    pub(super) fn any_recipient(&mut self) -> Result<(), Failure> {
        self.last_refusal.take().map_or(Ok(()), Err)
    }

    async fn send_chunk(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        self.transcript.client(&format!("BDAT {} LAST", self.submission.message.len()));
        self.fly(wire, &self.wire_form(bdat), 1, Stage::Data, Load::Message).await?;
        self.final_answer(wire, Load::Message, false).await
    }

    async fn send_data(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        self.ready = true;
        let message = self.wire_form(data);
        self.transcript.client(&format!("({} bytes)", self.submission.message.len()));
        self.transcript.client(".");
        self.fly(wire, &message, 1, Stage::Data, Load::AwaitedMessage).await?;
        self.final_answer(wire, Load::AwaitedMessage, false).await
    }

    /// Reads the reply to the message. From here on silence is not a failure: the server may have accepted it.
    /// `grouped`: the message was sent together with the commands before it.
    async fn final_answer(&mut self, wire: &mut Wire, load: Load, grouped: bool) -> Result<(), Failure> {
        let heard = std::mem::take(&mut self.before_the_end);
        let answered_early = heard == BeforeTheEnd::EveryAnswer;
        let reply = wire
            .read_reply(self.limit(self.limits.last))
            .await
            .map_err(|error| Failure::wire(Stage::Data, error))
            .map_err(|failure| if answered_early { failure } else { failure.maybe_sent() })?;
        self.hear(&reply);
        if answered_early && (reply.is_positive() || !(self.ready || self.in_step)) {
            // The server cannot have accepted an unfinished message; a refusal may be about a recipient.
            return Err(self.unasked(Stage::Data));
        }
        // An acceptance about an address (RFC 3463 §3.2: subject 1), or without an enhanced code, is the late reply to
        // another command: it is unknown whether the server has the chunk.
        if load == Load::Message && reply.is_positive() && reply.enhanced.is_none_or(|code| code.subject == 1) {
            return Err(self.unasked(Stage::Data).maybe_sent());
        }
        if let Err(failure) = self.expect(Stage::Data, &reply, 250) {
            return Err(match &self.ahead.begins {
                _ if reply.is_positive() => failure.maybe_sent(),
                Some(_) => self.refused_before_next(wire, failure).await,
                None if self.ahead.asks => self.refused_before_reset(wire, failure).await,
                None => failure,
            });
        }
        // In a group it is unknown which of the replies is unsolicited. After the message alone, the first reply is the
        // one to it, unless a further reply contradicts it.
        let patience = if grouped && heard != BeforeTheEnd::EveryOtherAnswer { SURPLUS } else { Duration::ZERO };
        if wire.has_surplus(patience).await && (grouped || wire.refuses_unasked()) {
            return Err(self.unasked(Stage::Data).maybe_sent());
        }
        // The message was sent before the replies to the recipients arrived, and their codes do not show what they
        // answer: the reply to QUIT decides.
        self.unproven = grouped && !self.in_step;
        let copy = self.may_be_a_copy(&reply);
        self.unproven |= copy && !self.keeps;
        // A new id belongs to this message.
        let is_its_own = !copy && queue_id(&reply).is_some();
        let reply = match &self.ahead.begins {
            Some(_) if !is_its_own => self.fence_by_next(wire, reply, copy).await?,
            None if self.ahead.asks => self.fence_sent(wire, reply, copy).await?,
            None if copy && !self.unproven => self.fence(wire, reply).await?,
            _ => reply,
        };
        self.queue_id = queue_id(&reply).map(|id| self.transcript.shown(&id));
        self.ahead.has_ids = self.queue_id.is_some();
        self.passed(Stage::Data, Some(&reply));
        Ok(())
    }
}

/// What a failure inside a group of commands means. `sent`: the message was in the group, and nothing shows yet that
/// the server did not accept it. `behind`: the command was not the first of the group, so a server that handles one
/// command at a time may have failed because of its position.
pub(super) fn in_the_group(mut failure: Failure, sent: bool, behind: bool) -> Failure {
    let words = failure.reply.as_deref().unwrap_or_default().to_ascii_lowercase();
    if failure.finding == Some(Finding::UnaskedReply) {
        return failure;
    }
    // No reply, or an acceptance of something else.
    let lost = words.is_empty() || words.starts_with(['2', '3']);
    let stumbled = behind && ["500", "502", "503"].iter().any(|code| words.starts_with(code))
        || ["pipelin", "synchroni"].iter().any(|word| words.contains(word));
    failure.fate = failure.fate.in_a_group(sent, lost, stumbled);
    failure
}

/// Whether the code accepts a `RCPT` (RFC 3463 §3.2).
pub(super) const fn is_about_a_recipient(code: EnhancedCode) -> bool {
    code.subject == 1 && code.detail == 5
}

fn commands<'a>(lines: impl IntoIterator<Item = &'a (impl AsRef<str> + ?Sized + 'a)>) -> Vec<u8> {
    lines.into_iter().flat_map(|line| [line.as_ref().as_bytes(), b"\r\n"].concat()).collect()
}
