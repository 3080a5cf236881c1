//! Server side. **Tester** as a native post that redirects to the report page, and what it shares with the streamed
//! test.

use futures::StreamExt;
use leptos::{prelude::*, server_fn::codec::PostUrl};

use super::{
    port::{AtOnce, Recipient, Refusal, Started, TestEvent},
    receipt::{ReceiptOutcome, code_form, digits},
};
use crate::{
    error::{AppError, Ending, finish},
    profile::{
        draft::{Choice, KeptDraft, TypedSecret},
        model::ProfileId,
        password::InnerSpaces,
        port::{SaveError, SecretChange, Target},
        preset::Preset,
    },
    services::{Services, services},
    session::{Session, session},
};

/// **Tester** without WebAssembly: runs the test to its end and redirects to the report.
#[server(name = RunTest, prefix = "/api", endpoint = "test/run", input = PostUrl)]
pub async fn run_test(#[server(default)] id: String, #[server(default)] to: String) -> Result<(), AppError> {
    finish(run(&id, &to, BeforeTest::Nothing).await)
}

/// **Appliquer et retester** without WebAssembly: applies one of the fixes that the last test proposed, and runs a
/// test.
#[server(name = ApplyFix, prefix = "/api", endpoint = "test/apply-fix", input = PostUrl)]
pub async fn apply_fix(
    #[server(default)] id: String,
    #[server(default)] to: String,
    #[server(default)] fix: String,
) -> Result<(), AppError> {
    finish(run(&id, &to, BeforeTest::Fix(&fix)).await)
}

/// **Enregistrer et retester** without WebAssembly: replaces the password, and runs a test.
#[server(name = ReplaceSecret, prefix = "/api", endpoint = "test/secret", input = PostUrl)]
pub async fn replace_secret(
    #[server(default)] id: String,
    #[server(default)] to: String,
    #[server(default)] secret: TypedSecret,
) -> Result<(), AppError> {
    finish(run(&id, &to, BeforeTest::Secret(&secret)).await)
}

