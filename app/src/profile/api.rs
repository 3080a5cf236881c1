//! Server side. The server functions of the slice. Each requires a session first and ends in [`finish`].

use leptos::{prelude::*, server_fn::codec::PostUrl};

use super::{
    asked::{existing, shown_revision, shown_then},
    delete::{StandsIn, successor_form},
    doubt::Doubt,
    draft::{Choice, KeptDraft},
    encoding::Encoding,
    field::{Fault, Field, FieldError},
    listed::fingerprint,
    model::{ProfileId, TestState},
    port::{Reliability, Successor},
};
use crate::{
    error::{AppError, finish, wants_page},
    sending_mode::model::SendingMode,
    services::services,
    session::session,
};

mod save;

pub use save::{FillProfile, SaveProfile};
pub(crate) use save::{refuse, target};

/// **Valider** of the second step: saves the encoding and redirects to the list.
#[server(name = SaveEncoding, prefix = "/api", endpoint = "profiles/encoding", input = PostUrl)]
pub async fn save_encoding(
    #[server(default)] id: String,
    #[server(default)] encoding: String,
    #[server(default)] was: String,
    #[server(default)] revision: String,
) -> Result<(), AppError> {
    finish(encode(&id, &encoding, &was, &revision).await)
}

/// The name under which the chosen encoding is stored for the page that asks again.
pub fn encoding_form(id: ProfileId) -> String {
    format!("encoding-{id}")
}

async fn encode(id: &str, encoding: &str, was: &str, revision: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    let encoding = Encoding::parse(encoding)
        .ok_or_else(|| AppError::Invalid { fields: vec![FieldError::new(Field::Encoding, Fault::Unknown)] })?;
    let set = match shown_then(was, revision, Encoding::parse) {
        Ok(shown) => services.profiles.set_encoding(session.author(), id, encoding, shown).await,
        Err(stale) => Err(stale),
    };
    match set {
        Err(AppError::Stale) if wants_page() => {
            services.profiles.get(&session.account, id).await?.ok_or(AppError::NotFound)?;
            let kept = KeptDraft::of_choice(encoding_form(id), Choice::Encoding(encoding));
            services.drafts.keep(&session.who(), &kept).await?;
            Ok(format!("/profiles/encoding?id={id}&stale=1"))
        }
        done => {
            done?;
            services.drafts.forget(&session.who(), &encoding_form(id)).await?;
            // An account's first profile is put in use automatically.
            let profile = services.profiles.get(&session.account, id).await?;
            let only = profile.is_some_and(|profile| profile.in_use && profile.test == TestState::Never)
                && services.profiles.successors(&session.account, id).await?.is_empty();
            Ok(format!("/profiles?selected={id}&notice={}", if only { "saved-only" } else { "saved" }))
        }
    }
}

/// Removes the superfluous characters of the stored secret, after the page listed them.
#[server(name = CleanSecret, prefix = "/api", endpoint = "profiles/clean-secret", input = PostUrl)]
pub async fn clean_secret(#[server(default)] id: String, #[server(default)] revision: String) -> Result<(), AppError> {
    finish(clean_stored(&id, &revision).await)
}

async fn clean_stored(id: &str, revision: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    match services.profiles.clean_secret(session.author(), id, shown_revision(revision)).await {
        Err(AppError::Stale) if wants_page() => Ok(format!("/profiles/encoding?id={id}&stale=1")),
        // The secret consists of superfluous characters only.
        Err(AppError::Invalid { .. }) if wants_page() => Ok(format!("/profiles?selected={id}&notice=secret-missing")),
        done => done.map(|count| format!("/profiles/encoding?id={id}&notice=cleaned&count={count}")),
    }
}

/// **Dupliquer**: copies the settings without the secret, and redirects to the copy's form.
#[server(name = DuplicateProfile, prefix = "/api", endpoint = "profiles/duplicate", input = PostUrl)]
pub async fn duplicate_profile(#[server(default)] id: String) -> Result<(), AppError> {
    finish(duplicate(&id).await)
}

async fn duplicate(id: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let copy = services.profiles.duplicate(session.author(), existing(id)?).await?;
    Ok(format!("/profiles/edit?id={copy}&notice=duplicated"))
}

/// **Utiliser**: from now on this profile sends its owner's mail.
#[server(name = UseProfile, prefix = "/api", endpoint = "profiles/use", input = PostUrl)]
pub async fn use_profile(
    #[server(default)] id: String,
    #[server(default)] listed: String,
    #[server(default)] after: String,
    #[server(default)] mode: String,
    #[server(default)] revision: String,
    #[server(default)] anyway: String,
) -> Result<(), AppError> {
    finish(put_in_use(&id, (&listed, &after, &revision), &mode, !anyway.is_empty()).await)
}

