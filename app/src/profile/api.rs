//! Server side. The server functions of the slice. Each begins by asking who is asking, and ends in [`finish`].

use leptos::{prelude::*, server_fn::codec::PostUrl};
use secrecy::ExposeSecret;

use super::{
    draft::{CheckedSecret, Draft, RefusedDraft, TypedSecret},
    encoding::Encoding,
    field::{Fault, Field, FieldError},
    model::{ProfileId, Settings},
    port::{SaveError, SecretChange},
    preset::{Catalogue, Preset},
    warnings::{Typed, Warning, warnings},
};
use crate::{
    error::{AppError, finish, wants_page},
    services::{Services, services},
    session::{Session, session},
};

/// **Valider** of the first step: saves the profile and leads to **Encodage SMTP**.
#[server(name = SaveProfile, prefix = "/api", endpoint = "profiles/save", input = PostUrl)]
pub async fn save_profile(
    #[server(default)] id: String,
    #[server(default)] draft: Draft,
    #[server(default)] secret: TypedSecret,
) -> Result<(), AppError> {
    finish(save(&id, draft, &secret).await)
}

async fn save(id: &str, draft: Draft, secret: &TypedSecret) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let profile = profile_id(id)?;
    match try_save(&session, &services, profile, &draft, secret).await {
        Ok(saved) => {
            services.drafts.forget(&session).await?;
            Ok(saved)
        }
        // What was typed is kept: there is room once another one is deleted.
        Err(SaveError::App(AppError::TooManyProfiles { most })) if wants_page() => {
            let page = refuse(&session, &services, profile, draft, Vec::new()).await?;
            Ok(format!("{page}&notice=full&count={most}"))
        }
        Err(SaveError::App(error)) => Err(error),
        Err(SaveError::Invalid(errors)) if wants_page() => refuse(&session, &services, profile, draft, errors).await,
        Err(SaveError::Invalid(fields)) => Err(AppError::Invalid { fields }),
    }
}

async fn try_save(
    session: &Session,
    services: &Services,
    profile: Option<ProfileId>,
    draft: &Draft,
    typed: &TypedSecret,
) -> Result<String, SaveError> {
    let profiles = &services.profiles;
    let checked = draft.check(session, &services.presets, profiles.policy());
    let inner = services.presets.inner_spaces(Some(&draft.preset));
    let secret = if typed.is_empty() { None } else { Some(typed.check(inner)) };
    let (mut errors, settings) = match checked {
        Ok(settings) => (Vec::new(), Some(settings)),
        Err(errors) => (errors, None),
    };
    let secret = match secret {
        Some(Ok(secret)) => Some(secret),
        Some(Err(error)) => {
            errors.push(error);
            None
        }
        None => {
            if profile.is_none() {
                errors.push(FieldError::new(Field::Secret, Fault::Required));
            }
            None
        }
    };
    let Some(settings) = settings.filter(|_| errors.is_empty()) else {
        profiles.note_blocked(session.author(), (&draft.host, &draft.port), &errors).await?;
        errors.sort_by_key(|error| error.field);
        return Err(SaveError::Invalid(errors));
    };
    let (removed, suspicious) = secret.as_ref().map_or((0, 0), |secret| (secret.removed, secret.suspicious));
    let warned = warned(&settings, secret.as_ref(), &services.presets);
    let change = secret.map_or(SecretChange::Keep, |secret| SecretChange::Replace(secret.secret));
    let id = profiles.save(session.author(), profile, settings, change).await?;
    let warn = if warned.is_empty() { String::new() } else { format!("&warn={}", warned.join(",")) };
    Ok(match (removed, suspicious) {
        (0, 0) if !warn.is_empty() => format!("/profiles/encoding?id={id}{warn}"),
        (0, 0) => format!("/profiles/encoding?id={id}&notice=saved"),
        (removed, 0) => format!("/profiles/encoding?id={id}&notice=secret-removed&count={removed}{warn}"),
        (_, suspicious) => format!("/profiles/encoding?id={id}&suspicious={suspicious}{warn}"),
    })
}

/// What looks wrong with what was saved, as codes. The form said so already where there is WebAssembly.
fn warned(settings: &Settings, secret: Option<&CheckedSecret>, presets: &Catalogue) -> Vec<&'static str> {
    let destination = &settings.destination;
    let secret = secret.map(|secret| secret.secret.expose_secret()).unwrap_or_default();
    let (port, sender) = (destination.port.to_string(), settings.sender_address.to_string());
    let typed = Typed {
        host: &destination.host,
        port: &port,
        security: Some(destination.security),
        login: &destination.login,
        sender: &sender,
        secret,
        finished: true,
    };
    let (host, login) = (provider(settings, presets), presets.by_address(&destination.login));
    let found = warnings(typed, host.map(Preset::hint).as_ref(), login.map(Preset::hint).as_ref());
    found.into_iter().map(Warning::code).collect()
}

