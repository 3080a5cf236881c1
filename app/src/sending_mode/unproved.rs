//! Server side. A profile in use that was never proved to send: the page says so, with a button that tests it.

use leptos::prelude::*;

use crate::{
    base_path::at,
    profile::{
        model::{Profile, SecretState, TestState},
        sending::SendState,
    },
    t,
    ui::{
        notice::{Kind, Notice},
        whose::WhoseForm,
    },
};

/// A profile in use whose settings were never tested, or whose last test failed.
#[derive(Debug, Clone)]
pub struct Unproved {
    id: String,
    sender: String,
    failed: bool,
}

impl Unproved {
    /// `None` for a profile that is not in use, cannot be tested, or is known to send.
    pub fn of(profile: &Profile) -> Option<Self> {
        let failed = matches!(profile.test, TestState::Failed { .. });
        let unknown = failed || matches!(profile.test, TestState::Never | TestState::Changed);
        let unproved = profile.in_use
            && matches!(profile.secret, SecretState::Stored { .. })
            && matches!(profile.sends, SendState::Unknown)
            && unknown;
        unproved.then(|| Self {
            id: profile.id.to_string(),
            sender: profile.settings.sender_address.to_string(),
            failed,
        })
    }
}

/// The notice. Its button starts a test: live where the page has a panel, otherwise with the report as a page.
#[component]
pub fn Untried(untried: Unproved) -> impl IntoView {
    let Unproved { id, sender, failed } = untried;
    let text = if failed { t!("way-failed", sender = sender) } else { t!("way-untested", sender = sender) };
    view! {
        <Notice kind=Kind::Warning>
            <p>{text}</p>
            <form method="post" action=at("/api/test/run")>
                <WhoseForm />
                <input type="hidden" name="id" value=id />
                <button data-test="">{t!("way-test")}</button>
            </form>
        </Notice>
    }
}