/// `listed`: what the list showed, if the button is in a list, otherwise `revision`, of the one profile; `mode`: the
/// button also switches the account to its own servers; `anyway`: the user has confirmed.
async fn put_in_use(
    id: &str,
    (listed, after, revision): (&str, &str, &str),
    mode: &str,
    anyway: bool,
) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    let mode = if mode.is_empty() { None } else { Some(SendingMode::parse(mode).ok_or(AppError::Malformed)?) };
    let stale = || if wants_page() { Ok(format!("/profiles?selected={id}&stale=1")) } else { Err(AppError::Stale) };
    let mut revision = shown_revision(revision);
    if !listed.is_empty() {
        let now = services.profiles.page(&session.account, ProfileId::parse(after)).await?;
        let there = now.iter().find(|profile| profile.id == id).map(|profile| profile.revision);
        if there.is_some() && fingerprint(&now) != listed {
            return stale();
        }
        revision = there.or(revision);
    }
    let doubt = Doubt::of(&services.profiles.get(&session.account, id).await?.ok_or(AppError::NotFound)?);
    let own = mode == Some(SendingMode::OwnSmtp);
    if doubt.is_some() && !anyway && wants_page() {
        return Ok(format!("/profiles?selected={id}&ask=use{}", if own { "&mode=own_smtp" } else { "" }));
    }
    // The write detects any change since that check.
    match services.profiles.put_in_use(session.author(), id, revision).await {
        Err(AppError::Stale) => return stale(),
        done => done?,
    }
    if own {
        services.sending_modes.set(session.author(), SendingMode::OwnSmtp, None).await?;
        let notice = if doubt.is_some() { "in-use-failing" } else { "in-use-now" };
        return Ok(format!("/profiles?selected={id}&notice={notice}&mode=own_smtp"));
    }
    let notice = match (services.sending_modes.get(&session.account).await?, doubt) {
        (SendingMode::OwnSmtp, None) => "in-use",
        (SendingMode::OwnSmtp, Some(_)) => "in-use-failing",
        (SendingMode::Portal, None) => "in-use-later",
        (SendingMode::Portal, Some(_)) => "in-use-later-failing",
    };
    Ok(format!("/profiles?selected={id}&notice={notice}"))
}

/// **Supprimer**, after the user has confirmed.
#[server(name = DeleteProfile, prefix = "/api", endpoint = "profiles/delete", input = PostUrl)]
pub async fn delete_profile(
    #[server(default)] id: String,
    #[server(default)] revision: String,
    #[server(default)] successor: String,
    #[server(default)] used: String,
) -> Result<(), AppError> {
    finish(delete(&id, &revision, &successor, &used).await)
}

/// `successor`: the profile that takes over, `none`, or empty for the one most likely to work. `used`: whether the page
/// showed the profile as in use.
async fn delete(id: &str, revision: &str, successor: &str, used: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    let stale = || if wants_page() { Ok(format!("/profiles/delete?id={id}&stale=1")) } else { Err(AppError::Stale) };
    let kept = successor_form(id);
    let successor = match successor {
        "" => Successor::Best,
        "none" => Successor::Nobody,
        other => Successor::One(existing(other)?),
    };
    let profile = services.profiles.get(&session.account, id).await?.ok_or(AppError::NotFound)?;
    if !used.is_empty() && (used == "1") != profile.in_use {
        return stale();
    }
    let next = services.profiles.successors(&session.account, id).await?;
    if let Successor::One(successor) = successor
        && next.iter().all(|(profile, _)| profile.id != successor)
    {
        return stale();
    }
    let best = next.first().filter(|(_, reliability)| *reliability > Reliability::Fails).map(|(profile, _)| profile.id);
    match services.deletions.delete(&session, id, successor, shown_revision(revision)).await {
        Err(AppError::Stale) => return stale(),
        done => done?,
    }
    services.drafts.forget(&session.who(), &kept).await?;
    let successor = match successor {
        Successor::Best => best,
        Successor::One(successor) => Some(successor),
        Successor::Nobody => None,
    };
    Ok(match successor.filter(|_| profile.in_use) {
        Some(successor) => format!("/profiles?notice=deleted-successor&id={id}&selected={successor}"),
        None if profile.in_use => {
            let then = match StandsIn::of(&services, &session, &profile) {
                StandsIn::Shop => "deleted-shop",
                StandsIn::Portal => "deleted-portal",
                StandsIn::Nobody => "deleted-nobody",
            };
            format!("/profiles?notice={then}&id={id}")
        }
        None => format!("/profiles?notice=deleted&id={id}"),
    })
}
