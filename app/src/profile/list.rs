//! Server side. The list of profiles, with the actions on the selected one.
//!
//! The list is one form. Its radio buttons are the selection, so keyboard and mouse need no script, and every action is
//! a submit button. Without a script the buttons are under the list.

use leptos::prelude::*;

use super::{
    autosave::{Begun, DraftOffer},
    deleted::Undo,
    doubt::{Doubt, UseAnyway},
    dropping::Dropped,
    listed::fingerprint,
    model::{Profile, ProfileId, TestState},
    owner::owner_name,
    port::PAGE_SIZE,
    sending_page::LastFailure,
};
use crate::{
    base_path::at,
    diagnosis::retype::Retype,
    sending_mode::{
        unproved::{Unproved, Untried},
        way::{ProfileWay, Way, WayCard, WayNotice},
    },
    services::services,
    session::{Session, session},
    t,
    test_run::{
        live::LiveTest,
        port::TestRun,
        receipt_card::{Waiting, code_fault},
    },
    ui::{
        event::RequestEvent,
        form_owner::FormOwnerField,
        layout::{Loaded, Page, query},
        notice::{Kind, Notice, RequestNotice, is_stale},
    },
};

mod actions;
mod row;

use actions::Actions;
pub use row::{RowLabel, StateBadge};

/// The id of the form that the rows and the buttons belong to.
const FORM: &str = "list";

/// **Configurateur SMTP**: the profiles of the account.
#[component]
pub fn ListPage() -> impl IntoView {
    let (selected, after) = (ProfileId::parse(&query("selected")), ProfileId::parse(&query("after")));
    let load = async move {
        let (session, services) = (session()?, services()?);
        let listed = services.profiles.list(&session.account, after).await?;
        let (profiles, failures): (Vec<_>, Vec<_>) = listed.into_iter().map(|one| (one.profile, one.failure)).unzip();
        let kept = services.drafts.kept(&session.who()).await?;
        let mode = services.sending_modes.get(&session.account).await?;
        let relay = services.sending_modes.portal_sends(&session.account);
        let in_use = services.profiles.in_use(&session.account).await?;
        let way = Some(Way::of(mode, &in_use, relay)).filter(|way| !profiles.is_empty() || *way != Way::Portal);
        let own = way.is_some_and(Way::is_own);
        // After the code was entered, the next question is whether this profile sends.
        let received = profiles.iter().find(|profile| Some(profile.id) == selected && query("notice") == "received");
        let card = match received {
            Some(profile) => Some(ProfileWay::of(&services, &session, profile).await?),
            None => None,
        };
        let way = way.filter(|_| card.is_none());
        let portal = session.portal_name.clone();
        let asked = profiles.iter().find(|profile| Some(profile.id) == selected && query("ask") == "use");
        let asked = asked.and_then(|profile| Some((profile.clone(), Doubt::of(profile)?)));
        let asks = asked.is_some();
        let untried = Unproved::first(&in_use, relay, &session);
        let untried = untried.filter(|_| own && !asks);
        let listed = fingerprint(&profiles);
        // The profile that the notice concerns.
        let about = profiles.iter().find(|profile| Some(profile.id) == selected).cloned();
        let next = (profiles.len() == PAGE_SIZE as usize).then(|| profiles.last().map(|profile| profile.id)).flatten();
        let selected = chosen(&profiles, selected, &session.person.id);
        let waiting = Waiting::of(&services, &session, profiles.iter().find(|one| Some(one.id) == selected)).await?;
        let asks_for_code = waiting.is_some();
        // The notice suggested a test, which has run since.
        let is_tested = |profile: &Profile| Some(profile.id) == selected && profile.test != TestState::Never;
        let is_answered = query("notice") == "saved-only" && profiles.iter().any(is_tested);
        let named = |profile: Profile| {
            let name = services.presets.name_of(&profile.settings).to_owned();
            (profile, name)
        };
        let mut rows: Vec<_> = profiles.into_iter().map(named).collect();
        // The last failure, if it is current, with the card that explains it.
        let failures = rows.iter().cloned().zip(failures);
        let failures = failures.filter_map(|((profile, name), run)| Some((profile, name, run?))).collect();
        // Those in use come first; the rest is in order of age.
        rows.sort_by_key(|(profile, _)| !profile.in_use);
        let shown = if rows.is_empty() && after.is_none() {
            view! { <Empty /> }.into_any()
        } else {
            let page = Listing { rows, selected, listed, own, after, next };
            let session = (*session).clone();
            view! { <Rows page session untried asked waiting /> <Failures failures /> }.into_any()
        };
        let stale = is_stale().then(|| view! { <Notice kind=Kind::Warning>{t!("stale-list")}</Notice> });
        let way = way.map(|way| view! { <WayNotice way portal /> });
        // One sentence covers both. An error in a code is shown at its field.
        let at_the_field = asks_for_code && code_fault().is_some();
        let said = if at_the_field || card.as_ref().is_some_and(ProfileWay::sends) || is_answered {
            view! { <RequestEvent /> }.into_any()
        } else {
            let successor = about.clone().filter(|_| query("notice") == "deleted-successor");
            let badge = successor.map(|profile| view! { <p><StateBadge profile /></p> });
            let deleted = ProfileId::parse(&query("id")).filter(|_| query("notice").starts_with("deleted"));
            let deleted = match deleted {
                Some(id) => services.deletions.deleted(&session, id).await?,
                None => None,
            };
            let undo = deleted.map(|profile| view! { <Undo profile /> });
            let retypes = matches!(
                query("notice").as_str(),
                "secret-missing" | "secret-invalid" | "secret-refused" | "secret-unreadable"
            );
            let retype = about.clone().filter(|_| retypes).map(|profile| view! { <Retype id=profile.id /> });
            let also = Some(view! { {badge} {undo} {retype} }.into_any());
            let about = about.map(|profile| profile.settings.title().to_owned());
            view! { <RequestNotice about also /> }.into_any()
        };
        let card = card.map(|way| view! { <WayCard way received=true /> });
        let begun = Begun::of(&services, &session, kept.clone()).await?;
        Ok(view! { <div id="said">{said}</div> <Dropped kept /> {stale} {way} {card} <DraftOffer begun /> {shown} }
            .into_any())
    };
    let add = view! { <a class="button" href=at("/profiles/new")>{t!("action-add")}</a> }.into_any();
    view! {
        <Page title=t!("list-title") action=add>
            <Loaded content=load />
        </Page>
    }
}

