//! Server side. The server functions of the slice. Each begins by asking who is asking, and ends in [`finish`].

use leptos::{prelude::*, server_fn::codec::PostUrl};
use secrecy::{ExposeSecret, SecretString};

use super::{
    asked::{existing, profile_id, shown_revision, shown_then},
    delete::{StandsIn, heir_form},
    draft::{CheckedSecret, Choice, Draft, KeptDraft, TypedSecret, is_form_name},
    encoding::Encoding,
    field::{Fault, Field, FieldError},
    keeping::orphan,
    listed::fingerprint,
    model::{ProfileId, Settings, TestState},
    password::{InnerSpaces, clean},
    port::{Heir, SaveError, SecretChange, Standing, Target},
    preset::{Catalogue, Preset, hint},
    warnings::{Typed, Warning, warnings},
};
use crate::{
    error::{AppError, finish, wants_page},
    sending_mode::model::SendingMode,
    services::{Services, services},
    session::{Session, session},
};

/// **Valider** of the first step: saves the profile and leads to **Encodage SMTP**.
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

/// Which profile the form is about. A program may leave out what only forms know.
fn target((id, form, revision): (&str, &str, &str)) -> Result<Target, AppError> {
    let id = profile_id(id)?;
    let creation = (id.is_none() && is_form_name(form)).then(|| form.to_owned());
    Ok(Target { id, creation, revision: shown_revision(revision) })
}

async fn save(about: (&str, &str, &str), mut draft: Draft, secret: &TypedSecret) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let target = target(about)?;
    let typed = draft.clone();
    let tidied = draft.tidy();
    draft.settle_preset(&services.presets);
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
        // What was typed is kept: there is room once another one is deleted.
        Err(SaveError::App(AppError::TooManyProfiles { most })) if wants_page() => {
            let page = refuse(&session, &services, &target, typed, Vec::new()).await?;
            Ok(format!("{page}&notice=full&count={most}"))
        }
        Err(SaveError::App(error)) => Err(error),
        Err(SaveError::Stale(id)) if wants_page() => {
            // A form that makes a profile showed no revision of it: none is the one that it knows.
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
    let made = match (&target.id, &target.creation) {
        (None, Some(form)) => profiles.made_by(&session.account, form).await?.is_some(),
        _ => false,
    };
    let checked = draft.check(session, &services.presets, profiles.policy());
    // A preset whose server was changed by hand says nothing of this one's passwords.
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
            if target.id.is_none() && !made {
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

/// What looks wrong with what was saved, as codes. The form said so already where there is WebAssembly.
fn warned(settings: &Settings, secret: Option<&CheckedSecret>, presets: &Catalogue) -> Vec<&'static str> {
    let destination = &settings.destination;
    let secret = secret.map(|secret| secret.secret.expose_secret()).unwrap_or_default();
    // Invisible signs are said by themselves.
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
        finished: true,
    };
    let (host, login) = (presets.provider_of(settings), presets.by_address(&destination.login));
    let found = warnings(typed, host.map(hint).as_ref(), login.map(hint).as_ref());
    found.into_iter().map(Warning::code).collect()
}

/// Keeps the refused form and leads back to it.
async fn refuse(
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

async fn fill(about: (&str, &str, &str), mut draft: Draft) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let target = target(about)?;
    if let Some(preset) = services.presets.get(&draft.preset) {
        draft.fill(preset);
    }
    refuse(&session, &services, &target, draft, Vec::new()).await
}

/// **Valider** of the second step: saves the encoding and leads back to the list.
#[server(name = SaveEncoding, prefix = "/api", endpoint = "profiles/encoding", input = PostUrl)]
pub async fn save_encoding(
    #[server(default)] id: String,
    #[server(default)] encoding: String,
    #[server(default)] was: String,
    #[server(default)] revision: String,
) -> Result<(), AppError> {
    finish(encode(&id, &encoding, &was, &revision).await)
}

/// Under which name the choice of a profile's encoding is carried to the page that asks again.
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
            // The first one is in use without anybody having said so.
            let profile = services.profiles.get(&session.account, id).await?;
            let only = profile.is_some_and(|profile| profile.in_use && profile.test == TestState::Never)
                && services.profiles.heirs(&session.account, id).await?.is_empty();
            Ok(format!("/profiles?selected={id}&notice={}", if only { "saved-only" } else { "saved" }))
        }
    }
}

