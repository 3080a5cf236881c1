//! Server side. The layout of every page, and the page for errors.

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

/// A value of the query string; empty if it is missing.
pub fn query(name: &str) -> String {
    use_context::<Parts>()
        .and_then(|parts| {
            form_urlencoded::parse(parts.uri.query()?.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        })
        .unwrap_or_default()
}

/// Whether the page is in a frame. Browsers that do not say so get the whole header.
fn is_framed() -> bool {
    use_context::<Parts>().is_some_and(|parts| {
        parts.headers.get("sec-fetch-dest").is_some_and(|place| place == "iframe" || place == "frame")
    })
}

/// The pages of the menu, with their labels.
const MENU: [(&str, &str); 3] =
    [("/sending-mode", "nav-mode"), ("/profiles", "list-title"), ("/history", "history-title")];

/// A page: its title, its content, and the link back to the portal. `action`: a link beside the title. In a frame only
/// the menu is shown, because the portal's page has the rest. Without a session every page says that the session has
/// ended, or where to open the configurator; with `anybody` it shows its content all the same.
#[component]
pub fn Page(
    #[prop(into)] title: String,
    #[prop(optional)] action: Option<AnyView>,
    #[prop(optional)] anybody: bool,
    children: Children,
) -> impl IntoView {
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
    // Without a session the way back is in the content.
    let back = account.is_some().then(|| visit.return_url().map(str::to_owned)).flatten();
    let framed = is_framed();
    let action = action.filter(|_| account.is_some());
    let here = use_context::<Parts>().map(|parts| parts.uri.path().to_owned()).unwrap_or_default();
    // A subpage highlights its parent in the menu.
    let current = |page: &str| match here.strip_prefix(page) {
        Some("") => Some("page"),
        Some(rest) if rest.starts_with('/') => Some("true"),
        _ => None,
    };
    // In a frame the menu already shows the title.
    let twice = framed && account.is_some() && MENU.iter().any(|(page, _)| *page == here);
    let menu = account.is_some().then(|| {
        let links = MENU.map(|(page, name)| view! { <a href=at(page) aria-current=current(page)>{t!(name)}</a> });
        view! { <nav aria-label=t!("nav-label")>{links.into_iter().collect_view()}</nav> }
    });
    let about = (!framed).then(|| {
        view! {
            <div class="about">
                <p class="product">{t!("product-name")}</p>
                {account.map(|name| view! { <p class="account">{name}</p> })}
                {back.map(|url| view! { <p class="back"><a href=url target="_top">{t!("back-to-portal")}</a></p> })}
            </div>
        }
    });
    view! {
        <Title text=format!("{title} · {}", t!("product-name")) />
        <a class="skip" href="#content">{t!("skip-to-content")}</a>
        {(about.is_some() || menu.is_some()).then(|| view! { <header class="top">{about} {menu}</header> })}
        <main id="content" tabindex="-1">
            <div class="title"><h1 class=twice.then_some("visually-hidden")>{title}</h1> {action}</div>
            {content}
        </main>
    }
}

/// Content that is loaded before the response is sent. An error replaces it and sets the status.
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

/// The page for an error.
#[component]
pub fn Trouble(error: AppError) -> impl IntoView {
    let visit = visit();
    let text = match (&error, &visit) {
        (AppError::SessionRequired, Visit::Ended { .. }) => t!("trouble-session-ended"),
        (AppError::SessionRequired, _) => t!("trouble-stranger"),
        (AppError::NotFound, _) => t!("trouble-not-found"),
        (AppError::Limited { .. } | AppError::Unavailable, _) => t!("trouble-unavailable"),
        (AppError::Internal, _) => t!("trouble-internal"),
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

/// Opens the configurator in a tab, where the cookie is accepted. `frame.js` fills it with the portal's token and shows
/// it. A form, because browsers open a tab only in direct response to a click.
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
