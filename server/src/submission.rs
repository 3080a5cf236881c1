//! Server side. From a letter to a submission: one way for the mail of a test and for a portal's messages.

use std::sync::Arc;

use app::{
    diagnosis::cause::Cause,
    profile::model::Destination,
    test_run::{
        event::Stage,
        report::{Report, Verdict},
    },
};
use lettre::Address;
use mail::smtp::{ComposeError, Credentials, Depth, Letter, LoginGate, Submission, compose};
use secrecy::SecretString;

/// Whether a server refused an access token that the provider may have ended early.
pub fn is_refused_token(report: &Report) -> bool {
    let about_the_token = matches!(report.cause, Some(Cause::BadCredentials | Cause::OauthPermission));
    report.verdict == Verdict::Failed && report.stage == Stage::Auth && about_the_token
}

/// A report of a login with a token: no password was refused.
pub fn of_token(mut report: Report) -> Report {
    if report.stage == Stage::Auth
        && matches!(report.cause, Some(Cause::BadCredentials | Cause::AppPasswordRequired | Cause::BasicAuthDisabled))
    {
        report.cause = Some(Cause::OauthPermission);
    }
    report
}

/// A letter for the recipients `to`, through the server at `destination`. The envelope's sender is the letter's.
pub fn submission(
    destination: &Destination,
    login: Option<(SecretString, Arc<dyn LoginGate>)>,
    letter: &Letter,
    to: Vec<Address>,
) -> Result<Submission, ComposeError> {
    Ok(Submission {
        host: destination.host.clone(),
        port: destination.port,
        security: destination.security,
        credentials: login.map(|(secret, gate)| Credentials::counted(destination.login.clone(), secret, gate)),
        mechanism: destination.mechanism,
        from: letter.from.email.clone(),
        to,
        message: compose(letter)?.bytes,
        depth: Depth::Message,
    })
}
