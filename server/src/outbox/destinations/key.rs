//! Server side. The destination that lanes wait for, as one string: the database's key, which also says who chose the
//! server.

use app::{profile::model::ProfileId, session::AccountId};

use super::DestinationId;
use crate::admission::Party;

/// Separates the parts: a control character, which none of them may contain.
const BETWEEN: char = '\u{1f}';

/// A profile of an account.
pub(in crate::outbox) fn profile_key(account: &AccountId, id: ProfileId) -> String {
    let AccountId { portal, account } = account;
    format!("profile{BETWEEN}{portal}{BETWEEN}{account}{BETWEEN}{id}")
}

/// The relay of a portal.
pub(in crate::outbox) fn relay_key(portal: &str) -> String {
    format!("relay{BETWEEN}{portal}")
}

/// The lanes of a portal's accounts that need its relay, while it has none.
pub(in crate::outbox) fn none_key(portal: &str) -> String {
    format!("none{BETWEEN}{portal}")
}

/// The server of a key, and the party whose share its conversations take.
pub(in crate::outbox) fn parse_key(key: &str) -> Option<(DestinationId, Party)> {
    let parts: Vec<&str> = key.split(BETWEEN).collect();
    match parts[..] {
        ["profile", portal, account, id] => {
            let account = AccountId { portal: portal.to_owned(), account: account.to_owned() };
            Some((DestinationId::Profile(ProfileId::parse(id)?), Party::Account(account)))
        }
        // A portal that had no relay may have one now.
        ["relay" | "none", portal] => Some((DestinationId::Relay(portal.to_owned()), Party::Relay(portal.to_owned()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn keys_read_back() {
        let account = AccountId { portal: "demo".to_owned(), account: "martin".to_owned() };
        let id = ProfileId(Uuid::from_u128(7));
        let profile = parse_key(&profile_key(&account, id));
        assert_eq!(profile, Some((DestinationId::Profile(id), Party::Account(account))));
        let relay = Some((DestinationId::Relay("demo".to_owned()), Party::Relay("demo".to_owned())));
        assert_eq!((parse_key(&relay_key("demo")), parse_key(&none_key("demo"))), (relay.clone(), relay));
        assert_eq!((parse_key(""), parse_key("relay")), (None, None));
    }
}
