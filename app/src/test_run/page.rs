//! Server side. The report of a test: a page of its own, and the end of the live panel.

use leptos::prelude::*;

use super::{
    live::LiveTest,
    passable::passable,
    port::TestRun,
    receipt::code_form,
    report::{TlsSummary, Verdict},
    stages::{StageLine, stage_name},
};
use crate::{
    base_path::at,
    diagnosis::card::{CauseCard, Failure},
    error::AppError,
    i18n,
    profile::{
        draft::Choice,
        model::{Profile, ProfileId, TestState},
    },
    sending_mode::way::{ProfileWay, WayCard},
    services::{Services, now, services},
    session::{Session, session},
    t,
    ui::{
        event::{Event, Happened},
        form_owner::FormOwnerField,
        layout::{Loaded, Page, query},
        moment::{Moment, distance},
        notice::{RequestNotice, whole_number},
    },
};

/// Seconds without the code after which the explanations are expanded.
const PATIENCE_S: i64 = 180;

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
        // What is wrong with a code is said under its field.
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

/// The result of a test. In the live panel the stages are already above it.
#[component]
pub fn ReportCard(
    profile: Profile,
    provider: String,
    run: TestRun,
    way: ProfileWay,
    /// A code that was typed and refused.
    #[prop(optional)]
    typed: String,
    live: bool,
) -> impl IntoView {
    let TestRun { at, recipient, report } = run.clone();
    let stages = report.stages.clone();
    let receipt = || {
        view! { <ReceiptCard profile=profile.clone() provider=provider.clone() run=run.clone() typed=typed.clone() /> }
    };
    let verdict = match report.verdict {
        Verdict::Accepted | Verdict::DryRunOk => view! {
            <section class="card good" data-verdict="accepted">
                <h2 tabindex="-1">{t!("verdict-accepted-title")}</h2>
                <p>{t!("verdict-accepted-what", recipient = recipient.clone())}</p>
            </section>
            {receipt()}
            <WayCard way=way.clone() />
        }
        .into_any(),
        Verdict::DeliveryUnknown => view! {
            <section class="card unsure" data-verdict="delivery_unknown">
                <h2 tabindex="-1">{t!("verdict-delivery-unknown-title")}</h2>
                <p>{t!("verdict-delivery-unknown-what", recipient = recipient.clone())}</p>
                <p>{t!("verdict-delivery-unknown-next", recipient = recipient.clone())}</p>
            </section>
            {receipt()}
        }
        .into_any(),
        Verdict::Failed => {
            let (profile, provider) = (profile.clone(), provider.clone());
            let failure = Failure { profile, provider, recipient: recipient.clone(), report: report.clone() };
            view! { <CauseCard failure /> }.into_any()
        }
    };
    // Only the redirect from a test tells that it has just ended.
    let happened = (live || query("tested") == "1").then(|| Event::tested(profile.id, &report));
    view! {
        {happened.map(|event| view! { <Happened event live /> })}
        {(!live).then(|| view! {
            <p class="lead">{profile.settings.destination.host.clone()} " · " <Moment at /></p>
        })}
        {verdict}
        {(!live).then(|| view! {
            <ol class="stages">
                {stages.into_iter().map(|event| view! { <StageLine event /> }).collect_view()}
            </ol>
        })}
        <Passable text=passable(&profile, &run, i18n::current()) />
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

/// A test whose mail may have arrived, and nobody has said so: whoever comes back with its code finds the field in the list.
pub struct Waiting {
    profile: Profile,
    provider: String,
    run: TestRun,
    typed: String,
}

impl Waiting {
    pub async fn of(
        services: &Services,
        session: &Session,
        profile: Option<&Profile>,
    ) -> Result<Option<Self>, AppError> {
        let Some(profile) = profile.filter(|profile| profile.test.waits_for_its_code()) else { return Ok(None) };
        let Some(run) = services.tester.last(session, profile.id).await? else { return Ok(None) };
        let provider = services.presets.name_of(&profile.settings).to_owned();
        Ok(Some(Self {
            profile: profile.clone(),
            provider,
            run,
            typed: typed_code(services, session, profile.id).await?,
        }))
    }
}

/// The code that was typed and not taken.
async fn typed_code(services: &Services, session: &Session, id: ProfileId) -> Result<String, AppError> {
    Ok(match services.drafts.choice(&session.who(), &code_form(id)).await? {
        Some(Choice::Code(code)) => code,
        _ => String::new(),
    })
}

/// What is wrong with the code that was sent, if that is what the page is asked for.
fn code_fault() -> Option<String> {
    match query("notice").as_str() {
        "code-wrong" => Some(t!("notice-code-wrong", left = whole_number("left"))),
        "code-invalid" => Some(t!("notice-code-invalid")),
        _ => None,
    }
}

/// Its card, which names the profile: another one may be selected meanwhile.
#[component]
pub fn WaitingCard(waiting: Waiting) -> impl IntoView {
    let Waiting { profile, provider, run, typed } = waiting;
    let named = t!("receipt-of", sender = profile.settings.sender_address, moment = distance(run.at, now()));
    view! { <ReceiptCard profile provider run typed named /> }
}

/// **Accepted is not received**: the code of the mail, and what it can mean that it has not come.
#[component]
fn ReceiptCard(
    profile: Profile,
    provider: String,
    run: TestRun,
    typed: String,
    /// Which test it is about, where the page does not say.
    #[prop(optional)]
    named: String,
) -> impl IntoView {
    let settings = &profile.settings;
    match profile.test {
        TestState::Received { at } => {
            view! { <p class="notice done">{t!("receipt-done", moment = distance(at, now()))}</p> }.into_any()
        }
        TestState::Accepted { .. } | TestState::DeliveryUnknown { .. } => {
            let waited = now().as_second() - run.at.as_second() > PATIENCE_S;
            let domain = settings.sender_address.domain().to_owned();
            let login = settings.destination.login.clone();
            let (recipient, id) = (run.recipient, profile.id.to_string());
            // No `pattern`: the server's error text is in the page's language, the browser's may not be.
            let fault = code_fault();
            let wrong = fault.is_some().then_some("true");
            view! {
                <section class="card receipt">
                    <h2>{t!("receipt-title")}</h2>
                    {(!named.is_empty()).then(|| view! { <p><strong>{named}</strong></p> })}
                    <p>{t!("receipt-about")}</p>
                    <form method="post" action=at("/api/test/received") class="code">
                        <FormOwnerField />
                        <input type="hidden" name="id" value=id />
                        <label for="code">{t!("receipt-label")}</label>
                        <input
                            type="text"
                            id="code"
                            name="code"
                            value=typed
                            inputmode="numeric"
                            autocomplete="one-time-code"
                            maxlength="40"
                            aria-invalid=wrong
                            aria-describedby=wrong.map(|_| "code-fault")
                            autofocus=wrong.is_some()
                        />
                        <button>{t!("receipt-confirm")}</button>
                        {fault.map(|text| view! { <p class="fault" id="code-fault" role="alert">{text}</p> })}
                    </form>
                    <details open=waited>
                        <summary>{t!("receipt-missing")}</summary>
                        <ul>
                            <li>{t!("receipt-missing-spam", recipient = recipient)}</li>
                            <li>{t!("receipt-missing-sender", login = login)}</li>
                            <li>{t!("receipt-missing-delay")}</li>
                            <li>{t!("receipt-missing-dropped", domain = domain, provider = provider)}</li>
                        </ul>
                    </details>
                </section>
            }
            .into_any()
        }
        _ => ().into_any(),
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
