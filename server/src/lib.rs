//! Server side. Implements the configurator's ports, and contains the binary `facteur`.
//!
//! | module | what it is |
//! |---|---|
//! | [`cli`] | the command line, one command in each file |
//! | [`config`], [`service`] | the operator's settings, and the service made from them |
//! | [`http`] | the route table, its layers, and the handlers that are not pages |
//! | [`portal`] | a portal: its tokens, its relay, its webhooks |
//! | [`profiles`], [`test_runs`] | the use cases: profiles, tests |
//! | [`outbox`] | the messages: queue, workers, what an attempt means |
//! | [`credentials`] | how secrets are sealed, and how often one may be tried |
//! | [`oauth`] | signing in at providers: registrations, grants, access tokens |
//! | [`sign_in`] | from the button of a form to a profile's grant |
//! | [`admission`] | which party may start a conversation with a mail server now |
//! | [`store`] | storage |
//! | [`replicas`] | several processes on one database |
//! | [`events`], [`metrics`] | events for portals, metrics for operators |
//! | [`demo`] | everything on one machine: a portal, a mail server, the configurator |
//! | [`time`] | a clock that does not jump, and deadlines that move when the machine's clock does |

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
pub mod oauth;
mod objects;
pub mod outbox;
pub mod portal;
pub mod profiles;
pub mod replicas;
pub mod service;
pub mod sign_in;
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
    oauth::{AccessParts, AccessTokens, Clients, ProviderAccess, keeper::Keeper},
    outbox::{Outbox, OutboxOptions, OutboxParts},
    portal::{
        Portal,
        webhook::{WebhookParts, Webhooks},
    },
    profiles::ProfileService,
    replicas::Replicas,
    sign_in::SignInService,
    store::Store,
    test_runs::{TestQuota, TestRunner, TestRunnerParts},
};

/// The parts of an application.
pub struct Parts {
    /// The origin in the browser, such as `https://facteur.exemple`: no path, no trailing slash.
    pub public_origin: String,
    /// The path of the pages: the root, or a path such as `/smtp`.
    pub base_path: BasePath,
    pub portals: Vec<Portal>,
    pub store: Arc<dyn Store>,
    /// The processes that serve from the store.
    pub replicas: Replicas,
    pub vault: Vault,
    pub submitter: Arc<Submitter>,
    pub presets: Arc<Catalogue>,
    /// The registrations with providers.
    pub clients: Clients,
    pub quota: TestQuota,
    /// Most profiles of an account.
    pub most_profiles: u32,
    pub outbox: OutboxOptions,
    /// How much memory the bodies of messages may take.
    pub bodies: http::BodyBudget,
    pub clock: Clock,
}

/// The running parts.
pub struct Application {
    pub router: axum::Router,
    /// Sends nothing until it is started.
    pub outbox: Arc<Outbox>,
    pub webhooks: Arc<Webhooks>,
    /// Looks after grants once it is run.
    pub keeper: Keeper,
    pub metrics: Arc<Metrics>,
}

/// Builds the whole application.
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
        clients,
        quota,
        most_profiles,
        outbox,
        bodies,
        clock,
    } = parts;
    let (portals, metrics): (Arc<[Portal]>, _) = (portals.into(), Arc::new(Metrics::new()));
    let policy = submitter.policy().clone();
    let webhook_portals: Arc<[String]> =
        portals.iter().filter(|portal| portal.webhook.is_some()).map(|portal| portal.id.clone()).collect();
    let tokens = AccessTokens::new(AccessParts {
        store: store.clone(),
        vault: vault.clone(),
        clients,
        provider: ProviderAccess::new(submitter.network(), &clock),
        clock: clock.clone(),
        metrics: metrics.clone(),
        webhook_portals: webhook_portals.clone(),
    });
    let profiles = ProfileService::new(store.clone(), vault.clone(), policy, clock.clone())
        .with(most_profiles, &metrics)
        .with_tokens(tokens.clone());
    let keeper = Keeper { tokens: tokens.clone(), replicas: replicas.clone() };
    let sign_ins = SignInService::new(tokens, profiles.clone(), presets.clone());
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
        sign_ins: Arc::new(sign_ins.clone()),
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
        sign_ins,
        metrics: metrics.clone(),
        readiness: http::ReadinessCache::default(),
        body_memory: Arc::new(body_memory),
    });
    Application { router: http::router(site), outbox, webhooks, keeper, metrics }
}
