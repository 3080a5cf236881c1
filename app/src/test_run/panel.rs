//! Server side. The panel of a live test. The island fills it and moves it under the row of the tested profile.

use leptos::prelude::*;

use crate::{
    base_path::at,
    profile::model::Profile,
    t,
    ui::{session_over::SessionOver, text::breakable},
};

/// Hidden until a test begins.
#[component]
pub fn Panel() -> impl IntoView {
    view! {
        <section
            class="panel"
            hidden
            aria-label=t!("test-panel")
            data-stream=at("/api/test/stream")
            data-starting=t!("test-starting")
            data-restarting=t!("test-restarting")
            data-cut=t!("test-cut")
            data-stopped=t!("test-stopped")
            data-late=t!("test-late")
        >
            <p class="tested"></p>
            <ol class="phases"></ol>
            // The only live region of the test: screen readers announce it until the focus moves to the result.
            <p class="now">
                <span role="status"></span>
                <button type="button" class="stop" hidden>{t!("test-stop")}</button>
            </p>
            <div class="result"></div>
            <details class="technical log">
                <summary>{t!("report-details")}</summary>
                <ol class="stages"></ol>
            </details>
            <SessionOver text=t!("test-session-over") renewed=t!("test-session-renewed") typed=false />
        </section>
    }
}

/// The name of the tested profile, as HTML.
pub fn tested(profile: &Profile, provider: &str) -> String {
    let title = breakable(profile.settings.title());
    let provider = provider.to_owned();
    view! { {t!("test-of")} " " <strong>{title}</strong> " · " {provider} }.to_html()
}