#[component]
fn Empty() -> impl IntoView {
    view! {
        <div class="empty">
            <p class="lead">{t!("list-empty")}</p>
            <p>{t!("list-empty-about")}</p>
            <p class="actions"><a class="button primary" href=at("/profiles/new")>{t!("action-add")}</a></p>
        </div>
    }
}

#[component]
fn Failures(failures: Vec<(Profile, String, TestRun)>) -> impl IntoView {
    let cards =
        failures.into_iter().map(|(profile, provider, run)| view! { <LastFailure profile provider run named=true /> });
    cards.collect_view()
}

/// The initially selected profile: the requested one, else the one that sends for the reader, else the shop's.
fn chosen(profiles: &[Profile], asked: Option<ProfileId>, reader: &str) -> Option<ProfileId> {
    let used = |user: Option<&str>| profiles.iter().find(|one| one.in_use && one.settings.user.as_deref() == user);
    let asked = profiles.iter().find(|profile| Some(profile.id) == asked);
    let any = || profiles.iter().find(|profile| profile.in_use).or_else(|| profiles.first());
    asked.or_else(|| used(Some(reader))).or_else(|| used(None)).or_else(any).map(|profile| profile.id)
}

/// A page of the list.
struct Listing {
    /// With their providers' names.
    rows: Vec<(Profile, String)>,
    selected: Option<ProfileId>,
    /// A fingerprint of what the page shows.
    listed: String,
    /// Whether the account sends through its own profiles.
    own: bool,
    after: Option<ProfileId>,
    next: Option<ProfileId>,
}

#[component]
fn Rows(
    page: Listing,
    session: Session,
    untried: Option<Unproved>,
    /// The profile that the user wants to use although it is known to fail.
    asked: Option<(Profile, Doubt)>,
    /// The test of the selected profile whose code was not entered yet.
    waiting: Option<Waiting>,
) -> impl IntoView {
    let Listing { rows, selected, listed, own, after, next } = page;
    let mut actions = Some((waiting, session.email.clone()));
    let row = |(profile, provider): (Profile, String)| {
        let checked = selected == Some(profile.id);
        let owner = owner_name(&profile, &session);
        // The actions on a profile are under its row. The island moves them to the selected row.
        let under = actions.take_if(|_| checked).map(|(waiting, email)| view! { <Actions email waiting /> });
        view! { <Row profile provider owner own checked /> {under} }
    };
    let rows: Vec<_> = rows.into_iter().map(row).collect();
    view! {
        <div id="live">
            <div id="untried">
                {asked.map(|(profile, doubt)| view! { <UseAnyway profile doubt mode=query("mode") /> })}
                {untried.map(|untried| view! { <Untried untried /> })}
            </div>
            // The rows are not inside it: the panel among them contains other forms.
            <form method="post" action=at("/api/test/run") id=FORM>
                <FormOwnerField />
                <input type="hidden" name="listed" value=listed />
                {after.map(|id| view! { <input type="hidden" name="after" value=id.to_string() /> })}
            </form>
            <fieldset class="profiles">
                <legend class="visually-hidden">{t!("list-legend")}</legend>
                {rows}
            </fieldset>
        </div>
        <LiveTest />
        {next.map(|id| view! { <p><a href=at(&format!("/profiles?after={id}"))>{t!("list-next")}</a></p> })}
    }
}

#[component]
fn Row(profile: Profile, provider: String, owner: String, own: bool, checked: bool) -> impl IntoView {
    let id = profile.id.to_string();
    let input = format!("profile-{id}");
    view! {
        <div class="profile">
            <input type="radio" form=FORM name="id" id=input.clone() value=id checked=checked />
            <label for=input><RowLabel profile provider owner own /></label>
        </div>
    }
}
