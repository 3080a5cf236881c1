//! Server side. Stored secrets: how they are sealed, and how often one may be tried.
//!
//! | module | what it is |
//! |---|---|
//! | [`vault`] | seals a secret for the database and opens it again |
//! | [`binding`] | what a sealed secret is bound to: moved elsewhere, it cannot be opened |
//! | [`rotation`] | seals all stored values with another key |
//! | [`logins`] | counts refused logins: providers lock accounts |

pub mod binding;
pub mod logins;
pub mod rotation;
pub mod vault;

pub use binding::Binding;
pub use vault::{CanaryError, Vault, VaultError, VaultKey};
