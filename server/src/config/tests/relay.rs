//! A relay on the same machine, as the documents describe it.

use super::*;

/// The example of `docs/operating.md`, with another port.
fn local_relay_of_the_documents(port: u16) -> toml::Table {
    let documents = include_str!("../../../../docs/operating.md");
    let (_, section) = documents.split_once("### A mail server of your own network").unwrap();
    let (_, example) = section.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    assert!(example.contains("1025"));
    example.replace("1025", &port.to_string()).parse().unwrap()
}

/// [`GOOD`] with the settings of the example.
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

/// A mail server as on a developer's machine: no encryption, no login, and it accepts everything.
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
            assert!(stream.read_line(&mut line).await.unwrap() > 0, "the client closed the connection early");
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
        ("allow_hosts", "[\"a b\"]", "smtp.allow_hosts: \"a b\" is not a name, a *.suffix or an address"),
        ("plaintext_hosts", "[\"*\"]", "smtp.plaintext_hosts: \"*\" is not a name"),
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
