//! Both. The configurator: its pages, its islands, its model, and the ports that the server implements.
//!
//! The map:
//!
//! | module | what it is |
//! |---|---|
//! | [`app`], [`shell`] | the table of pages; the HTML document around them |
//! | [`i18n`], [`error`], [`session`], [`services`] | texts, the error type, the visitor, the ports |
//! | [`sending_mode`] | the portal's own server, or one's own |
//! | [`profile`] | the SMTP profiles: model, presets, password, list, form, encoding |
//! | [`test_run`] | **Tester**: stages, report, the live panel |
//! | [`diagnosis`] | causes, and the card that explains one |
//! | [`journal`] | who changed what |
//! | [`forms`], [`carried`] | the fields of each form; what is kept of a form whose session has ended |
//! | [`base_path`] | the path that all pages are below |
//! | [`ui`], [`theme`] | the parts of every page; the portal's colours and fonts |
//!
//! Each slice uses the same file names: `model` (plain types), `port` (the trait the server implements), `api` (the
//! server functions), and one file per page or island. Everything the browser does not need is behind the feature
//! `ssr`. The WebAssembly contains the islands and the pure modules they share with the server: [`profile::password`],
//! [`profile::preset_hint`], [`profile::server_text`], [`profile::warnings`].

// The type of a page nests deeply.
#![recursion_limit = "256"]

pub mod diagnosis;
pub mod profile;
pub mod sign_in;
pub mod test_run;

#[cfg(feature = "ssr")]
pub mod app;
#[cfg(feature = "ssr")]
pub mod base_path;
#[cfg(feature = "ssr")]
pub mod carried;
#[cfg(feature = "hydrate")]
mod dom;
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

/// Called by the page's loader once the WebAssembly is loaded.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
