//! A valid configuration, and every way in which one is invalid.

use std::fs;

use sha2::{Digest, Sha256};

use super::*;
use crate::service::{ServeError, Service};

mod relay;
mod secrets;

/// A folder with a configuration and its keys; removed on drop.
struct Folder(PathBuf);

const GOOD: &str = r##"
[server]
public_url = "https://facteur.exemple"

[database]
path = "facteur.db"

[vault]
keys = [{ id = "v1", file = "vault.key" }]

[smtp]
ehlo_name = "mail.facteur.exemple"
allow_networks = ["10.1.0.0/16"]
control_host = "smtp.exemple.fr:465"

[tests]
per_person = 3

[[portal]]
id = "comptoir"
name = "Comptoir"
origins = ["https://portail.exemple"]
home = "https://portail.exemple/"
keys = [{ id = "k1", secret_file = "portal.key" }, { id = "k2", public_key_file = "portal.pem" }]

[portal.theme]
scheme = "light"
variables = { brand = "#0b57d0", text = { light = "#111", dark = "#eee" } }
"##;

const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
    MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
        fs::create_dir(&folder).unwrap();
        secret_file::make(&folder.join("vault.key")).unwrap();
        secret_file::make(&folder.join("portal.key")).unwrap();
        fs::write(folder.join("portal.pem"), PUBLIC_KEY).unwrap();
        Self(folder)
    }

    fn write(&self, text: &str) -> PathBuf {
        let path = self.0.join("facteur.toml");
        fs::write(&path, text).unwrap();
        path
    }

    /// Loads `text` and prepares the service; the error with its causes.
    async fn try_out(&self, text: &str) -> Result<(), String> {
        let config = Config::load(&self.write(text)).map_err(|error| error.to_string())?;
        match Service::prepare(&config).await {
            Ok(service) => {
                service.close().await;
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const OAUTH: &str = r#"
[[oauth]]
id = "microsoft"
provider = "microsoft"
client_id = "the-client"
secret_file = "oauth.key"
secret_expires = "2028-06-30"
portals = ["comptoir"]
"#;

#[tokio::test]
async fn a_registration_is_checked() {
    let folder = Folder::new();
    fs::write(folder.0.join("oauth.key"), "a-secret-of-the-provider\n").unwrap();
    #[cfg(unix)]
    fs::set_permissions(folder.0.join("oauth.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let custom = OAUTH.replace("\"microsoft\"\nclient", "\"custom\"\nclient");
    for (text, problem) in [
        (OAUTH.to_owned(), ""),
        (OAUTH.replace("id = \"microsoft\"", "id = \"Micro soft\""), "lower-case letters"),
        (OAUTH.replace("provider = \"microsoft\"", "provider = \"yahoo\""), "microsoft, google or custom"),
        (OAUTH.replace("comptoir", "nowhere"), "there is no portal nowhere"),
        (OAUTH.replace("oauth.key", "none.key"), "none.key"),
        (format!("{OAUTH}{OAUTH}"), "duplicate id"),
        (format!("{OAUTH}authority = \"a/b\"\n"), "authority"),
        (format!("{OAUTH}scopes = [\"openid\"]\n"), "for custom only"),
        (custom.clone(), "custom needs name"),
        (format!("{custom}name = \"K\"\nissuer = \"http://k.example\"\n"), "must be https"),
        (format!("{custom}name = \"K\"\nissuer = \"https://k.example\"\nscopes = [\"mail\"]\n"), "openid"),
    ] {
        let path = folder.write(&GOOD.replace("[[portal]]", &format!("{text}\n[[portal]]")));
        let prepared = match Config::load(&path) {
            Ok(config) => Service::prepare(&config).await.map(|service| service.registrations()),
            Err(error) => Err(error.into()),
        };
        match prepared {
            Ok(clients) => {
                assert!(problem.is_empty(), "{text}");
                assert_eq!(clients.0[0].redirect_uri, "https://facteur.exemple/oauth/callback/microsoft");
            }
            Err(error) => {
                let said = format!("{error} {:?}", std::error::Error::source(&error));
                assert!(!problem.is_empty() && said.contains(problem), "{problem}: {said}");
            }
        }
    }
}

#[tokio::test]
async fn a_good_configuration_serves_and_serves_again() {
    let folder = Folder::new();
    folder.try_out(GOOD).await.unwrap();
    folder.try_out(GOOD).await.unwrap();
    let config = Config::load(&folder.write(GOOD)).unwrap();
    assert_eq!(config.tests.per_person.map(std::num::NonZeroU32::get), Some(3));
    assert_eq!(config.server.listen.port(), 3000);
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_place() {
    let folder = Folder::new();
    for (from, to, says) in [
        ("https://facteur.exemple", "http://facteur.exemple", "server.public_url: must be https"),
        ("https://facteur.exemple", "https://facteur.exemple/", "must not end in a slash"),
        ("https://facteur.exemple", "https://facteur.exemple/a/../b", "its path may contain letters"),
        ("https://facteur.exemple", "https://a@facteur.exemple", "server.public_url: must be scheme, host and port"),
        ("https://facteur.exemple", "facteur.exemple", "server.public_url: must begin with https://"),
        ("ehlo_name = \"mail.facteur.exemple\"", "ehlo_name = \"a b\"", "smtp.ehlo_name: neither a host name"),
        ("smtp.exemple.fr:465", "smtp.exemple.fr", "smtp.control_host: must be host:port"),
        ("10.1.0.0/16", "10.1.0.0/99", "allow_networks"),
        ("per_person = 3", "per_person = 0", "per_person"),
        ("path = \"facteur.db\"", "", "database: needs path (a SQLite file), or url or url_file (PostgreSQL)"),
        (
            "path = \"facteur.db\"",
            "path = \"facteur.db\"\nurl = \"postgres://h/d\"",
            "database: takes only one of path (a SQLite file), url and url_file (PostgreSQL)",
        ),
        ("path = \"facteur.db\"", "url = \"mysql://u:geheim@h/d\"", "database.url: it must begin with postgres://"),
        ("path = \"facteur.db\"", "url = \"postgres://h/d?sslmod=x\"", "database.url: after the ? it accepts sslmode"),
        ("path = \"facteur.db\"", "url = \"postgres://h/d\"\npool_size = 1", "database.pool_size: must be a number"),
        (
            "path = \"facteur.db\"",
            "path = \"facteur.db\"\npool_size = 5",
            "database.pool_size: applies to PostgreSQL only",
        ),
        ("path = \"facteur.db\"", "url_file = \"nothing.url\"", "database.url_file"),
        (
            "path = \"facteur.db\"",
            "url = \"postgres://u:geheim@localhost:1/d\"",
            "cannot use the database d on localhost, port 1",
        ),
        ("per_person = 3", "per_persn = 3", "per_persn"),
        ("vault.key", "nothing.key", "vault.keys, v1"),
        ("keys = [{ id = \"v1\", file = \"vault.key\" }]", "keys = []", "vault.keys: the vault has no key"),
        (
            "\"https://portail.exemple\"]",
            "\"https://portail.exemple/\"]",
            "portal comptoir: https://portail.exemple/ is not",
        ),
        ("[\"https://portail.exemple\"]", "[\"*\"]", "portal comptoir: * is not an origin"),
        (
            "[\"https://portail.exemple\"]",
            "[\"https://portail.exemple\"]\ntime_zone = \"Mars/Phobos\"",
            "portal comptoir: Mars/Phobos is not a time zone",
        ),
        ("[\"https://portail.exemple\"]", "[]", "portal comptoir: needs at least one origin"),
        ("id = \"k2\"", "id = \"k1\"", "portal comptoir, key k1: duplicate id"),
        ("public_key_file = \"portal.pem\"", "public_key_file = \"portal.key\"", "key k2: not an Ed25519"),
        ("#0b57d0", "url(//x)", "portal comptoir, theme: brand is unknown"),
        ("variables = { brand", "variables = { colour", "portal comptoir, theme: colour is unknown"),
        ("scheme = \"light\"", "scheme = \"pink\"", "pink"),
        (", secret_file = \"portal.key\"", "", "key k1: needs one of secret_file and public_key_file"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let refused = folder.try_out(&GOOD.replacen(from, to, 1)).await.unwrap_err();
        assert!(refused.contains(says) && !refused.contains("geheim"), "{to}: {refused}");
    }
    assert!(Config::load(&folder.0.join("none.toml")).unwrap_err().to_string().contains("cannot read"));
}

#[cfg(unix)]
#[tokio::test]
async fn another_key_does_not_open_the_database() {
    let folder = Folder::new();
    folder.try_out(GOOD).await.unwrap();
    fs::remove_file(folder.0.join("vault.key")).unwrap();
    secret_file::make(&folder.0.join("vault.key")).unwrap();
    let config = Config::load(&folder.write(GOOD)).unwrap();
    assert!(matches!(Service::prepare(&config).await, Err(ServeError::Canary(_))));
}

/// Whether a second process may serve; commands run beside the first one, except those that need exclusive use.
async fn may_serve_beside(config: &Config) -> bool {
    let first = Service::prepare_to_serve(config).await.unwrap();
    let Err(ServeError::Store(_, refused)) = Service::prepare_alone(config).await else {
        panic!("exclusive use must be refused")
    };
    assert!(refused.to_string().contains("serves from it"), "{refused}");
    Service::prepare(config).await.unwrap().close().await;
    let second = Service::prepare_to_serve(config).await;
    let may = second.is_ok();
    if let Ok(second) = second {
        second.close().await;
    }
    first.close().await;
    Service::prepare_alone(config).await.unwrap().close().await;
    may
}

#[tokio::test]
async fn a_second_process_does_not_serve_from_the_same_file() {
    let folder = Folder::new();
    assert!(!may_serve_beside(&Config::load(&folder.write(GOOD)).unwrap()).await);
}

#[cfg(unix)]
#[tokio::test]
async fn postgresql_serves_from_a_url_in_a_file() {
    use std::os::unix::fs::PermissionsExt;
    let Some((url, authority)) = crate::store::postgres::cluster::over_tls().await else { return };
    let folder = Folder::new();
    let file = folder.0.join("database.url");
    // Like every path, that of the authority is relative to the configuration.
    fs::copy(&authority, folder.0.join("authority.pem")).unwrap();
    fs::write(&file, format!("{url}?sslmode=verify-full&sslrootcert=authority.pem\n")).unwrap();
    let text = GOOD.replacen("path = \"facteur.db\"", "url_file = \"database.url\"\npool_size = 3", 1);
    fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(folder.try_out(&text).await.unwrap_err().contains("readable by others than its owner"));
    fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    folder.try_out(&text).await.unwrap();
    folder.try_out(&text).await.unwrap();
    let service = Service::prepare(&Config::load(&folder.write(&text)).unwrap()).await.unwrap();
    assert!(service.back_up(&folder.0.join("copy.db")).await.unwrap_err().to_string().contains("pg_dump"));
    service.close().await;
    assert!(may_serve_beside(&Config::load(&folder.write(&text)).unwrap()).await);
    fs::remove_file(folder.0.join("vault.key")).unwrap();
    secret_file::make(&folder.0.join("vault.key")).unwrap();
    assert!(folder.try_out(&text).await.is_err(), "its keys are not this database's");
}
