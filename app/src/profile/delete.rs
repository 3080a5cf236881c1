//! Server side. **Supprimer** asks for confirmation and shows what depends on the profile.

use leptos::prelude::*;

use super::{
    draft::Choice,
    list::StateBadge,
    model::{Destination, Profile, ProfileId},
    owner::owner_name,
    port::Reliability,
};
use crate::{
    base_path::at,
    error::AppError,
    services::{Services, services},
    session::{Session, session},
    t,
    ui::{
        form_owner::FormOwnerField,
        layout::{Loaded, Page, query},
        notice::{Kind, Notice, RequestNotice, is_stale},
        text::breakable,
    },
};

/// How many successors are listed without a disclosure. The ones most likely to work come first.
const FEW: usize = 3;
const MANY: usize = 8;

/// The question before a profile is deleted.
#[component]
pub fn DeletePage() -> impl IntoView {
    let id = query("id");
    let load = async move {
        let (session, services) = (session()?, services()?);
        let id = ProfileId::parse(&id).ok_or(AppError::NotFound)?;
        let profile = services.profiles.get(&session.account, id).await?.ok_or(AppError::NotFound)?;
        let successors = services.profiles.successors(&session.account, id).await?;
        let owner = owner_name(&profile, &session);
        let stands_in = StandsIn::of(&services, &session, &profile);
        let portal = session.portal_name.clone();
        let mine = match services.drafts.choice(&session.who(), &successor_form(id)).await? {
            Some(Choice::Successor(mine)) => mine,
            _ => String::new(),
        };
        Ok(view! { <RequestNotice /> <Question profile owner successors mine stands_in portal /> }.into_any())
    };
    view! {
        <Page title=t!("delete-title")>
            <Loaded content=load />
        </Page>
    }
}

/// The name under which the chosen successor is stored.
pub fn successor_form(id: ProfileId) -> String {
    format!("successor-{id}")
}

/// What sends the owner's mail if none of the owner's profiles is in use.
#[derive(Clone, Copy)]
pub(super) enum StandsIn {
    Shop,
    Portal,
    Nobody,
}

impl StandsIn {
    pub(super) fn of(services: &Services, session: &Session, profile: &Profile) -> Self {
        if profile.settings.user.is_some() {
            Self::Shop
        } else if services.sending_modes.portal_sends(&session.account) {
            Self::Portal
        } else {
            Self::Nobody
        }
    }

    fn text(self, portal: &str) -> String {
        match self {
            Self::Shop => t!("delete-then-shop"),
            Self::Portal => t!("delete-then-portal", portal = portal),
            Self::Nobody => t!("delete-then-nothing"),
        }
    }
}

#[component]
fn Question(
    profile: Profile,
    owner: String,
    successors: Vec<(Profile, Reliability)>,
    /// The successor chosen before the page was shown again.
    mine: String,
    stands_in: StandsIn,
    portal: String,
) -> impl IntoView {
    let Destination { host, port, .. } = &profile.settings.destination;
    let server = format!("{host}:{port}");
    let used = profile.in_use;
    let id = profile.id.to_string();
    let then = stands_in.text(&portal);
    let choice = (used && !successors.is_empty()).then(|| {
        // A failing profile replaces it only if it is chosen explicitly.
        let best = successors
            .first()
            .filter(|(_, reliability)| *reliability > Reliability::Fails)
            .map(|(profile, _)| profile.id);
        let warning = best.is_none().then(|| view! { <Notice kind=Kind::Warning>{t!("delete-all-fail")}</Notice> });
        let chosen = successors.iter().map(|(successor, _)| successor.id).find(|id| id.to_string() == mine);
        let chosen = if mine == "none" { None } else { chosen.or(best) };
        let able = successors.iter().filter(|(_, reliability)| *reliability > Reliability::Fails).count();
        let shown = able.clamp(FEW, MANY).min(successors.len());
        let open = successors.iter().skip(shown).any(|(successor, _)| Some(successor.id) == chosen);
        let mut options = successors.into_iter().map(|(successor, _)| {
            let input = format!("successor-{}", successor.id);
            let settings = successor.settings.clone();
            // Name, port and login distinguish similar profiles.
            let Destination { host, port, login, .. } = &settings.destination;
            let named = if login == settings.sender_address.as_str() && settings.name.is_empty() {
                String::new()
            } else {
                format!(" · {login}")
            };
            let (title, server) = (settings.title(), format!("{host}:{port}"));
            let checked = chosen == Some(successor.id);
            view! {
                <div class="choice">
                    <input
                        type="radio" name="successor" id=input.clone() value=successor.id.to_string() checked=checked
                        aria-describedby=format!("{input}-state")
                    />
                    <label for=input.clone()>{breakable(title)} " · " {breakable(&server)} {named}</label>
                    <p id=format!("{input}-state")><StateBadge profile=successor /></p>
                </div>
            }
        });
        let first: Vec<_> = options.by_ref().take(shown).collect();
        let others: Vec<_> = options.collect();
        let count = others.len();
        view! {
            {warning}
            <fieldset class="choices">
                <legend>{t!("delete-successor", owner = owner.clone())}</legend>
                {first}
                {(count > 0).then(|| view! {
                    <details open=open>
                        <summary>{t!("delete-successor-others", count = count)}</summary>
                        <div class="choices">{others}</div>
                    </details>
                })}
                <div class="choice">
                    <input
                        type="radio"
                        name="successor"
                        id="successor-none"
                        value="none"
                        checked=chosen.is_none()
                        aria-describedby="successor-none-state"
                    />
                    <label for="successor-none">{t!("delete-successor-none")}</label>
                    <p id="successor-none-state">{then.clone()}</p>
                </div>
            </fieldset>
        }
    });
    let consequence = match (used, choice.is_some()) {
        (false, _) => t!("delete-unused"),
        (true, true) => t!("delete-used", owner = owner),
        (true, false) => format!("{} {then}", t!("delete-last", owner = owner)),
    };
    let stale = is_stale();
    view! {
        {stale.then(|| view! { <Notice kind=Kind::Warning>{t!("stale-delete")}</Notice> })}
        <p class="lead">
            {t!("delete-question", profile = profile.settings.title(), host = server)}
        </p>
        <p>{consequence}</p>
        <p>{t!("delete-secret")}</p>
        <form method="post" action=at("/api/profiles/delete")>
            <FormOwnerField />
            <input type="hidden" name="id" value=id.clone() />
            <input type="hidden" name="revision" value=profile.revision.to_string() />
            <input type="hidden" name="used" value=if used { "1" } else { "0" } />
            {choice}
            <div class="actions">
                <button class="danger primary">{t!("action-delete")}</button>
                <a class="button" href=at(&format!("/profiles?selected={id}"))>{t!("action-cancel")}</a>
            </div>
        </form>
    }
}
