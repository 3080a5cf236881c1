//! TLS: always verified against the host's name, with the machine's and the operator's authorities.

use std::sync::{Arc, Mutex, PoisonError};

use model::{
    cause::Cause,
    provider,
    report::{CertificateSummary, TlsSummary},
};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::{Host, SetupError, Stream};
use crate::shown::clean;

/// The configuration that all connections share.
pub(crate) struct Tls {
    config: ClientConfig,
    verifier: Arc<WebPkiServerVerifier>,
}

/// A failed handshake, with the certificate if the server sent one.
pub(crate) struct TlsFailure {
    /// Why it failed.
    pub cause: Cause,
    /// What was negotiated, if the server sent a certificate.
    pub summary: Option<TlsSummary>,
    /// The server does not speak TLS at all.
    pub is_plaintext: bool,
}

impl Tls {
    pub(crate) fn new(system_roots: bool, extra: &[CertificateDer<'static>]) -> Result<Self, SetupError> {
        let mut roots = RootCertStore::empty();
        if system_roots {
            let loaded = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(loaded.certs);
        }
        for certificate in extra {
            roots.add(certificate.clone()).map_err(SetupError::Authority)?;
        }
        if roots.is_empty() {
            return Err(SetupError::NoAuthority);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots.clone()), provider.clone())
            .build()
            .map_err(SetupError::Verifier)?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(SetupError::Authority)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // One account must not resume another's session, and every test shows the certificate.
        config.resumption = Resumption::disabled();
        Ok(Self { config, verifier })
    }

    /// Performs the handshake as a client of `host`.
    pub(crate) async fn connect(
        &self,
        host: &Host,
        stream: Box<dyn Stream>,
        deadline: Instant,
    ) -> Result<(Box<dyn Stream>, TlsSummary), TlsFailure> {
        let failed = |cause| TlsFailure { cause, summary: None, is_plaintext: false };
        let name = ServerName::try_from(host.as_str().to_owned()).map_err(|_| failed(Cause::HostInvalid))?;
        let witness = Arc::new(Witness { inner: self.verifier.clone(), seen: Mutex::default() });
        let mut config = self.config.clone();
        config.dangerous().set_certificate_verifier(witness.clone());
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        match timeout_at(deadline, handshake).await {
            Err(_) => Err(failed(Cause::Timeout)),
            Ok(Ok(stream)) => {
                let connection = stream.get_ref().1;
                let summary = TlsSummary {
                    version: connection.protocol_version().map(|version| format!("{version:?}")).unwrap_or_default(),
                    cipher: connection
                        .negotiated_cipher_suite()
                        .map(|suite| format!("{:?}", suite.suite()))
                        .unwrap_or_default(),
                    certificate: witness.certificate(),
                };
                Ok((Box::new(stream), TlsSummary { version: summary.version.replace('_', "."), ..summary }))
            }
            Ok(Err(error)) => {
                let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
                let certificate = witness.certificate();
                let of_another =
                    certificate.as_ref().is_some_and(|certificate| is_another_s(host.as_str(), certificate));
                let summary = certificate.map(|certificate| TlsSummary {
                    version: String::new(),
                    cipher: String::new(),
                    certificate: Some(certificate),
                });
                let is_plaintext = matches!(tls, Some(Error::InvalidMessage(_)));
                let cause = match tls.map_or(Cause::ConnectionLost, cause_of) {
                    Cause::CertNameMismatch | Cause::CertUntrusted | Cause::CertExpired if of_another => {
                        Cause::WrongServer
                    }
                    cause => cause,
                };
                Err(TlsFailure { cause, summary, is_plaintext })
            }
        }
    }
}

/// Whether a certificate that was refused shows that another server responds in place of a known provider's: hosting
/// companies redirect port 587 to a server of their own. A provider's own certificate always has one of its names.
fn is_another_s(host: &str, certificate: &CertificateSummary) -> bool {
    let mut running = provider::all().iter().filter(|provider| provider.runs(host)).peekable();
    let is_known = running.peek().is_some() && !certificate.names.is_empty();
    let plain = |name: &String| name.strip_prefix("*.").unwrap_or(name).to_owned();
    is_known && !running.any(|provider| certificate.names.iter().map(plain).any(|name| provider.runs(&name)))
}

fn cause_of(error: &Error) -> Cause {
    match error {
        Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Cause::CertExpired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Cause::CertNotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Cause::CertNameMismatch
            }
            _ => Cause::CertUntrusted,
        },
        Error::InvalidMessage(_) => Cause::TlsPortMismatch,
        Error::PeerIncompatible(_) | Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            Cause::TlsVersionUnsupported
        }
        _ => Cause::TlsHandshakeFailed,
    }
}

/// Wraps the verifier of rustls, which alone decides; this one keeps the certificate for the report.
#[derive(Debug)]
struct Witness {
    inner: Arc<WebPkiServerVerifier>,
    seen: Mutex<Option<CertificateDer<'static>>>,
}

impl Witness {
    fn certificate(&self) -> Option<CertificateSummary> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        summarise(seen.as_ref()?)
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(end_entity.clone().into_owned());
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The most names of a certificate that are shown.
const MOST_NAMES: usize = 10;

fn summarise(certificate: &CertificateDer<'_>) -> Option<CertificateSummary> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let shown = |text: String| clean(&text);
    let names = certificate.subject_alternative_name().ok().flatten().map(|extension| {
        let names = extension.value.general_names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(shown((*name).to_owned())),
            _ => None,
        });
        names.take(MOST_NAMES).collect()
    });
    let instant =
        |seconds: i64| jiff::Timestamp::from_second(seconds).map(|instant| instant.to_string()).unwrap_or_default();
    Some(CertificateSummary {
        subject: shown(certificate.subject().to_string()),
        issuer: shown(certificate.issuer().to_string()),
        names: names.unwrap_or_default(),
        not_before: instant(certificate.validity().not_before.timestamp()),
        not_after: instant(certificate.validity().not_after.timestamp()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_provider_s_certificate_has_a_name_of_its_own() {
        let of = |names: &[&str]| CertificateSummary {
            subject: String::new(),
            issuer: String::new(),
            names: names.iter().map(|&name| name.to_owned()).collect(),
            not_before: String::new(),
            not_after: String::new(),
        };
        let hosting = of(&["server9.hosting.example", "*.hosting.example"]);
        assert!(is_another_s("smtp.gmail.com", &hosting) && is_another_s("smtp.office365.com", &hosting));
        assert!(!is_another_s("smtp.gmail.com", &of(&["*.gmail.com", "other.example"])));
        assert!(!is_another_s("smtp.gmail.com", &of(&[])), "a certificate without names says nothing");
        // Shops' own names are often served under the hosting company's.
        assert!(!is_another_s("mail.boutique.example", &hosting));
    }
}
