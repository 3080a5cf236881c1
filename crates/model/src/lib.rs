//! The product's plain types, and the rules that need nothing else: no framework, database or network.
//!
//! | module | what it is |
//! |---|---|
//! | [`account`] | who owns data |
//! | [`address`], [`settings`], [`security`], [`mechanism`], [`encoding`] | the settings of one mail server |
//! | [`password`] | superfluous characters in a pasted secret, and the form of a provider's passwords |
//! | [`stage`], [`cause`], [`report`], [`survey`], [`fix`] | how a conversation went, why it failed, what fixes it |
//! | [`login`] | how often a password may be tried |
//! | [`health`], [`fingerprint`] | how a profile's mail has fared, and with which settings |
//! | [`way`] | which server sends an account's mail |
//! | [`search`], [`near`] | what a search box finds; the server that a mistyped name probably means |
//! | [`provider`], [`locale`] | the table of providers, and its texts in both languages |
//!
//! The dependencies, which the compiler enforces: `model` ← `mail` ← `server`, `model` ← `app` ← `server`.
//!
//! Without the feature `full` it contains only what the browser needs, so that the WebAssembly stays small.

pub mod cause;
pub mod encoding;
pub mod mechanism;
pub mod near;
pub mod password;
pub mod search;
pub mod security;
pub mod stage;

#[cfg(feature = "full")]
pub mod account;
#[cfg(feature = "full")]
pub mod address;
#[cfg(feature = "full")]
pub mod fingerprint;
#[cfg(feature = "full")]
pub mod fix;
#[cfg(feature = "full")]
pub mod health;
#[cfg(feature = "full")]
pub mod locale;
#[cfg(feature = "full")]
pub mod login;
#[cfg(feature = "full")]
pub mod provider;
#[cfg(feature = "full")]
pub mod report;
#[cfg(feature = "full")]
pub mod settings;
#[cfg(feature = "full")]
pub mod survey;
#[cfg(feature = "full")]
pub mod way;
