//! Grants of the demo's provider, over real connections: sign-in, refresh, and every way in which a refresh fails.

use std::time::Duration;

use app::{diagnosis::cause::Cause, journal::model::Author, session::User};
use jiff::Timestamp;

use super::{
    check::{Checked, check},
    endpoints::Endpoints,
    id_token::IdTokenError,
    keeper::Keeper,
    *,
};
use crate::{replicas::Replicas, store::aggregates::*};

mod hostile;
mod world;

pub(crate) use world::World;
use world::martin;

#[tokio::test]
async fn a_token_lasts_and_many_logins_share_one_refresh() {
    let world = World::new().await;
    let id = world.profile("boutique").await;
    let before = world.row(id).await;
    world.access(id).await.unwrap();
    assert_eq!(world.provider.refreshes(), 0);
    world.wait(3_400);
    let asked = futures::future::join_all((0..20).map(|_| world.access(id))).await;
    assert!(asked.iter().all(Result::is_ok), "{asked:?}");
    assert_eq!(world.provider.refreshes(), 1);
    let after = world.row(id).await;
    assert_ne!(after.secret.as_ref().unwrap().sealed, before.secret.as_ref().unwrap().sealed);
    assert_eq!((after.fingerprint(), after.revision), (before.fingerprint(), before.revision), "no new test");
}

#[tokio::test]
async fn a_refused_token_is_replaced_though_it_would_last() {
    let world = World::new().await;
    let id = world.profile("boutique").await;
    let refused = world.access(id).await.unwrap();
    let row = world.row(id).await;
    let new = world.tokens.access(&martin(), &row, row.grant.as_ref().unwrap(), Some(&refused)).await.unwrap();
    assert_ne!(secrecy::ExposeSecret::expose_secret(&new), secrecy::ExposeSecret::expose_secret(&refused));
}

#[tokio::test]
async fn a_refresh_token_that_works_once_is_followed() {
    let world = World::new().await;
    let id = world.profile("rotation").await;
    for _ in 0..4 {
        world.wait(3_600);
        world.access(id).await.unwrap();
    }
    assert_eq!(world.provider.refreshes(), 4);
}

