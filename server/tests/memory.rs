//! How much memory a hostile server can make a conversation allocate. A program of its own, with one test, because it
//! counts every allocated byte: nothing else may run beside it.
#![allow(clippy::unwrap_used, reason = "clippy recognises only functions with #[test] as tests")]

use std::time::Duration;

use app::{diagnosis::cause::Cause, profile::security::Security};
use mail::{
    net::Policy,
    smtp::{Credentials, Depth, EhloName, Limits, Submission, Submitter, SubmitterOptions},
};
use peak_alloc::PeakAlloc;
use secrecy::SecretString;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// The most a conversation may allocate, in MiB.
const BOUND: f32 = 8.0;
/// The server's endless output: at most 100 MB.
const CHUNKS: usize = 1_600;

/// The server sends these replies, each after it has read something, and then floods.
#[derive(Clone, Copy)]
struct Flood {
    says: &'static [&'static str],
    with: &'static [u8],
    cause: Cause,
}

const FLOODS: [Flood; 6] = [
    // A line that never ends.
    Flood { says: &[], with: b"2", cause: Cause::ReplyTooLarge },
    // A reply that never ends.
    Flood { says: &[], with: b"220-welcome\r\n", cause: Cause::ReplyTooLarge },
    Flood { says: &["220 hi\r\n"], with: b"250-KEYWORD\r\n", cause: Cause::ReplyTooLarge },
    Flood { says: &["220 hi\r\n", "250-hi\r\n250 AUTH PLAIN\r\n"], with: b"334 ", cause: Cause::ReplyTooLarge },
    // Endless replies: each is short, and answers nothing.
    Flood { says: &["220 hi\r\n", "250-hi\r\n250 AUTH PLAIN\r\n"], with: b"334 \r\n", cause: Cause::ProtocolError },
    // After the message.
    Flood {
        says: &[
            "220 hi\r\n",
            "250-hi\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n",
            "235 ok\r\n",
            "250 ok\r\n250 ok\r\n354 go\r\n",
        ],
        with: b"250-",
        cause: Cause::ReplyTooLarge,
    },
];

async fn flood(mut stream: TcpStream, flood: Flood) {
    let mut heard = [0; 4096];
    for (at, words) in flood.says.iter().enumerate() {
        if at > 0 && stream.read(&mut heard).await.unwrap_or(0) == 0 {
            return;
        }
        if stream.write_all(words.as_bytes()).await.is_err() {
            return;
        }
    }
    if !flood.says.is_empty() {
        let _ = stream.read(&mut heard).await;
    }
    let chunk = flood.with.repeat(65_536 / flood.with.len());
    for _ in 0..CHUNKS {
        if stream.write_all(&chunk).await.is_err() {
            return;
        }
    }
}

fn submitter(port: u16) -> Submitter {
    let policy = Policy {
        allow_ports: vec![port],
        static_addresses: vec![("mx.test.example".to_owned(), vec!["127.0.0.1".parse().unwrap()])],
        plaintext_hosts: vec!["mx.test.example".to_owned()],
        ..Policy::default()
    };
    let limits = Limits { reply: Duration::from_secs(2), whole: Duration::from_secs(5), ..Limits::default() };
    let ehlo_name = EhloName::parse("client.test.example").unwrap();
    Submitter::new(SubmitterOptions {
        policy,
        ehlo_name,
        extra_roots: vec![],
        system_roots: true,
        limits,
        control: None,
    })
    .unwrap()
}

#[tokio::test]
async fn a_flood_is_not_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let submitter = submitter(port);
    let submission = Submission {
        host: "mx.test.example".to_owned(),
        port,
        security: Security::None,
        credentials: Some(Credentials::uncounted(
            "claire@test.example".to_owned(),
            SecretString::from("abcdefghijklmnop"),
        )),
        mechanism: None,
        from: "claire@test.example".parse().unwrap(),
        to: vec!["karim@test.example".parse().unwrap()],
        message: b"Subject: Bonjour\r\n\r\nTexte\r\n".to_vec(),
        depth: Depth::Message,
    };
    for case in FLOODS {
        let before = ALLOCATED.current_usage_as_mb();
        ALLOCATED.reset_peak_usage();
        let server = async {
            let (stream, _) = listener.accept().await.unwrap();
            flood(stream, case).await;
        };
        let mut ignore = |_| {};
        let (report, ()) = tokio::join!(submitter.submit(&submission, &mut ignore), server);
        let grown = ALLOCATED.peak_usage_as_mb() - before;
        assert_eq!(report.cause, Some(case.cause), "{:#?}", report.transcript);
        assert!(grown < BOUND, "{grown} MiB for {:?}", String::from_utf8_lossy(case.with));
    }
    // A check of the measurement: memory in use does show.
    ALLOCATED.reset_peak_usage();
    let before = ALLOCATED.current_usage_as_mb();
    drop(std::hint::black_box(vec![1_u8; 16 << 20]));
    assert!(ALLOCATED.peak_usage_as_mb() - before > BOUND);
}
