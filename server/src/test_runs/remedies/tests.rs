//! What is proposed, and what is not.

use app::{
    profile::model::{Destination, ProfileId, Settings},
    test_run::report::{CertificateSummary, TlsSummary},
};
use mail::{
    net::Policy,
    smtp::{Credentials, EhloName, Limits, SubmitterOptions},
};
use secrecy::SecretString;

use super::*;

fn row(preset: &str, host: &str, login: &str) -> ProfileRow {
    let destination = Destination {
        host: host.to_owned(),
        port: 465,
        security: Security::Tls,
        login: login.to_owned(),
        mechanism: None,
    };
    let settings = Settings {
        name: String::new(),
        preset: (!preset.is_empty()).then(|| preset.to_owned()),
        user: None,
        destination,
        sender_name: String::new(),
        sender_address: EmailAddress::parse("claire@exemple.fr").unwrap(),
        reply_to: None,
    };
    ProfileRow { in_use: true, ..ProfileRow::new(ProfileId(uuid::Uuid::nil()), settings) }
}

fn refused(mechanism: Mechanism, offered: &str) -> Report {
    let certificate = CertificateSummary {
        subject: String::new(),
        issuer: String::new(),
        names: vec![],
        not_before: String::new(),
        not_after: String::new(),
    };
    Report {
        verdict: Verdict::Failed,
        stage: Stage::Auth,
        cause: Some(Cause::BadCredentials),
        retryable: false,
        reply: None,
        finding: None,
        round_trips: 5,
        queue_id: None,
        mechanism: Some(mechanism),
        survey: None,
        fixes: vec![],
        capabilities: vec![offered.to_owned()],
        tls: Some(TlsSummary { version: "TLSv1.3".to_owned(), cipher: String::new(), certificate: Some(certificate) }),
        recipients: vec![],
        stages: vec![],
        transcript: vec![],
    }
}

async fn fixes(row: &ProfileRow, secret: &str, mut report: Report) -> Vec<Fix> {
    let submitter = Submitter::new(SubmitterOptions {
        policy: Policy::default(),
        ehlo_name: EhloName::parse("facteur.exemple").unwrap(),
        extra_roots: vec![],
        system_roots: true,
        limits: Limits::default(),
        control: None,
    })
    .unwrap();
    let Destination { host, port, security, login, .. } = row.settings.destination.clone();
    let submission = Submission {
        host,
        port,
        security,
        credentials: Some(Credentials::uncounted(login, SecretString::from(secret))),
        mechanism: None,
        from: "claire@exemple.fr".parse().unwrap(),
        to: vec![],
        message: vec![],
        depth: Depth::Message,
    };
    let presets = Catalogue::builtin();
    let remedies = Remedies { submitter: &submitter, presets: &presets, row, submission: &submission };
    remedies.find(&mut report).await;
    report.fixes
}

#[tokio::test]
async fn a_refused_password_gets_what_its_provider_and_its_server_say() {
    let plain = || refused(Mechanism::Plain, "AUTH PLAIN LOGIN");
    let login = |login: &str| vec![Fix::Login { login: login.to_owned() }];
    // La Poste and Free want the part before the @, others the whole address.
    let free = row("free", "smtp.free.fr", "claire@free.fr");
    assert_eq!(fixes(&free, "secret", plain()).await, login("claire"));
    let typed_by_hand = row("", "smtp.free.fr", "claire@free.fr");
    assert_eq!(fixes(&typed_by_hand, "secret", plain()).await, login("claire"));
    assert_eq!(fixes(&row("gmail", "smtp.gmail.com", "claire"), "secret", plain()).await, login("claire@exemple.fr"));
    assert_eq!(fixes(&row("gmail", "smtp.gmail.com", "claire@gmail.com"), "secret", plain()).await, []);
    assert_eq!(fixes(&row("", "mail.exemple.fr", "claire"), "secret", plain()).await, [], "the provider is unknown");
    // Spaces, and another mechanism that the server offers.
    let own = row("", "mail.exemple.fr", "claire@exemple.fr");
    assert_eq!(fixes(&own, " secret\u{200b}", plain()).await, [Fix::Spaces { count: 2 }]);
    let scram = |offered| refused(Mechanism::ScramSha256, offered);
    let to_plain = vec![Fix::Mechanism { mechanism: Mechanism::Plain }];
    assert_eq!(fixes(&own, "secret", scram("AUTH SCRAM-SHA-256 PLAIN")).await, to_plain);
    assert_eq!(fixes(&own, "secret", scram("AUTH=SCRAM-SHA-256")).await, []);
    let in_clear = Report { tls: None, ..scram("AUTH SCRAM-SHA-256 PLAIN") };
    assert_eq!(fixes(&own, "secret", in_clear).await, [], "not without encryption");
}

#[test]
fn a_fix_never_changes_the_host() {
    let settings = row("", "mail.exemple.fr", "claire@exemple.fr").settings;
    for fix in [
        Fix::Port { port: 587, security: Security::Starttls },
        Fix::Security { security: Security::Starttls },
        Fix::Login { login: "claire".to_owned() },
        Fix::Sender { address: EmailAddress::parse("autre@exemple.fr").unwrap() },
        Fix::Spaces { count: 1 },
        Fix::Mechanism { mechanism: Mechanism::Plain },
    ] {
        let changed = fix.apply(&settings);
        assert_eq!(changed.destination.host, settings.destination.host);
        assert_eq!(changed == settings, matches!(fix, Fix::Spaces { .. }), "{fix:?}");
    }
}
