//! Server side. **Historique**: who changed what, the newest first.

use leptos::prelude::*;
use uuid::Uuid;

use super::{
    model::{Action, Entry},
    port::PAGE_SIZE,
};
use crate::{
    base_path::at,
    diagnosis::card::cause_title,
    profile::field::Field,
    services::services,
    session::session,
    t,
    ui::{
        layout::{Loaded, Page, query},
        moment::Moment,
    },
};

#[component]
pub fn JournalPage() -> impl IntoView {
    let before = Uuid::try_parse(&query("before")).ok();
    let load = async move {
        let (session, services) = (session()?, services()?);
        let entries = services.journal.page(&session.account, before).await?;
        Ok(view! { <Entries entries /> }.into_any())
    };
    view! {
        <Page title=t!("history-title")>
            <Loaded content=load />
        </Page>
    }
}

#[component]
fn Entries(entries: Vec<Entry>) -> impl IntoView {
    if entries.is_empty() {
        return view! { <p class="lead">{t!("history-empty")}</p> }.into_any();
    }
    let older = (entries.len() == PAGE_SIZE as usize).then(|| entries.last().map(|entry| entry.id)).flatten();
    view! {
        <ol class="history">
            {entries
                .into_iter()
                .map(|entry| {
                    let says = sentence(&entry);
                    view! {
                        <li>
                            <span class="what">{says}</span>
                            {entry.profile.map(|profile| view! { <span class="which">{profile}</span> })}
                            <span class="who">{entry.person_name} " · " <Moment at=entry.at /></span>
                        </li>
                    }
                })
                .collect_view()}
        </ol>
        {older.map(|id| view! { <p><a href=at(&format!("/history?before={id}"))>{t!("history-older")}</a></p> })}
    }
    .into_any()
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

/// What a field is called in the form.
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
        Field::Encoding => "encoding-title",
    }
}
