//! Server side. The output of `facteur probe` for a person.

use std::io::Write;

use app::{
    diagnosis::advice,
    i18n::{Locale, Texts},
    profile::preset::Catalogue,
    test_run::{
        event::{Outcome, StageEvent},
        report::{Report, Verdict},
    },
};
use mail::net::guard::Missing;

use crate::cli::explain::Explanation;

pub(super) fn write_stage(output: &mut dyn Write, event: &StageEvent) -> std::io::Result<()> {
    let mark = match event.outcome {
        Outcome::Ok => "ok    ",
        Outcome::Failed => "FAILED",
        Outcome::Unknown => "?     ",
    };
    let words = event.reply.as_deref().unwrap_or_default();
    writeln!(output, "{mark} {:<10} {:>8.1} ms  {words}", event.stage.as_str(), event.ms)
}

pub(super) fn write_verdict(output: &mut dyn Write, report: &Report, host: &str) -> std::io::Result<()> {
    let verdict = match report.verdict {
        Verdict::Accepted => "accepted: the server has the message",
        Verdict::DryRunOk => "dry run: everything up to the recipients went well, nothing was sent",
        Verdict::Failed => "failed",
        Verdict::DeliveryUnknown => "unknown: the connection was lost after the message; it may have been accepted",
    };
    writeln!(output, "\n{verdict}")?;
    if let Some(cause) = report.cause {
        let again = if report.retryable { "; a retry may succeed" } else { "" };
        writeln!(output, "cause: {} at {}{again}", cause.as_str(), report.stage.as_str())?;
        let presets = Catalogue::builtin();
        let explanation = Explanation::new(&presets, cause, report.stage, host);
        writeln!(output, "\n{}", explanation.title(Locale::En))?;
        writeln!(output, "{}", explanation.advice(Locale::En))?;
        if let Some(finding) = report.finding {
            writeln!(output, "{}", Locale::En.text(finding.key(), &[]))?;
        }
        writeln!(output, "{}\n", Locale::En.text(advice::who(cause).key(), &[]))?;
    }
    for recipient in report.recipients.iter().filter(|recipient| !recipient.accepted) {
        writeln!(output, "refused: {} ({})", recipient.address, recipient.reply.as_deref().unwrap_or_default())?;
    }
    if let Some(id) = &report.queue_id {
        writeln!(output, "queue id: {id}")?;
    }
    if let Some(tls) = &report.tls {
        writeln!(output, "encryption: {} {}", tls.version, tls.cipher)?;
        if let Some(certificate) = &tls.certificate {
            let names = certificate.names.join(", ");
            writeln!(output, "certificate: {names}, by {}, until {}", certificate.issuer, certificate.not_after)?;
        }
    }
    writeln!(output, "round trips: {}\n", report.round_trips)?;
    report.transcript.iter().try_for_each(|line| writeln!(output, "{line}"))
}

/// The settings that would allow the destination: the user of this command is the operator.
pub(super) fn write_missing(output: &mut dyn Write, missing: &[Missing]) -> std::io::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    writeln!(output, "\n{}", Missing::list(missing))?;
    writeln!(output, "Use --config to apply [smtp] of a configuration, or --allow-private to allow this host.")
}
