//! Builds the report of a conversation.

use model::{
    report::{Report, Verdict},
    stage::{Outcome, Stage},
};

use super::{Failure, Fate, Session};
use crate::smtp::submit::Depth;

impl Session<'_> {
    pub(super) fn report(mut self, outcome: Result<(), Failure>) -> Report {
        let success = if self.submission.depth == Depth::Message { Verdict::Accepted } else { Verdict::DryRunOk };
        let (verdict, stage, cause, retryable, reply, finding) = match outcome {
            Ok(()) => {
                let last = self.stages.iter().rfind(|event| event.stage != Stage::Quit);
                (success, last.map_or(Stage::Resolve, |event| event.stage), None, false, self.last_words.take(), None)
            }
            Err(failure) => {
                // A failure of the transaction was already reported before QUIT.
                if self.stages.last().is_none_or(|event| event.outcome == Outcome::Ok) {
                    self.tell_failure(&failure);
                }
                let verdict = if failure.fate == Fate::MaybeSent { Verdict::DeliveryUnknown } else { Verdict::Failed };
                let retryable = failure.fate.is_retryable();
                (verdict, failure.stage, Some(failure.cause), retryable, failure.reply, failure.finding)
            }
        };
        let mut report = Report {
            verdict,
            stage,
            cause,
            retryable,
            reply,
            finding,
            round_trips: self.round_trips,
            queue_id: self.queue_id,
            mechanism: self.mechanism,
            survey: None,
            fixes: Vec::new(),
            capabilities: self.capabilities.lines,
            tls: self.tls,
            recipients: self.recipients,
            stages: self.stages,
            transcript: self.transcript.take(),
        };
        // The server may have kept the secret from another conversation.
        report.capabilities = self.transcript.shown_lines(&report.capabilities);
        for text in certificate_texts(&mut report) {
            *text = self.transcript.shown(text);
        }
        report
    }
}

/// The texts that the server put into its certificate.
fn certificate_texts(report: &mut Report) -> impl Iterator<Item = &mut String> {
    let certificate = report.tls.as_mut().and_then(|tls| tls.certificate.as_mut());
    certificate.into_iter().flat_map(|shown| shown.names.iter_mut().chain([&mut shown.subject, &mut shown.issuer]))
}
