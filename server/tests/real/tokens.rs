//! Access tokens at Dovecot, which verifies their signature, issuer, scope, end and login itself: XOAUTH2 and
//! OAUTHBEARER (RFC 7628).

use app::{diagnosis::cause::Cause, profile::security::Security, test_run::event::Stage};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::{
    arrival::arrived,
    probe::Probe,
    servers::{LOGIN, Server, server},
};

const MECHANISMS: [&str; 2] = ["XOAUTH2", "OAUTHBEARER"];

/// A token of the provider that Dovecot trusts; `change` overrides claims.
fn token(server: &Server, change: Value) -> String {
    let now = (server::config::clock())().as_second();
    let mut claims = json!({
        "iss": "https://provider.test.example", "sub": "1", "azp": "facteur", "login": LOGIN, "scope": "openid mail.send",
        "iat": now - 5, "nbf": now - 5, "exp": now + 600,
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let header = Header { kid: Some("main".to_owned()), ..Header::new(Algorithm::ES256) };
    let key = EncodingKey::from_ec_pem(&std::fs::read(&server.token_key).unwrap()).unwrap();
    encode(&header, &claims, &key).unwrap()
}

fn dovecot() -> Option<Server> {
    server("dovecot")
}

#[test]
#[ignore = "make test-servers starts the servers"]
fn a_token_is_accepted_with_both_mechanisms_and_both_encryptions() {
    let Some(server) = dovecot() else { return };
    let token = token(&server, json!({}));
    for security in [Security::Tls, Security::Starttls] {
        for mechanism in MECHANISMS {
            let probe = Probe { password: &token, mechanism: Some(mechanism), ..Probe::new(&server, security) };
            let report = probe.accepted();
            let command = format!("C: AUTH {mechanism}");
            assert!(report.transcript.iter().any(|line| line.starts_with(&command)), "{report:#?}");
            arrived(&server, "karim", &probe.subject);
        }
    }
    let probe = Probe { password: &token, token_file: true, dry_run: true, ..Probe::new(&server, Security::Tls) };
    assert!(probe.run().cause.is_none());
}

/// Microsoft's tokens have 1,500 to 3,000 octets: they go in a second step.
#[test]
#[ignore = "make test-servers starts the servers"]
fn a_token_too_long_for_the_command_goes_in_a_second_step() {
    let Some(server) = dovecot() else { return };
    let token = token(&server, json!({ "groups": "g".repeat(1_800) }));
    assert!(token.len() > 2_000);
    for mechanism in MECHANISMS {
        let probe = Probe { password: &token, mechanism: Some(mechanism), ..Probe::new(&server, Security::Tls) };
        let report = probe.accepted();
        let command = format!("C: AUTH {mechanism}");
        assert!(report.transcript.contains(&command), "alone in its line: {report:#?}");
    }
}

#[test]
#[ignore = "make test-servers starts the servers"]
fn a_refused_token_says_so_and_is_shown_nowhere() {
    let Some(server) = dovecot() else { return };
    let past = (server::config::clock())().as_second() - 3_600;
    for (name, change) in [
        ("ended", json!({ "exp": past, "iat": past - 60, "nbf": past - 60 })),
        ("another issuer", json!({ "iss": "https://evil.test.example" })),
        ("without the scope", json!({ "scope": "openid" })),
        ("another login", json!({ "login": "karim" })),
        ("another key", json!({ "azp": "unknown" })),
    ] {
        let token = token(&server, change);
        for mechanism in MECHANISMS {
            let probe = Probe { password: &token, mechanism: Some(mechanism), ..Probe::new(&server, Security::Tls) };
            let report = probe.fails(Cause::OauthPermission);
            assert_eq!(report.stage, Stage::Auth, "{name}");
            let shown = format!("{report:?}");
            assert!(!shown.contains(&token[token.len() - 40..]), "{name}");
        }
    }
}
