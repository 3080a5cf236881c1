//! Whose everything is.

use serde::{Deserialize, Serialize};

/// The tenant boundary: one customer of one portal. Every query carries it, and it only ever comes from the session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccountId {
    pub portal: String,
    pub account: String,
}

/// Somebody of the account for whom mail can be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: String,
    pub name: String,
}

/// Somebody of an account. What they typed is theirs, whichever session they typed it in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Person {
    pub account: AccountId,
    pub id: String,
}