/// The change before a test.
#[derive(Clone, Copy)]
pub(super) enum BeforeTest<'a> {
    Nothing,
    /// One of the fixes that the last test proposed, by its number.
    Fix(&'a str),
    Secret(&'a TypedSecret),
}

/// Checks the code of the confirmation mail, which proves that it arrived.
#[server(name = ConfirmReceipt, prefix = "/api", endpoint = "test/received", input = PostUrl)]
pub async fn confirm_receipt(
    #[server(default)] id: String,
    #[server(default)] code: String,
    #[server(default)] from: String,
) -> Result<(), AppError> {
    finish(confirm(&id, &code, &from).await)
}

/// `from`: the page with the code's field, which shows an error in the code.
async fn confirm(id: &str, code: &str, from: &str) -> Result<Ending, AppError> {
    let (session, services) = (session()?, services()?);
    let id = ProfileId::parse(id).ok_or(AppError::NotFound)?;
    // Another account's test does not exist, even for an invalid code.
    services.profiles.get(&session.account, id).await?.ok_or(AppError::NotFound)?;
    let page = if from == "report" { format!("/profiles/report?id={id}") } else { format!("/profiles?selected={id}") };
    let (who, form) = (session.who(), code_form(id));
    // The field keeps the typed code.
    let again = KeptDraft::of_choice(form.clone(), Choice::code(code));
    let Some(code) = digits(code) else {
        services.drafts.keep(&who, &again).await?;
        return Ok(Ending::refused(format!("{page}&notice=code-invalid"), AppError::Conflict));
    };
    match services.tester.confirm(&session, id, &code).await? {
        ReceiptOutcome::Received => {
            services.drafts.forget(&who, &form).await?;
            Ok(format!("/profiles?selected={id}&notice=received").into())
        }
        ReceiptOutcome::Wrong { tries_left } => {
            services.drafts.keep(&who, &again).await?;
            Ok(Ending::refused(format!("{page}&notice=code-wrong&left={tries_left}"), AppError::Conflict))
        }
        ReceiptOutcome::Gone => {
            services.drafts.forget(&who, &form).await?;
            Ok(Ending::refused(format!("{page}&notice=code-gone"), AppError::Conflict))
        }
    }
}

async fn run(id: &str, to: &str, before: BeforeTest<'_>) -> Result<Ending, AppError> {
    let (session, services) = (session()?, services()?);
    let id = ProfileId::parse(id).ok_or(AppError::NotFound)?;
    match start(&services, &session, id, to, before).await {
        Ok(Started { mut events, .. }) => {
            while let Some(event) = events.next().await {
                if let TestEvent::Refused(refusal) = event {
                    return not_tested(id, refusal);
                }
            }
            Ok(format!("/profiles/report?id={id}&tested=1").into())
        }
        Err(refusal) => not_tested(id, refusal),
    }
}

/// Why no test ran: the page that explains it, and an error.
fn not_tested(id: ProfileId, refusal: Refusal) -> Result<Ending, AppError> {
    Ok(Ending::refused(format!("/profiles?selected={id}&notice={}", refused(refusal)?), told(refusal)))
}

/// Applies the change, if there is one, and starts a test.
async fn start(
    services: &Services,
    session: &Session,
    id: ProfileId,
    to: &str,
    before: BeforeTest<'_>,
) -> Result<Started, Refusal> {
    // A code typed for an earlier test does not apply to this one.
    services.drafts.forget(&session.who(), &code_form(id)).await?;
    match before {
        BeforeTest::Nothing => {}
        BeforeTest::Fix(fix) => {
            let Ok(fix) = fix.parse() else {
                // Another account's profile does not exist, with any fix.
                services.profiles.get(&session.account, id).await?.ok_or(Refusal::NotFound)?;
                return Err(Refusal::Stale);
            };
            services.tester.apply_fix(session, id, fix).await?;
        }
        BeforeTest::Secret(typed) => save_secret(services, session, id, typed).await?,
    }
    services.tester.start(session, id, Recipient::parse(to)).await
}

/// Saves the password with the current settings.
async fn save_secret(
    services: &Services,
    session: &Session,
    id: ProfileId,
    typed: &TypedSecret,
) -> Result<(), Refusal> {
    let profile = services.profiles.get(&session.account, id).await?.ok_or(Refusal::NotFound)?;
    let provider = services.presets.provider_of(&profile.settings);
    let inner = provider.map_or(InnerSpaces::Significant, Preset::inner_spaces);
    let checked = typed.check(inner).map_err(|_| Refusal::SecretInvalid)?;
    let target = Target { revision: Some(profile.revision), ..Target::profile(id) };
    let secret = SecretChange::Replace(checked.secret);
    match services.profiles.save(session.author(), target, profile.settings, secret).await {
        Ok(_) => Ok(()),
        Err(SaveError::App(error)) => Err(error.into()),
        Err(SaveError::Stale(_)) => Err(Refusal::Stale),
        // The operator no longer allows the destination: the test reports it.
        Err(SaveError::Invalid(_)) => Ok(()),
    }
}

/// Starts a test of the profile with this id.
pub(super) async fn begin(
    services: &Services,
    session: &Session,
    (id, to): (&str, &str),
    before: BeforeTest<'_>,
) -> Result<Started, Refusal> {
    let id = ProfileId::parse(id).ok_or(Refusal::NotFound)?;
    start(services, session, id, to, before).await
}

/// A refused test as the notice that explains it, or as an error.
pub(super) fn refused(refusal: Refusal) -> Result<&'static str, AppError> {
    match refusal {
        Refusal::SecretMissing => Ok("secret-missing"),
        Refusal::SecretInvalid => Ok("secret-invalid"),
        Refusal::SecretUnreadable => Ok("secret-unreadable"),
        Refusal::SecretRefused => Ok("secret-refused"),
        Refusal::Stale => Ok("stale"),
        Refusal::AtOnce(AtOnce::Person) => Ok("tests-of-yours"),
        Refusal::AtOnce(AtOnce::Account) => Ok("tests-of-account"),
        Refusal::AtOnce(AtOnce::All) => Ok("tests-of-all"),
        Refusal::NotFound => Err(AppError::NotFound),
        Refusal::Limited { retry_after_s } => Err(AppError::Limited { retry_after_s }),
        Refusal::Unavailable => Err(AppError::Unavailable),
        Refusal::Internal => Err(AppError::Internal),
    }
}

/// A refusal as an error for programs.
pub(super) fn told(refusal: Refusal) -> AppError {
    match refused(refusal) {
        Err(error) => error,
        Ok(_) if refusal == Refusal::Stale => AppError::Stale,
        Ok(_) => AppError::Conflict,
    }
}
