//! Server side. The two forms of **Tester**: a native post that leads to the report page, and a stream that sends each stage as
//! it ends.

use async_stream::stream;
use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use leptos::{
    prelude::*,
    server_fn::codec::{ByteStream, PostUrl, Streaming},
};
use serde::Serialize;

use super::{
    event::Stage,
    page::ReportCard,
    port::{AtOnce, Recipient, Refusal, TestEvent},
    receipt::{ReceiptOutcome, code_form, digits},
    stages::{StageLine, next_stage},
};
use crate::{
    base_path::at,
    error::{AppError, Ending, answer, finish},
    i18n::{Locale, Texts},
    profile::{
        draft::{Choice, KeptDraft},
        list::RowLabel,
        model::{Profile, ProfileId},
        owner::owner_name,
    },
    sending_mode::{
        unproved::{Unproved, Untried},
        way::{ProfileWay, Way},
    },
    services::{Services, services},
    session::{Session, session},
    t,
};

/// **Tester** without WebAssembly: runs the test to its end and leads to the report.
#[server(name = RunTest, prefix = "/api", endpoint = "test/run", input = PostUrl)]
pub async fn run_test(#[server(default)] id: String, #[server(default)] to: String) -> Result<(), AppError> {
    finish(run(&id, &to, None).await)
}

/// **Appliquer et retester** without WebAssembly: applies one of the changes that the last test proposed, and tests.
#[server(name = ApplyFix, prefix = "/api", endpoint = "test/apply-fix", input = PostUrl)]
pub async fn mend_profile(
    #[server(default)] id: String,
    #[server(default)] to: String,
    #[server(default)] fix: String,
) -> Result<(), AppError> {
    finish(run(&id, &to, Some(&fix)).await)
}

/// Takes the code of the confirmation mail, which proves that it arrived.
#[server(name = ConfirmReceipt, prefix = "/api", endpoint = "test/received", input = PostUrl)]
pub async fn confirm_receipt(#[server(default)] id: String, #[server(default)] code: String) -> Result<(), AppError> {
    finish(confirm(&id, &code).await)
}

async fn confirm(id: &str, code: &str) -> Result<Ending, AppError> {
    let (session, services) = (session()?, services()?);
    let id = ProfileId::parse(id).ok_or(AppError::NotFound)?;
    // Another account's test does not exist, even for an invalid code.
    services.profiles.get(&session.account, id).await?.ok_or(AppError::NotFound)?;
    let (who, form) = (session.who(), code_form(id));
    // The field keeps the typed code.
    let again = KeptDraft::of_choice(form.clone(), Choice::code(code));
    let Some(code) = digits(code) else {
        services.drafts.keep(&who, &again).await?;
        return Ok(Ending::refused(format!("/profiles/report?id={id}&notice=code-invalid"), AppError::Conflict));
    };
    match services.tester.confirm(&session, id, &code).await? {
        ReceiptOutcome::Received => {
            services.drafts.forget(&who, &form).await?;
            Ok(format!("/profiles?selected={id}&notice=received").into())
        }
        ReceiptOutcome::Wrong { tries_left } => {
            services.drafts.keep(&who, &again).await?;
            let page = format!("/profiles/report?id={id}&notice=code-wrong&left={tries_left}");
            Ok(Ending::refused(page, AppError::Conflict))
        }
        ReceiptOutcome::Gone => {
            services.drafts.forget(&who, &form).await?;
            Ok(Ending::refused(format!("/profiles/report?id={id}&notice=code-gone"), AppError::Conflict))
        }
    }
}

async fn run(id: &str, to: &str, fix: Option<&str>) -> Result<Ending, AppError> {
    let (session, services) = (session()?, services()?);
    let id = ProfileId::parse(id).ok_or(AppError::NotFound)?;
    match start(&services, &session, id, to, fix).await {
        Ok(mut events) => {
            while let Some(event) = events.next().await {
                if let TestEvent::Refused(refusal) = event {
                    return not_tested(id, refusal);
                }
            }
            Ok(format!("/profiles/report?id={id}&tested=1").into())
        }
        Err(refusal) => not_tested(id, refusal),
    }
}

