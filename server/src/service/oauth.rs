//! Server side. `[[oauth]]`: the registrations with providers.

use std::sync::Arc;

use app::profile::{preset::Catalogue, security::Security};
use mail::net::{Policy, guard::Missing};
use secrecy::SecretString;

use super::keys::secret;
use crate::{
    config::{Config, ConfigError, secret_file, sections},
    oauth::{Client, Clients, Kind, MailServer, endpoints::Endpoints, endpoints::Issuer, known},
    portal::WebhookUrl,
};

/// The registrations of the configuration. `public_url`: without a trailing slash.
pub(super) fn clients(
    config: &Config,
    public_url: &str,
    policy: &Policy,
    presets: &Catalogue,
) -> Result<Clients, ConfigError> {
    let mut clients: Vec<Arc<Client>> = Vec::new();
    for section in &config.oauth {
        let place = format!("oauth {}", section.id);
        let wrong = |problem: &str| ConfigError::wrong(place.clone(), problem);
        if clients.iter().any(|client| client.id == section.id) {
            return Err(wrong("duplicate id"));
        }
        if let Some(id) = section.portals.iter().flatten().find(|id| !config.portals.iter().any(|one| one.id == **id)) {
            return Err(wrong(&format!("portals: there is no portal {id}")));
        }
        clients.push(Arc::new(client(config, section, public_url, (policy, presets))?));
    }
    Ok(Clients(clients))
}

fn is_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&id.len()) && id.bytes().all(plain)
}

fn client(
    config: &Config,
    section: &sections::Oauth,
    public_url: &str,
    (policy, presets): (&Policy, &Catalogue),
) -> Result<Client, ConfigError> {
    let place = format!("oauth {}", section.id);
    let wrong = |problem: &str| ConfigError::wrong(place.clone(), problem);
    if !is_id(&section.id) {
        return Err(wrong("id must be 1 to 40 lower-case letters, digits and hyphens"));
    }
    if section.client_id.trim().is_empty() {
        return Err(wrong("client_id is empty"));
    }
    let kind = match section.provider.as_str() {
        "microsoft" => Kind::Microsoft,
        "google" => Kind::Google,
        "custom" => Kind::Custom,
        _ => return Err(wrong("provider must be microsoft, google or custom")),
    };
    let bytes = secret(config, place.clone(), &section.secret_file, secret_file::read)?;
    let secret = std::str::from_utf8(&bytes).map_err(|_| wrong("the secret is not UTF-8"))?;
    if secret.trim().is_empty() {
        return Err(wrong("secret_file is empty"));
    }
    if kind == Kind::Microsoft && uuid::Uuid::try_parse(secret.trim()).is_ok() {
        return Err(wrong("secret_file has the secret's id: it must have its value"));
    }
    let authority = section.authority.as_deref().unwrap_or("common");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    if kind != Kind::Microsoft && section.authority.is_some() {
        return Err(wrong("authority is for microsoft only"));
    }
    if authority.is_empty() || !authority.bytes().all(plain) {
        return Err(wrong("authority must be common, organizations, consumers, or a tenant"));
    }
    let common = Client {
        id: section.id.clone(),
        kind,
        name: String::new(),
        client_id: section.client_id.trim().to_owned(),
        secret: SecretString::from(secret.trim().to_owned()),
        secret_expires: section.secret_expires,
        portals: section.portals.clone(),
        endpoints: Endpoints::Discovered { issuer: String::new(), document: String::new() },
        issuer: Issuer::MicrosoftTenants,
        scopes: Vec::new(),
        mail_scope: String::new(),
        servers: Vec::new(),
        presets: Vec::new(),
        domains: section.domains.iter().map(|domain| domain.trim().to_lowercase()).collect(),
        parameters: Vec::new(),
        shared_mailboxes: section.shared_mailboxes,
        permissions_page: None,
        redirect_uri: format!("{public_url}/oauth/callback/{}", section.id),
    };
    match known::of_kind(kind, authority) {
        Some(known) => {
            let own = [
                ("name", section.name.is_some()),
                ("issuer", section.issuer.is_some()),
                ("discovery_url", section.discovery_url.is_some()),
                ("scopes", section.scopes.is_some()),
                ("mail_scope", section.mail_scope.is_some()),
                ("smtp", section.smtp.is_some()),
                ("shared_mailboxes", section.shared_mailboxes),
            ];
            if let Some((name, _)) = own.into_iter().find(|(_, given)| *given) {
                return Err(wrong(&format!("{name} is for custom only: a token goes to the provider's own servers")));
            }
            Ok(of_known(common, known))
        }
        None => custom(common, section, (policy, presets)),
    }
}

