//! Server side. The report of a test: a page of its own, and the end of the live panel.

use leptos::prelude::*;

use super::{
    port::TestRun,
    report::{TlsSummary, Verdict},
    stages::{StageLine, stage_name},
};
use crate::{
    diagnosis::card::CauseCard,
    profile::model::{Profile, ProfileId},
    services::services,
    session::session,
    t,
    ui::{
        layout::{Loaded, Page, query},
        moment::Moment,
    },
};

/// The last test of a profile, as a page.
#[component]
pub fn ReportPage() -> impl IntoView {
    let id = query("id");
    let load = async move {
        let (session, services) = (session()?, services()?);
        let id = ProfileId::parse(&id).ok_or(crate::error::AppError::NotFound)?;
        let profile = services.profiles.get(&session.account, id).await?.ok_or(crate::error::AppError::NotFound)?;
        let run = services.tester.last(&session, id).await?.ok_or(crate::error::AppError::NotFound)?;
        let provider =
            services.presets.name(profile.settings.preset.as_deref(), &profile.settings.destination.host).to_owned();
        Ok(view! {
            <ReportCard profile provider run live=false />
            <p class="actions"><a class="button" href=format!("/profiles?selected={id}")>{t!("action-back-to-list")}</a></p>
        }
        .into_any())
    };
    view! {
        <Page title=t!("report-title")>
            <Loaded content=load />
        </Page>
    }
}

/// What a test came to. While it is live, its stages already stand above.
#[component]
pub fn ReportCard(profile: Profile, provider: String, run: TestRun, live: bool) -> impl IntoView {
    let TestRun { at, recipient, report } = run;
    let stages = report.stages.clone();
    let verdict = match report.verdict {
        Verdict::Accepted | Verdict::DryRunOk => view! {
            <section class="card good" data-verdict="accepted">
                <h2 tabindex="-1">{t!("verdict-accepted-title")}</h2>
                <p>{t!("verdict-accepted-what", recipient = recipient.clone())}</p>
            </section>
        }
        .into_any(),
        Verdict::DeliveryUnknown => view! {
            <section class="card unsure" data-verdict="delivery_unknown">
                <h2 tabindex="-1">{t!("verdict-delivery-unknown-title")}</h2>
                <p>{t!("verdict-delivery-unknown-what", recipient = recipient.clone())}</p>
                <p>{t!("verdict-delivery-unknown-next", recipient = recipient.clone())}</p>
            </section>
        }
        .into_any(),
        Verdict::Failed => {
            view! { <CauseCard profile=profile.clone() provider recipient=recipient.clone() report=report.clone() /> }
                .into_any()
        }
    };
    view! {
        {(!live).then(|| view! {
            <p class="lead">{profile.settings.destination.host.clone()} " · " <Moment at /></p>
        })}
        {verdict}
        {(!live).then(|| view! {
            <ol class="stages">
                {stages.into_iter().map(|event| view! { <StageLine event /> }).collect_view()}
            </ol>
        })}
        <details class="technical">
            <summary>{t!("report-details")}</summary>
            <dl>
                <div><dt>{t!("report-last-stage")}</dt><dd>{stage_name(report.stage)}</dd></div>
                {report.queue_id.clone().map(|id| view! { <div><dt>{t!("report-queue-id")}</dt><dd><code>{id}</code></dd></div> })}
                {report.tls.clone().map(|tls| view! { <Encryption tls /> })}
                {(!report.capabilities.is_empty()).then(|| view! {
                    <div><dt>{t!("report-capabilities")}</dt><dd>{report.capabilities.join(" · ")}</dd></div>
                })}
            </dl>
            <pre class="transcript" tabindex="0" aria-label=t!("report-transcript")>{report.transcript.join("\n")}</pre>
        </details>
    }
}

#[component]
fn Encryption(tls: TlsSummary) -> impl IntoView {
    view! {
        <div><dt>{t!("report-tls")}</dt><dd>{format!("{} · {}", tls.version, tls.cipher)}</dd></div>
        {tls.certificate.map(|certificate| view! {
            <div>
                <dt>{t!("report-certificate")}</dt>
                <dd>
                    {certificate.names.join(", ")} <br />
                    {t!("report-issuer", issuer = certificate.issuer)} <br />
                    {t!("report-validity", from = day(&certificate.not_before), to = day(&certificate.not_after))}
                </dd>
            </div>
        })}
    }
}

/// The day of an RFC 3339 instant.
fn day(instant: &str) -> String {
    instant.split('T').next().unwrap_or_default().to_owned()
}