/// Why no test ran: a page that explains it, and an error.
fn not_tested(id: ProfileId, refusal: Refusal) -> Result<Ending, AppError> {
    Ok(Ending::refused(format!("/profiles?selected={id}&notice={}", refused(refusal)?), told(refusal)))
}

/// Applies the fix with this number, if there is one, and starts a test.
async fn start(
    services: &Services,
    session: &Session,
    id: ProfileId,
    to: &str,
    fix: Option<&str>,
) -> Result<BoxStream<'static, TestEvent>, Refusal> {
    // A code typed for an earlier test does not apply to this one.
    services.drafts.forget(&session.who(), &code_form(id)).await?;
    if let Some(fix) = fix {
        let Ok(fix) = fix.parse() else {
            // Another account's profile does not exist, whatever the fix.
            services.profiles.get(&session.account, id).await?.ok_or(Refusal::NotFound)?;
            return Err(Refusal::Stale);
        };
        services.tester.apply_fix(session, id, fix).await?;
    }
    services.tester.start(session, id, Recipient::parse(to)).await
}

/// Starts a test; the profile as it is tested, with the fix applied.
async fn begin(
    services: &Services,
    session: &Session,
    (id, to, fix): (&str, &str, &str),
) -> Result<(Profile, BoxStream<'static, TestEvent>), Refusal> {
    let id = ProfileId::parse(id).ok_or(Refusal::NotFound)?;
    let events = start(services, session, id, to, Some(fix).filter(|fix| !fix.is_empty())).await?;
    // Deleted meanwhile: dropping the events stops the test.
    let profile = services.profiles.get(&session.account, id).await?.ok_or(Refusal::NotFound)?;
    Ok((profile, events))
}

/// A refused test as the notice that explains it, or as an error.
fn refused(refusal: Refusal) -> Result<&'static str, AppError> {
    match refusal {
        Refusal::SecretMissing => Ok("secret-missing"),
        Refusal::SecretUnreadable => Ok("secret-unreadable"),
        Refusal::SecretRefused => Ok("secret-refused"),
        Refusal::Stale => Ok("stale"),
        Refusal::AtOnce(AtOnce::Person) => Ok("tests-of-yours"),
        Refusal::AtOnce(AtOnce::Account) => Ok("tests-of-account"),
        Refusal::AtOnce(AtOnce::All) => Ok("tests-of-all"),
        Refusal::NotFound => Err(AppError::NotFound),
        Refusal::Limited { retry_after_s } => Err(AppError::Limited { retry_after_s }),
        Refusal::Unavailable => Err(AppError::Unavailable),
        Refusal::Internal => Err(AppError::Internal),
    }
}

/// A refusal as an error for programs.
fn told(refusal: Refusal) -> AppError {
    match refused(refusal) {
        Err(error) => error,
        Ok(_) if refusal == Refusal::Stale => AppError::Stale,
        Ok(_) => AppError::Conflict,
    }
}

/// One line of the stream, with the same HTML as on the report page: the browser needs no texts.
#[derive(Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
enum Line {
    /// A stage has ended: its line, and the name of the next stage.
    Stage { html: String, now: String },
    /// The commit point is passed: the test can no longer be stopped.
    Leaving,
    /// The report, the profile's row in the list, and what is to be said over the list now. Without this line the stream was cut.
    Finished { html: String, row: String, accepted: bool, untried: String },
    /// The test did not start.
    Refused { html: String },
}

impl Line {
    fn bytes(&self) -> Bytes {
        let mut json = serde_json::to_vec(self).unwrap_or_default();
        json.push(b'\n');
        Bytes::from(json)
    }
}

