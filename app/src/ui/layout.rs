//! Server side. The frame of every page, and what stands in it when there is nothing to show.

use std::future::Future;

use axum::http::request::Parts;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::Title;

use crate::{
    base_path::at,
    error::{AppError, answer},
    session::{Visit, visit},
    t,
};

/// A value of the query string; empty when it is not there.
pub fn query(name: &str) -> String {
    use_context::<Parts>()
        .and_then(|parts| {
            form_urlencoded::parse(parts.uri.query()?.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        })
        .unwrap_or_default()
}

/// A page: its title, its content, and the way back to the portal. Without a session every page is the same: it says that
/// it has ended, or where the configurator opens. `anybody`: not this one.
#[component]
pub fn Page(#[prop(into)] title: String, #[prop(optional)] anybody: bool, children: Children) -> impl IntoView {
    let visit = visit();
    let (title, content) = match &visit {
        Visit::Ended { .. } if !anybody => (t!("session-ended-title"), None),
        Visit::Stranger { .. } if !anybody => (title, None),
        _ => (title, Some(children())),
    };
    let content = content.unwrap_or_else(|| {
        answer(AppError::SessionRequired);
        view! { <Trouble error=AppError::SessionRequired /> }.into_any()
    });
    let account = match &visit {
        Visit::Open(session) => Some(session.account_name.clone()),
        Visit::Ended { .. } | Visit::Stranger { .. } => None,
    };
    // Without a session the way back is what the page is about: it stands in the content.
    let back = account.is_some().then(|| visit.return_url().map(str::to_owned)).flatten();
    view! {
        <Title text=format!("{title} · {}", t!("product-name")) />
        <a class="skip" href="#content">{t!("skip-to-content")}</a>
        <header class="top">
            <p class="product">{t!("product-name")}</p>
            {account.map(|name| view! {
                <p class="account">{name}</p>
                <nav aria-label=t!("nav-label")>
                    <a href=at("/sending-mode")>{t!("mode-title")}</a>
                    <a href=at("/profiles")>{t!("list-title")}</a>
                    <a href=at("/history")>{t!("history-title")}</a>
                </nav>
            })}
            {back.map(|url| view! { <p class="back"><a href=url target="_top">{t!("back-to-portal")}</a></p> })}
        </header>
        <main id="content" tabindex="-1">
            <h1>{title}</h1>
            {content}
        </main>
    }
}

/// Content that is loaded before the page leaves. An error becomes the page, with its status.
#[component]
pub fn Loaded<F>(content: F) -> impl IntoView
where
    F: Future<Output = Result<AnyView, AppError>> + Send + 'static,
{
    let response = use_context::<ResponseOptions>();
    Suspend::new(async move {
        content.await.unwrap_or_else(|error| {
            if let Some(response) = response {
                response.set_status(error.status());
            }
            view! { <Trouble error /> }.into_any()
        })
    })
}

/// What the reader sees instead of the content.
#[component]
pub fn Trouble(error: AppError) -> impl IntoView {
    let visit = visit();
    let text = match (&error, &visit) {
        (AppError::SessionRequired, Visit::Ended { .. }) => t!("trouble-session-ended"),
        (AppError::SessionRequired, _) => t!("trouble-stranger"),
        (AppError::NotFound, _) => t!("trouble-not-found"),
        (AppError::Limited { .. } | AppError::Internal | AppError::Unavailable, _) => t!("trouble-unavailable"),
        (AppError::Stale | AppError::OtherAccount, _) => t!("stale-about"),
        (
            AppError::Invalid { .. }
            | AppError::Conflict
            | AppError::Malformed
            | AppError::UnknownField { .. }
            | AppError::TooManyProfiles { .. },
            _,
        ) => t!("trouble-malformed"),
    };
    let way_out = match (&error, visit.return_url()) {
        (AppError::SessionRequired, Some(url)) => {
            view! { <a class="button primary" href=url.to_owned() target="_top">{t!("back-to-portal")}</a> }.into_any()
        }
        (AppError::SessionRequired, None) => ().into_any(),
        (_, Some(url)) if !matches!(visit, Visit::Open(_)) => {
            view! { <a class="button" href=url.to_owned() target="_top">{t!("back-to-portal")}</a> }.into_any()
        }
        _ => view! { <a class="button" href=at("/profiles")>{t!("action-back-to-list")}</a> }.into_any(),
    };
    let in_a_tab =
        matches!((&error, &visit), (AppError::SessionRequired, Visit::Stranger { .. })).then(|| view! { <TabForm /> });
    view! {
        <p class="lead">{text}</p>
        <div class="actions">{in_a_tab} {way_out}</div>
    }
}

/// Opens the configurator in a tab, where a cookie is kept. `frame.js` fills it with what the portal's page gives, and shows
/// it. It is a form because browsers open a tab for a press on one, and for nothing that comes later.
#[component]
fn TabForm() -> impl IntoView {
    let fields = ["token", "verifier", "page", "locale", "theme"];
    view! {
        <form method="post" action=at("/session/tab") target="_blank" id="tab" data-tab="" hidden>
            {fields.map(|name| view! { <input type="hidden" name=name autocomplete="off" /> }).collect_view()}
            <button class="primary">{t!("open-in-a-tab")}</button>
        </form>
    }
}
