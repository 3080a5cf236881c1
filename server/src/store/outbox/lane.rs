//! Server side. Lanes, the destinations that they wait for, and what is claimed of them.

use app::session::AccountId;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Passage, Rest, StoredMessage};

/// Whose queue a message stands in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lane {
    pub account: AccountId,
    /// `None` is the shop.
    pub user: Option<String>,
}

/// Between the parts of a lane's key: a control character, which none of them may hold.
const BETWEEN: char = '\u{1f}';

impl Lane {
    /// All of it in one text.
    pub fn key(&self) -> String {
        let AccountId { portal, account } = &self.account;
        match &self.user {
            None => format!("{portal}{BETWEEN}{account}"),
            Some(user) => format!("{portal}{BETWEEN}{account}{BETWEEN}{user}"),
        }
    }

    pub fn parse(key: &str) -> Option<Self> {
        let mut parts = key.split(BETWEEN).map(str::to_owned);
        let account = AccountId { portal: parts.next()?, account: parts.next()? };
        let user = parts.next();
        parts.next().is_none().then_some(Self { account, user })
    }
}

/// A lane's messages that go the usual way, or those that fell back to the relay.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Queue {
    pub lane: Lane,
    pub fallback: bool,
}

impl Queue {
    /// All of it in one text.
    pub fn key(&self) -> String {
        format!("{}{BETWEEN}{}", u8::from(self.fallback), self.lane.key())
    }
}

/// The destination that a lane waits for from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub queue: Queue,
    pub destination: String,
}

/// A destination with something due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDestination {
    pub destination: String,
    /// When its turn came.
    pub due_at: Timestamp,
}

/// What somebody wants to send now.
#[derive(Debug, Clone)]
pub struct Claim {
    pub queue: Queue,
    /// Through which server: its rest is respected, and the lane stands behind it from now on.
    pub destination: Option<String>,
    /// For whom…
    pub lease_token: String,
    pub now: Timestamp,
    /// …and until when. When it is a probe, nobody else tries the destination before.
    pub until: Timestamp,
    /// At most so many.
    pub limit: u32,
}

/// What was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub messages: Vec<StoredMessage>,
    /// What the destination let through.
    pub passage: Passage,
    /// How it was doing.
    pub rest: Rest,
}

/// The end of a message is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitMark {
    pub id: Uuid,
    /// Who holds its lease.
    pub lease_token: String,
    /// To whom; `None`: to everybody who waits.
    pub to: Option<Vec<String>>,
}

/// A row that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    pub table: String,
    /// Its key there.
    pub row: String,
    pub column: String,
    /// Whose it is, as far as that is known.
    pub account: Option<AccountId>,
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueMetrics {
    pub queued: u64,
    pub deferred: u64,
    pub sending: u64,
    pub events: u64,
    /// Of those that are queued: whose server, or lane, rests. They are not tried before the rest is over.
    pub held: u64,
    /// Servers that are left alone for a while.
    pub resting: u64,
    /// Rows that cannot be decoded.
    pub quarantined: u64,
    pub oldest: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_told_apart_and_read_back() {
        let lane = |account: &str, user: Option<&str>| Lane {
            account: AccountId { portal: "p".to_owned(), account: account.to_owned() },
            user: user.map(str::to_owned),
        };
        let lanes = [lane("a", None), lane("a", Some("")), lane("a", Some("u")), lane("au", None), lane("a\n", None)];
        for (at, lane) in lanes.iter().enumerate() {
            assert_eq!(Lane::parse(&lane.key()).as_ref(), Some(lane));
            assert!(lanes[..at].iter().all(|other| other.key() != lane.key()));
        }
    }
}
