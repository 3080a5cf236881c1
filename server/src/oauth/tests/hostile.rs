//! Token endpoints that answer wrongly, slowly or hugely, and every row of the error tables, as a provider sends it.

use std::time::Duration;

use app::{diagnosis::cause::Cause, profile::model::ProfileId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{super::NoToken, world::World};
use crate::demo::registration::PROVIDER_HOST;

/// What the endpoint does with a request.
#[derive(Clone)]
enum Does {
    /// Sends this and closes.
    Answers(Vec<u8>),
    /// Sends this again and again.
    Repeats(Vec<u8>, Duration),
    Hangs,
    HangsUp,
}

fn response(status: &str, headers: &str, body: &str) -> Does {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
    Does::Answers([head.as_bytes(), body.as_bytes()].concat())
}

fn json(status: &str, body: &str) -> Does {
    response(status, "Content-Type: application/json\r\n", body)
}

/// A token endpoint; returns its URL.
async fn endpoint(does: Does) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let does = does.clone();
            tokio::spawn(async move {
                let mut request = [0; 16 * 1024];
                let _ = stream.read(&mut request).await;
                match does {
                    Does::Answers(bytes) => drop(stream.write_all(&bytes).await),
                    Does::Repeats(bytes, pause) => {
                        let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
                        let _ = stream.write_all(head).await;
                        while stream.write_all(&bytes).await.is_ok() {
                            tokio::time::sleep(pause).await;
                        }
                    }
                    Does::Hangs => tokio::time::sleep(Duration::from_secs(60)).await,
                    Does::HangsUp => {}
                }
            });
        }
    });
    format!("http://{PROVIDER_HOST}:{port}/token")
}

/// A profile whose token has ended, and what a login gets from this endpoint.
async fn refreshed_at(does: Does) -> (World, ProfileId, NoToken) {
    let world = World::new().await;
    let id = world.profile("rotation").await;
    world.wait(3_600);
    let error = world.access_by(&world.replica(Some(endpoint(does).await)), id).await.unwrap_err();
    (world, id, error)
}

