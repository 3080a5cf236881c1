//! Server side. What replicas tell each other. A notice may get lost: each of them only makes something happen sooner that
//! happens anyway.

use app::{diagnosis::cause::Cause, profile::model::ProfileId, session::AccountId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest notice that PostgreSQL takes has 7,999 bytes.
const LONGEST: usize = 7_900;

/// What replicas tell each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "notice")]
pub enum Notice {
    /// There is more to be sent than the sender has places for.
    Work,
    /// An account's mail goes another way, or may go again.
    Account { portal: String, account: String },
    /// A profile was changed.
    Profile { portal: String, account: String, profile: String, in_use: bool },
    /// A destination is left alone until then.
    Rests { destination: String, until: Timestamp, cause: Option<Cause> },
    /// A destination works again.
    Recovered { destination: String },
    /// Somebody found no place of a limit.
    Wanted { name: String },
    /// The database's clock was set.
    Clock,
    /// Notices may have been lost. Of nobody else.
    #[serde(skip)]
    Missed,
    /// This replica has lost its places. Of nobody else.
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

    /// As it is sent; `None`: it is of nobody else's concern, or too long.
    pub(super) fn write(&self, from: &str) -> Option<String> {
        let text = serde_json::to_string(&Envelope { from: from.to_owned(), notice: self }).ok()?;
        (text.len() <= LONGEST).then_some(text)
    }

    /// As it was received; `None` where it is our own, or of a version that knows more.
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
