//! The sandbox mail server and the provider's tokens, by a conversation in TLS.

use std::{net::SocketAddr, time::Duration};

use base64::prelude::BASE64_STANDARD;
use rustls::{ClientConfig, RootCertStore};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::demo::sandbox::{Sandbox, SandboxOptions};

async fn start(tokens: Tokens) -> Sandbox {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = SandboxOptions { starttls: any, tls: any, greylist_delay: Duration::ZERO, tokens };
    Sandbox::start(options).await.unwrap()
}

struct Client(BufStream<TlsStream<TcpStream>>);

impl Client {
    #[allow(clippy::disallowed_methods, reason = "the test's own server on loopback")]
    async fn connect(sandbox: &Sandbox) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(sandbox.authority()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(sandbox.tls_addr()).await.unwrap();
        let name = "smtp.sandbox.example".try_into().unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        let mut client = Self(BufStream::new(stream));
        assert!(client.reply().await.starts_with("220 "));
        client
    }

    /// The last line of a reply.
    async fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).await.unwrap(), 0, "the server hung up");
            if line.get(3..4) != Some("-") {
                return line.trim_end_matches(['\r', '\n']).to_owned();
            }
        }
    }

    async fn say(&mut self, line: &str) -> String {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        self.0.flush().await.unwrap();
        self.reply().await
    }

    /// `AUTH`, with the message after the challenge.
    async fn auth(&mut self, mechanism: &str, message: &str) -> String {
        assert_eq!(self.say(&format!("AUTH {mechanism}")).await, "334 ");
        self.say(&BASE64_STANDARD.encode(message)).await
    }
}

fn xoauth2(login: &str, token: &str) -> String {
    format!("user={login}@sandbox.example\x01auth=Bearer {token}\x01\x01")
}

fn oauthbearer(login: &str, token: &str) -> String {
    format!("n,a={login}@sandbox.example,\x01host=smtp.sandbox.example\x01port=465\x01auth=Bearer {token}\x01\x01")
}

fn challenge(reply: &str) -> Value {
    serde_json::from_slice(&BASE64_STANDARD.decode(reply.strip_prefix("334 ").unwrap()).unwrap()).unwrap()
}

const YES: &str = "235 2.7.0 Authentication successful";
const NO: &str = "535 5.7.3 Authentication unsuccessful";

#[tokio::test]
async fn a_token_logs_in_by_either_mechanism() {
    let world = world();
    let sandbox = start(world.provider.tokens()).await;
    let (access, _) = world.sign_in("boutique").await;
    let mut client = Client::connect(&sandbox).await;
    assert_eq!(client.say("EHLO a.example").await, "250 AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER");
    assert_eq!(client.auth("XOAUTH2", &xoauth2("boutique", &access)).await, YES);
    assert_eq!(client.auth("OAUTHBEARER", &oauthbearer("boutique", &access)).await, YES);
    let nameless = format!("n,,\x01auth=Bearer {access}\x01\x01");
    assert_eq!(client.auth("OAUTHBEARER", &nameless).await, YES);
    let long = format!("AUTH XOAUTH2 {}", BASE64_STANDARD.encode(xoauth2("boutique", &access)));
    assert_eq!(client.say(&long).await, "500 5.5.6 Line too long");
    assert_eq!(client.auth("XOAUTH2", "").await.get(..4), Some("334 "));
    assert_eq!(client.say("").await, NO);
    assert_eq!(client.say("AUTH XOAUTH2").await, "334 ");
    assert_eq!(client.say("*").await, "501 5.7.0 Authentication cancelled");
    assert_eq!(client.say("NOOP").await, "250 2.0.0 OK");
}

