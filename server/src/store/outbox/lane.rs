//! Server side. Lanes, the destinations they wait for, and claims.

use app::session::AccountId;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Passage, Rest, StoredMessage};

/// The account and user whose queue a message is in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lane {
    pub account: AccountId,
    /// `None` is the shop.
    pub user: Option<String>,
}

/// Separates the parts of a lane's key: a control character, which none of them may contain.
const BETWEEN: char = '\u{1f}';

impl Lane {
    /// The key, as one string.
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

/// The messages of a lane that take the usual route, or those that fell back to the relay.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Queue {
    pub lane: Lane,
    pub fallback: bool,
}

impl Queue {
    /// The key, as one string.
    pub fn key(&self) -> String {
        format!("{}{BETWEEN}{}", u8::from(self.fallback), self.lane.key())
    }
}

/// The destination a lane waits for from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub queue: Queue,
    pub destination: String,
}

/// A destination with something due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDestination {
    pub destination: String,
    /// When it became due.
    pub due_at: Timestamp,
}

/// A request for messages to send now.
#[derive(Debug, Clone)]
pub struct Claim {
    pub queue: Queue,
    /// The destination to send through: its back-off applies, and the lane waits for it from now on.
    pub destination: Option<String>,
    /// The token of the lease.
    pub lease_token: String,
    pub now: Timestamp,
    /// When the lease ends. The lease of a probe also keeps other conversations from the destination.
    pub until: Timestamp,
    /// Most messages to claim.
    pub limit: u32,
}

/// The claimed messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub messages: Vec<StoredMessage>,
    /// What the destination's back-off allowed.
    pub passage: Passage,
    /// The destination's back-off before the claim.
    pub rest: Rest,
}

/// Notes that the end of a message is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitMark {
    pub id: Uuid,
    /// The lease it is made under.
    pub lease_token: String,
    /// The recipients; `None`: all pending ones.
    pub to: Option<Vec<String>>,
}

/// A row that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    pub table: String,
    /// Its primary key.
    pub row: String,
    pub column: String,
    /// The account it belongs to, if known.
    pub account: Option<AccountId>,
}

/// The queue's metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueMetrics {
    pub queued: u64,
    pub deferred: u64,
    pub sending: u64,
    pub events: u64,
    /// Those of `queued` whose server or lane is in back-off: they are not tried until it ends.
    pub held: u64,
    /// Servers in back-off.
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
