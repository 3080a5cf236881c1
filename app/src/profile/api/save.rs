//! Server side. The first step: saves what the form posts, or redirects back to the form.

use leptos::{prelude::*, server_fn::codec::PostUrl};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    error::{AppError, Ending, finish, wants_page},
    profile::{
        asked::{profile_id, shown_revision},
        autosave::orphan,
        draft::{CheckedSecret, Draft, KeptDraft, TypedSecret, is_form_name},
        field::{Fault, Field, FieldError},
        model::Settings,
        password::{InnerSpaces, clean},
        port::{SaveError, SecretChange, Target},
        preset::{Catalogue, Preset, hint},
        warnings::{Typed, Warning, warnings},
    },
    services::{Services, services},
    session::{Session, session},
};

/// **Valider** of the first step: saves the profile and redirects to **Encodage SMTP**.
#[server(name = SaveProfile, prefix = "/api", endpoint = "profiles/save", input = PostUrl)]
pub async fn save_profile(
    #[server(default)] id: String,
    #[server(default)] form: String,
    #[server(default)] revision: String,
    #[server(default)] draft: Draft,
    #[server(default)] secret: TypedSecret,
) -> Result<(), AppError> {
    finish(save((&id, &form, &revision), draft, &secret).await)
}

/// The profile of the form. A program may omit what only forms know.
pub(crate) fn target((id, form, revision): (&str, &str, &str)) -> Result<Target, AppError> {
    let id = profile_id(id)?;
    let creation = (id.is_none() && is_form_name(form)).then(|| form.to_owned());
    Ok(Target { id, creation, revision: shown_revision(revision) })
}

async fn save(about: (&str, &str, &str), mut draft: Draft, secret: &TypedSecret) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let target = target(about)?;
    draft.settle_preset(&services.presets);
    draft.fill_what_is_empty(&services.presets);
    let typed = draft.clone();
    let tidied = draft.tidy();
    match try_save(&session, &services, &target, &draft, secret).await {
        Ok(saved) => {
            for form in [target.id.map(|id| id.to_string()), target.creation].into_iter().flatten() {
                services.drafts.forget(&session.who(), &form).await?;
            }
            Ok(if tidied { format!("{saved}&tidied=1") } else { saved })
        }
        Err(SaveError::App(AppError::NotFound)) if wants_page() && target.id.is_some() => {
            orphan(&session, &services, about.0, typed).await
        }
        // The input is kept: it can be saved once another profile is deleted.
        Err(SaveError::App(AppError::TooManyProfiles { most })) if wants_page() => {
            let page = refuse(&session, &services, &target, typed, Vec::new()).await?;
            Ok(format!("{page}&notice=full&count={most}"))
        }
        Err(SaveError::App(error)) => Err(error),
        Err(SaveError::Stale(id)) if wants_page() => {
            // The form of a new profile showed no revision; 0 matches no stored one.
            let target = Target { id: Some(id), revision: target.revision.or(Some(0)), creation: None };
            refuse(&session, &services, &target, typed, Vec::new()).await?;
            Ok(format!("/profiles/edit?id={id}&stale=1"))
        }
        Err(SaveError::Stale(_)) => Err(AppError::Stale),
        Err(SaveError::Invalid(errors)) if wants_page() => refuse(&session, &services, &target, typed, errors).await,
        Err(SaveError::Invalid(fields)) => Err(AppError::Invalid { fields }),
    }
}

