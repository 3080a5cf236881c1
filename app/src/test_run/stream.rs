//! Server side. **Tester** with WebAssembly: a stream that reports each phase and each stage when it ends.

use async_stream::stream;
use bytes::Bytes;
use futures::StreamExt;
use leptos::{
    prelude::*,
    server_fn::codec::{ByteStream, PostUrl, Streaming},
};
use serde::Serialize;

use super::{
    api::{BeforeTest, begin, refused, told},
    page::ReportCard,
    panel::tested,
    phases::{Phases, Progress},
    port::{Refusal, Started, TestEvent},
    report::Verdict,
    stages::StageLine,
};
use crate::{
    base_path::at,
    diagnosis::retype::Retype,
    error::{AppError, answer},
    i18n::{Locale, Texts},
    profile::{
        draft::TypedSecret,
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

/// One line of the stream, with the same HTML as on the report page: the browser needs no texts.
#[derive(Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
enum Line {
    /// The test has begun: the name of the tested profile.
    Begun { html: String },
    /// The phases, and the current step as a sentence.
    Phases { html: String, now: String },
    /// A stage has ended: its line.
    Stage { html: String },
    /// The commit point has passed: the test can no longer be stopped.
    Leaving,
    /// The report, the profile's row in the list, and the notice above the list. Without this line the stream was
    /// interrupted.
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
    #[server(default)] secret: TypedSecret,
) -> Result<ByteStream<AppError>, AppError> {
    let (session, services) = (session()?, services()?);
    let owner = Owner::current().unwrap_or_default();
    let locale = session.locale;
    let before = match (secret.is_empty(), fix.is_empty()) {
        (false, _) => BeforeTest::Secret(&secret),
        (true, false) => BeforeTest::Fix(&fix),
        (true, true) => BeforeTest::Nothing,
    };
    let Started { profile, mut events } = match begin(&services, &session, (&id, &to), before).await {
        Ok(started) => started,
        Err(refusal) => {
            // The status is for programs; the page shows the line. The profile may be deleted in another tab.
            let _ = answer(told(refusal));
            let line = Line::Refused { html: refusal_html(&owner, locale, refusal, ProfileId::parse(&id)) }.bytes();
            return Ok(ByteStream::new(futures::stream::iter([Ok(line)])));
        }
    };
    let (id, security) = (profile.id, profile.settings.destination.security);
    let mut progress = Progress::begin(security);
    let begun = owner.with(|| Line::Begun { html: tested(&profile, services.presets.name_of(&profile.settings)) });
    Ok(ByteStream::new(stream! {
        yield Ok(begun.bytes());
        yield Ok(phases(&owner, &progress));
        while let Some(event) = events.next().await {
            let line = match event {
                TestEvent::Stage(event) => {
                    if progress.add(&event) {
                        yield Ok(phases(&owner, &progress));
                    }
                    Line::Stage { html: owner.with(|| view! { <StageLine event /> }.to_html()) }
                }
                TestEvent::Leaving => Line::Leaving,
                TestEvent::LookingForFixes => {
                    let html = owner.with(|| view! { <Phases progress=progress.clone() /> }.to_html());
                    Line::Phases { html, now: locale.text("survey-running", &[]) }
                }
                TestEvent::Refused(refusal) => Line::Refused { html: refusal_html(&owner, locale, refusal, Some(id)) },
                TestEvent::Finished(run) => {
                    let fresh = services.profiles.get(&session.account, id).await.ok().flatten();
                    let profile: Profile = fresh.unwrap_or_else(|| profile.clone());
                    let Ok(way) = ProfileWay::of(&services, &session, &profile).await else { return };
                    yield Ok(phases(&owner, &progress.clone().concluded(run.report.verdict)));
                    let accepted = run.report.verdict == Verdict::Accepted;
                    let name = services.presets.name_of(&profile.settings).to_owned();
                    let Ok((own, untried)) = untried(&services, &session).await else { return };
                    owner.with(|| Line::Finished {
                        row: {
                            let owner = owner_name(&profile, &session);
                            view! { <RowLabel profile=profile.clone() provider=name.clone() owner own /> }.to_html()
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

/// The current phases.
fn phases(owner: &Owner, progress: &Progress) -> Bytes {
    let progress = progress.clone();
    owner.with(|| Line::Phases { now: progress.sentence(), html: view! { <Phases progress /> }.to_html() }).bytes()
}

/// Whether the account sends through its own profiles, and the list's notice about one in use, after the test.
async fn untried(services: &Services, session: &Session) -> Result<(bool, Option<Unproved>), AppError> {
    let account = &session.account;
    let mode = services.sending_modes.get(account).await?;
    let relay = services.sending_modes.portal_sends(account);
    let in_use = services.profiles.in_use(account).await?;
    let own = Way::of(mode, &in_use, relay).is_own();
    Ok((own, own.then(|| Unproved::first(&in_use, relay, session)).flatten()))
}

/// Why a test did not begin. Where a new password helps, its field is here.
fn refusal_html(owner: &Owner, locale: Locale, refusal: Refusal, id: Option<ProfileId>) -> String {
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
        let retypes = matches!(
            refusal,
            Refusal::SecretMissing | Refusal::SecretInvalid | Refusal::SecretUnreadable | Refusal::SecretRefused
        );
        view! {
            <Notice kind=Kind::Error>
                <p>{text}</p>
                {id.filter(|_| retypes).map(|id| view! { <Retype id /> })}
                {renew.then(|| view! { <p><a href=at("/profiles")>{t!("list-again")}</a></p> })}
            </Notice>
        }
        .to_html()
    })
}
