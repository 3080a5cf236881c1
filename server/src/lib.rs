//! Server side. What the configurator's ports need, and the binary `facteur`.
//!
//! | module | what it is |
//! |---|---|
//! | [`http`] | THE route table, its layers, and the few handlers that are not pages |
//! | [`portal_auth`] | verifies a portal's token |
//! | [`profiles`], [`tester`], [`confirmation`] | the use cases: profiles, tests, the mail of a test |
//! | `mend` | after a failed test: what may help, checked |
//! | [`store`], [`vault`] | what is kept, and how secrets are sealed |
//! | [`smtp`], [`diagnosis`] | the conversation behind its guard; replies to causes |
//! | [`demo`] | everything on one machine: a portal, a mail server, the configurator |
//! | [`probe`], [`explain`] | the conversation and the diagnosis on the command line |
//! | [`config`], [`serve`] | what an operator sets, and the service made of it |

pub mod config;
pub mod confirmation;
pub mod demo;
pub mod diagnosis;
pub mod explain;
pub mod http;
mod mend;
pub mod portal_auth;
pub mod probe;
pub mod profiles;
pub mod serve;
pub mod smtp;
pub mod store;
pub mod tester;
pub mod vault;

use std::sync::Arc;

use app::{
    place::Place,
    profile::preset::Catalogue,
    services::{Clock, Services},
};

use crate::{
    portal_auth::Portal,
    profiles::ProfileBook,
    smtp::Submitter,
    store::Store,
    tester::{TestQuota, TestRunner},
    vault::Vault,
};

/// What an application is made of.
pub struct Parts {
    /// Where the browser finds it, such as `https://facteur.exemple`: no path, no trailing slash.
    pub public_origin: String,
    /// Where the pages are below it: at the root, or under a path such as `/smtp`.
    pub place: Place,
    pub portals: Vec<Portal>,
    pub store: Arc<dyn Store>,
    pub vault: Vault,
    pub submitter: Arc<Submitter>,
    pub presets: Arc<Catalogue>,
    pub quota: TestQuota,
    pub clock: Clock,
}

/// The whole application as one router.
pub fn application(parts: Parts) -> axum::Router {
    let Parts { public_origin, place, portals, store, vault, submitter, presets, quota, clock } = parts;
    let policy = submitter.policy().clone();
    let book = ProfileBook::new(store.clone(), vault.clone(), policy, clock.clone());
    let tester = TestRunner::new(store.clone(), book.clone(), submitter, presets.clone(), clock.clone(), quota);
    let services = Services {
        profiles: Arc::new(book.clone()),
        sending_modes: Arc::new(book.clone()),
        tester: Arc::new(tester),
        drafts: Arc::new(book.clone()),
        journal: Arc::new(book),
        presets,
        clock: clock.clone(),
    };
    http::router(http::Site { public_origin, place, portals: portals.into(), store, services, vault, clock })
}