#[tokio::test]
async fn a_short_token_may_stand_in_the_command() {
    let sandbox = start(world().provider.tokens()).await;
    let mut client = Client::connect(&sandbox).await;
    let line = |mechanism: &str, message: &str| format!("AUTH {mechanism} {}", BASE64_STANDARD.encode(message));
    let reply = client.say(&line("xoauth2", &xoauth2("boutique", "short"))).await;
    assert_eq!(challenge(&reply)["status"], "401", "it is read, and unknown");
    assert_eq!(client.say("").await, NO);
    let reply = client.say(&line("OAUTHBEARER", &oauthbearer("boutique", "short"))).await;
    assert_eq!(challenge(&reply)["status"], "invalid_token");
    assert_eq!(client.say("AQ==").await, NO);
    let reply = client.say(&line("OAUTHBEARER", "n,a=x,")).await;
    assert_eq!(challenge(&reply)["status"], "invalid_request");
    assert_eq!(client.say("AQ==").await, NO);
}

#[tokio::test]
async fn an_ended_token_is_challenged_and_refused() {
    let world = world();
    let sandbox = start(world.provider.tokens()).await;
    let (expired, _) = world.sign_in("vieux").await;
    world.wait(60);
    let (revoked, _) = world.sign_in("mfa").await;
    world.provider.revoke_all("mfa@sandbox.example");
    let (narrow, _) = world.sign_in("sans-scope").await;
    let mut client = Client::connect(&sandbox).await;
    for (login, token, status) in [("vieux", expired, "401"), ("mfa", revoked, "401"), ("sans-scope", narrow, "400")] {
        let body = challenge(&client.auth("XOAUTH2", &xoauth2(login, &token)).await);
        assert_eq!(
            (&body["status"], &body["schemes"], &body["scope"]),
            (&status.into(), &"Bearer".into(), &MAIL_SCOPE.into())
        );
        assert_eq!(client.say("").await, NO);
    }
    assert!(client.say("MAIL FROM:<a@b.example>").await.starts_with("530 "));
}

#[tokio::test]
async fn a_token_opens_its_own_mailbox_and_the_shared_one() {
    let world = world();
    let sandbox = start(world.provider.tokens()).await;
    let (access, _) = world.sign_in("boutique").await;
    let mut client = Client::connect(&sandbox).await;
    assert_eq!(client.auth("XOAUTH2", &xoauth2("mfa", &access)).await, NO);
    assert_eq!(client.auth("XOAUTH2", &xoauth2("partage", &access)).await, YES);
    let (closed, _) = world.sign_in("smtp-coupe").await;
    let reply = client.auth("XOAUTH2", &xoauth2("smtp-coupe", &closed)).await;
    assert!(reply.starts_with("535 5.7.139 ") && reply.contains("SmtpClientAuthentication is disabled"), "{reply}");
}

#[tokio::test]
async fn the_first_mail_ends_the_permission() {
    let world = world();
    let sandbox = start(world.provider.tokens()).await;
    let (access, _) = world.sign_in("revoque").await;
    let mut client = Client::connect(&sandbox).await;
    assert_eq!(client.auth("XOAUTH2", &xoauth2("partage", &access)).await, YES);
    assert!(client.say("MAIL FROM:<partage@sandbox.example>").await.starts_with("250 "));
    assert!(client.say("RCPT TO:<a@b.example>").await.starts_with("250 "));
    assert!(client.say("DATA").await.starts_with("354 "));
    assert_eq!(world.state(&access), valid("revoque"));
    assert!(client.say("Subject: x\r\n\r\nx\r\n.").await.starts_with("250 "));
    assert_eq!(world.state(&access), TokenState::Revoked);
    assert_eq!(sandbox.inbox().messages()[0].login.as_deref(), Some("partage@sandbox.example"));
}

#[tokio::test]
async fn without_a_provider_there_are_passwords_only() {
    let sandbox = start(Tokens::default()).await;
    let mut client = Client::connect(&sandbox).await;
    assert_eq!(client.say("EHLO a.example").await, "250 AUTH PLAIN LOGIN");
    assert!(client.say("AUTH XOAUTH2").await.starts_with("504 "));
}
