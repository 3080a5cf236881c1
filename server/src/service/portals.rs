//! Server side. Makes a portal from its section of the configuration.

use std::{num::NonZeroU32, sync::Arc};

use app::{
    profile::{address::EmailAddress, model::Destination, security::Security},
    theme::Theme,
};
use lettre::message::Mailbox;
use mail::net::{Policy, guard::Missing};
use secrecy::SecretString;

use super::keys::secret;
use crate::{
    config::{
        Config, ConfigError,
        secret_file::{self, SecretFileError},
        sections, stand_in,
    },
    portal::{ApiKey, Portal, PortalKey, Relay, Webhook, WebhookUrl, token::is_time_zone},
};

pub(super) fn portal_of(config: &Config, portal: &sections::Portal, policy: &Policy) -> Result<Portal, ConfigError> {
    let sections::Portal {
        id,
        name,
        origins,
        home,
        time_zone,
        keys,
        require_challenge,
        theme,
        api_keys,
        relay,
        webhook,
    } = portal;
    let place = format!("portal {id}");
    if id.chars().any(char::is_control) || id.is_empty() {
        return Err(ConfigError::wrong(place, "its id must not contain control characters"));
    }
    if origins.is_empty() {
        return Err(ConfigError::wrong(place, "needs at least one origin"));
    }
    for origin in origins {
        let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).unwrap_or_default();
        if rest.is_empty()
            || rest.contains(['/', '?', '#', '@', ' ', '*', ';', ','])
            || *origin != origin.to_ascii_lowercase()
        {
            let problem = format!("{origin} is not an origin such as https://portal.example");
            return Err(ConfigError::wrong(place, problem));
        }
    }
    if let Some(name) = time_zone.as_deref().filter(|name| !is_time_zone(name)) {
        let problem = format!("{name} is not a time zone of the IANA Time Zone Database such as Europe/Paris");
        return Err(ConfigError::wrong(place, problem));
    }
    let keys = keys.iter().map(|key| portal_key(config, &place, key)).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err(ConfigError::wrong(place, "needs at least one key"));
    }
    let (_, refused) = Theme::read([theme]);
    if !refused.is_empty() {
        let problem =
            format!("{} is unknown, or its value is invalid (docs/embedding.md lists them)", refused.join(", "));
        return Err(ConfigError::wrong(format!("{place}, theme"), problem));
    }
    Ok(Portal {
        id: id.clone(),
        name: name.clone(),
        origins: origins.clone(),
        home: home.clone(),
        time_zone: time_zone.clone(),
        keys,
        require_challenge: *require_challenge,
        theme: theme.clone(),
        api_keys: api_keys.iter().map(|key| api_key(&place, key)).collect::<Result<_, _>>()?,
        relay: relay.as_ref().map(|relay| relay_of(config, &place, relay, policy)).transpose()?.map(Arc::new),
        webhook: webhook.as_ref().map(|webhook| webhook_of(config, &place, webhook, policy)).transpose()?.map(Arc::new),
    })
}

fn portal_key(config: &Config, portal: &str, key: &sections::PortalKey) -> Result<PortalKey, ConfigError> {
    let place = format!("{portal}, key {}", key.id);
    match (&key.secret_file, &key.public_key_file) {
        (Some(file), None) => {
            let bytes = secret(config, place.clone(), file, secret_file::shared)?;
            PortalKey::shared(&key.id, &bytes).ok_or_else(|| ConfigError::wrong(place, SecretFileError::Short))
        }
        (None, Some(file)) => {
            let path = config.path(file);
            let pem = std::fs::read(&path).map_err(|_| ConfigError::Missing(path))?;
            PortalKey::public(&key.id, &pem)
                .ok_or_else(|| ConfigError::wrong(place, "not an Ed25519 or P-256 public key in PEM"))
        }
        _ => Err(ConfigError::wrong(place, "needs one of secret_file and public_key_file")),
    }
}

fn api_key(portal: &str, key: &sections::ApiKey) -> Result<ApiKey, ConfigError> {
    let hash = hex(&key.sha256).ok_or_else(|| {
        let problem = "sha256 must be 64 hexadecimal digits, as `facteur keys api` prints them";
        ConfigError::wrong(format!("{portal}, api_keys, {}", key.id), problem)
    })?;
    if stand_in::is_hash_of_one(&hash) {
        return Err(ConfigError::wrong(format!("{portal}, api_keys, {}", key.id), SecretFileError::Mask));
    }
    Ok(ApiKey { id: key.id.clone(), hash })
}

