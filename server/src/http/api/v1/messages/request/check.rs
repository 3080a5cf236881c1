//! Server side. Checks a request field by field, and makes a draft from it.

use app::session::AccountId;
use jiff::Timestamp;

use super::{MessageRequest, faults::Faults};
use crate::{
    http::api::problem::{Fault, FieldFault},
    outbox::{
        MessageDraft,
        content::{Content, File, Head, Person},
    },
    store::outbox::{Lane, Recipient, RecipientKind, RecipientState},
};

/// All files together, in bytes.
const LARGEST_FILES: usize = 25 * 1000 * 1000;
/// One text, in bytes.
const LARGEST_TEXT: usize = 2 * 1000 * 1000;
const MOST_RECIPIENTS: usize = 100;
const MOST_FILES: usize = 50;
const LONGEST_SUBJECT: usize = 998;
const LONGEST_ID: usize = 256;
const LONGEST_REFERENCE: usize = 200;

/// The faults of an id that the portal chose, an account's or a user's.
pub fn id_faults(field: &str, id: &str) -> Vec<FieldFault> {
    let mut faults = Faults::default();
    faults.present(field, id, LONGEST_ID);
    faults.0
}

/// The draft; every invalid field is added to `faults`.
pub fn check(portal: &str, request: MessageRequest, faults: &mut Faults, now: Timestamp) -> MessageDraft {
    faults.present("/account", &request.account, LONGEST_ID);
    if let Some(user) = &request.user {
        faults.present("/user", user, LONGEST_ID);
    }
    for (field, forged) in [("/from", request.from.is_some()), ("/sender", request.sender.is_some())] {
        if forged {
            faults.add(field, Fault::SenderNotAllowed, "the profile decides the sender; it cannot be given");
        }
    }
    match &request.subject {
        Some(subject) => faults.line("/subject", subject, LONGEST_SUBJECT),
        None => faults.add("/subject", Fault::Required, "missing"),
    }
    if let Some(reference) = &request.reference {
        faults.line("/reference", reference, LONGEST_REFERENCE);
    }
    if let Some(language) = &request.language
        && !(language.len() <= 35 && language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
    {
        faults.add("/language", Fault::LanguageInvalid, "not a language tag such as fr or en-GB");
    }
    if request.text.is_none() && request.html.is_none() {
        faults.add("/text", Fault::Required, "at least one of text and html");
    }
    for (field, text) in [("/text", &request.text), ("/html", &request.html)] {
        if text.as_ref().is_some_and(|text| text.len() > LARGEST_TEXT) {
            faults.add(field, Fault::TooLarge, format!("at most {LARGEST_TEXT} bytes of UTF-8"));
        }
    }
    let count = request.to.len() + request.cc.len() + request.bcc.len();
    if request.to.is_empty() {
        faults.add("/to", Fault::Required, "at least one recipient");
    } else if count > MOST_RECIPIENTS {
        faults.add("/to", Fault::TooMany, format!("at most {MOST_RECIPIENTS} with cc and bcc"));
        // Too many to check one by one.
        return MessageDraft::nothing(portal);
    }
    let (to, cc) = (faults.people("/to", request.to), faults.people("/cc", request.cc));
    let bcc = faults.people("/bcc", request.bcc);
    let reply_to = request.reply_to.and_then(|one| faults.person("/reply_to", one));
    if request.attachments.len() > MOST_FILES {
        faults.add("/attachments", Fault::TooMany, format!("at most {MOST_FILES}"));
        return MessageDraft::nothing(portal);
    }
    let files: Vec<File> =
        request.attachments.into_iter().enumerate().filter_map(|(at, file)| faults.file(at, file)).collect();
    if files.iter().map(|file| file.bytes.len()).sum::<usize>() > LARGEST_FILES {
        faults.add("/attachments", Fault::TooLarge, format!("at most {LARGEST_FILES} bytes in all"));
    }
    let recipients = recipients([(RecipientKind::To, &to), (RecipientKind::Cc, &cc), (RecipientKind::Bcc, &bcc)]);
    MessageDraft {
        lane: Lane { account: AccountId { portal: portal.to_owned(), account: request.account }, user: request.user },
        idempotency_key: None,
        request_hash: [0; 32],
        reference: request.reference,
        recipients,
        content: Content {
            head: Head {
                to,
                cc,
                reply_to,
                subject: request.subject.unwrap_or_default(),
                text: request.text,
                html: request.html,
                language: request.language,
                auto_submitted: request.auto_submitted,
                date: now,
            },
            files,
        },
    }
}

/// Each address once, with its first role.
fn recipients(lists: [(RecipientKind, &Vec<Person>); 3]) -> Vec<Recipient> {
    let mut recipients: Vec<Recipient> = Vec::new();
    for (kind, people) in lists {
        for person in people {
            if recipients.iter().all(|known| known.address != person.address) {
                recipients.push(Recipient {
                    address: person.address.clone(),
                    kind,
                    state: RecipientState::Pending,
                    cause: None,
                    reply: None,
                    stage: None,
                });
            }
        }
    }
    recipients
}

impl MessageDraft {
    /// For a request that is refused.
    fn nothing(portal: &str) -> Self {
        let account = AccountId { portal: portal.to_owned(), account: String::new() };
        Self {
            lane: Lane { account, user: None },
            idempotency_key: None,
            request_hash: [0; 32],
            reference: None,
            recipients: Vec::new(),
            content: Content {
                head: Head {
                    to: Vec::new(),
                    cc: Vec::new(),
                    reply_to: None,
                    subject: String::new(),
                    text: None,
                    html: None,
                    language: None,
                    auto_submitted: false,
                    date: Timestamp::UNIX_EPOCH,
                },
                files: Vec::new(),
            },
        }
    }
}
