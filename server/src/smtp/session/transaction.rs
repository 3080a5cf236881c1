//! Server side. The mail transaction: sender, recipients, message, in as few flights as the server allows.
//!
//! With PIPELINING the commands up to `DATA` leave in one write (RFC 2920); with CHUNKING besides, the message follows
//! in the same flight (RFC 3030). Without, one command at a time.

use app::{
    diagnosis::cause::Cause,
    test_run::{event::Stage, report::RecipientResult},
};

use super::{Failure, Session};
use crate::{
    diagnosis::diagnose,
    smtp::{
        Host,
        envelope::{bdat, data, mail_from, needs_smtputf8, rcpt_to},
        reply::Reply,
        wire::Wire,
    },
};

impl Session<'_> {
    /// Hands the message over.
    pub(super) async fn hand_over(&mut self, host: &Host, wire: &mut Wire) -> Result<(), Failure> {
        if needs_smtputf8(self.submission) && !self.capabilities.smtputf8 {
            return Err(Failure::new(Stage::MailFrom, Cause::AddressSyntax, false));
        }
        if let Some(Some(limit)) = self.capabilities.size
            && self.submission.message.len() as u64 > limit
        {
            return Err(Failure::new(Stage::MailFrom, Cause::MessageTooLarge, false));
        }
        let sender = mail_from(self.submission, &self.capabilities);
        let recipients: Vec<String> = self.submission.to.iter().map(rcpt_to).collect();
        if !self.capabilities.pipelining {
            return self.one_at_a_time(host, wire, &sender, &recipients).await;
        }
        let mut flight = commands(std::iter::once(&sender).chain(&recipients));
        self.transcript.client(&sender);
        for recipient in &recipients {
            self.transcript.client(recipient);
        }
        let chunked = self.capabilities.chunking && !self.submission.dry_run;
        if chunked {
            let chunk = bdat(&self.submission.message);
            self.transcript.client(&format!("BDAT {} LAST", self.submission.message.len()));
            flight.extend_from_slice(&chunk);
        } else if !self.submission.dry_run {
            self.transcript.client("DATA");
            flight.extend_from_slice(b"DATA\r\n");
        }
        self.fly(wire, &flight, Stage::MailFrom, false).await?;
        self.sender_answer(host, wire).await?;
        for at in 0..recipients.len() {
            self.recipient_answer(host, wire, at).await?;
        }
        let accepted = self.any_recipient();
        if self.submission.dry_run {
            return self.reset(wire, accepted).await;
        }
        if chunked {
            accepted?;
            return self.final_answer(host, wire).await;
        }
        let go = self.receive(wire, Stage::Data, self.limit(self.submitter.limits.reply)).await?;
        if go.code == 354 && accepted.is_err() {
            // It waits for a message that nobody is to get (RFC 2920 §3.1): an empty one.
            self.fly(wire, b".\r\n", Stage::Data, false).await?;
        }
        accepted?;
        self.send_data(host, wire, &go).await
    }

    async fn one_at_a_time(
        &mut self,
        host: &Host,
        wire: &mut Wire,
        sender: &str,
        recipients: &[String],
    ) -> Result<(), Failure> {
        self.transcript.client(sender);
        self.fly(wire, &commands([sender]), Stage::MailFrom, false).await?;
        self.sender_answer(host, wire).await?;
        for (at, recipient) in recipients.iter().enumerate() {
            self.transcript.client(recipient);
            self.fly(wire, &commands([recipient]), Stage::RcptTo, false).await?;
            self.recipient_answer(host, wire, at).await?;
        }
        let accepted = self.any_recipient();
        if self.submission.dry_run {
            return self.reset(wire, accepted).await;
        }
        accepted?;
        let go = self.ask(wire, Stage::Data, "DATA").await?;
        self.send_data(host, wire, &go).await
    }

    async fn sender_answer(&mut self, host: &Host, wire: &mut Wire) -> Result<(), Failure> {
        let reply = self.receive(wire, Stage::MailFrom, self.limit(self.submitter.limits.reply)).await?;
        if reply.code != 250 {
            return Err(self.refused(Stage::MailFrom, host, &reply));
        }
        self.passed(Stage::MailFrom, Some(&reply));
        Ok(())
    }

    async fn recipient_answer(&mut self, host: &Host, wire: &mut Wire, at: usize) -> Result<(), Failure> {
        let reply = self.receive(wire, Stage::RcptTo, self.limit(self.submitter.limits.reply)).await?;
        // 251: the server will forward (RFC 5321 §3.4).
        let accepted = matches!(reply.code, 250 | 251);
        let diagnosis = (!accepted).then(|| diagnose(Stage::RcptTo, host.as_str(), &reply));
        self.recipients.push(RecipientResult {
            address: self.submission.to.get(at).map(ToString::to_string).unwrap_or_default(),
            accepted,
            cause: diagnosis.map(|diagnosis| diagnosis.cause),
            reply: Some(self.transcript.shown(&reply.words())),
        });
        if accepted {
            self.passed(Stage::RcptTo, Some(&reply));
        } else if self.recipients.len() == self.submission.to.len() && self.recipients.iter().all(|one| !one.accepted) {
            self.last_refusal = Some(self.refused(Stage::RcptTo, host, &reply));
        }
        Ok(())
    }

    /// Goes on as long as one recipient was accepted.
    fn any_recipient(&mut self) -> Result<(), Failure> {
        self.last_refusal.take().map_or(Ok(()), Err)
    }

    async fn reset(&mut self, wire: &mut Wire, accepted: Result<(), Failure>) -> Result<(), Failure> {
        self.ask(wire, Stage::RcptTo, "RSET").await?;
        accepted
    }

    async fn send_data(&mut self, host: &Host, wire: &mut Wire, go: &Reply) -> Result<(), Failure> {
        self.expect(Stage::Data, go, 354)?;
        let message = data(&self.submission.message);
        self.transcript.client(&format!("({} bytes)", self.submission.message.len()));
        self.transcript.client(".");
        self.fly(wire, &message, Stage::Data, true).await?;
        self.final_answer(host, wire).await
    }

    /// The answer to the message. From here on silence is not failure: the server may have taken it.
    async fn final_answer(&mut self, host: &Host, wire: &mut Wire) -> Result<(), Failure> {
        let reply = wire
            .read_reply(self.deadline)
            .await
            .map_err(|error| Failure { after_the_dot: true, ..Failure::wire(Stage::Data, error) })?;
        self.hear(&reply);
        if reply.code != 250 {
            let failure = self.refused(Stage::Data, host, &reply);
            return Err(Failure { after_the_dot: reply.is_positive(), ..failure });
        }
        self.queue_id = queue_id(&reply).map(|id| self.transcript.shown(&id));
        self.passed(Stage::Data, Some(&reply));
        Ok(())
    }

    async fn fly(&mut self, wire: &mut Wire, bytes: &[u8], stage: Stage, last: bool) -> Result<(), Failure> {
        // A long message may take what is left of the whole.
        let deadline = if last { self.deadline } else { self.limit(self.submitter.limits.reply) };
        wire.write(bytes, deadline).await.map_err(|error| Failure::wire(stage, error))
    }
}