#[tokio::test]
async fn an_endpoint_out_of_order_changes_nothing_and_the_grant_works_afterwards() {
    let token = |rest: &str| json("200 OK", &format!(r#"{{"access_token":"t","token_type":"Bearer"{rest}}}"#));
    let long = format!(r#"{{"access_token":"{}","token_type":"Bearer"}}"#, "t".repeat(9_000));
    let usual = 30;
    let rows = [
        ("a page", response("200 OK", "Content-Type: text/html\r\n", "<html>maintenance</html>"), usual),
        ("a page as an error", response("400 Bad Request", "Content-Type: text/html\r\n", "<html>no</html>"), usual),
        ("an empty object", json("200 OK", "{}"), usual),
        ("nothing", json("200 OK", ""), usual),
        ("not a bearer token", json("200 OK", r#"{"access_token":"t","token_type":"mac"}"#), usual),
        ("a token that ends the line", json("200 OK", r#"{"access_token":"a\r\nQUIT","token_type":"Bearer"}"#), usual),
        ("a token that is too long", json("200 OK", &long), usual),
        ("a negative life", token(r#","expires_in":-1"#), usual),
        ("too often", response("429 Too Many Requests", "Retry-After: 120\r\n", ""), 120),
        ("too often, without a time", json("429 Too Many Requests", r#"{"error":"invalid_grant"}"#), usual),
        ("down, for two days", response("503 Service Unavailable", "Retry-After: 172800\r\n", ""), 3_600),
        ("an error of a gateway", json("502 Bad Gateway", r#"{"error":"invalid_grant"}"#), usual),
        ("elsewhere", response("302 Found", "Location: http://127.0.0.1:9/\r\n", ""), usual),
        ("endless", Does::Repeats(vec![b' '; 8_192], Duration::ZERO), usual),
        ("slow", Does::Repeats(b" ".to_vec(), Duration::from_millis(500)), usual),
        ("silent", Does::Hangs, usual),
        ("gone", Does::HangsUp, usual),
        ("another protocol", Does::Answers(b"220 smtp.example ESMTP\r\n".to_vec()), usual),
    ];
    let tried = rows.map(|(name, does, pause)| async move {
        let (world, id, error) = refreshed_at(does).await;
        assert_eq!(error, NoToken::Unavailable { retry_after: Duration::from_secs(pause) }, "{name}");
        let row = world.row(id).await;
        assert!(!row.health.is_broken() && row.health.failures == 0, "{name}");
        assert!(row.grant.unwrap().ended.is_none(), "{name}");
        assert_eq!(world.events().await, 0, "{name}");
        // Its refresh token works once: it was not used up, and none of the answers replaced it.
        assert!(world.access(row.id).await.is_ok(), "{name}: the true endpoint");
    });
    futures::future::join_all(tried).await;
}

#[tokio::test]
async fn every_row_of_the_error_tables_says_who_must_act() {
    use Cause::{OauthAccount as Account, OauthAdmin as Admin, OauthClient as Client, OauthReconnect as Reconnect};
    let microsoft: [(&str, &[u32], Option<Cause>); 7] = [
        ("interaction_required", &[65_001, 50_076, 50_079, 50_072, 50_074, 50_158, 50_078], Some(Reconnect)),
        ("invalid_grant", &[50_173, 700_082, 70_008, 70_043, 70_000, 50_089, 123_456], Some(Reconnect)),
        ("invalid_grant", &[90_094, 90_095, 53_003, 530_032, 530_035, 53_000, 53_001, 50_005, 50_131], Some(Admin)),
        ("access_denied", &[530_003, 50_105], Some(Admin)),
        ("invalid_grant", &[50_057, 50_053, 50_055, 50_144, 50_020, 50_034, 500_208, 9_002_332, 90_072], Some(Account)),
        (
            "invalid_client",
            &[700_016, 7_000_112, 700_011, 7_000_215, 7_000_222, 7_000_218, 700_025, 50_011, 900_971, 70_011, 650_057],
            Some(Client),
        ),
        ("invalid_grant", &[50_033, 50_087, 90_006, 90_012, 90_024, 90_033, 90_055], None),
    ];
    let of_microsoft = microsoft.iter().flat_map(|(error, numbers, cause)| {
        let body = move |number: &u32| {
            format!(
                r#"{{"error":"{error}","error_description":"AADSTS{number}: Text. Trace ID: 1","error_codes":[{number}]}}"#
            )
        };
        numbers.iter().map(move |number| (body(number), *cause))
    });
    let others = [
        (r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#, Some(Reconnect)),
        (r#"{"error":"invalid_grant","error_subtype":"invalid_rapt","error_description":"reauth"}"#, Some(Reconnect)),
        (r#"{"error":"consent_required"}"#, Some(Reconnect)),
        (r#"{"error":"invalid_client"}"#, Some(Client)),
        (r#"{"error":"unauthorized_client"}"#, Some(Client)),
        (r#"{"error":"redirect_uri_mismatch"}"#, Some(Client)),
        (r#"{"error":"org_internal"}"#, Some(Admin)),
        (r#"{"error":"admin_policy_enforced"}"#, Some(Admin)),
        (r#"{"error":"temporarily_unavailable"}"#, None),
        (r#"{"error":"server_error"}"#, None),
    ];
    let rows = of_microsoft.chain(others.map(|(body, cause)| (body.to_owned(), cause)));
    let tried = rows.map(|(body, cause)| async move {
        let (world, id, error) = refreshed_at(json("400 Bad Request", &body)).await;
        let pause = Duration::from_secs(30);
        let expected = cause.map_or(NoToken::Unavailable { retry_after: pause }, NoToken::Ended);
        assert_eq!(error, expected, "{body}");
        let row = world.row(id).await;
        // The operator's fault ends no grant; each of the others does, and sends one event.
        let ends = cause.is_some_and(|cause| cause != Client);
        assert_eq!(row.grant.unwrap().ended.is_some(), ends, "{body}");
        assert_eq!(
            (row.health.is_held(), world.events().await),
            (cause.is_some(), usize::from(cause.is_some())),
            "{body}"
        );
    });
    futures::future::join_all(tried).await;
}

#[tokio::test]
async fn two_processes_share_one_refresh_of_a_token_that_works_once() {
    let world = World::new().await;
    let id = world.profile("rotation").await;
    let replicas = [world.replica(None), world.replica(None), world.replica(None)];
    for round in 1..=3 {
        world.wait(3_600);
        let logins = (0..30).map(|login| world.access_by(&replicas[login % 3], id));
        let asked = futures::future::join_all(logins).await;
        assert!(asked.iter().all(Result::is_ok), "{asked:?}");
        assert_eq!(world.provider.refreshes(), round);
    }
}

#[tokio::test]
async fn a_clock_that_is_off_by_an_hour_is_no_reason_to_refuse_or_to_refresh_more_often() {
    for ahead in [3_600, -3_600, 7_200] {
        let world = World::ahead(ahead).await;
        let id = world.profile("rotation").await;
        world.access(id).await.unwrap();
        assert_eq!(world.provider.refreshes(), 0, "{ahead}");
        world.wait(3_400);
        world.access(id).await.unwrap();
        world.access(id).await.unwrap();
        assert_eq!(world.provider.refreshes(), 1, "{ahead}");
    }
}

#[tokio::test]
async fn a_life_beyond_reason_is_cut_to_a_day() {
    let world = World::new().await;
    let id = world.profile("boutique").await;
    world.wait(3_600);
    let body = format!(r#"{{"access_token":"t","token_type":"bearer","expires_in":{}}}"#, u64::MAX);
    let endpoint = endpoint(json("200 OK", &body)).await;
    world.access_by(&world.replica(Some(endpoint)), id).await.unwrap();
    world.wait(86_400);
    assert_eq!(world.provider.refreshes(), 0);
    world.access(id).await.unwrap();
    assert_eq!(world.provider.refreshes(), 1, "by then the token has ended");
}
