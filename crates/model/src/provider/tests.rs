//! Every file of the table is valid, refers only to existing items, and is well written.

use std::collections::BTreeSet;

use super::*;
use crate::locale::Locale;

/// All advice, with its location.
fn all_advice() -> impl Iterator<Item = (String, &'static str, &'static Advice)> {
    all().iter().flat_map(|provider| {
        let own = provider.advice.iter().map(|(code, advice)| (provider.id.clone(), code.as_str(), advice));
        let of_services = provider.services.iter().flat_map(|(id, service)| {
            service.advice.iter().map(move |(code, advice)| (id.clone(), code.as_str(), advice))
        });
        own.chain(of_services)
    })
}

#[test]
fn a_provider_is_one_file() {
    assert!(all().len() > 80);
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/data/providers")).unwrap().count();
    assert_eq!(all().len(), files, "every file of the folder is in the table, and nothing else names them");
    for provider in all() {
        assert!(!provider.name.is_empty() && !provider.hosts.is_empty(), "{}", provider.id);
        let says_something =
            !provider.presets.is_empty() || !provider.advice.is_empty() || !provider.signatures.is_empty();
        assert!(says_something || !provider.services.is_empty() || provider.hosts.len() > 1 || provider.id == "qq");
        for preset in provider.presets.iter().filter(|preset| !preset.host_is_template) {
            let runs = provider.runs(&preset.host)
                || provider
                    .services
                    .values()
                    .any(|service| service.hosts.iter().any(|end| is_under(&preset.host, end)));
            assert!(runs, "{} is not at a server of {}", preset.id, provider.id);
        }
    }
}

#[test]
fn a_server_belongs_to_one_provider() {
    let mut seen = BTreeSet::new();
    for provider in all() {
        for host in &provider.hosts {
            assert!(seen.insert(host), "{host} stands twice");
            assert!(!host.starts_with('.') && host.contains('.') && *host == host.to_lowercase(), "{host}");
        }
    }
    let mut seen = BTreeSet::new();
    for service in all().iter().flat_map(|provider| provider.services.values()) {
        assert!(service.hosts.iter().all(|host| seen.insert(host)), "{}", service.name);
    }
}

#[test]
fn exchangers_lead_to_presets() {
    let mut seen = BTreeSet::new();
    for (provider, exchanger) in
        all().iter().flat_map(|provider| provider.exchangers.iter().map(move |mx| (provider, mx)))
    {
        assert!(seen.insert(&exchanger.suffix), "{} stands twice", exchanger.suffix);
        let known = provider.presets.iter().any(|preset| preset.id == exchanger.preset);
        assert!(known, "{}: {}", exchanger.suffix, exchanger.preset);
    }
    assert!(seen.len() > 70);
}

#[test]
fn every_piece_of_advice_is_about_a_cause_and_is_well_written() {
    assert!(all_advice().count() > 200);
    for (id, code, advice) in all_advice() {
        assert!(Cause::from_code(code).is_some(), "{id}.{code}");
        for text in [Some(&advice.next), advice.what.as_ref()].into_iter().flatten() {
            for locale in Locale::ALL {
                let text = text.get(locale);
                assert!(text.ends_with(['.', '?', '!', '…', '»', ')']) && !text.contains('\''), "{id}.{code}: {text}");
            }
            let french = text.get(Locale::Fr);
            for sign in [" :", " ;", " ?", " !", "« ", " »"] {
                assert!(!french.contains(sign), "{id}.{code}: {french}");
            }
        }
        assert!(advice.link.as_ref().is_none_or(|link| link.starts_with("https://")), "{id}.{code}");
    }
}

#[test]
fn hosts_are_ends_at_a_dot() {
    assert!(advice("smtp.gmail.com", Cause::AppPasswordRequired).is_some());
    assert!(advice("SMTP.GMAIL.COM.", Cause::AppPasswordRequired).is_some());
    assert!(advice("smtp.notgmail.com", Cause::AppPasswordRequired).is_none());
    assert!(advice("gmail.com.example", Cause::AppPasswordRequired).is_none());
    assert!(is_under("smtp.orange.fr", "orange.fr") && is_under("ORANGE.fr.", "orange.fr"));
    assert!(!is_under("smtp.yorange.fr", "orange.fr") && !is_under("fr", "orange.fr") && !is_under("", "a"));
    assert!(!is_under("ééé.fr", "x.fr"));
}

#[test]
fn the_usual_providers_say_what_to_do_about_a_wrong_password() {
    for host in [
        "smtp.gmail.com",
        "smtp.office365.com",
        "smtp-mail.outlook.com",
        "smtp.mail.yahoo.com",
        "smtp.mail.me.com",
        "smtp.orange.fr",
        "smtp.free.fr",
        "smtp.sfr.fr",
        "smtp.laposte.net",
        "ssl0.ovh.net",
        "smtp.ionos.fr",
        "mail.gandi.net",
        "mail.infomaniak.com",
        "smtp.zoho.eu",
        "smtp-relay.brevo.com",
        "email-smtp.eu-west-3.amazonaws.com",
    ] {
        assert!(advice(host, Cause::BadCredentials).is_some(), "{host}");
    }
}

#[test]
fn a_product_has_advice_of_its_own() {
    let (mailbox, relay) = (name("smtp.gmail.com"), name("smtp-relay.gmail.com"));
    assert_eq!((mailbox, relay), (Some("Google"), Some("Google Workspace")));
    assert_eq!(name("smtp.exemple.fr"), None);
}
