//! Both. The configurator: its pages, its islands, its model, and the ports the server fills in.
//!
//! The map:
//!
//! | module | what it is |
//! |---|---|
//! | [`app`], [`shell`] | the table of pages; the HTML document around them |
//! | [`i18n`], [`error`], [`session`], [`services`] | language, the one error, who is asking, the ports |
//! | [`sending_mode`] | the portal's own server, or one's own |
//! | [`profile`] | the SMTP profiles: model, presets, password, list, form, encoding |
//! | [`test_run`] | **Tester**: stages, report, the live panel |
//! | [`diagnosis`] | causes, and the card that explains one |
//! | [`journal`] | who changed what |
//! | [`forms`], [`carried`] | what each form sends; what is kept of one whose session has ended |
//! | [`base_path`] | where the pages are below their origin |
//! | [`ui`], [`theme`] | what every page is made of, and how it looks like the portal |
//!
//! Each slice uses the same file names: `model` (plain types), `port` (the trait the server implements), `api` (the
//! server functions), and one file per page or island. Whatever only the server needs is behind the feature `ssr`;
//! what is left is the WebAssembly, and it is kept small: islands and the two pure modules they share with the server
//! ([`profile::password`], [`profile::preset_hint`]).

// A page is one deep type.
#![recursion_limit = "256"]

pub mod diagnosis;
pub mod profile;
pub mod test_run;

#[cfg(feature = "ssr")]
pub mod app;
#[cfg(feature = "ssr")]
pub mod base_path;
#[cfg(feature = "ssr")]
pub mod carried;
#[cfg(feature = "ssr")]
pub mod error;
#[cfg(feature = "hydrate")]
mod fetch;
#[cfg(feature = "ssr")]
pub mod forms;
#[cfg(feature = "ssr")]
pub mod i18n;
#[cfg(feature = "ssr")]
pub mod journal;
#[cfg(feature = "ssr")]
pub mod sending_mode;
#[cfg(feature = "ssr")]
pub mod services;
#[cfg(feature = "ssr")]
pub mod session;
#[cfg(feature = "ssr")]
pub mod shell;
#[cfg(feature = "ssr")]
pub mod theme;
#[cfg(feature = "ssr")]
pub mod ui;

/// Called by the page's loader once the WebAssembly is there.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