/// Removes the superfluous characters of the stored secret, after the page said what they are.
#[server(name = CleanSecret, prefix = "/api", endpoint = "profiles/clean-secret", input = PostUrl)]
pub async fn clean_secret(#[server(default)] id: String, #[server(default)] revision: String) -> Result<(), AppError> {
    finish(clean_stored(&id, &revision).await)
}

async fn clean_stored(id: &str, revision: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    match services.profiles.clean_secret(session.author(), id, shown_revision(revision)).await {
        Err(AppError::Stale) if wants_page() => Ok(format!("/profiles/encoding?id={id}&stale=1")),
        // Nothing else is in it.
        Err(AppError::Invalid { .. }) if wants_page() => Ok(format!("/profiles?selected={id}&notice=secret-missing")),
        done => done.map(|count| format!("/profiles/encoding?id={id}&notice=cleaned&count={count}")),
    }
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
pub async fn use_profile(
    #[server(default)] id: String,
    #[server(default)] listed: String,
    #[server(default)] after: String,
    #[server(default)] mode: String,
    #[server(default)] revision: String,
) -> Result<(), AppError> {
    finish(put_in_use(&id, (&listed, &after, &revision), &mode).await)
}

/// `listed`: what the list showed, where the button stands in one, else `revision`, of the one profile; `mode`: the button
/// says that the account's own servers send from now on.
async fn put_in_use(id: &str, (listed, after, revision): (&str, &str, &str), mode: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
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
    // What is changed between that look and the write is noticed by the write.
    match services.profiles.put_in_use(session.author(), id, revision).await {
        Err(AppError::Stale) => return stale(),
        done => done?,
    }
    if mode == SendingMode::OwnSmtp.as_str() {
        services.sending_modes.set(session.author(), SendingMode::OwnSmtp, None).await?;
        return Ok(format!("/profiles?selected={id}&notice=in-use-now&mode=own_smtp"));
    }
    let notice = match services.sending_modes.get(&session.account).await? {
        SendingMode::OwnSmtp => "in-use",
        SendingMode::Portal => "in-use-later",
    };
    Ok(format!("/profiles?selected={id}&notice={notice}"))
}

/// **Supprimer**, after the page has asked.
#[server(name = DeleteProfile, prefix = "/api", endpoint = "profiles/delete", input = PostUrl)]
pub async fn delete_profile(
    #[server(default)] id: String,
    #[server(default)] revision: String,
    #[server(default)] heir: String,
    #[server(default)] used: String,
) -> Result<(), AppError> {
    finish(delete(&id, &revision, &heir, &used).await)
}

/// `heir`: who takes over, `none` for nobody; where nothing is said, the one that is known best to work. `used`: whether
/// the page said that the profile is in use.
async fn delete(id: &str, revision: &str, heir: &str, used: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    let stale = || if wants_page() { Ok(format!("/profiles/delete?id={id}&stale=1")) } else { Err(AppError::Stale) };
    let kept = heir_form(id);
    let heir = match heir {
        "" => Heir::Best,
        "none" => Heir::Nobody,
        other => Heir::One(existing(other)?),
    };
    let profile = services.profiles.get(&session.account, id).await?.ok_or(AppError::NotFound)?;
    if !used.is_empty() && (used == "1") != profile.in_use {
        return stale();
    }
    let next = services.profiles.heirs(&session.account, id).await?;
    let best = next.first().filter(|(_, standing)| *standing > Standing::Fails).map(|(profile, _)| profile.id);
    match services.profiles.delete(session.author(), id, heir, shown_revision(revision)).await {
        Err(AppError::Stale) => return stale(),
        done => done?,
    }
    services.drafts.forget(&session.who(), &kept).await?;
    let heir = match heir {
        Heir::Best => best,
        Heir::One(heir) => Some(heir),
        Heir::Nobody => None,
    };
    Ok(match heir.filter(|_| profile.in_use) {
        Some(heir) => format!("/profiles?notice=deleted-heir&id={id}&selected={heir}"),
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
