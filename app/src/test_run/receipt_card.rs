//! Server side. **Accepted is not received**: the field for the code of the test's mail, and possible reasons why the
//! mail does not arrive.

use leptos::prelude::*;

use super::{port::TestRun, receipt::code_form};
use crate::{
    base_path::at,
    error::AppError,
    profile::{
        draft::Choice,
        model::{Profile, ProfileId, TestState},
    },
    services::{Services, now},
    session::Session,
    t,
    ui::{form_owner::FormOwnerField, layout::query, moment::distance, notice::whole_number, text::breakable},
};

/// Seconds without the code after which the explanations are expanded.
const PATIENCE_S: i64 = 180;

/// A test whose mail may have arrived, while the code was not entered: a user who returns with the code finds the field
/// in the list.
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

/// The typed code that was refused.
pub async fn typed_code(services: &Services, session: &Session, id: ProfileId) -> Result<String, AppError> {
    Ok(match services.drafts.choice(&session.who(), &code_form(id)).await? {
        Some(Choice::Code(code)) => code,
        _ => String::new(),
    })
}

/// The error of the code that was just sent, if there was one.
pub fn code_fault() -> Option<String> {
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
    let named = t!("receipt-of", profile = profile.settings.title(), moment = distance(run.at, now()));
    view! { <ReceiptCard profile provider run typed named /> }
}

/// **Accepted is not received**: the code of the mail, and possible reasons why it has not arrived.
#[component]
pub fn ReceiptCard(
    profile: Profile,
    provider: String,
    run: TestRun,
    typed: String,
    /// The name of the tested profile, if the page does not show it.
    #[prop(optional)]
    named: String,
    /// It is a part of the result's card.
    #[prop(optional)]
    nested: bool,
    /// The page that contains it, unless that is the list.
    #[prop(optional)]
    from: &'static str,
) -> impl IntoView {
    let settings = &profile.settings;
    match profile.test {
        TestState::Received { at, tested } => {
            // The newer mail has a code as well.
            let again = (at < tested).then(|| {
                let open = code_fault().is_some();
                view! {
                    <details class="technical" open=open>
                        <summary>{t!("receipt-again")}</summary>
                        <CodeForm id=profile.id typed from />
                    </details>
                }
            });
            view! { <p class="notice done">{t!("receipt-done", moment = distance(at, now()))}</p> {again} }.into_any()
        }
        TestState::Accepted { .. } | TestState::DeliveryUnknown { .. } => {
            let waited = now().as_second() - run.at.as_second() > PATIENCE_S;
            let domain = settings.sender_address.domain().to_owned();
            let login = settings.destination.login.clone();
            let recipient = run.recipient;
            let title = t!("receipt-title");
            let title =
                if nested { view! { <h3>{title}</h3> }.into_any() } else { view! { <h2>{title}</h2> }.into_any() };
            view! {
                <section class="card receipt">
                    {title}
                    {(!named.is_empty()).then(|| view! { <p><strong>{breakable(&named)}</strong></p> })}
                    <p>{t!("receipt-about")}</p>
                    <CodeForm id=profile.id typed from />
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

/// The field for the code. The error of a refused one is shown above it.
#[component]
fn CodeForm(id: ProfileId, typed: String, from: &'static str) -> impl IntoView {
    // No `pattern`: the server's error text is in the page's language, the browser's may not be.
    let fault = code_fault();
    let wrong = fault.is_some().then_some("true");
    view! {
        <form method="post" action=at("/api/test/received") class="code">
            <FormOwnerField />
            <input type="hidden" name="id" value=id.to_string() />
            <input type="hidden" name="from" value=from />
            <label for="code">{t!("receipt-label")}</label>
            {fault.map(|text| view! { <p class="fault" id="code-fault" role="alert">{text}</p> })}
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
        </form>
    }
}
