//! Server side. The page with the two options.

use leptos::prelude::*;

use super::{
    api::FORM,
    model::SendingMode,
    unproved::{Unproved, Untried},
    way::{Way, WayNotice},
};
use crate::{
    base_path::at,
    profile::{
        autosave::{Begun, DraftOffer, RestoredChoice},
        draft::Choice,
    },
    services::services,
    session::session,
    t,
    ui::{
        form_owner::FormOwnerField,
        layout::{Loaded, Page},
        notice::{Kind, Notice, RequestNotice, is_stale},
    },
};

/// **Mode d'envoi des emails**.
#[component]
pub fn SendingModePage() -> impl IntoView {
    let load = async {
        let (session, services) = (session()?, services()?);
        let mode = services.sending_modes.get(&session.account).await?;
        let in_use = services.profiles.in_use(&session.account).await?;
        let relay = services.sending_modes.portal_sends(&session.account);
        let way = Way::of(mode, &in_use, relay);
        let mine = match services.drafts.choice(&session.who(), FORM).await? {
            Some(Choice::Mode(mine)) if mine != mode => Some(mine),
            _ => None,
        };
        let kept = services.drafts.kept(&session.who()).await?;
        let begun = Begun::of(&services, &session, kept).await?;
        let untried = way.is_own().then(|| Unproved::first(&in_use, relay, &session)).flatten();
        let untried = untried.map(|untried| view! { <Untried untried /> });
        Ok(view! {
            <RequestNotice />
            {untried}
            <DraftOffer begun />
            {mine.map(|_| view! { <RestoredChoice form=FORM.to_owned() /> })}
            <Choices mode mine way portal=session.portal_name.clone() />
        }
        .into_any())
    };
    view! {
        <Page title=t!("mode-title")>
            <Loaded content=load />
        </Page>
    }
}

#[component]
fn Choices(mode: SendingMode, mine: Option<SendingMode>, way: Way, portal: String) -> impl IntoView {
    let stale = is_stale();
    let named = |mode: SendingMode| match mode {
        SendingMode::Portal => t!("mode-portal", portal = portal.clone()),
        SendingMode::OwnSmtp => t!("mode-own"),
    };
    let meanwhile = mine.filter(|_| stale).map(|mine| {
        let text = t!("stale-mode", saved = named(mode), mine = named(mine));
        view! { <Notice kind=Kind::Warning>{text}</Notice> }
    });
    let shown = mine.unwrap_or(mode);
    let alone = !matches!(way, Way::Portal | Way::Own);
    view! {
        {meanwhile}
        {alone.then(|| view! { <WayNotice way portal=portal.clone() /> })}
        // The form of the second option's link.
        <form method="post" action=at("/api/sending-mode/own") id="follow">
            <FormOwnerField />
            <input type="hidden" name="was" value=mode.as_str() />
        </form>
        <form method="post" action=at("/api/sending-mode/save") class="stack">
            <FormOwnerField />
            <input type="hidden" name="was" value=mode.as_str() />
            <fieldset class="choices">
                <legend>{t!("mode-legend")}</legend>
                <div class="choice">
                    <input
                        type="radio" id="mode-portal" name="mode" value="portal" checked=shown == SendingMode::Portal
                        aria-describedby="about-portal"
                    />
                    <label for="mode-portal">{t!("mode-portal", portal = portal)}</label>
                    <p id="about-portal">{t!("mode-portal-about")}</p>
                </div>
                <div class="choice">
                    <input
                        type="radio" id="mode-own" name="mode" value="own_smtp" checked=shown == SendingMode::OwnSmtp
                        aria-describedby="about-own"
                    />
                    <label for="mode-own">{t!("mode-own")}</label>
                    <p id="about-own">{t!("mode-own-about")}</p>
                    // Styled as a link, because it leads to another page.
                    <p><button class="link" role="link" form="follow">{t!("mode-own-link")}</button></p>
                </div>
            </fieldset>
            <div class="actions">
                <button class="primary">{t!("action-save")}</button>
            </div>
        </form>
    }
}
