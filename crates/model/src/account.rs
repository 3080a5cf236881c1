//! Who owns data: accounts, their users, and the people who sign in.

use serde::{Deserialize, Serialize};

/// The tenant boundary: one customer of one portal. Every query contains it, and it comes only from the session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccountId {
    pub portal: String,
    pub account: String,
}

/// A user of an account, for whom mail can be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: String,
    pub name: String,
}

/// A person who uses an account. Unsaved input belongs to the person, not to a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Person {
    pub account: AccountId,
    pub id: String,
}
