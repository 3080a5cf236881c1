//! Server side. Requests to a provider: through the guard, over TLS, without redirects, bounded in time and size.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use mail::net::{Network, Patience};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};

/// How long a request may take, connection included.
const REQUEST: Duration = Duration::from_secs(15);
/// How long opening the connection may take of that.
const PATIENCE: Patience =
    Patience { resolve: Duration::from_secs(5), connect: Duration::from_secs(10), tls: Duration::from_secs(10) };
/// The largest response.
const MOST_BYTES: usize = 64 * 1024;
/// The longest pause that a provider may request.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// Why a request brought no answer. All of these are temporary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("cannot connect: {0}")]
    Unreachable(&'static str),
    #[error("no response in time")]
    Timeout,
    #[error("the connection was lost")]
    Lost,
    #[error("the response is larger than 64 KiB")]
    TooLarge,
    /// A redirect, 429 or 5xx.
    #[error("the response has the status {status}")]
    Status { status: StatusCode, retry_after: Option<Duration> },
}

impl RequestError {
    /// When the provider wants to be asked again, if it says so.
    pub const fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => retry_after,
            _ => None,
        }
    }
}

/// Sends requests to providers.
#[derive(Clone)]
pub struct Requests {
    network: Arc<Network>,
}

impl Requests {
    pub const fn new(network: Arc<Network>) -> Self {
        Self { network }
    }

    /// Sends a request. A response is returned for 2xx and 4xx: the error of a token endpoint is in its body (RFC 6749
    /// §5.2).
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, RequestError> {
        tokio::time::timeout(REQUEST, self.send_patiently(request)).await.unwrap_or(Err(RequestError::Timeout))
    }

    /// Reads a document.
    pub async fn get(&self, url: &str) -> Result<HttpResponse, RequestError> {
        let request = http::Request::get(url).body(Vec::new());
        self.send(request.map_err(|_| RequestError::Unreachable("invalid URL"))?).await
    }

    async fn send_patiently(&self, request: HttpRequest) -> Result<HttpResponse, RequestError> {
        let invalid = RequestError::Unreachable("invalid URL");
        let (mut parts, body) = request.into_parts();
        let secure = parts.uri.scheme_str() == Some("https");
        let authority = parts.uri.authority().ok_or(invalid)?.clone();
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = self.network.open(authority.host(), port, secure, PATIENCE).await;
        let stream = stream.map_err(|cause| RequestError::Unreachable(cause.as_str()))?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| RequestError::Lost)?;
        tokio::spawn(async move {
            // Its result shows in the response.
            let _ = connection.await;
        });
        let host = authority.as_str().parse().map_err(|_| invalid)?;
        parts.uri = parts.uri.path_and_query().map_or(Uri::from_static("/"), |path| Uri::from(path.clone()));
        parts.headers.insert(header::HOST, host);
        parts
            .headers
            .insert(header::USER_AGENT, http::HeaderValue::from_static(concat!("Facteur/", env!("CARGO_PKG_VERSION"))));
        let request = http::Request::from_parts(parts, Full::new(Bytes::from(body)));
        let (parts, body) = sender.send_request(request).await.map_err(|_| RequestError::Lost)?.into_parts();
        let status = parts.status;
        if !(status.is_success() || status.is_client_error()) || status == StatusCode::TOO_MANY_REQUESTS {
            let retry_after =
                parts.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let retry_after = retry_after.map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE));
            return Err(RequestError::Status { status, retry_after });
        }
        let body = Limited::new(body, MOST_BYTES).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { RequestError::TooLarge } else { RequestError::Lost }
        })?;
        Ok(http::Response::from_parts(parts, body.to_bytes().to_vec()))
    }
}

/// The requests of the OAuth library go this way too.
impl<'c> AsyncHttpClient<'c> for Requests {
    type Error = RequestError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, RequestError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