fn hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

fn relay_of(config: &Config, portal: &str, relay: &sections::Relay, policy: &Policy) -> Result<Relay, ConfigError> {
    let place = format!("{portal}, relay");
    let wrong = |problem: &str| ConfigError::wrong(place.clone(), problem);
    // Report everything that is missing at once.
    let in_clear = relay.login.is_some() && Security::parse(&relay.security) == Some(Security::None);
    let missing = policy.missing(&relay.host, Some(relay.port), in_clear);
    if !missing.is_empty() {
        return Err(wrong(&Missing::list(&missing)));
    }
    let host =
        policy.check_host(&relay.host).map_err(|refusal| wrong(&format!("host = {:?}: {refusal}", relay.host)))?;
    let security = Security::parse(&relay.security).ok_or_else(|| wrong("security must be tls, starttls or none"))?;
    let secret = match (&relay.login, &relay.secret_file) {
        (Some(_), Some(file)) => {
            let bytes = secret(config, place.clone(), file, secret_file::read)?;
            let text = std::str::from_utf8(&bytes).map_err(|_| wrong("the secret is not UTF-8"))?;
            Some(SecretString::from(text.to_owned()))
        }
        (None, None) => None,
        _ => return Err(wrong("needs both login and secret_file, or neither")),
    };
    let address = EmailAddress::parse(&relay.sender_address)
        .ok()
        .and_then(|address| address.as_str().parse().ok())
        .ok_or_else(|| wrong("sender_address is not an address"))?;
    Ok(Relay {
        destination: Destination {
            host: host.as_str().to_owned(),
            port: relay.port,
            security,
            login: relay.login.clone().unwrap_or_default(),
            mechanism: None,
        },
        secret,
        sender: Mailbox::new(relay.sender_name.clone(), address),
        connections: relay.connections.map(NonZeroU32::get),
        per_minute: relay.per_minute.map(NonZeroU32::get),
    })
}

fn webhook_of(
    config: &Config,
    portal: &str,
    webhook: &sections::Webhook,
    policy: &Policy,
) -> Result<Webhook, ConfigError> {
    let place = format!("{portal}, webhook");
    let wrong = |problem: &str| ConfigError::wrong(place.clone(), problem);
    let url =
        WebhookUrl::parse(&webhook.url).ok_or_else(|| wrong("url is not a URL such as https://portal.example/hook"))?;
    let missing = policy.missing(&url.host, None, false);
    if !missing.is_empty() {
        return Err(wrong(&Missing::list(&missing)));
    }
    let host = policy.check_host(&url.host).map_err(|refusal| ConfigError::wrong(place.clone(), refusal))?;
    if !url.secure && !policy.plaintext_allowed(&host) {
        return Err(wrong("url must be https, unless smtp.plaintext_hosts names the host"));
    }
    let secrets = webhook
        .secret_files
        .iter()
        .map(|file| secret(config, place.clone(), file, secret_file::webhook))
        .collect::<Result<Vec<_>, _>>()?;
    if secrets.is_empty() {
        return Err(wrong("needs at least one secret"));
    }
    Ok(Webhook { url, secrets })
}

/// A token identifies its key by origin and id, so these must be unique across portals.
pub(super) fn check_portals(portals: &[Portal]) -> Result<(), ConfigError> {
    for (at, portal) in portals.iter().enumerate() {
        for other in &portals[..at] {
            if other.id == portal.id {
                return Err(ConfigError::wrong(format!("portal {}", portal.id), "duplicate id"));
            }
            if portal.api_keys.iter().any(|key| other.api_keys.iter().any(|known| known.hash == key.hash)) {
                let problem = format!("shares an API key with portal {}", other.id);
                return Err(ConfigError::wrong(format!("portal {}", portal.id), problem));
            }
        }
        for (at, key) in portal.keys.iter().enumerate() {
            if portal.keys[..at].iter().any(|other| other.id == key.id) {
                return Err(ConfigError::wrong(format!("portal {}, key {}", portal.id, key.id), "duplicate id"));
            }
        }
    }
    Ok(())
}