fn commands<'a>(lines: impl IntoIterator<Item = &'a (impl AsRef<str> + ?Sized + 'a)>) -> Vec<u8> {
    lines.into_iter().flat_map(|line| [line.as_ref().as_bytes(), b"\r\n"].concat()).collect()
}

/// The id under which the server took the message: it says so in a dozen ways.
fn queue_id(reply: &Reply) -> Option<String> {
    let text = reply.text();
    let after = ["queued as ", "queued with id ", "id=", "queued mail for delivery id ", "message id ", "queueid="];
    let lower = text.to_ascii_lowercase();
    let found = after.iter().find_map(|mark| lower.find(mark).map(|at| at + mark.len()));
    let rest = match found {
        Some(at) => text.get(at..)?,
        // Google: "2.0.0 OK  1234567890 abcdef - gsmtp"
        None => lower.strip_prefix("ok ").and_then(|_| text.get(3..))?,
    };
    let id: String =
        rest.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.@+/=$".contains(*c)).collect();
    let id = id.trim_end_matches('.').to_owned();
    (id.len() >= 4 && id.chars().any(|c| c.is_ascii_digit())).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_ids_are_found_where_servers_put_them() {
        for (text, id) in [
            ("250 2.0.0 Ok: queued as 4F1tQZ0qWxz9rxP", Some("4F1tQZ0qWxz9rxP")),
            ("250 OK id=1sXyZ-0001Ab-2C", Some("1sXyZ-0001Ab-2C")),
            ("250 2.0.0 OK  1700000000 a640c23a62f3a-abc.123 - gsmtp", Some("1700000000")),
            ("250 Message accepted", None),
        ] {
            assert_eq!(queue_id(&Reply::parse(text).unwrap()).as_deref(), id, "{text}");
        }
    }
}
