//! Server side. The sandbox' certificates: a good one, and those that must be refused, chosen by the name that the
//! client requests.

use std::{collections::HashMap, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig,
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{DOMAIN, SandboxError};

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// The authority of this run.
pub(super) struct Authority {
    issuer: Issuer,
    certificates: HashMap<String, Arc<CertifiedKey>>,
    good: Arc<CertifiedKey>,
}

impl Authority {
    pub(super) fn new() -> Result<Self, rcgen::Error> {
        let issuer = issuer("Facteur sandbox authority")?;
        let stranger = issuer_nobody_knows()?;
        let name = |first: &str| format!("{first}.{DOMAIN}");
        let good = Arc::new(leaf(&issuer, &[name("smtp"), name("silence"), name("scram")], Validity::Now)?);
        let certificates = HashMap::from([
            (name("other-name"), Arc::new(leaf(&issuer, &["mail.elsewhere.example".to_owned()], Validity::Now)?)),
            (name("expired"), Arc::new(leaf(&issuer, &[name("expired")], Validity::Past)?)),
            (name("unknown-issuer"), Arc::new(leaf(&stranger, &[name("unknown-issuer")], Validity::Now)?)),
        ]);
        Ok(Self { issuer, certificates, good })
    }

    pub(super) fn certificate(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    pub(super) fn server_config(&self) -> Result<ServerConfig, SandboxError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chooser = Chooser { certificates: self.certificates.clone(), good: self.good.clone() };
        Ok(ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(SandboxError::Tls)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(chooser)))
    }
}

#[derive(Debug)]
struct Chooser {
    certificates: HashMap<String, Arc<CertifiedKey>>,
    good: Arc<CertifiedKey>,
}

impl ResolvesServerCert for Chooser {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|name| self.certificates.get(name));
        Some(named.unwrap_or(&self.good).clone())
    }
}

enum Validity {
    Now,
    Past,
}

fn issuer(name: &str) -> Result<Issuer, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn issuer_nobody_knows() -> Result<Issuer, rcgen::Error> {
    issuer("An unknown authority")
}

fn leaf(issuer: &Issuer, names: &[String], validity: Validity) -> Result<CertifiedKey, rcgen::Error> {
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name.push(DnType::CommonName, names[0].clone());
    let (from, to) = match validity {
        Validity::Now => (2024, 2050),
        Validity::Past => (2020, 2021),
    };
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signing = any_supported_type(&key).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], signing))
}
