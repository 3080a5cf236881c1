//! Server side. What the configurator's ports need, and the binary `facteur`.
//!
//! | module | what it is |
//! |---|---|
//! | [`cli`] | the command line, one command a file |
//! | [`config`], [`service`] | what an operator sets, and the service made of it |
//! | [`http`] | THE route table, its layers, and the handlers that are not pages |
//! | [`portal`] | a portal: its tokens, its relay, its webhooks |
//! | [`profiles`], [`test_runs`] | the use cases: profiles, tests |
//! | [`outbox`] | the messages: queue, workers, what an attempt means |
//! | [`credentials`] | how secrets are sealed, and how often one may be tried |
//! | [`admission`] | who may have a conversation with a mail server now |
//! | [`store`] | what is stored |
//! | [`replicas`] | several processes on one database |
//! | [`events`], [`metrics`] | what portals and operators are told |
//! | [`demo`] | everything on one machine: a portal, a mail server, the configurator |
//! | [`time`] | a clock that does not jump, and what becomes of deadlines when the machine's does |

pub mod admission;
pub mod cli;
pub mod config;
pub mod credentials;
pub mod demo;
pub mod events;
mod group_commit;
pub mod http;
mod ids;
pub mod metrics;
mod objects;
pub mod outbox;
pub mod portal;
pub mod profiles;
pub mod replicas;
pub mod service;
pub mod store;
mod submission;
pub mod test_runs;
pub mod time;

use std::sync::Arc;

use app::{
    base_path::BasePath,
    profile::preset::Catalogue,
    services::{Clock, Services},
};
use mail::smtp::Submitter;

use crate::{
    credentials::Vault,
    metrics::Metrics,
    outbox::{Outbox, OutboxOptions, OutboxParts},
    portal::{
        Portal,
        webhook::{WebhookParts, Webhooks},
    },
    profiles::ProfileService,
    replicas::Replicas,
    store::Store,
    test_runs::{TestQuota, TestRunner, TestRunnerParts},
};

/// What an application is made of.
pub struct Parts {
    /// Where the browser finds it, such as `https://facteur.exemple`: no path, no trailing slash.
    pub public_origin: String,
    /// Where the pages are below it: at the root, or under a path such as `/smtp`.
    pub base_path: BasePath,
    pub portals: Vec<Portal>,
    pub store: Arc<dyn Store>,
    /// The processes that serve from it.
    pub replicas: Replicas,
    pub vault: Vault,
    pub submitter: Arc<Submitter>,
    pub presets: Arc<Catalogue>,
    pub quota: TestQuota,
    /// Profiles that an account may have.
    pub most_profiles: u32,
    pub outbox: OutboxOptions,
    /// How much memory the bodies of messages may take.
    pub bodies: http::BodyBudget,
    pub clock: Clock,
}

/// What runs.
pub struct Application {
    pub router: axum::Router,
    /// Sends nothing until it is started.
    pub outbox: Arc<Outbox>,
    pub webhooks: Arc<Webhooks>,
    pub metrics: Arc<Metrics>,
}

/// The whole application.
pub fn application(parts: Parts) -> Application {
    let Parts {
        public_origin,
        base_path,
        portals,
        store,
        replicas,
        vault,
        submitter,
        presets,
        quota,
        most_profiles,
        outbox,
        bodies,
        clock,
    } = parts;
    let (portals, metrics): (Arc<[Portal]>, _) = (portals.into(), Arc::new(Metrics::new()));
    let policy = submitter.policy().clone();
    let profiles =
        ProfileService::new(store.clone(), vault.clone(), policy, clock.clone()).with(most_profiles, &metrics);
    let webhook_portals =
        portals.iter().filter(|portal| portal.webhook.is_some()).map(|portal| portal.id.clone()).collect();
    let outbox = Outbox::new(OutboxParts {
        store: store.clone(),
        replicas: replicas.clone(),
        profiles: profiles.clone(),
        vault: vault.clone(),
        submitter: submitter.clone(),
        presets: presets.clone(),
        portals: portals.clone(),
        clock: clock.clone(),
        options: outbox,
        metrics: metrics.clone(),
    });
    let webhooks = Webhooks::new(WebhookParts {
        store: store.clone(),
        replicas: replicas.clone(),
        network: submitter.network().clone(),
        portals: portals.clone(),
        clock: clock.clone(),
        metrics: metrics.clone(),
    });
    profiles.set_change_listener(&outbox);
    let tester = TestRunner::new(TestRunnerParts {
        store: store.clone(),
        replicas,
        profiles: profiles.clone(),
        submitter,
        presets: presets.clone(),
        clock: clock.clone(),
        quota,
        webhook_portals,
        portals: portals.clone(),
        metrics: metrics.clone(),
    });
    let body_memory = http::BodyMemory::new(portals.iter().map(|portal| portal.id.as_str()), bodies);
    let services = Services {
        profiles: Arc::new(profiles.clone()),
        sending_modes: Arc::new(profiles.clone()),
        tester: Arc::new(tester),
        drafts: Arc::new(profiles.clone()),
        sent: Arc::new(profiles.clone()),
        deletions: Arc::new(profiles.clone()),
        journal: Arc::new(profiles),
        presets,
        clock: clock.clone(),
    };
    let site = http::Site::from(http::SiteParts {
        public_origin,
        base_path,
        portals,
        store,
        services,
        vault,
        clock,
        outbox: outbox.clone(),
        metrics: metrics.clone(),
        readiness: http::ReadinessCache::default(),
        body_memory: Arc::new(body_memory),
    });
    Application { router: http::router(site), outbox, webhooks, metrics }
}
