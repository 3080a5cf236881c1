//! Two replicas on one database: one of them delivers each event, and the other takes over when that one stops.

use std::{
    collections::HashMap,
    sync::{Mutex, atomic::AtomicUsize},
};

use axum::{Router, extract::State, http::HeaderMap, routing};
use jiff::Timestamp;
use mail::net::Policy;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use super::*;
use crate::{
    replicas::{TERMS, tests::Node},
    store::{
        outbox::QueueMetrics,
        postgres::{PostgresStore, cluster},
    },
};

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// What the portal received: how often each event, and the most concurrent calls for one event.
#[derive(Default)]
struct Heard {
    calls: Mutex<HashMap<String, usize>>,
    open: Mutex<HashMap<String, usize>>,
    most_at_once: AtomicUsize,
}

impl Heard {
    fn events(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    async fn wait_for(&self, events: usize) {
        let all = async {
            while self.events() < events {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let seconds = tokio::time::timeout(Duration::from_secs(60), all).await;
        assert!(seconds.is_ok(), "only {} of {events} events were delivered", self.events());
    }
}

async fn hear(State(heard): State<Arc<Heard>>, headers: HeaderMap) -> StatusCode {
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    let at_once = {
        let mut open = heard.open.lock().unwrap();
        let calls = open.entry(id.clone()).or_default();
        *calls += 1;
        *calls
    };
    heard.most_at_once.fetch_max(at_once, std::sync::atomic::Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(5)).await;
    *heard.open.lock().unwrap().get_mut(&id).unwrap() -= 1;
    *heard.calls.lock().unwrap().entry(id).or_default() += 1;
    StatusCode::NO_CONTENT
}

struct Replica {
    node: Node,
    webhooks: Arc<Webhooks>,
    metrics: Arc<Metrics>,
}

impl Replica {
    async fn start(store: &PostgresStore, portals: &Arc<[Portal]>) -> Self {
        let node = Node::new(store, TERMS).await;
        let policy = Policy {
            allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
            plaintext_hosts: vec!["127.0.0.1".to_owned()],
            ..Policy::default()
        };
        let metrics = Arc::new(Metrics::new());
        let webhooks = Webhooks::new(WebhookParts {
            store: Arc::new(cluster::beside(store).await),
            replicas: node.replicas.clone(),
            network: Arc::new(Network::new(policy, true, &[]).unwrap()),
            portals: portals.clone(),
            clock: Arc::new(|| NOW),
            metrics: metrics.clone(),
        });
        webhooks.start();
        Self { node, webhooks, metrics }
    }

    /// How many events it delivered.
    fn delivered(&self) -> usize {
        let text = self.metrics.render(&QueueMetrics::default(), 0.0, (0, 0));
        let line = text.lines().find(|line| line.starts_with(r#"facteur_webhooks_total{outcome="delivered"}"#));
        line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
    }
}

async fn add_events(store: &PostgresStore, amount: usize) {
    for _ in 0..amount {
        sqlx::query("INSERT INTO event (id, portal, content, created_at, next_at) VALUES ($1, 'demo', '{}', $2, $2)")
            .bind(crate::ids::at(NOW).to_string())
            .bind(NOW.as_millisecond())
            .execute(cluster::pool_of(store))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_event_is_delivered_by_one_replica_and_the_other_takes_over_when_it_stops() {
    let Some(store) = cluster::store().await else { return };
    let heard = Arc::new(Heard::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = Router::new().route("/hook", routing::post(hear)).with_state(heard.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let webhook = Webhook {
        url: WebhookUrl::parse(&url).unwrap(),
        secrets: vec![Zeroizing::new(b"a secret that signs".to_vec())],
    };
    let portals: Arc<[Portal]> = Arc::new([Portal {
        id: "demo".to_owned(),
        name: "Comptoir".to_owned(),
        origins: vec![],
        home: None,
        time_zone: None,
        keys: vec![],
        require_challenge: false,
        theme: app::theme::GivenTheme::default(),
        api_keys: vec![],
        relay: None,
        webhook: Some(Arc::new(webhook)),
    }]);
    add_events(&store, 150).await;
    let replicas = [Replica::start(&store, &portals).await, Replica::start(&store, &portals).await];
    heard.wait_for(150).await;
    // A delivered event is not sent again.
    tokio::time::sleep(LOOK_EVERY * 3).await;
    assert!(heard.calls.lock().unwrap().values().all(|calls| *calls == 1), "an event was delivered twice");
    assert_eq!(heard.most_at_once.load(std::sync::atomic::Ordering::Relaxed), 1);
    let [one, other] = replicas;
    let (first, second) = if one.delivered() > 0 { (one, other) } else { (other, one) };
    assert_eq!((first.delivered(), second.delivered()), (150, 0), "one replica delivers all");
    first.webhooks.stop().await;
    first.node.replicas.leave().await;
    add_events(&store, 10).await;
    heard.wait_for(160).await;
    assert_eq!(first.delivered(), 150);
    second.webhooks.stop().await;
    assert_eq!(second.delivered(), 10);
    assert!(heard.calls.lock().unwrap().values().all(|calls| *calls == 1), "an event was delivered twice");
}
