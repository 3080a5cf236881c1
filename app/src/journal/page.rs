//! Server side. **Historique**: who changed what, the newest first, filtered by kind and profile.

use leptos::prelude::*;
use uuid::Uuid;

use super::{
    filter::{Filter, Kind, series},
    model::{Action, Entry, named},
    port,
};
use crate::{
    base_path::at,
    diagnosis::card::cause_title,
    profile::{field::Field, model::ProfileId},
    services::services,
    session::session,
    t,
    test_run::report::Verdict,
    ui::{
        layout::{Loaded, Page, query},
        moment::Exact,
    },
};

#[component]
pub fn JournalPage() -> impl IntoView {
    let before = Uuid::try_parse(&query("before")).ok();
    let (kind, chosen) = (Kind::parse(&query("kind")), ProfileId::parse(&query("profile")));
    let load = async move {
        let (session, services) = (session()?, services()?);
        let mut profiles: Vec<(ProfileId, String)> = Vec::new();
        for profile in services.profiles.page(&session.account, None).await? {
            let name = named(&profile.settings);
            // Entries refer to profiles by these names.
            if profiles.iter().all(|(_, known)| *known != name) {
                profiles.push((profile.id, name));
            }
        }
        let profile = profiles.iter().find(|(id, _)| Some(*id) == chosen).map(|(_, name)| name.clone());
        let filter = Filter { kind, profile };
        let page = services.journal.page(&session.account, before, &filter).await?;
        let is_filtered = !filter.is_empty();
        let form = (is_filtered || !page.entries.is_empty()).then(|| view! { <Choice filter profiles chosen /> });
        let kind = kind.map(Kind::as_str).unwrap_or_default();
        let more = format!("kind={kind}&profile={}", chosen.map(|id| id.to_string()).unwrap_or_default());
        Ok(view! { {form} <Entries page more is_filtered /> }.into_any())
    };
    view! {
        <Page title=t!("history-title")>
            <Loaded content=load />
        </Page>
    }
}

#[component]
fn Choice(filter: Filter, profiles: Vec<(ProfileId, String)>, chosen: Option<ProfileId>) -> impl IntoView {
    let kinds = Kind::ALL.map(|kind| {
        let text = t!(&format!("history-kind-{}", kind.as_str()));
        view! { <option value=kind.as_str() selected=filter.kind == Some(kind)>{text}</option> }
    });
    let profiles = profiles.into_iter().map(|(id, name)| {
        view! { <option value=id.to_string() selected=chosen == Some(id)>{name}</option> }
    });
    let all = (!filter.is_empty()).then(|| view! { <a class="button" href=at("/history")>{t!("history-all")}</a> });
    view! {
        <form method="get" action=at("/history") class="filter">
            <div>
                <label for="kind">{t!("history-kind")}</label>
                <select id="kind" name="kind">
                    <option value="">{t!("history-kind-all")}</option>
                    {kinds.into_iter().collect_view()}
                </select>
            </div>
            <div>
                <label for="profile">{t!("history-profile")}</label>
                <select id="profile" name="profile">
                    <option value="">{t!("history-profile-all")}</option>
                    {profiles.collect_view()}
                </select>
            </div>
            <button>{t!("history-filter")}</button>
            {all}
        </form>
    }
}

#[component]
fn Entries(
    page: port::Page,
    /// The filter as in the address of the next page.
    more: String,
    is_filtered: bool,
) -> impl IntoView {
    let port::Page { entries, older } = page;
    let older = older.map(|id| {
        view! { <p><a href=at(&format!("/history?before={id}&{more}"))>{t!("history-older")}</a></p> }
    });
    if entries.is_empty() {
        let text = if is_filtered { t!("history-none") } else { t!("history-empty") };
        return view! { <p class="lead">{text}</p> {older} }.into_any();
    }
    let rows = series(entries).into_iter().map(|mut row| {
        if row.len() > 1 {
            return view! { <Series tests=row /> }.into_any();
        }
        row.pop().map(|entry| view! { <One says=sentence(&entry) entry /> }).into_any()
    });
    view! { <ol class="history">{rows.collect_view()}</ol> {older} }.into_any()
}

#[component]
fn One(says: String, entry: Entry) -> impl IntoView {
    view! {
        <li>
            <span class="what">{says}</span>
            {entry.profile.map(|profile| view! { <span class="which">{profile}</span> })}
            <span class="who">{entry.person_name} " · " <Exact at=entry.at /></span>
        </li>
    }
}

/// Tests of one profile, the latest first.
#[component]
fn Series(tests: Vec<Entry>) -> impl IntoView {
    let (count, last) = (tests.len(), tests.first().cloned());
    let says = last.as_ref().map(|last| match &last.action {
        Action::Tested { verdict: Verdict::Failed, cause } => {
            t!("history-tests-failed", n = count, why = cause_title(*cause))
        }
        Action::Tested { verdict: Verdict::DeliveryUnknown, .. } => t!("history-tests-unknown", n = count),
        _ => t!("history-tests-passed", n = count),
    });
    let profile = last.as_ref().and_then(|last| last.profile.clone());
    let each = tests.into_iter().map(|entry| {
        let says = sentence(&entry);
        view! { <li>{says} " · " <span class="who">{entry.person_name} " · " <Exact at=entry.at /></span></li> }
    });
    let each = each.collect_view();
    view! {
        <li>
            <span class="what">{says}</span>
            {profile.map(|profile| view! { <span class="which">{profile}</span> })}
            {last.map(|last| view! { <span class="who">{last.person_name} " · " <Exact at=last.at /></span> })}
            <details>
                <summary>{t!("history-tests-each")}</summary>
                <ol>{each}</ol>
            </details>
        </li>
    }
}

fn sentence(entry: &Entry) -> String {
    let key = entry.action.key();
    match &entry.action {
        Action::ProfileChanged { fields } => {
            let names: Vec<String> = fields.iter().map(|field| t!(label(*field))).collect();
            t!(key, fields = names.join(", "))
        }
        Action::Tested { cause, .. } => t!(key, why = cause_title(*cause)),
        Action::DestinationBlocked { destination } => t!(key, destination = destination.clone()),
        Action::FixApplied { fix } => t!(key, what = t!(&format!("history-{fix}"))),
        _ => t!(key),
    }
}

/// The field's label in the form.
fn label(field: Field) -> &'static str {
    match field {
        Field::Preset => "history-field-preset",
        Field::Host => "form-host",
        Field::Port => "form-port",
        Field::Security => "form-security",
        Field::User => "form-owner",
        Field::Login => "form-login",
        Field::Secret => "form-secret",
        Field::SenderName => "form-sender-name",
        Field::SenderAddress => "form-sender-address",
        Field::ReplyTo => "form-reply-to",
        Field::Name => "form-name",
        Field::Encoding => "encoding-title",
    }
}
