//! Server side. The rule of admission. Nothing here waits or counts.

use super::Party;

/// Bounds for one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Conversations that have just begun.
    pub workers: u32,
    /// Conversations that wait for a slow server, beside them.
    pub waiting: u32,
    /// Conversations of one account, of either kind.
    pub per_account: u32,
    /// Those of them that have just begun.
    pub account_workers: u32,
}

impl Caps {
    /// One account may have an eighth of `workers`.
    pub fn new(workers: u32, waiting: u32, per_account: u32) -> Self {
        Self { workers, waiting, per_account, account_workers: (workers / 8).max(1) }
    }

    /// Workers reserved for newcomers, for any number of quick parties.
    const fn for_newcomers(&self) -> u32 {
        self.workers / 8
    }

    /// The maximum number waiting for one server, so that others have room.
    fn per_server(&self) -> u32 {
        (self.waiting / 4).max(1)
    }
}

/// The pace of a party's last conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pace {
    /// Done within [`QUICK_WITHIN`](super::QUICK_WITHIN).
    Quick,
    /// Unknown, or neither quick nor slow.
    New,
    /// One of the last took longer than [`SLOW_AFTER`](super::SLOW_AFTER).
    Slow,
}

/// What a conversation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Worker,
    Waiting,
}

/// Why no slot is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The party's share is used up: one of its conversations must end first.
    Party,
    /// The server has its most conversations.
    Server,
    /// No slot is free for this pace.
    All,
}

/// Running conversations.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub workers: u32,
    /// Workers of parties without a known pace.
    pub newcomers: u32,
    pub waiting: u32,
    pub party_workers: u32,
    pub party_waiting: u32,
    pub server_waiting: u32,
    pub server_newcomers: u32,
}

/// The kind of slot a conversation begins with.
///
/// - Quick: any worker, except for an eighth that is reserved for newcomers. A quarter of the workers is reserved for
///   quick parties.
/// - New: the other workers, of which one server has at most half, while there is room for them to wait. A party
///   without any conversation may also have a reserved one.
/// - Slow: no worker. Half of the waiting slots, so that there is room for conversations that turn slow; once half of
///   these are taken, one for each party.
///
/// A portal's relay is the operator's: it may have half of the workers and a quarter of the waiting slots.
pub fn kind_for(pace: Pace, counts: &Counts, caps: &Caps, party: &Party) -> Result<Kind, Full> {
    let of_party = counts.party_workers + counts.party_waiting;
    let is_relay = matches!(party, Party::Relay(_));
    let (most, most_workers) = if is_relay {
        (caps.per_server().max(caps.workers), (caps.workers / 2).max(1))
    } else {
        (caps.per_account, caps.account_workers)
    };
    if of_party >= most {
        return Err(Full::Party);
    }
    let server_is_full = counts.server_waiting >= caps.per_server();
    match pace {
        Pace::Quick | Pace::New if counts.party_workers >= most_workers => Err(Full::Party),
        Pace::Quick => {
            let kept = caps.for_newcomers().saturating_sub(counts.newcomers);
            if counts.workers + kept < caps.workers { Ok(Kind::Worker) } else { Err(Full::All) }
        }
        Pace::New if server_is_full || counts.server_newcomers >= (caps.workers / 2).max(1) => Err(Full::Server),
        Pace::New => {
            let free = caps.workers.saturating_sub(counts.workers);
            let is_free = free > caps.workers / 4 && counts.waiting < caps.waiting - caps.waiting / 4;
            // If others leave no room, a party may still have its first conversation.
            let is_kept = free > 0
                && of_party == 0
                && counts.newcomers < caps.for_newcomers()
                && counts.waiting < caps.waiting - caps.waiting / 8;
            if is_free || is_kept { Ok(Kind::Worker) } else { Err(Full::All) }
        }
        Pace::Slow if server_is_full => Err(Full::Server),
        Pace::Slow if is_relay => {
            if counts.waiting < caps.waiting {
                Ok(Kind::Waiting)
            } else {
                Err(Full::All)
            }
        }
        Pace::Slow => {
            let share = if counts.waiting >= caps.waiting / 4 { 1 } else { (most / 2).max(1) };
            if counts.waiting >= (caps.waiting / 2).max(1) {
                Err(Full::All)
            } else if of_party >= share {
                Err(Full::Party)
            } else {
                Ok(Kind::Waiting)
            }
        }
    }
}
