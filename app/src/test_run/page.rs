//! Server side. The report of a test: a page of its own, and the end of the live panel.

use leptos::prelude::*;

use super::{
    live::LiveTest,
    passable::passable,
    phases::{Phases, Progress},
    port::TestRun,
    receipt_card::{ReceiptCard, code_fault, typed_code},
    report::{TlsSummary, Verdict},
    stages::{StageLine, stage_name},
};
use crate::{
    base_path::at,
    diagnosis::card::{CauseCard, Failure},
    error::AppError,
    i18n,
    profile::model::{Profile, ProfileId},
    sending_mode::way::{ProfileWay, WayCard},
    services::services,
    session::session,
    t,
    ui::{
        event::{Event, Happened},
        layout::{Loaded, Page, query},
        moment::Moment,
        notice::RequestNotice,
    },
};

/// The last test of a profile, as a page.
#[component]
pub fn ReportPage() -> impl IntoView {
    let id = query("id");
    let load = async move {
        let (session, services) = (session()?, services()?);
        let id = ProfileId::parse(&id).ok_or(AppError::NotFound)?;
        let profile = services.profiles.get(&session.account, id).await?.ok_or(AppError::NotFound)?;
        let back = at(&format!("/profiles?selected={id}"));
        let Some(run) = services.tester.last(&session, id).await? else {
            let text = t!("report-none");
            return Ok(view! {
                <p class="lead">{text}</p>
                <p class="actions"><a class="button" href=back>{t!("action-back-to-list")}</a></p>
            }
            .into_any());
        };
        let provider = services.presets.name_of(&profile.settings).to_owned();
        let way = ProfileWay::of(&services, &session, &profile).await?;
        let typed = typed_code(&services, &session, id).await?;
        // An error in a code is shown at its field.
        let at_the_field = profile.test.waits_for_its_code() && code_fault().is_some();
        Ok(view! {
            {(!at_the_field).then(|| view! { <RequestNotice /> })}
            <div id="live"><ReportCard profile provider run way typed live=false /></div>
            <LiveTest />
            <p class="actions"><a class="button" href=back>{t!("action-back-to-list")}</a></p>
        }
        .into_any())
    };
    view! {
        <Page title=t!("report-title")>
            <Loaded content=load />
        </Page>
    }
}

/// The result of a test. In the live panel the phases are already above it.
#[component]
pub fn ReportCard(
    profile: Profile,
    provider: String,
    run: TestRun,
    way: ProfileWay,
    /// A typed code that was refused.
    #[prop(optional)]
    typed: String,
    live: bool,
) -> impl IntoView {
    let TestRun { at, recipient, report } = run.clone();
    let stages = report.stages.clone();
    let progress = Progress::of(&stages, profile.settings.destination.security).concluded(report.verdict);
    let receipt = |nested: bool| {
        let from = if live { "" } else { "report" };
        view! { <ReceiptCard profile=profile.clone() provider=provider.clone() run=run.clone() typed=typed.clone() nested from /> }
    };
    let verdict = match report.verdict {
        Verdict::Accepted | Verdict::DryRunOk => view! {
            <section class="card good" data-verdict="accepted">
                <h2 tabindex="-1">{t!("verdict-accepted-title")}</h2>
                <p>{t!("verdict-accepted-what", recipient = recipient.clone())}</p>
                {receipt(true)}
            </section>
            <WayCard way=way.clone() />
        }
        .into_any(),
        Verdict::DeliveryUnknown => view! {
            <section class="card unsure" data-verdict="delivery_unknown">
                <h2 tabindex="-1">{t!("verdict-delivery-unknown-title")}</h2>
                <p>{t!("verdict-delivery-unknown-what", recipient = recipient.clone())}</p>
                <p>{t!("verdict-delivery-unknown-next", recipient = recipient.clone())}</p>
            </section>
            {receipt(false)}
        }
        .into_any(),
        Verdict::Failed => {
            let (profile, provider) = (profile.clone(), provider.clone());
            let failure = Failure { profile, provider, recipient: recipient.clone(), report: report.clone() };
            view! { <CauseCard failure /> }.into_any()
        }
    };
    // Only the redirect from a test shows that it has just ended.
    let happened = (live || query("tested") == "1").then(|| Event::tested(profile.id, &report));
    view! {
        {happened.map(|event| view! { <Happened event live /> })}
        {(!live).then(|| view! {
            <p class="lead">{profile.settings.destination.host.clone()} " · " <Moment at /></p>
            <ol class="phases"><Phases progress /></ol>
        })}
        {verdict}
        <Passable text=passable(&profile, &run, i18n::current()) />
        <details class="technical">
            <summary>{t!("report-details")}</summary>
            <ol class="stages">
                {stages.into_iter().map(|event| view! { <StageLine event /> }).collect_view()}
            </ol>
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

/// The report as text for a provider's support, with a copy button.
#[component]
fn Passable(text: String) -> impl IntoView {
    view! {
        <details class="technical passable">
            <summary>{t!("passable-title")}</summary>
            <p>{t!("passable-about")}</p>
            <p class="actions copy" hidden>
                <button type="button" data-copy="">{t!("passable-copy")}</button>
                <span role="status" data-copied=t!("passable-copied") data-select=t!("passable-select")></span>
            </p>
            <pre class="transcript" tabindex="0" aria-label=t!("passable-title")>{text}</pre>
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

/// The date of an RFC 3339 instant, in the reader's language.
fn day(instant: &str) -> String {
    i18n::date_of(i18n::current(), instant)
}
