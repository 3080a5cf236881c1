//! Server side. Notices between replicas. A notice may get lost: each one only speeds up what polling finds anyway.

use app::{diagnosis::cause::Cause, profile::model::ProfileId, session::AccountId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// PostgreSQL accepts notices of at most 7,999 bytes.
const LONGEST: usize = 7_900;

/// A notice to the other replicas.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "notice")]
pub enum Notice {
    /// There is more to send than the sender has places for.
    Work,
    /// An account's messages take another route, or may be sent again.
    Account { portal: String, account: String },
    /// A profile was changed.
    Profile { portal: String, account: String, profile: String, in_use: bool },
    /// A destination is in back-off until then.
    Rests { destination: String, until: Timestamp, cause: Option<Cause> },
    /// A destination works again.
    Recovered { destination: String },
    /// No place of a limit was left.
    Wanted { name: String },
    /// The database's clock was set.
    Clock,
    /// Notices may have been lost. Never sent.
    #[serde(skip)]
    Missed,
    /// This replica has lost its places. Never sent.
    #[serde(skip)]
    Lost,
}

#[derive(Serialize, Deserialize)]
struct Envelope<N> {
    from: String,
    #[serde(flatten)]
    notice: N,
}

impl Notice {
    pub fn account(AccountId { portal, account }: &AccountId) -> Self {
        Self::Account { portal: portal.clone(), account: account.clone() }
    }

    pub fn profile(AccountId { portal, account }: &AccountId, id: ProfileId, in_use: bool) -> Self {
        Self::Profile { portal: portal.clone(), account: account.clone(), profile: id.to_string(), in_use }
    }

    /// As text to send; `None`: it is local only, or too long.
    pub(super) fn write(&self, from: &str) -> Option<String> {
        let text = serde_json::to_string(&Envelope { from: from.to_owned(), notice: self }).ok()?;
        (text.len() <= LONGEST).then_some(text)
    }

    /// From received text; `None` where it is our own, or unknown to this version.
    pub(super) fn read(text: &str, us: &str) -> Option<Self> {
        let Envelope { from, notice } = serde_json::from_str(text).ok()?;
        (from != us).then_some(notice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_read_back_except_our_own_and_those_that_nobody_knows() {
        let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
        for notice in [
            Notice::Work,
            Notice::account(&account),
            Notice::profile(&account, ProfileId(uuid::Uuid::from_u128(7)), true),
            Notice::Rests {
                destination: "relay".to_owned(),
                until: Timestamp::UNIX_EPOCH,
                cause: Some(Cause::Timeout),
            },
            Notice::Recovered { destination: "relay".to_owned() },
            Notice::Wanted { name: "connections".to_owned() },
            Notice::Clock,
        ] {
            let text = notice.write("one").unwrap();
            assert_eq!(Notice::read(&text, "other"), Some(notice));
            assert_eq!(Notice::read(&text, "one"), None);
        }
        assert_eq!((Notice::Missed.write("one"), Notice::Lost.write("one")), (None, None));
        assert_eq!(Notice::read(r#"{"from":"one","notice":"of_tomorrow"}"#, "other"), None);
        assert_eq!(Notice::Wanted { name: "x".repeat(9_000) }.write("one"), None);
    }
}