#[tokio::test]
async fn a_refresh_goes_on_when_its_caller_is_gone() {
    let world = World::new().await;
    let id = world.profile("rotation").await;
    world.wait(3_600);
    let grant = world.row(id).await.grant.unwrap().id;
    // Dropped once the lease is taken: the request is under way.
    tokio::select! {
        _ = world.access(id) => {}
        () = async {
            while world.store.grant(grant).await.unwrap().unwrap().leased_until.is_none() {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    let written = async {
        while world.store.grant(grant).await.unwrap().unwrap().version == 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), written).await.expect("the answer is written");
    world.access(id).await.unwrap();
    assert_eq!(world.provider.refreshes(), 1);
}

#[tokio::test]
async fn an_ended_grant_breaks_its_profile_and_asks_nothing_more() {
    for (persona, code) in [("revoque", "AADSTS"), ("mfa", "AADSTS50076")] {
        let world = World::new().await;
        let id = world.profile(persona).await;
        world.provider.revoke_all("revoque@sandbox.example");
        world.wait(3_600);
        assert_eq!(world.access(id).await.unwrap_err(), NoToken::Ended(Cause::OauthReconnect), "{persona}");
        let row = world.row(id).await;
        assert!(row.health.is_held(), "{persona}");
        let end = row.grant.unwrap().ended.unwrap();
        assert!(end.cause == Cause::OauthReconnect && end.code.starts_with(code), "{end:?}");
        let asked = world.provider.refreshes();
        world.access(id).await.unwrap_err();
        assert_eq!(world.provider.refreshes(), asked);
        assert_eq!(world.store.due_events("demo", Timestamp::MAX, 9).await.unwrap().len(), 1, "told once");
    }
}

#[tokio::test]
async fn a_registration_that_is_refused_rests_and_ends_no_grant() {
    let world = World::new().await;
    let (dead, well) = (world.profile("client-mort").await, world.profile("boutique").await);
    world.wait(3_600);
    assert_eq!(world.access(dead).await.unwrap_err(), NoToken::Ended(Cause::OauthClient));
    assert_eq!(world.row(dead).await.grant.unwrap().ended, None, "it works again once the operator has acted");
    let asked = world.provider.refreshes();
    assert_eq!(world.access(well).await.unwrap_err(), NoToken::Ended(Cause::OauthClient), "the same registration");
    assert_eq!(world.provider.refreshes(), asked);
}

#[tokio::test]
async fn a_registration_is_checked_without_a_person() {
    let world = World::new().await;
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    assert_eq!(check(&world.access, &world.client, now).await, Checked::Works);
    let with = |change: fn(&mut Client)| {
        let mut client = Client::clone(&world.client);
        change(&mut client);
        client
    };
    let wrong = with(|client| client.secret = secrecy::SecretString::from("another secret"));
    assert!(matches!(check(&world.access, &wrong, now).await, Checked::Refused(code) if code == "AADSTS7000215"));
    let unknown = with(|client| client.client_id = "another".to_owned());
    assert!(matches!(check(&world.access, &unknown, now).await, Checked::Refused(_)));
    let nowhere = with(|client| {
        if let Endpoints::Fixed(fixed) = &mut client.endpoints {
            fixed.token = "http://127.0.0.1:1/".to_owned();
        }
    });
    assert!(matches!(check(&world.access, &nowhere, now).await, Checked::Unavailable(_)));
}

#[tokio::test]
async fn a_provider_that_is_down_or_answers_a_page_touches_no_health() {
    let world = World::new().await;
    for (persona, pause) in [("panne", 30), ("html", 30)] {
        let id = world.profile(persona).await;
        world.wait(3_600);
        let retry_after = Duration::from_secs(pause);
        assert_eq!(world.access(id).await.unwrap_err(), NoToken::Unavailable { retry_after }, "{persona}");
        let row = world.row(id).await;
        assert!(!row.health.is_broken() && row.health.failures == 0 && row.grant.unwrap().ended.is_none());
    }
}

#[tokio::test]
async fn an_id_token_of_another_request_or_another_time_is_refused() {
    let world = World::new().await;
    assert_eq!(world.granted("boutique", "another").await.err(), Some(IdTokenError::Nonce));
    let grant = world.granted("autre-compte", "n").await.unwrap();
    assert_eq!(grant.identified.address.as_str(), "contact@sandbox.example", "the token says who signed in");
}

#[tokio::test]
async fn unused_grants_are_refreshed_and_detached_ones_revoked() {
    let world = World::new().await;
    let keeper = || Keeper { tokens: world.tokens.clone(), replicas: Replicas::alone() };
    let id = world.profile("boutique").await;
    keeper().once().await;
    assert_eq!(world.provider.refreshes(), 0);
    world.wait(20 * 86_400);
    keeper().once().await;
    assert_eq!(world.provider.refreshes(), 1);
    // A provider that is down is not asked again at once.
    let down = world.profile("html").await;
    world.wait(20 * 86_400);
    for _ in 0..3 {
        keeper().once().await;
    }
    assert_eq!(world.provider.refreshes(), 3, "each once");
    let (person, token) = (User { id: "c".to_owned(), name: "C".to_owned() }, world.access(id).await.unwrap());
    let token = secrecy::ExposeSecret::expose_secret(&token).to_owned();
    world.profiles.sign_out(Author { account: &martin(), person: &person }, id, None).await.unwrap();
    keeper().once().await;
    assert!(matches!(world.provider.tokens().login_of(&token), crate::demo::provider::TokenState::Revoked));
    assert!(world.store.detached_grants(None, 9).await.unwrap().is_empty());
    assert!(world.row(down).await.grant.is_some());
}