/// The provider whose server it is: the chosen preset, when the server is still its own.
pub(super) fn provider<'a>(settings: &Settings, presets: &'a Catalogue) -> Option<&'a Preset> {
    let host = &settings.destination.host;
    let chosen = settings.preset.as_deref().and_then(|id| presets.get(id));
    chosen.filter(|preset| preset.host.eq_ignore_ascii_case(host)).or_else(|| presets.by_host(host))
}

/// Keeps the refused form and leads back to it.
async fn refuse(
    session: &Session,
    services: &Services,
    profile: Option<ProfileId>,
    draft: Draft,
    errors: Vec<FieldError>,
) -> Result<String, AppError> {
    let page = form_page(profile);
    let refused = RefusedDraft { profile: profile.map(|id| id.to_string()), draft, errors };
    services.drafts.keep(session, &refused).await?;
    Ok(page)
}

fn form_page(profile: Option<ProfileId>) -> String {
    match profile {
        Some(id) => format!("/profiles/edit?id={id}&draft=1"),
        None => "/profiles/new?draft=1".to_owned(),
    }
}

/// An id of the form; the empty one is a new profile's.
fn profile_id(id: &str) -> Result<Option<ProfileId>, AppError> {
    if id.is_empty() {
        return Ok(None);
    }
    ProfileId::parse(id).map(Some).ok_or(AppError::NotFound)
}

pub(super) fn existing(id: &str) -> Result<ProfileId, AppError> {
    ProfileId::parse(id).ok_or(AppError::NotFound)
}

/// **Remplir** without WebAssembly: puts the chosen preset's values into the form, everything else stays.
#[server(name = FillProfile, prefix = "/api", endpoint = "profiles/fill", input = PostUrl)]
pub async fn fill_profile(#[server(default)] id: String, #[server(default)] draft: Draft) -> Result<(), AppError> {
    finish(fill(&id, draft).await)
}

async fn fill(id: &str, mut draft: Draft) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let profile = profile_id(id)?;
    if let Some(preset) = services.presets.get(&draft.preset) {
        draft.fill(preset);
    }
    refuse(&session, &services, profile, draft, Vec::new()).await
}

/// **Valider** of the second step: saves the encoding and leads back to the list.
#[server(name = SaveEncoding, prefix = "/api", endpoint = "profiles/encoding", input = PostUrl)]
pub async fn save_encoding(#[server(default)] id: String, #[server(default)] encoding: String) -> Result<(), AppError> {
    finish(encode(&id, &encoding).await)
}

async fn encode(id: &str, encoding: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    let encoding = Encoding::parse(encoding)
        .ok_or_else(|| AppError::Invalid { fields: vec![FieldError::new(Field::Encoding, Fault::Unknown)] })?;
    services.profiles.set_encoding(session.author(), id, encoding).await?;
    Ok(format!("/profiles?selected={id}&notice=saved"))
}

/// Removes the superfluous characters of the stored secret, after the page said what they are.
#[server(name = CleanSecret, prefix = "/api", endpoint = "profiles/clean-secret", input = PostUrl)]
pub async fn clean_secret(#[server(default)] id: String) -> Result<(), AppError> {
    finish(clean_stored(&id).await)
}

async fn clean_stored(id: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    let count = services.profiles.clean_secret(session.author(), id).await?;
    Ok(format!("/profiles/encoding?id={id}&notice=cleaned&count={count}"))
}

/// **Dupliquer**: the same settings, no secret; leads to the copy's form.
#[server(name = DuplicateProfile, prefix = "/api", endpoint = "profiles/duplicate", input = PostUrl)]
pub async fn duplicate_profile(#[server(default)] id: String) -> Result<(), AppError> {
    finish(duplicate(&id).await)
}

async fn duplicate(id: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let copy = services.profiles.duplicate(session.author(), existing(id)?).await?;
    Ok(format!("/profiles/edit?id={copy}&notice=duplicated"))
}

/// **Utiliser**: the owner's mail leaves through this profile from now on.
#[server(name = UseProfile, prefix = "/api", endpoint = "profiles/use", input = PostUrl)]
pub async fn use_profile(#[server(default)] id: String) -> Result<(), AppError> {
    finish(put_in_use(&id).await)
}

async fn put_in_use(id: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    services.profiles.put_in_use(session.author(), id).await?;
    Ok(format!("/profiles?selected={id}&notice=in-use"))
}

/// **Supprimer**, after the page has asked.
#[server(name = DeleteProfile, prefix = "/api", endpoint = "profiles/delete", input = PostUrl)]
pub async fn delete_profile(#[server(default)] id: String) -> Result<(), AppError> {
    finish(delete(&id).await)
}

async fn delete(id: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    services.profiles.delete(session.author(), id).await?;
    Ok(format!("/profiles?notice=deleted&id={id}"))
}
