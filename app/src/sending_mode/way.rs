//! Server side. Which server actually sends an account's mail. A working profile sends nothing while the account uses
//! the portal's server, or while another profile is in use.

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
        form_owner::FormOwnerField,
        notice::{Kind, Notice},
    },
};

/// Which server sends an account's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The portal's server, by choice.
    Portal,
    /// The account's own servers.
    Own,
    /// The portal's, because no profile of the account can send.
    PortalStandsIn,
    /// None: no profile can send, and the portal has no relay.
    Nothing,
    /// The portal's for the shop, which has no profile in use; some users have their own.
    ShopStandsIn,
    /// The same, but the portal has no relay.
    ShopNothing,
}

impl Way {
    /// `in_use`: the profiles in use, one for each owner; `relay`: the portal has a server.
    pub fn of(mode: SendingMode, in_use: &[Profile], relay: bool) -> Self {
        let ready = in_use.iter().any(|profile| profile.candidate.has_secret);
        let shop = in_use.iter().any(|profile| profile.settings.user.is_none());
        Self::from_parts(mode, ready, shop, relay)
    }

    /// Whether profiles of the account send.
    pub const fn is_own(self) -> bool {
        matches!(self, Self::Own | Self::ShopStandsIn | Self::ShopNothing)
    }

    /// `ready`: a profile in use has a secret; `shop`: the shop has a profile in use.
    fn from_parts(mode: SendingMode, ready: bool, shop: bool, relay: bool) -> Self {
        match (mode, ready, shop, relay) {
            (SendingMode::Portal, ..) => Self::Portal,
            (SendingMode::OwnSmtp, true, true, _) => Self::Own,
            (SendingMode::OwnSmtp, true, false, true) => Self::ShopStandsIn,
            (SendingMode::OwnSmtp, true, false, false) => Self::ShopNothing,
            (SendingMode::OwnSmtp, false, _, true) => Self::PortalStandsIn,
            (SendingMode::OwnSmtp, false, _, false) => Self::Nothing,
        }
    }
}

/// The notice above the list, when the profiles do not do what their owner may expect.
#[component]
pub fn WayNotice(way: Way, portal: String) -> impl IntoView {
    match way {
        Way::Own => ().into_any(),
        Way::Portal => view! {
            <Notice kind=Kind::Warning>
                <p>{t!("way-portal", portal = portal)}</p>
                <form method="post" action=at("/api/sending-mode/own")>
                    <FormOwnerField />
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
        Way::ShopStandsIn => {
            let text = t!("way-shop-stands-in", owner = t!("owner-shop"), portal = portal);
            view! { <Notice kind=Kind::Warning>{text}</Notice> }.into_any()
        }
        Way::ShopNothing => {
            view! { <Notice kind=Kind::Warning>{t!("way-shop-nothing", owner = t!("owner-shop"))}</Notice> }.into_any()
        }
    }
}

/// What a successful test means for the owner's mail.
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

impl ProfileWay {
    /// Whether the profile sends its owner's mail.
    pub fn sends(&self) -> bool {
        self.mode == SendingMode::OwnSmtp && self.in_use
    }
}

/// Under a successful test: whether this profile sends, and the button that enables it. `received`: the code of the
/// test's mail was just entered.
#[component]
pub fn WayCard(way: ProfileWay, #[prop(optional)] received: bool) -> impl IntoView {
    let ProfileWay { mode, portal, owner, id, in_use, revision } = way;
    let text = match (mode, in_use) {
        (SendingMode::OwnSmtp, true) => {
            let text = if received { t!("way-received", owner = owner) } else { t!("way-in-use", owner = owner) };
            return view! { <p class="notice done" role="status">{text}</p> }.into_any();
        }
        (SendingMode::Portal, _) => t!("way-works-portal", portal = portal),
        (SendingMode::OwnSmtp, false) => t!("way-works-unused", owner = owner),
    };
    view! {
        <section class="card unsure" data-way="unused">
            <h2>{t!("way-title")}</h2>
            <p>{text}</p>
            <form method="post" action=at("/api/profiles/use") class="actions">
                <FormOwnerField />
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
    fn the_notice_agrees_with_the_outbox() {
        for (mode, ready, shop, relay, way) in [
            (SendingMode::Portal, true, true, true, Way::Portal),
            (SendingMode::Portal, false, false, false, Way::Portal),
            (SendingMode::OwnSmtp, true, true, false, Way::Own),
            (SendingMode::OwnSmtp, true, true, true, Way::Own),
            (SendingMode::OwnSmtp, true, false, true, Way::ShopStandsIn),
            (SendingMode::OwnSmtp, true, false, false, Way::ShopNothing),
            (SendingMode::OwnSmtp, false, true, true, Way::PortalStandsIn),
            (SendingMode::OwnSmtp, false, false, false, Way::Nothing),
        ] {
            assert_eq!(Way::from_parts(mode, ready, shop, relay), way);
        }
    }
}
