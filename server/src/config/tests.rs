//! A configuration that serves, and every way in which one does not.

use std::fs;

use sha2::{Digest, Sha256};

use super::*;
use crate::service::{ServeError, Service};

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
        ("path = \"facteur.db\"", "", "database: it needs path (a SQLite file), or url or url_file (PostgreSQL)"),
        (
            "path = \"facteur.db\"",
            "path = \"facteur.db\"\nurl = \"postgres://h/d\"",
            "database: it takes one of path (a SQLite file), url and url_file (PostgreSQL)",
        ),
        ("path = \"facteur.db\"", "url = \"mysql://u:geheim@h/d\"", "database.url: it begins with postgres://"),
        ("path = \"facteur.db\"", "url = \"postgres://h/d?sslmod=x\"", "database.url: behind the ? it takes sslmode"),
        ("path = \"facteur.db\"", "url = \"postgres://h/d\"\npool_size = 1", "database.pool_size: it is a number"),
        (
            "path = \"facteur.db\"",
            "path = \"facteur.db\"\npool_size = 5",
            "database.pool_size: it belongs to PostgreSQL",
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
        assert!(refused.contains(says) && !refused.contains("geheim"), "{to}: {refused}");
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
async fn what_stands_in_the_place_of_a_secret_is_refused_with_the_file_s_name() {
    let folder = Folder::new();
    let relay = "[portal.relay]\nhost = \"smtp.exemple.fr\"\nport = 465\nsecurity = \"tls\"\nlogin = \"comptoir\"\n\
                 secret_file = \"relay.key\"\nsender_address = \"post@exemple.fr\"\n\
                 [portal.webhook]\nurl = \"https://portail.exemple/hook\"\nsecret_files = [\"webhook.key\"]\n\
                 [portal.theme]";
    let whole = GOOD.replacen("[portal.theme]", relay, 1);
    let write = |name: &str, content: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.0.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    };
    let good = |name: &str| match name {
        "relay.key" => "tres-bien-garde\n".to_owned(),
        "webhook.key" => "whsec_6Zq0bXo1TnX2b0m0JcYk1bQ3uYFh9sPz\n".to_owned(),
        // Each time the same vault key, or the database would not open.
        _ => fs::read_to_string(folder.0.join(name)).unwrap(),
    };
    for name in ["relay.key", "webhook.key"] {
        write(name, &good(name));
    }
    folder.try_out(&whole).await.unwrap();
    let repeated = "ab".repeat(20);
    let zeros = format!("{}=", "A".repeat(43));
    for (name, content, place) in [
        ("relay.key", "***", "portal comptoir, relay"),
        ("relay.key", "changeme\n", "portal comptoir, relay"),
        ("relay.key", "<password>", "portal comptoir, relay"),
        ("relay.key", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "portal comptoir, relay"),
        ("webhook.key", "********", "portal comptoir, webhook"),
        ("webhook.key", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "portal comptoir, webhook"),
        ("webhook.key", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "portal comptoir, webhook"),
        ("portal.key", "changeme-changeme-changeme-changeme", "portal comptoir, key k1"),
        ("portal.key", &repeated, "portal comptoir, key k1"),
        ("vault.key", &zeros, "vault.keys, v1"),
        ("vault.key", "CHANGEME", "vault.keys, v1"),
    ] {
        let before = good(name);
        write(name, content);
        let refused = folder.try_out(&whole).await.unwrap_err();
        assert!(refused.starts_with(place) && refused.contains(name), "{refused}");
        assert!(refused.contains("stands in the place of a secret") && !refused.contains(content), "{refused}");
        write(name, &before);
    }
    folder.try_out(&whole).await.unwrap();
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

/// Whoever serves keeps others from serving, and commands go on beside it.
async fn one_process_serves(config: &Config) {
    let first = Service::prepare_alone(config).await.unwrap();
    let Err(ServeError::Store(_, refused)) = Service::prepare_alone(config).await else { panic!("two may serve") };
    assert!(refused.to_string().contains("serves from it"), "{refused}");
    Service::prepare(config).await.unwrap().close().await;
    first.close().await;
    Service::prepare_alone(config).await.unwrap().close().await;
}

#[tokio::test]
async fn a_second_process_does_not_serve_from_the_same_file() {
    let folder = Folder::new();
    one_process_serves(&Config::load(&folder.write(GOOD)).unwrap()).await;
}

/// The example of `docs/operating.md`, with another port.
fn local_relay_of_the_documents(port: u16) -> toml::Table {
    let documents = include_str!("../../../docs/operating.md");
    let (_, section) = documents.split_once("### A mail server of your own network").unwrap();
    let (_, example) = section.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    assert!(example.contains("1025"));
    example.replace("1025", &port.to_string()).parse().unwrap()
}

/// [`GOOD`] with what the example sets.
fn with_local_relay(port: u16) -> toml::Table {
    let mut good: toml::Table = GOOD.parse().unwrap();
    let mut example = local_relay_of_the_documents(port);
    let smtp = example.remove("smtp").unwrap();
    good["smtp"].as_table_mut().unwrap().extend(smtp.as_table().unwrap().clone());
    let relay = example["portal"][0]["relay"].clone();
    let portal = good["portal"][0].as_table_mut().unwrap();
    portal.insert("relay".to_owned(), relay);
    let hash: String = Sha256::digest(b"fct_key").iter().map(|byte| format!("{byte:02x}")).collect();
    let key = format!("id = \"a1\"\nsha256 = \"{hash}\"").parse().unwrap();
    portal.insert("api_keys".to_owned(), toml::Value::Array(vec![toml::Value::Table(key)]));
    good
}

/// A mail server as developers have one on their machine: no encryption, no login, and it takes everything.
async fn local_server() -> (u16, tokio::task::JoinHandle<String>) {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let received = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 mailpit ESMTP\r\n").await.unwrap();
        let (mut message, mut in_message) = (String::new(), false);
        loop {
            let mut line = String::new();
            assert!(stream.read_line(&mut line).await.unwrap() > 0, "it left early");
            if in_message && line == ".\r\n" {
                stream.write_all(b"250 queued\r\n").await.unwrap();
                return message;
            }
            if in_message {
                message.push_str(&line);
                continue;
            }
            let answer = match &line[..4] {
                "EHLO" => "250-mailpit\r\n250 8BITMIME\r\n",
                "DATA" => {
                    in_message = true;
                    "354 go\r\n"
                }
                _ => "250 ok\r\n",
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (port, received)
}

#[tokio::test]
async fn a_local_relay_works_at_the_first_attempt_with_what_the_documents_say() {
    let folder = Folder::new();
    let (port, received) = local_server().await;
    let config = Config::load(&folder.write(&with_local_relay(port).to_string())).unwrap();
    let service = Service::prepare(&config).await.unwrap();
    let application = service.application();
    application.outbox.start();
    let request = axum::http::Request::post("/api/v1/messages")
        .header("authorization", "Bearer fct_key")
        .header("content-type", "application/json")
        .body(axum::body::Body::from(
            r#"{"account":"martin","to":[{"address":"claire@client.example"}],"subject":"Devis","text":"Bonjour"}"#,
        ))
        .unwrap();
    let answer = tower::ServiceExt::oneshot(application.router.clone(), request).await.unwrap();
    assert_eq!(answer.status(), 202);
    let message = tokio::time::timeout(std::time::Duration::from_secs(20), received).await.unwrap().unwrap();
    assert!(message.contains("Subject: Devis"), "{message}");
    application.outbox.stop(std::time::Duration::from_secs(5)).await;
    service.close().await;
}

#[tokio::test]
async fn what_a_local_relay_lacks_is_said_all_at_once_with_the_setting_that_allows_it() {
    let folder = Folder::new();
    let mut bare = with_local_relay(1026);
    let smtp = bare["smtp"].as_table_mut().unwrap();
    smtp.remove("allow_hosts");
    smtp.remove("allow_ports");
    let refused = folder.try_out(&bare.to_string()).await.unwrap_err();
    assert_eq!(
        refused,
        "portal comptoir, relay: host = \"localhost\" is refused, unless smtp.allow_hosts has \"localhost\"; \
         port = 1026 is refused, unless smtp.allow_ports has 1026"
    );
    for (setting, value, says) in [
        ("allow_hosts", "[\"a b\"]", "smtp.allow_hosts: \"a b\" is no name, no *.suffix and no address"),
        ("plaintext_hosts", "[\"*\"]", "smtp.plaintext_hosts: \"*\" is no name"),
        (
            "control_host",
            "\"localhost:25\"",
            "smtp.control_host: host = \"localhost\" is refused, unless smtp.allow_hosts has",
        ),
    ] {
        let mut wrong: toml::Table = GOOD.parse().unwrap();
        let value = format!("x = {value}").parse::<toml::Table>().unwrap().remove("x").unwrap();
        wrong["smtp"].as_table_mut().unwrap().insert(setting.to_owned(), value);
        let refused = folder.try_out(&wrong.to_string()).await.unwrap_err();
        assert!(refused.contains(says), "{refused}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn postgresql_serves_from_a_url_in_a_file() {
    use std::os::unix::fs::PermissionsExt;
    let Some((url, authority)) = crate::store::postgres::cluster::over_tls().await else { return };
    let folder = Folder::new();
    let file = folder.0.join("database.url");
    fs::write(&file, format!("{url}?sslmode=verify-full&sslrootcert={}\n", authority.display())).unwrap();
    let text = GOOD.replacen("path = \"facteur.db\"", "url_file = \"database.url\"\npool_size = 3", 1);
    fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(folder.try_out(&text).await.unwrap_err().contains("others than its owner may read it"));
    fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    folder.try_out(&text).await.unwrap();
    folder.try_out(&text).await.unwrap();
    let service = Service::prepare(&Config::load(&folder.write(&text)).unwrap()).await.unwrap();
    assert!(service.back_up(&folder.0.join("copy.db")).await.unwrap_err().to_string().contains("pg_dump"));
    service.close().await;
    one_process_serves(&Config::load(&folder.write(&text)).unwrap()).await;
    fs::remove_file(folder.0.join("vault.key")).unwrap();
    secret_file::make(&folder.0.join("vault.key")).unwrap();
    assert!(folder.try_out(&text).await.is_err(), "its keys are others");
}
