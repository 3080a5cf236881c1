//! Server side. From a letter to a submission: one way for the mail of a test and for a portal's messages.

use std::sync::Arc;

use app::profile::model::Destination;
use lettre::Address;
use mail::smtp::{ComposeError, Credentials, Depth, Letter, LoginGate, Submission, compose};
use secrecy::SecretString;

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
