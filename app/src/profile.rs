//! Both. One SMTP configuration of an account: the model, the presets, the pages.

pub mod assistant;
pub use ::model::encoding;
pub mod moved;
pub use ::model::password;
pub mod preset_hint;
pub use ::model::security;
pub mod server_text;
pub mod warnings;

#[cfg(feature = "ssr")]
pub use ::model::address;
#[cfg(feature = "ssr")]
pub mod api;
#[cfg(feature = "ssr")]
pub mod asked;
#[cfg(feature = "ssr")]
pub mod autosave;
#[cfg(feature = "ssr")]
pub mod conflict;
#[cfg(feature = "ssr")]
pub mod delete;
#[cfg(feature = "ssr")]
pub mod doubt;
#[cfg(feature = "ssr")]
pub mod draft;
#[cfg(feature = "ssr")]
pub mod drafts;
#[cfg(feature = "ssr")]
pub mod dropping;
#[cfg(feature = "ssr")]
pub mod encoding_page;
#[cfg(feature = "ssr")]
pub mod field;
#[cfg(feature = "ssr")]
pub mod form;
#[cfg(feature = "ssr")]
pub mod guide;
#[cfg(feature = "ssr")]
pub mod list;
#[cfg(feature = "ssr")]
mod listed;
#[cfg(feature = "ssr")]
pub mod mask;
#[cfg(feature = "ssr")]
pub use ::model::mechanism;
#[cfg(feature = "ssr")]
pub mod model;
#[cfg(feature = "ssr")]
pub mod owner;
#[cfg(feature = "ssr")]
pub mod port;
#[cfg(feature = "ssr")]
pub mod preset;
#[cfg(feature = "ssr")]
pub use ::model::health as sending;
#[cfg(feature = "ssr")]
pub mod sending_api;
#[cfg(feature = "ssr")]
pub mod sending_page;
#[cfg(feature = "ssr")]
pub mod sent;
#[cfg(feature = "ssr")]
mod sent_view;
#[cfg(feature = "ssr")]
pub mod typed_sending;
