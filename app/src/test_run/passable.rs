//! Server side. The report as text for a provider's support, without secrets, names and recipients.

use super::{port::TestRun, report::Verdict};
use crate::{
    diagnosis::cause::Cause,
    i18n::{DIGITS, Locale, Texts, date_of, date_time, in_utc},
    profile::model::Profile,
};

/// The text. Server replies were cleaned and redacted when they were received.
pub fn passable(profile: &Profile, run: &TestRun, locale: Locale) -> String {
    let TestRun { at, recipient, report } = run;
    let destination = &profile.settings.destination;
    let line = |key: &str, values: &[(&str, String)]| locale.text(key, values);
    let security = line(&format!("security-{}", destination.security.as_str()), &[]);
    let port = format!("{}{DIGITS}", destination.port);
    let mut lines = vec![
        line("passable-server", &[("host", destination.host.clone()), ("port", port), ("security", security)]),
        line("passable-login", &[("login", destination.login.clone())]),
        line("passable-sender", &[("sender", profile.settings.sender_address.to_string())]),
        line("passable-when", &[("when", date_time(locale, &in_utc(*at), "%H:%M:%S"))]),
        line("passable-verdict", &[("verdict", verdict(run, locale))]),
    ];
    if let Some(reply) = &report.reply {
        lines.push(line("passable-reply", &[("reply", masked(reply, recipient))]));
    }
    if let Some(id) = &report.queue_id {
        lines.push(line("passable-queue", &[("id", format!("{id}{DIGITS}"))]));
    }
    if let Some(tls) = report.tls.as_ref().filter(|tls| !tls.version.is_empty()) {
        lines.push(line("passable-tls", &[("tls", format!("{} {}", tls.version, tls.cipher))]));
    }
    if let Some(certificate) = report.tls.as_ref().and_then(|tls| tls.certificate.as_ref()) {
        let until = date_of(locale, &certificate.not_after);
        let (names, issuer) = (certificate.names.join(", "), certificate.issuer.clone());
        lines.push(line("passable-certificate", &[("names", names), ("issuer", issuer), ("until", until)]));
    }
    lines.push(String::new());
    lines.push(line("passable-transcript", &[]));
    lines.extend(report.transcript.iter().map(|said| masked(said, recipient)));
    lines.join("\n")
}

fn verdict(run: &TestRun, locale: Locale) -> String {
    let report = &run.report;
    let stage = locale.text(&format!("stage-{}", report.stage.as_str().replace('_', "-")), &[]);
    match report.verdict {
        Verdict::Accepted | Verdict::DryRunOk => locale.text("verdict-accepted-title", &[]),
        Verdict::DeliveryUnknown => locale.text("verdict-delivery-unknown-title", &[]),
        Verdict::Failed => {
            let cause = report.cause.unwrap_or(Cause::Unknown).as_str();
            format!("{} ({cause})", locale.text("verdict-failed-title", &[("stage", stage)]))
        }
    }
}

/// Masks the part of the recipient's address before the `@`.
fn masked(text: &str, recipient: &str) -> String {
    match recipient.rsplit_once('@') {
        Some((local, domain)) if !local.is_empty() => text.replace(recipient, &format!("…@{domain}")),
        _ => text.to_owned(),
    }
}