async fn try_save(
    session: &Session,
    services: &Services,
    target: &Target,
    draft: &Draft,
    typed: &TypedSecret,
) -> Result<String, SaveError> {
    let profiles = &services.profiles;
    let checked = draft.check(session, &services.presets, profiles.policy());
    // A preset does not describe the passwords of a server that was edited by hand.
    let inner = match &checked {
        Ok(settings) => services.presets.provider_of(settings).map_or(InnerSpaces::Significant, Preset::inner_spaces),
        Err(_) => services.presets.inner_spaces(Some(&draft.preset)),
    };
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
            // A form that already created its profile is shown without the secret: the stored one is kept.
            let made = match (&target.id, &target.creation) {
                (None, Some(form)) => profiles.made_by(&session.account, form).await?.is_some(),
                (id, _) => id.is_some(),
            };
            if !made {
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
    let id = profiles.save(session.author(), target.clone(), settings, change).await?;
    let warn = if warned.is_empty() { String::new() } else { format!("&warn={}", warned.join(",")) };
    Ok(match (removed, suspicious) {
        (0, 0) if !warn.is_empty() => format!("/profiles/encoding?id={id}{warn}"),
        (0, 0) => format!("/profiles/encoding?id={id}&notice=saved"),
        (removed, 0) => format!("/profiles/encoding?id={id}&notice=secret-removed&count={removed}{warn}"),
        (_, suspicious) => format!("/profiles/encoding?id={id}&suspicious={suspicious}{warn}"),
    })
}

/// The warnings about the saved profile, as codes. With WebAssembly the form has shown them already.
fn warned(settings: &Settings, secret: Option<&CheckedSecret>, presets: &Catalogue) -> Vec<&'static str> {
    let destination = &settings.destination;
    let secret = secret.map(|secret| secret.secret.expose_secret()).unwrap_or_default();
    // Invisible characters have a notice of their own.
    let secret = SecretString::from(clean(secret, InnerSpaces::Significant).value);
    let secret = secret.expose_secret();
    let (port, sender) = (destination.port.to_string(), settings.sender_address.to_string());
    let typed = Typed {
        host: &destination.host,
        port: &port,
        security: Some(destination.security),
        login: &destination.login,
        sender: &sender,
        secret,
        near: presets.near(&destination.host),
        finished: true,
    };
    let (host, login) = (presets.provider_of(settings), presets.by_address(&destination.login));
    let found = warnings(typed, host.map(hint).as_ref(), login.map(hint).as_ref());
    found.into_iter().map(Warning::code).collect()
}

/// Stores the refused form; returns the page that shows it again.
pub(crate) async fn refuse(
    session: &Session,
    services: &Services,
    target: &Target,
    draft: Draft,
    errors: Vec<FieldError>,
) -> Result<String, AppError> {
    let (form, page) = if let Some(id) = target.id {
        (id.to_string(), format!("/profiles/edit?id={id}&draft=1"))
    } else {
        let form = target.creation.clone().unwrap_or_else(|| services.drafts.new_form());
        let page = format!("/profiles/new?form={form}&draft=1");
        (form, page)
    };
    let profile = target.id.map(|id| id.to_string());
    let kept = KeptDraft { form, profile, revision: target.revision, draft, errors, ..KeptDraft::default() };
    services.drafts.keep(&session.who(), &kept).await?;
    Ok(page)
}

/// **Remplir** without WebAssembly: puts the chosen preset's values into the form, everything else stays.
#[server(name = FillProfile, prefix = "/api", endpoint = "profiles/fill", input = PostUrl)]
pub async fn fill_profile(
    #[server(default)] id: String,
    #[server(default)] form: String,
    #[server(default)] revision: String,
    #[server(default)] draft: Draft,
) -> Result<(), AppError> {
    finish(fill((&id, &form, &revision), draft).await)
}

async fn fill(about: (&str, &str, &str), mut draft: Draft) -> Result<Ending, AppError> {
    let (session, services) = (session()?, services()?);
    let target = target(about)?;
    let preset = services.presets.get(&draft.preset);
    if let Some(preset) = preset {
        draft.fill(preset);
    }
    let unknown = preset.is_none() && !draft.preset.is_empty();
    if let Some(id) = target.id
        && services.profiles.get(&session.account, id).await?.is_none()
    {
        if !wants_page() {
            return Err(AppError::NotFound);
        }
        return Ok(orphan(&session, &services, about.0, draft).await?.into());
    }
    if unknown && !wants_page() {
        return Err(AppError::Invalid { fields: vec![FieldError::new(Field::Preset, Fault::Unknown)] });
    }
    Ok(refuse(&session, &services, &target, draft, Vec::new()).await?.into())
}
