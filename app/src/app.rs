//! Server side. The table of pages.
//!
//! To add a page: a component named `…Page` in its slice, and a line here. The browser has no router: links and forms
//! are plain HTML.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    path,
};

use crate::{
    base_path::at,
    error::AppError,
    journal::page::JournalPage,
    profile::{
        delete::DeletePage,
        encoding_page::EncodingPage,
        form::{EditPage, NewPage},
        list::ListPage,
        sending_page::SendingPage,
    },
    sending_mode::page::SendingModePage,
    session::{Visit, visit},
    sign_in::page::SignInPage,
    t,
    test_run::page::ReportPage,
    ui::layout::{Page, Trouble},
};

/// Every page.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/sending-mode") view=SendingModePage ssr=SsrMode::Async />
                <Route path=path!("/profiles") view=ListPage ssr=SsrMode::Async />
                <Route path=path!("/profiles/new") view=NewPage ssr=SsrMode::Async />
                <Route path=path!("/profiles/edit") view=EditPage ssr=SsrMode::Async />
                <Route path=path!("/profiles/encoding") view=EncodingPage ssr=SsrMode::Async />
                <Route path=path!("/profiles/sending") view=SendingPage ssr=SsrMode::Async />
                <Route path=path!("/profiles/delete") view=DeletePage ssr=SsrMode::Async />
                <Route path=path!("/profiles/report") view=ReportPage ssr=SsrMode::Async />
                <Route path=path!("/profiles/sign-in") view=SignInPage ssr=SsrMode::Async />
                <Route path=path!("/history") view=JournalPage ssr=SsrMode::Async />
                <Route path=path!("/session-ended") view=SessionEndedPage ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}

/// The page after a native post whose session has ended.
#[component]
fn SessionEndedPage() -> impl IntoView {
    // A frame reloads this page after its session was renewed.
    if matches!(visit(), Visit::Open(_)) {
        leptos_axum::redirect(&at("/profiles"));
    }
    view! { <Page title=t!("session-ended-title") anybody=true><Trouble error=AppError::SessionRequired /></Page> }
}

#[component]
pub fn NotFoundPage() -> impl IntoView {
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(AppError::NotFound.status());
    }
    view! { <Page title=t!("not-found-title") anybody=true><Trouble error=AppError::NotFound /></Page> }
}
