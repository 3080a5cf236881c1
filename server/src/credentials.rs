//! Server side. The secrets that are stored, how they are sealed, and how often one may be tried.
//!
//! | module | what it is |
//! |---|---|
//! | [`vault`] | seals a secret for the database and opens it again |
//! | [`binding`] | what a sealed secret belongs to: moved elsewhere, it does not open |
//! | [`rotation`] | seals everything that is stored with another key |
//! | [`logins`] | counts refused logins: providers lock accounts |

pub mod binding;
pub mod logins;
pub mod rotation;
pub mod vault;

pub use binding::Binding;
pub use vault::{CanaryError, Vault, VaultError, VaultKey};
