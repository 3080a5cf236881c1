//! Server side. The messages sent through a profile, for its page.

use app::{
    error::AppError,
    profile::{
        model::ProfileId,
        sent::{DAYS, Day, Fate, LISTED, Sent, SentMail, SentMessage},
    },
    session::AccountId,
};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::ProfileService;
use crate::store::{
    StoreError,
    outbox::{MessageState, SettledDay, StoredMessage},
};

/// How many of the account's waiting messages are searched for those of one profile.
const WAITING: u32 = 50;
const DAY: i64 = 86_400;

#[async_trait]
impl SentMail for ProfileService {
    async fn sent(&self, account: &AccountId, id: ProfileId) -> Result<Sent, AppError> {
        self.read_sent(account, id).await.map_err(StoreError::log)
    }
}

impl ProfileService {
    async fn read_sent(&self, account: &AccountId, id: ProfileId) -> Result<Sent, StoreError> {
        let limit = u32::try_from(LISTED).unwrap_or(u32::MAX);
        let mut messages = self.store.settled_through(account, id, limit).await?;
        for state in [MessageState::Deferred, MessageState::Sending] {
            let waiting = self.store.messages(account, Some(state), None, WAITING).await?;
            messages.extend(waiting.into_iter().map(|one| one.message).filter(|message| message.profile == Some(id)));
        }
        messages.sort_by_key(|message| std::cmp::Reverse(moment(message)));
        messages.truncate(LISTED);
        let days = days((self.clock)());
        let since = days.first().copied().unwrap_or_default();
        let counted = self.store.settled_by_day(account, id, since).await?;
        Ok(Sent {
            messages: messages.iter().map(shown).collect(),
            days: days.into_iter().map(|day| counted_on(day, &counted)).collect(),
        })
    }
}

/// The first instants of the last days, the oldest first.
fn days(now: Timestamp) -> Vec<Timestamp> {
    let today = now.as_second().div_euclid(DAY) * DAY;
    let count = i64::try_from(DAYS).unwrap_or_default();
    let day = |back: i64| Timestamp::from_second(today).unwrap_or_default() - SignedDuration::from_secs(back * DAY);
    (0..count).rev().map(day).collect()
}

fn counted_on(at: Timestamp, counted: &[SettledDay]) -> Day {
    let found = counted.iter().find(|day| day.day == at);
    found.map_or(Day { at, accepted: 0, others: 0 }, |day| Day { at, accepted: day.accepted, others: day.others })
}

/// When its state last changed.
fn moment(message: &StoredMessage) -> Timestamp {
    message.finished_at.unwrap_or(message.updated_at)
}

fn shown(message: &StoredMessage) -> SentMessage {
    let fate = match message.state {
        MessageState::Accepted if message.fallback => Fate::ByThePortal,
        MessageState::Accepted => Fate::Accepted,
        MessageState::Queued | MessageState::Sending | MessageState::Deferred => Fate::Waiting,
        MessageState::Failed | MessageState::Quarantined => Fate::Failed,
        MessageState::DeliveryUnknown => Fate::Unknown,
    };
    let first = message.recipients.first().map(|recipient| recipient.address.as_str()).unwrap_or_default();
    // As in forwarded reports: the part before the `@` is private.
    let recipient = first.rsplit_once('@').map_or_else(|| "…".to_owned(), |(_, domain)| format!("…@{domain}"));
    let others = message.recipients.len().saturating_sub(1);
    SentMessage { at: moment(message), recipient, others, fate, cause: message.cause }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        contract::stored,
        outbox::{Recipient, RecipientKind, RecipientState},
    };

    #[test]
    fn the_days_end_with_today_and_every_one_is_there() {
        let now: Timestamp = "2026-03-01T23:59:59Z".parse().unwrap();
        let days = days(now);
        assert_eq!(days.len(), DAYS);
        assert_eq!(days.last().unwrap().to_string(), "2026-03-01T00:00:00Z");
        assert_eq!(days[0].to_string(), "2026-01-31T00:00:00Z");
        let counted = [SettledDay { day: days[3], accepted: 2, others: 1 }];
        assert_eq!(counted_on(days[3], &counted), Day { at: days[3], accepted: 2, others: 1 });
        assert_eq!(counted_on(days[4], &counted), Day { at: days[4], accepted: 0, others: 0 });
    }

    #[test]
    fn a_recipient_is_masked_and_the_portal_s_help_is_told_apart() {
        let recipient = |address: &str| Recipient {
            address: address.to_owned(),
            kind: RecipientKind::To,
            state: RecipientState::Accepted,
            cause: None,
            reply: None,
            stage: None,
        };
        let mut message =
            stored(MessageState::Accepted, vec![recipient("claire@exemple.fr"), recipient("b@x.example")]);
        let one = shown(&message);
        assert_eq!((one.recipient.as_str(), one.others, one.fate), ("…@exemple.fr", 1, Fate::Accepted));
        message.fallback = true;
        assert_eq!(shown(&message).fate, Fate::ByThePortal);
        assert_eq!(shown(&stored(MessageState::Failed, vec![])).recipient, "…");
    }
}
