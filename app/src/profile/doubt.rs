//! Server side. **Utiliser** on a profile that is known to fail asks for confirmation.

use leptos::prelude::*;

use super::{
    model::{Profile, TestState},
    sending::SendState,
};
use crate::{
    base_path::at,
    diagnosis::{card::cause_title, cause::Cause},
    t,
    ui::form_owner::FormOwnerField,
};

/// Why a profile is known to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It has no password that can be decrypted.
    Bare,
    /// The last test failed.
    Test(Option<Cause>),
    /// The last message failed.
    Sending(Cause),
}

impl Doubt {
    /// `None`: it works, or its state is unknown.
    pub fn of(profile: &Profile) -> Option<Self> {
        if !profile.is_ready() {
            return Some(Self::Bare);
        }
        let newer = |at| profile.test.ended_at().is_none_or(|tested| at > tested);
        match (profile.sends, &profile.test) {
            (SendState::Broken { cause, .. }, _) => Some(Self::Sending(cause)),
            (SendState::Failing { at, cause }, _) if newer(at) => Some(Self::Sending(cause)),
            (SendState::Sent { at }, _) if newer(at) => None,
            (_, TestState::Failed { cause, .. }) => Some(Self::Test(*cause)),
            _ => None,
        }
    }

    fn text(self, sender: &str) -> String {
        match self {
            Self::Bare => t!("way-ask-bare", sender = sender),
            Self::Test(cause) => t!("way-ask-test", sender = sender, why = cause_title(cause)),
            Self::Sending(cause) => t!("way-ask-sending", sender = sender, why = cause_title(Some(cause))),
        }
    }
}

/// The confirmation. `mode`: what the pressed button sends along.
#[component]
pub fn UseAnyway(profile: Profile, doubt: Doubt, mode: String) -> impl IntoView {
    let id = profile.id.to_string();
    let about = doubt.text(profile.settings.title());
    let first = if doubt == Doubt::Bare {
        let form = at(&format!("/profiles/edit?id={id}"));
        view! { <a class="button primary" href=form>{t!("card-edit")}</a> }.into_any()
    } else {
        view! {
            <form method="post" action=at("/api/test/run")>
                <FormOwnerField />
                <input type="hidden" name="id" value=id.clone() />
                <button class="primary" data-test="">{t!("way-test-first")}</button>
            </form>
        }
        .into_any()
    };
    view! {
        <section class="card unsure" data-ask="use">
            <h2>{t!("way-unsure-title")}</h2>
            <p>{about}</p>
            <div class="actions">
                {first}
                <form method="post" action=at("/api/profiles/use")>
                    <FormOwnerField />
                    <input type="hidden" name="id" value=id.clone() />
                    <input type="hidden" name="revision" value=profile.revision.to_string() />
                    <input type="hidden" name="mode" value=mode />
                    <input type="hidden" name="anyway" value="1" />
                    <button>{t!("way-use-anyway")}</button>
                </form>
            </div>
        </section>
    }
}
