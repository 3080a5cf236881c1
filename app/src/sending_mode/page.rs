//! Server side. The page with the two options.

use leptos::prelude::*;

use super::model::SendingMode;
use crate::{
    place::at,
    services::services,
    session::session,
    t,
    ui::{
        layout::{Loaded, Page},
        notice::{Kind, Notice, RequestNotice},
    },
};

/// **Mode d'envoi des emails**.
#[component]
pub fn SendingModePage() -> impl IntoView {
    let load = async {
        let (session, services) = (session()?, services()?);
        let mode = services.sending_modes.get(&session.account).await?;
        let ready = services.profiles.any_ready(&session.account).await?;
        Ok(view! { <Choice mode ready portal=session.portal_name.clone() /> }.into_any())
    };
    view! {
        <Page title=t!("mode-title")>
            <Loaded content=load />
        </Page>
    }
}

#[component]
fn Choice(mode: SendingMode, ready: bool, portal: String) -> impl IntoView {
    view! {
        <RequestNotice />
        {(mode == SendingMode::OwnSmtp && !ready)
            .then(|| view! { <Notice kind=Kind::Warning>{t!("mode-nothing-ready")}</Notice> })}
        <form method="post" action=at("/api/sending-mode/save") class="stack">
            <fieldset class="choices">
                <legend>{t!("mode-legend")}</legend>
                <div class="choice">
                    <input type="radio" id="mode-portal" name="mode" value="portal" checked=mode == SendingMode::Portal aria-describedby="about-portal" />
                    <label for="mode-portal">{t!("mode-portal", portal = portal)}</label>
                    <p id="about-portal">{t!("mode-portal-about")}</p>
                </div>
                <div class="choice">
                    <input type="radio" id="mode-own" name="mode" value="own_smtp" checked=mode == SendingMode::OwnSmtp aria-describedby="about-own" />
                    <label for="mode-own">{t!("mode-own")}</label>
                    <p id="about-own">{t!("mode-own-about")}</p>
                    <p><a href=at("/profiles")>{t!("mode-own-link")}</a></p>
                </div>
            </fieldset>
            <div class="actions">
                <button class="primary">{t!("action-save")}</button>
            </div>
        </form>
    }
}
