//! The words of the product as types, and the rules that need nothing else: no framework, no database, no network.
//!
//! | module | what it is |
//! |---|---|
//! | [`account`] | whose everything is |
//! | [`address`], [`settings`], [`security`], [`mechanism`], [`encoding`] | what an account sets for one mail server |
//! | [`password`] | what a pasted secret picks up on its way, and how it looks at a provider |
//! | [`stage`], [`cause`], [`report`], [`survey`], [`fix`] | how a conversation went, why it failed, what mends it |
//! | [`login`] | how often a password may be tried |
//! | [`health`], [`fingerprint`] | how the mail of a profile has been doing, and with which settings |
//! | [`way`] | through which server an account's mail leaves |
//! | [`search`], [`near`] | what a search box finds; the server that a mistyped name was meant for |
//! | [`provider`], [`locale`] | the table of providers, and its texts in both languages |
//!
//! The arrows, which the compiler keeps: `model` ← `mail` ← `server`, `model` ← `app` ← `server`.
//!
//! Without the feature `full` there is only what the browser needs, so that the WebAssembly stays small.

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
