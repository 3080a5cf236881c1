//! Server side. The card that explains a failure: what happened, whose turn it is, what to do, the server's words.

use leptos::prelude::*;

use super::{
    advice::{field, who},
    cause::Cause,
};
use crate::{
    i18n::Locale,
    profile::model::Profile,
    t,
    test_run::{report::Report, stages::stage_name},
};

/// What the texts of a cause may mention.
fn arguments(profile: &Profile, provider: &str, recipient: &str, report: &Report) -> Vec<(&'static str, String)> {
    let destination = &profile.settings.destination;
    vec![
        ("host", destination.host.clone()),
        // As words: a port is not a number to be grouped by thousands.
        ("port", format!("{}\u{2060}", destination.port)),
        ("login", destination.login.clone()),
        ("sender", profile.settings.sender_address.to_string()),
        ("recipient", recipient.to_owned()),
        ("provider", provider.to_owned()),
        ("stage", stage_name(report.stage)),
    ]
}

/// The title of a cause alone, for the list.
pub fn cause_title(cause: Option<Cause>) -> String {
    let code = cause.unwrap_or(Cause::Unknown).as_str().replace('_', "-");
    Locale::current().text(&format!("cause-{code}-title"), &[])
}

/// A failed test.
#[component]
pub fn CauseCard(profile: Profile, provider: String, recipient: String, report: Report) -> impl IntoView {
    let cause = report.cause.unwrap_or(Cause::Unknown);
    let code = cause.as_str().replace('_', "-");
    let arguments = arguments(&profile, &provider, &recipient, &report);
    let part = |name: &str| Locale::current().text(&format!("cause-{code}-{name}"), &arguments);
    // The form opens at the field to look at, and gives it the focus where there is WebAssembly.
    let place = field(cause).map(|field| format!("#{}", field.id())).unwrap_or_default();
    let edit = format!("/profiles/edit?id={}{place}", profile.id);
    view! {
        <section class="card bad" data-verdict="failed" data-cause=cause.as_str()>
            <p class="who">{t!(who(cause).key())}</p>
            <h2 tabindex="-1">{part("title")}</h2>
            <p>{part("what")}</p>
            <p><strong>{t!("card-next")}</strong> " " {part("next")}</p>
            {report.retryable.then(|| view! { <p>{t!("card-retryable")}</p> })}
            {report.reply.clone().map(|words| view! {
                <p class="words"><span>{t!("card-server-words", stage = stage_name(report.stage))}</span> <samp dir="auto">{words}</samp></p>
            })}
            <p class="actions"><a class="button" href=edit>{t!("card-edit")}</a></p>
        </section>
    }
}
