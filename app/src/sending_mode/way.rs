//! Server side. Through what an account's mail leaves, said as it is: a profile that works sends nothing while the account's
//! mode is the portal's, nor while another profile is in use.

use leptos::prelude::*;

use super::model::SendingMode;
use crate::{
    base_path::at,
    error::AppError,
    profile::{model::Profile, owner::owner_name},
    services::Services,
    session::Session,
    t,
    ui::{
        notice::{Kind, Notice},
        whose::WhoseForm,
    },
};

/// The way of an account's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The account chose the portal's server.
    Portal,
    /// The account's own servers.
    Own,
    /// The account chose its own, and has none that could send: the portal's stands in.
    PortalStandsIn,
    /// And the portal has none.
    Nothing,
}

impl Way {
    /// `ready`: a profile is in use that can send; `relay`: the portal has a server.
    pub fn of(mode: SendingMode, ready: bool, relay: bool) -> Self {
        match (mode, ready, relay) {
            (SendingMode::Portal, ..) => Self::Portal,
            (SendingMode::OwnSmtp, true, _) => Self::Own,
            (SendingMode::OwnSmtp, false, true) => Self::PortalStandsIn,
            (SendingMode::OwnSmtp, false, false) => Self::Nothing,
        }
    }
}

/// Over the list: what the profiles are good for now, where that is not what one would think.
#[component]
pub fn WayNotice(way: Way, portal: String) -> impl IntoView {
    match way {
        Way::Own => ().into_any(),
        Way::Portal => view! {
            <Notice kind=Kind::Warning>
                <p>{t!("way-portal", portal = portal)}</p>
                <form method="post" action=at("/api/sending-mode/own")>
                    <WhoseForm />
                    <input type="hidden" name="was" value=SendingMode::Portal.as_str() />
                    <button>{t!("way-use-own")}</button>
                </form>
            </Notice>
        }
        .into_any(),
        Way::PortalStandsIn => {
            view! { <Notice kind=Kind::Warning>{t!("way-stands-in", portal = portal)}</Notice> }.into_any()
        }
        Way::Nothing => view! { <Notice kind=Kind::Warning>{t!("mode-nothing-ready")}</Notice> }.into_any(),
    }
}

/// What a test that went well means for the mail of the profile's owner.
#[derive(Debug, Clone)]
pub struct ProfileWay {
    mode: SendingMode,
    portal: String,
    owner: String,
    id: String,
    in_use: bool,
    revision: u32,
}

impl ProfileWay {
    pub async fn of(services: &Services, session: &Session, profile: &Profile) -> Result<Self, AppError> {
        Ok(Self {
            mode: services.sending_modes.get(&session.account).await?,
            portal: session.portal_name.clone(),
            owner: owner_name(profile, session),
            id: profile.id.to_string(),
            in_use: profile.in_use,
            revision: profile.revision,
        })
    }
}

/// Under a test that went well: whether this profile sends, and the button that lets it.
#[component]
pub fn WayCard(way: ProfileWay) -> impl IntoView {
    let ProfileWay { mode, portal, owner, id, in_use, revision } = way;
    let text = match (mode, in_use) {
        (SendingMode::OwnSmtp, true) => {
            return view! { <p class="notice done">{t!("way-in-use", owner = owner)}</p> }.into_any();
        }
        (SendingMode::Portal, _) => t!("way-works-portal", portal = portal),
        (SendingMode::OwnSmtp, false) => t!("way-works-unused", owner = owner),
    };
    view! {
        <section class="card unsure" data-way="unused">
            <h2>{t!("way-title")}</h2>
            <p>{text}</p>
            <form method="post" action=at("/api/profiles/use") class="actions">
                <WhoseForm />
                <input type="hidden" name="id" value=id />
                <input type="hidden" name="revision" value=revision.to_string() />
                <input type="hidden" name="mode" value=SendingMode::OwnSmtp.as_str() />
                <button class="primary">{t!("way-use")}</button>
            </form>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_the_outbox_does() {
        for (mode, ready, relay, way) in [
            (SendingMode::Portal, true, true, Way::Portal),
            (SendingMode::Portal, false, false, Way::Portal),
            (SendingMode::OwnSmtp, true, false, Way::Own),
            (SendingMode::OwnSmtp, false, true, Way::PortalStandsIn),
            (SendingMode::OwnSmtp, false, false, Way::Nothing),
        ] {
            assert_eq!(Way::of(mode, ready, relay), way);
        }
    }
}
