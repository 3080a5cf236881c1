//! Server side. The two ways to press **Tester**: a native post that ends with the report as a page, and a stream that
//! tells each stage as it happens.

use async_stream::stream;
use bytes::Bytes;
use futures::StreamExt;
use leptos::{
    prelude::*,
    server_fn::codec::{ByteStream, PostUrl, Streaming},
};
use serde::Serialize;

use super::{
    event::Stage,
    page::ReportCard,
    port::{Recipient, Refusal, TestEvent},
    stages::{StageLine, next_stage},
};
use crate::{
    error::{AppError, answer, finish},
    i18n::Locale,
    profile::{
        list::StateBadge,
        model::{Profile, ProfileId},
    },
    services::services,
    session::session,
};

/// **Tester** without WebAssembly: runs the test to its end and leads to the report.
#[server(name = RunTest, prefix = "/api", endpoint = "test/run", input = PostUrl)]
pub async fn run_test(#[server(default)] id: String, #[server(default)] to: String) -> Result<(), AppError> {
    finish(run(&id, &to).await)
}

async fn run(id: &str, to: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = ProfileId::parse(id).ok_or(AppError::NotFound)?;
    match services.tester.start(&session, id, Recipient::parse(to)).await {
        Ok(mut events) => {
            while events.next().await.is_some() {}
            Ok(format!("/profiles/report?id={id}"))
        }
        Err(refusal) => match refused(refusal) {
            Ok(notice) => Ok(format!("/profiles?selected={id}&notice={notice}")),
            Err(error) => Err(error),
        },
    }
}

/// A refusal as the notice that explains it, or as an error.
fn refused(refusal: Refusal) -> Result<&'static str, AppError> {
    match refusal {
        Refusal::SecretMissing => Ok("secret-missing"),
        Refusal::SecretUnreadable => Ok("secret-unreadable"),
        Refusal::SecretRefused => Ok("secret-refused"),
        Refusal::NotFound => Err(AppError::NotFound),
        Refusal::Limited { retry_after_s } => Err(AppError::Limited { retry_after_s }),
        Refusal::Unavailable => Err(AppError::Unavailable),
    }
}

/// One line of the stream. The HTML is the same that the report page shows, so the browser has nothing to word.
#[derive(Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
enum Line {
    /// A stage has ended: its line, and what is under way now.
    Stage { html: String, now: String },
    /// The report, and the profile's new state in the list. Without this line the stream was cut.
    Finished { html: String, badge: String, accepted: bool },
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
) -> Result<ByteStream<AppError>, AppError> {
    let (session, services) = (session()?, services()?);
    let owner = Owner::current().unwrap_or_default();
    let profile = match ProfileId::parse(&id) {
        Some(id) => services.profiles.get(&session.account, id).await.map_err(answer)?,
        None => None,
    };
    let Some(profile) = profile else {
        return Err(answer(AppError::NotFound));
    };
    let id = profile.id;
    let started = services.tester.start(&session, id, Recipient::parse(&to)).await;
    if let Err(refusal) = started {
        // The status is for programs; the page shows the line.
        let _ = answer(refused(refusal).map_or_else(|error| error, |_| AppError::Conflict));
    }
    let security = profile.settings.destination.security;
    let locale = session.locale;
    Ok(ByteStream::new(stream! {
        let mut events = match started {
            Ok(events) => events,
            Err(refusal) => {
                yield Ok(Line::Refused { html: refusal_html(&owner, locale, refusal) }.bytes());
                return;
            }
        };
        yield Ok(Line::Stage { html: String::new(), now: running(locale, Stage::Resolve) }.bytes());
        while let Some(event) = events.next().await {
            let line = match event {
                TestEvent::Stage(event) => {
                    let now = next_stage(event.stage, security, event.outcome).map(|stage| running(locale, stage));
                    let html = owner.with(|| view! { <StageLine event /> }.to_html());
                    Line::Stage { html, now: now.unwrap_or_default() }
                }
                TestEvent::Finished(run) => {
                    let fresh = services.profiles.get(&session.account, id).await.ok().flatten();
                    let profile: Profile = fresh.unwrap_or_else(|| profile.clone());
                    let accepted = run.report.verdict == super::report::Verdict::Accepted;
                    let name = services.presets.name(profile.settings.preset.as_deref(), &profile.settings.destination.host).to_owned();
                    owner.with(|| Line::Finished {
                        badge: view! { <StateBadge profile=profile.clone() /> }.to_html(),
                        html: view! { <ReportCard profile=profile.clone() provider=name run=*run live=true /> }.to_html(),
                        accepted,
                    })
                }
            };
            yield Ok(line.bytes());
        }
    }))
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
        view! { <Notice kind=Kind::Error>{text}</Notice> }.to_html()
    })
}
