//! The servers that `scripts/mail-servers` started.

use std::{io::Write, path::PathBuf, sync::Mutex};

use app::profile::security::Security;
use serde::Deserialize;

/// The only login that the servers know. Its password tests quotes and UTF-8.
pub const LOGIN: &str = "claire";
pub const PASSWORD: &str = r#"pä ss"w\ord"#;
pub const CLAIRE: &str = "claire@test.example";
pub const KARIM: &str = "karim@test.example";
/// A mailbox that does not exist on any server.
pub const NOBODY: &str = "personne@test.example";

#[derive(Deserialize)]
struct Description {
    ca: PathBuf,
    token_key: PathBuf,
    servers: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    starttls: u16,
    tls: u16,
    mail: PathBuf,
}

/// A server that runs on this machine, as `localhost`.
pub struct Server {
    pub name: String,
    pub starttls: u16,
    pub tls: u16,
    /// The folder of its mailboxes, each a Maildir.
    pub mail: PathBuf,
    /// The authority of its certificate.
    pub ca: PathBuf,
    /// The key with which a provider signs access tokens.
    pub token_key: PathBuf,
}

impl Server {
    pub fn port(&self, security: Security) -> u16 {
        if security == Security::Tls { self.tls } else { self.starttls }
    }

    /// The configured mechanisms; the best ones first.
    pub fn mechanisms(&self) -> &'static [&'static str] {
        match self.name.as_str() {
            "exim" => &["PLAIN", "LOGIN", "CRAM-MD5"],
            "opensmtpd" => &["PLAIN", "LOGIN"],
            _ => &["SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5"],
        }
    }
}

/// The server of this name, if it runs.
pub fn server(name: &str) -> Option<Server> {
    let Some(path) = std::env::var_os("FACTEUR_TEST_SERVERS") else {
        skipped("real mail servers", "none run here; make test-servers starts them");
        return None;
    };
    let text = std::fs::read(&path).expect("the file that FACTEUR_TEST_SERVERS names");
    let Description { ca, token_key, servers } = serde_json::from_slice(&text).expect("a description of servers");
    let Some(Listed { name, starttls, tls, mail }) = servers.into_iter().find(|server| server.name == name) else {
        skipped(name, "see the output of scripts/mail-servers above");
        return None;
    };
    Some(Server { name, starttls, tls, mail, ca, token_key })
}

/// Reports it once, on standard error, because the test runner hides the output of passing tests.
fn skipped(what: &str, reason: &str) {
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut said = SAID.lock().unwrap();
    if !said.iter().any(|other| other == what) {
        said.push(what.to_owned());
        let _ = writeln!(std::io::stderr(), "\n*** SKIPPED: {what}: {reason} ***");
    }
}
