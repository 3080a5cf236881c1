//! A configuration that serves, and every way in which one does not.

use std::fs;

use super::*;
use crate::serve::{ServeError, Service};

/// A folder with a configuration and its keys; removed in the end.
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

    /// Loads and prepares what `text` says; what was wrong, with its causes.
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
        ("https://facteur.exemple", "http://facteur.exemple", "server.public_url: it must be https"),
        ("https://facteur.exemple", "https://facteur.exemple/", "does not end in a slash"),
        ("https://facteur.exemple", "https://facteur.exemple/a/../b", "its path is made of letters"),
        ("https://facteur.exemple", "https://a@facteur.exemple", "server.public_url: it is scheme, host and port"),
        ("https://facteur.exemple", "facteur.exemple", "server.public_url: it begins with https://"),
        ("ehlo_name = \"mail.facteur.exemple\"", "ehlo_name = \"a b\"", "smtp.ehlo_name: neither a host name"),
        ("smtp.exemple.fr:465", "smtp.exemple.fr", "smtp.control_host: it is host:port"),
        ("10.1.0.0/16", "10.1.0.0/99", "allow_networks"),
        ("per_person = 3", "per_person = 0", "per_person"),
        ("per_person = 3", "per_persn = 3", "per_persn"),
        ("vault.key", "nothing.key", "vault.keys, v1"),
        ("keys = [{ id = \"v1\", file = \"vault.key\" }]", "keys = []", "vault.keys: the vault has no key"),
        (
            "\"https://portail.exemple\"]",
            "\"https://portail.exemple/\"]",
            "portal comptoir: https://portail.exemple/ is not",
        ),
        ("[\"https://portail.exemple\"]", "[\"*\"]", "portal comptoir: * is not an origin"),
        ("[\"https://portail.exemple\"]", "[]", "portal comptoir: it needs at least one origin"),
        ("id = \"k2\"", "id = \"k1\"", "portal comptoir, key k1: it stands twice"),
        ("public_key_file = \"portal.pem\"", "public_key_file = \"portal.key\"", "key k2: it is no Ed25519"),
        ("#0b57d0", "url(//x)", "portal comptoir, theme: brand is unknown"),
        ("variables = { brand", "variables = { colour", "portal comptoir, theme: colour is unknown"),
        ("scheme = \"light\"", "scheme = \"pink\"", "pink"),
        (", secret_file = \"portal.key\"", "", "key k1: it needs one of secret_file and public_key_file"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let refused = folder.try_out(&GOOD.replacen(from, to, 1)).await.unwrap_err();
        assert!(refused.contains(says), "{to}: {refused}");
    }
    assert!(Config::load(&folder.0.join("none.toml")).unwrap_err().to_string().contains("cannot be read"));
}

#[cfg(unix)]
#[tokio::test]
async fn key_files_belong_to_their_owner_and_hold_keys() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let key = folder.0.join("vault.key");
    let good = fs::read_to_string(&key).unwrap();
    assert!(good.ends_with('\n'), "a trailing line end is usual, and does not count");
    fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(folder.try_out(GOOD).await.unwrap_err().contains("others than its owner"));
    fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    for content in
        ["", "short", "not base64 at all, but long enough for one", &good[..20], &format!("{}AAAA", good.trim())]
    {
        fs::write(&key, content).unwrap();
        let refused = folder.try_out(GOOD).await.unwrap_err();
        assert!(refused.contains("32 bytes in base64"), "{refused}");
        assert!(content.len() < 6 || !refused.contains(content), "nothing of it is shown");
    }
    assert!(matches!(secret_file::make(&key), Err(secret_file::SecretFileError::Exists)));
}

#[tokio::test]
async fn another_key_does_not_open_the_database() {
    let folder = Folder::new();
    folder.try_out(GOOD).await.unwrap();
    fs::remove_file(folder.0.join("vault.key")).unwrap();
    secret_file::make(&folder.0.join("vault.key")).unwrap();
    let config = Config::load(&folder.write(GOOD)).unwrap();
    assert!(matches!(Service::prepare(&config).await, Err(ServeError::Canary(_))));
}
