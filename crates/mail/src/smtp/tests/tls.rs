//! Certificates that must be refused, ports with the wrong encryption, and broken STARTTLS.

use tokio::{io::AsyncWriteExt, net::TcpListener};
use tokio_rustls::TlsAcceptor;

use super::{
    certificates::{Authority, authority, self_signed},
    script::{Step, send, serve},
    *,
};

const HOST: &str = "mx.test.example";

async fn with_certificate(acceptor: TlsAcceptor) -> Report {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(mut stream) = acceptor.accept(stream).await {
            stream.write_all(b"220 hi\r\n").await.unwrap();
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    });
    let report = submitter(port, vec![]).submit(&submission(HOST, port, Security::Tls), &mut |_| {}).await;
    server.abort();
    check_bounds(&report);
    report
}

#[tokio::test]
async fn certificates_have_distinct_causes_and_are_shown() {
    let stranger = Authority::new();
    for (acceptor, cause) in [
        (authority().acceptor(HOST, 2020, 2021), Cause::CertExpired),
        (authority().acceptor(HOST, 2090, 2100), Cause::CertNotYetValid),
        (authority().acceptor("other.example", 2020, 2100), Cause::CertNameMismatch),
        (stranger.acceptor(HOST, 2020, 2100), Cause::CertUntrusted),
        (self_signed(HOST), Cause::CertUntrusted),
        (authority().without_intermediate(HOST), Cause::CertUntrusted),
        (authority().without_names(HOST), Cause::CertNameMismatch),
    ] {
        let report = with_certificate(acceptor).await;
        assert_eq!((report.stage, report.cause), (Stage::Tls, Some(cause)));
        let certificate = report.tls.and_then(|tls| tls.certificate).expect("the certificate is in the report");
        assert!(certificate.not_before < certificate.not_after && !certificate.issuer.is_empty());
        assert!(!report.transcript.iter().any(|line| line.starts_with("C: AUTH")));
    }
}

#[tokio::test]
async fn the_wrong_encryption_for_the_port_is_recognised_at_once() {
    let (port, _server) = serve(vec![send("220 hi\r\n"), Step::Silence]).await;
    let began = tokio::time::Instant::now();
    let report = submitter(port, vec![]).submit(&submission(HOST, port, Security::Tls), &mut |_| {}).await;
    assert_eq!((report.stage, report.cause), (Stage::Tls, Some(Cause::TlsPortMismatch)));
    assert!(began.elapsed() < Duration::from_millis(500));

    // A server that waits for TLS sends nothing first.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = authority().acceptor(HOST, 2020, 2100);
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let _stream = acceptor.accept(stream).await;
                tokio::time::sleep(Duration::from_secs(5)).await;
            });
        }
    });
    let report = submitter(port, vec![]).submit(&submission(HOST, port, Security::Starttls), &mut |_| {}).await;
    assert_eq!((report.stage, report.cause), (Stage::Greeting, Some(Cause::TlsPortMismatch)));
    server.abort();
}

#[tokio::test]
async fn without_starttls_there_is_no_login() {
    let ehlo = |keyword: &str| {
        vec![send("220 hi\r\n"), Step::Expect("EHLO"), send(&format!("250-hi\r\n250-AUTH PLAIN\r\n250 {keyword}\r\n"))]
    };
    let with = |steps: Vec<Step>, more: Vec<Step>| [steps, more].concat();
    for (steps, stage, cause) in [
        (ehlo("SIZE"), Stage::Starttls, Cause::StarttlsNotOffered),
        (
            with(ehlo("STARTTLS"), vec![Step::Expect("STARTTLS"), send("454 4.7.0 TLS not available\r\n")]),
            Stage::Starttls,
            Cause::StarttlsNotOffered,
        ),
        (
            with(ehlo("STARTTLS"), vec![Step::Expect("STARTTLS"), send("502 5.5.1 no\r\n")]),
            Stage::Starttls,
            Cause::StarttlsNotOffered,
        ),
        // Unencrypted bytes must not be read as if they were encrypted.
        (
            with(ehlo("STARTTLS"), vec![Step::Expect("STARTTLS"), send("220 go\r\n250 injected\r\n")]),
            Stage::Starttls,
            Cause::ProtocolError,
        ),
    ] {
        let (port, server) = serve(steps).await;
        let report = submitter(port, vec![]).submit(&submission(HOST, port, Security::Starttls), &mut |_| {}).await;
        assert_eq!((report.stage, report.cause), (stage, Some(cause)), "{:?}", report.transcript);
        let read = server.await.unwrap();
        assert!(!read.contains("AUTH"), "{read}");
    }
    // The server accepts STARTTLS and continues without encryption.
    let steps = with(
        ehlo("STARTTLS"),
        vec![Step::Expect("STARTTLS"), send("220 go\r\n"), Step::Expect("\u{16}"), send("250 hello again\r\n")],
    );
    let (port, _server) = serve(steps).await;
    let report = submitter(port, vec![]).submit(&submission(HOST, port, Security::Starttls), &mut |_| {}).await;
    assert_eq!(report.stage, Stage::Tls);
    assert!(!report.transcript.iter().any(|line| line.starts_with("C: AUTH")));
}
