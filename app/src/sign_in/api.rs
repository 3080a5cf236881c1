//! Server side. The server functions of the slice.

use leptos::{prelude::*, server_fn::codec::PostUrl};

use super::way::of_draft;
use crate::{
    error::{AppError, finish, wants_page},
    profile::{
        api::{refuse, target},
        asked::{existing, shown_revision},
        draft::{Draft, KeptDraft},
        port::SaveError,
    },
    services::services,
    session::session,
};

/// **Se connecter avec …**: keeps the form, begins a sign-in, and redirects to its page.
#[server(name = BeginSignIn, prefix = "/api", endpoint = "sign-in/begin", input = PostUrl)]
pub async fn begin_sign_in(
    #[server(default)] id: String,
    #[server(default)] form: String,
    #[server(default)] revision: String,
    #[server(default)] client: String,
    #[server(default)] draft: Draft,
) -> Result<(), AppError> {
    finish(begin((&id, &form, &revision), &client, draft).await)
}

async fn begin(about: (&str, &str, &str), client: &str, mut draft: Draft) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let mut target = target(about)?;
    let form = match (&target.id, &target.creation) {
        (Some(id), _) => id.to_string(),
        (None, Some(form)) => form.clone(),
        (None, None) => services.drafts.new_form(),
    };
    target.creation = target.id.is_none().then(|| form.clone());
    let typed = draft.clone();
    draft.tidy();
    // The button in the form does not say which provider it is: the form does.
    let signed_in = match target.id {
        Some(id) => services.profiles.get(&session.account, id).await?.and_then(|profile| profile.signed_in),
        None => None,
    };
    let ways = services.sign_ins.ways(&session.account.portal);
    let way = of_draft(&ways, &services.presets, &draft);
    let client = match (client, signed_in, way) {
        ("", _, Some(way)) => way.client.clone(),
        ("", Some(signed_in), None) => signed_in.client,
        (client, ..) => client.to_owned(),
    };
    match services.sign_ins.begin(&session, &client, form.clone(), target.clone(), draft).await {
        Ok(id) => {
            // Back on the form, everything is still there.
            if typed != Draft::default() {
                let profile = target.id.map(|id| id.to_string());
                let revision = target.revision;
                let kept = KeptDraft { form, profile, revision, draft: typed, ..KeptDraft::default() };
                services.drafts.keep(&session.who(), &kept).await?;
            }
            Ok(id.page())
        }
        Err(SaveError::Invalid(errors)) if wants_page() => refuse(&session, &services, &target, typed, errors).await,
        Err(SaveError::Invalid(fields)) => Err(AppError::Invalid { fields }),
        Err(SaveError::Stale(_)) => Err(AppError::Stale),
        Err(SaveError::App(error)) => Err(error),
    }
}

/// **Se déconnecter**: ends the use of a profile's grant.
#[server(name = SignOut, prefix = "/api", endpoint = "sign-in/out", input = PostUrl)]
pub async fn sign_out(#[server(default)] id: String, #[server(default)] revision: String) -> Result<(), AppError> {
    finish(out(&id, &revision).await)
}

async fn out(id: &str, revision: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    match services.sign_ins.sign_out(session.author(), id, shown_revision(revision)).await {
        Err(AppError::Stale) if wants_page() => Ok(format!("/profiles/edit?id={id}&notice=stale")),
        done => done.map(|()| format!("/profiles/edit?id={id}&notice=signed-out")),
    }
}

/// The answer to "this is a shared mailbox": sends from its address, with the permission of the person who signed in.
#[server(name = UseMailbox, prefix = "/api", endpoint = "sign-in/mailbox", input = PostUrl)]
pub async fn use_mailbox(#[server(default)] id: String, #[server(default)] mailbox: String) -> Result<(), AppError> {
    finish(mailbox_of(&id, &mailbox).await)
}

async fn mailbox_of(id: &str, mailbox: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    match services.sign_ins.use_mailbox(session.author(), id, mailbox).await {
        Ok(()) => Ok(format!("/profiles/encoding?id={id}&notice=saved")),
        Err(SaveError::Invalid(fields)) => Err(AppError::Invalid { fields }),
        Err(SaveError::Stale(_)) => Err(AppError::Stale),
        Err(SaveError::App(error)) => Err(error),
    }
}
