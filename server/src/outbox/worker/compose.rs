//! Server side. Turns a stored message into a submission with the route's sender.

use std::sync::Arc;

use mail::{
    aside::{LARGE, aside},
    smtp::{Letter, LoginGate, Submission},
};

use super::{Worker, turns::waiting};
use crate::{
    credentials::logins::LoginGuard,
    outbox::{
        content::{Content, Person},
        route::Server,
    },
    store::outbox::StoredMessage,
    submission::submission,
};

/// Above this number of recipients, names are encoded off the async threads.
const FEW_NAMES: usize = 10;

impl Worker<'_> {
    pub(super) async fn submission(
        &mut self,
        message: &StoredMessage,
        gate: Option<Arc<LoginGuard>>,
    ) -> Result<Submission, Unsendable> {
        let sealed = match self.contents.remove(&message.id) {
            Some(sealed) => Some(sealed),
            None => self.outbox.store.content(message.id).await.map_err(|error| {
                error.log();
                Unsendable::Store
            })?,
        };
        let unreadable = |what: &str| {
            tracing::error!(message = %message.id, what, "a message cannot be sent");
            Unsendable::Content
        };
        let sealed = sealed.ok_or_else(|| unreadable("its content is gone"))?;
        let to = waiting(&message.recipients)
            .map(|recipient| recipient.address.parse())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| unreadable("cannot parse an address"))?;
        let login = self.route.secret.clone().zip(gate.map(|gate| gate as Arc<dyn LoginGate>));
        aside(sealed.len() > LARGE || message.recipients.len() > FEW_NAMES, || {
            let opened = self
                .outbox
                .vault
                .open_content(&message.lane.account, message.id, &sealed)
                .map_err(|_| unreadable("cannot decrypt its content"))?;
            drop(sealed);
            let content = Content::decode(&opened).ok_or_else(|| unreadable("cannot decode its content"))?;
            drop(opened);
            let letter = self.letter(message, content).ok_or_else(|| unreadable("cannot parse an address"))?;
            submission(self.route.destination(), login, &letter, to).map_err(|_| unreadable("cannot compose it"))
        })
    }

    /// The message with its sender.
    fn letter(&self, message: &StoredMessage, mut content: Content) -> Option<Letter> {
        let attachments = content.take_attachments();
        let head = content.head;
        let all = |people: &[Person]| people.iter().map(Person::mailbox).collect::<Option<Vec<_>>>();
        let reply_to = match &head.reply_to {
            Some(person) => Some(person.mailbox()?),
            None => self.route.reply_to(),
        };
        Some(Letter {
            from: self.route.sender()?,
            to: all(&head.to)?,
            cc: all(&head.cc)?,
            reply_to,
            subject: head.subject,
            text: head.text,
            html: head.html,
            attachments,
            encoding: match &self.route.server {
                Server::Profile(row) => row.encoding,
                Server::Relay(..) => app::profile::encoding::Encoding::default(),
            },
            message_id: message.message_id.clone(),
            date: head.date.into(),
            auto_submitted: head.auto_submitted,
            language: head.language.unwrap_or_default(),
        })
    }
}

/// Why a message cannot be composed.
pub(super) enum Unsendable {
    /// The store is unavailable.
    Store,
    /// The message itself cannot be read.
    Content,
}
