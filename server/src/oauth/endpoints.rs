//! Server side. The endpoints of a provider: fixed, or found at its issuer (`OpenID` Connect Discovery 1.0 §4).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use app::services::Clock;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::requests::{RequestError, Requests};

/// How long a discovered document is used.
const DOCUMENT_LASTS: SignedDuration = SignedDuration::from_hours(1);

/// Where the endpoints of a client come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoints {
    Fixed(FixedEndpoints),
    /// The document at `{issuer}/.well-known/openid-configuration`.
    Discovered {
        issuer: String,
        document: String,
    },
}

/// The URLs of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedEndpoints {
    /// The page that the browser opens (RFC 6749 §3.1).
    pub authorization: String,
    /// RFC 6749 §3.2.
    pub token: String,
    /// The keys that sign ID tokens (RFC 7517).
    pub keys: String,
    /// RFC 7009; `None`: the provider has none.
    pub revocation: Option<String>,
}

/// The `iss` that an ID token must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuer {
    Exactly(String),
    /// `https://login.microsoftonline.com/{tid}/v2.0`, with the token's own tenant.
    MicrosoftTenants,
}

impl Issuer {
    /// Whether an ID token, or an authorization response (RFC 9207), comes from this provider. `tenant`: the `tid` of
    /// the ID token.
    pub fn accepts(&self, issuer: &str, tenant: Option<&str>) -> bool {
        match self {
            Self::Exactly(expected) => issuer == expected,
            Self::MicrosoftTenants => {
                let of_tenant = issuer
                    .strip_prefix("https://login.microsoftonline.com/")
                    .and_then(|rest| rest.strip_suffix("/v2.0"))
                    .filter(|found| !found.is_empty() && !found.contains('/'));
                of_tenant.is_some_and(|found| tenant.is_none_or(|tenant| tenant == found))
            }
        }
    }
}

/// What is read of the provider's metadata (`OpenID` Connect Discovery 1.0 §3, RFC 8414 §2).
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    revocation_endpoint: Option<String>,
}

/// Why the endpoints are unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("cannot read the provider's metadata: {0}")]
    Request(#[from] RequestError),
    #[error("cannot parse the provider's metadata")]
    Malformed,
    #[error("the provider's metadata names the issuer {0}")]
    OtherIssuer(String),
    #[error("the provider's metadata names an endpoint that is not https")]
    Insecure,
}

/// Finds endpoints, and remembers them.
#[derive(Clone)]
pub struct EndpointCache {
    requests: Requests,
    clock: Clock,
    known: Arc<Mutex<HashMap<String, (FixedEndpoints, Timestamp)>>>,
}

impl EndpointCache {
    pub fn new(requests: Requests, clock: Clock) -> Self {
        Self { requests, clock, known: Arc::default() }
    }

    pub async fn of(&self, endpoints: &Endpoints) -> Result<FixedEndpoints, EndpointError> {
        let (issuer, document) = match endpoints {
            Endpoints::Fixed(fixed) => return Ok(fixed.clone()),
            Endpoints::Discovered { issuer, document } => (issuer, document),
        };
        let now = (self.clock)();
        let remembered = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(document).cloned();
        if let Some((found, until)) = &remembered
            && *until > now
        {
            return Ok(found.clone());
        }
        match self.discover(issuer, document).await {
            Ok(found) => {
                let entry = (found.clone(), now + DOCUMENT_LASTS);
                self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(document.clone(), entry);
                Ok(found)
            }
            // A provider that does not answer has not moved.
            Err(error) => remembered.map(|(found, _)| found).ok_or(error),
        }
    }

    async fn discover(&self, issuer: &str, document: &str) -> Result<FixedEndpoints, EndpointError> {
        let response = self.requests.get(document).await?;
        let found: Document = serde_json::from_slice(response.body()).map_err(|_| EndpointError::Malformed)?;
        if found.issuer != issuer {
            return Err(EndpointError::OtherIssuer(found.issuer));
        }
        let insecure_is_allowed = document.starts_with("http://");
        let found = FixedEndpoints {
            authorization: found.authorization_endpoint,
            token: found.token_endpoint,
            keys: found.jwks_uri,
            revocation: found.revocation_endpoint,
        };
        let urls = [&found.authorization, &found.token, &found.keys].into_iter().chain(&found.revocation);
        let secure = |url: &str| url.starts_with("https://") || (insecure_is_allowed && url.starts_with("http://"));
        if urls.into_iter().all(|url| secure(url)) { Ok(found) } else { Err(EndpointError::Insecure) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_compared_exactly() {
        let google = Issuer::Exactly("https://accounts.google.com".to_owned());
        assert!(google.accepts("https://accounts.google.com", None));
        for other in ["https://accounts.google.com/", "accounts.google.com", "https://accounts.google.com.evil.example"]
        {
            assert!(!google.accepts(other, None), "{other}");
        }
        let microsoft = Issuer::MicrosoftTenants;
        let of = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
        assert!(microsoft.accepts(&of("contoso"), Some("contoso")) && microsoft.accepts(&of("contoso"), None));
        assert!(!microsoft.accepts(&of("contoso"), Some("other")), "another tenant's token");
        for other in [
            "https://login.microsoftonline.com//v2.0",
            "https://login.microsoftonline.com/a/b/v2.0",
            "https://evil.example/contoso/v2.0",
        ] {
            assert!(!microsoft.accepts(other, None), "{other}");
        }
    }
}