/// **Tester** with WebAssembly: one JSON object a line, as the stages end. Dropping the response stops the test.
#[server(name = StreamTest, prefix = "/api", endpoint = "test/stream", input = PostUrl, output = Streaming)]
pub async fn stream_test(
    #[server(default)] id: String,
    #[server(default)] to: String,
    #[server(default)] fix: String,
) -> Result<ByteStream<AppError>, AppError> {
    let (session, services) = (session()?, services()?);
    let owner = Owner::current().unwrap_or_default();
    let locale = session.locale;
    let (profile, mut events) = match begin(&services, &session, (&id, &to, &fix)).await {
        Ok(begun) => begun,
        Err(refusal) => {
            // The status is for programs; the page shows the line. The profile may be deleted in another tab.
            let _ = answer(told(refusal));
            let line = Line::Refused { html: refusal_html(&owner, locale, refusal) }.bytes();
            return Ok(ByteStream::new(futures::stream::iter([Ok(line)])));
        }
    };
    let (id, security) = (profile.id, profile.settings.destination.security);
    Ok(ByteStream::new(stream! {
        yield Ok(Line::Stage { html: String::new(), now: running(locale, Stage::Resolve) }.bytes());
        while let Some(event) = events.next().await {
            let line = match event {
                TestEvent::Stage(event) => {
                    let now = next_stage(event.stage, security, event.outcome).map(|stage| running(locale, stage));
                    let html = owner.with(|| view! { <StageLine event /> }.to_html());
                    Line::Stage { html, now: now.unwrap_or_default() }
                }
                TestEvent::Leaving => Line::Leaving,
                TestEvent::LookingForFixes => {
                    Line::Stage { html: String::new(), now: locale.text("survey-running", &[]) }
                }
                TestEvent::Refused(refusal) => Line::Refused { html: refusal_html(&owner, locale, refusal) },
                TestEvent::Finished(run) => {
                    let fresh = services.profiles.get(&session.account, id).await.ok().flatten();
                    let profile: Profile = fresh.unwrap_or_else(|| profile.clone());
                    let Ok(way) = ProfileWay::of(&services, &session, &profile).await else { return };
                    let accepted = run.report.verdict == super::report::Verdict::Accepted;
                    let name = services.presets.name_of(&profile.settings).to_owned();
                    let Ok(untried) = untried(&services, &session).await else { return };
                    owner.with(|| Line::Finished {
                        row: {
                            let owner = owner_name(&profile, &session);
                            view! { <RowLabel profile=profile.clone() provider=name.clone() owner /> }.to_html()
                        },
                        html: view! { <ReportCard profile=profile.clone() provider=name run=*run way live=true /> }.to_html(),
                        untried: untried.map(|untried| view! { <Untried untried /> }.to_html()).unwrap_or_default(),
                        accepted,
                    })
                }
            };
            yield Ok(line.bytes());
        }
    }))
}

/// What the list says of a profile in use, now that one was tested.
async fn untried(services: &Services, session: &Session) -> Result<Option<Unproved>, AppError> {
    let account = &session.account;
    let mode = services.sending_modes.get(account).await?;
    let relay = services.sending_modes.portal_sends(account);
    let in_use = services.profiles.in_use(account).await?;
    let own = Way::of(mode, &in_use, relay).is_own();
    Ok(own.then(|| Unproved::first(&in_use, relay, session)).flatten())
}

fn running(locale: Locale, stage: Stage) -> String {
    locale.text(&format!("stage-{}-running", stage.as_str().replace('_', "-")), &[])
}

fn refusal_html(owner: &Owner, locale: Locale, refusal: Refusal) -> String {
    let text = match (refused(refusal), refusal) {
        (Ok(notice), _) => locale.text(&format!("notice-{notice}"), &[]),
        (_, Refusal::Limited { retry_after_s }) => {
            locale.text("notice-limited", &[("seconds", retry_after_s.to_string())])
        }
        (_, Refusal::NotFound) => locale.text("notice-gone", &[]),
        _ => locale.text("notice-unavailable", &[]),
    };
    owner.with(|| {
        use crate::ui::notice::{Kind, Notice};
        let renew = refusal == Refusal::NotFound;
        view! {
            <Notice kind=Kind::Error>
                <p>{text}</p>
                {renew.then(|| view! { <p><a href=at("/profiles")>{t!("list-again")}</a></p> })}
            </Notice>
        }
        .to_html()
    })
}