fn of_known(client: Client, known: known::Known) -> Client {
    Client {
        name: known.name.to_owned(),
        endpoints: known.endpoints,
        issuer: known.issuer,
        scopes: known.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        mail_scope: known.mail_scope.to_owned(),
        servers: known.servers,
        presets: known.presets.iter().map(|preset| (*preset).to_owned()).collect(),
        parameters: known.parameters.to_vec(),
        shared_mailboxes: known.shared_mailboxes,
        permissions_page: known.permissions_page,
        ..client
    }
}

fn custom(
    client: Client,
    section: &sections::Oauth,
    (policy, presets): (&Policy, &Catalogue),
) -> Result<Client, ConfigError> {
    let place = format!("oauth {}", section.id);
    let wrong = |problem: &str| ConfigError::wrong(place.clone(), problem);
    let needed = |value: &Option<String>, name: &str| {
        let value = value.as_deref().map(str::trim).filter(|value| !value.is_empty());
        value.map(str::to_owned).ok_or_else(|| wrong(&format!("custom needs {name}")))
    };
    let (name, issuer) = (needed(&section.name, "name")?, needed(&section.issuer, "issuer")?);
    let document = section
        .discovery_url
        .clone()
        .unwrap_or_else(|| format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')));
    for (name, url) in [("issuer", &issuer), ("discovery_url", &document)] {
        let parsed = WebhookUrl::parse(url).ok_or_else(|| wrong(&format!("{name} is not a URL")))?;
        let missing = policy.missing(&parsed.host, None, false);
        if name == "discovery_url" && !missing.is_empty() {
            return Err(wrong(&Missing::list(&missing)));
        }
        let host = policy.check_host(&parsed.host).ok();
        if !parsed.secure && !host.is_some_and(|host| policy.plaintext_allowed(&host)) {
            return Err(wrong(&format!(
                "{name} must be https, unless smtp.plaintext_hosts and smtp.allow_hosts have \"{}\"",
                parsed.host
            )));
        }
    }
    let scopes = section.scopes.clone().unwrap_or_default();
    if !scopes.iter().any(|scope| scope == "openid") {
        return Err(wrong("scopes must contain openid: the ID token says who signed in"));
    }
    if scopes.iter().any(|scope| scope.is_empty() || scope.contains(char::is_whitespace)) {
        return Err(wrong("a scope contains no blanks"));
    }
    let of_openid = ["openid", "email", "profile", "offline_access"];
    let first = scopes.iter().find(|scope| !of_openid.contains(&scope.as_str())).cloned();
    let mail_scope = section.mail_scope.clone().or(first);
    let mail_scope =
        mail_scope.ok_or_else(|| wrong("scopes must contain the one that allows sending, besides openid"))?;
    if !scopes.contains(&mail_scope) {
        return Err(wrong("mail_scope must be one of scopes"));
    }
    let Some(server) = &section.smtp else { return Err(wrong("custom needs smtp = { host, port, security }")) };
    let security = Security::parse(&server.security).filter(|security| *security != Security::None);
    let security =
        security.ok_or_else(|| wrong("security of its smtp must be tls or starttls: a token is a password"))?;
    let missing = policy.missing(&server.host, Some(server.port), false);
    if !missing.is_empty() {
        return Err(wrong(&Missing::list(&missing)));
    }
    let host = policy.check_host(&server.host).map_err(|refusal| wrong(&format!("smtp.host: {refusal}")))?;
    if let Some(preset) = server.preset.as_deref().filter(|preset| presets.get(preset).is_none()) {
        return Err(wrong(&format!("smtp.preset: there is no preset {preset}")));
    }
    Ok(Client {
        name,
        endpoints: Endpoints::Discovered { issuer: issuer.clone(), document },
        issuer: Issuer::Exactly(issuer),
        scopes,
        mail_scope,
        servers: vec![MailServer {
            host: host.as_str().to_owned(),
            port: server.port,
            security,
            preset: server.preset.clone(),
        }],
        parameters: vec![("prompt", "consent")],
        ..client
    })
}
