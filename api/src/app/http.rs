//! The one way out over HTTP: small documents of identity providers in, checkpoints out to
//! witnesses. Encrypted, except to this machine itself; bounded in time and size; no redirects.

use bytes::Bytes;
use http::{Method, Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::time::Duration;

/// The largest answer that is read, in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;
/// How long a whole exchange may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Why an exchange failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is none, or is not encrypted.
    #[error("{0:?} must be an https:// address; http:// only leads to this machine itself")]
    Address(String),
    /// The certificates that the machine trusts cannot be read.
    #[error("the machine's trusted certificates cannot be read")]
    Roots(#[source] std::io::Error),
    /// Nobody answered, or not in time.
    #[error("{0} does not answer")]
    Unreachable(String, #[source] Option<Box<dyn std::error::Error + Send + Sync>>),
    /// The answer was another than hoped for.
    #[error("{0} answered with status {1}")]
    Status(String, u16),
    /// The answer is too large or broke off.
    #[error("the answer of {0} cannot be read")]
    Body(String),
}

impl Http {
    /// A client that trusts the certificates that the machine trusts.
    ///
    /// # Errors
    /// [`HttpError::Roots`].
    pub fn new() -> Result<Self, HttpError> {
        let provider = rustls::crypto::ring::default_provider();
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider)
            .map_err(HttpError::Roots)?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Http { client: Client::builder(TokioExecutor::new()).build(connector) })
    }

    /// Fetches a small document.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn get(&self, url: &str) -> Result<Bytes, HttpError> {
        self.exchange(Method::GET, url, "", Bytes::new()).await
    }

    /// Posts a text.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn post(&self, url: &str, text: &str) -> Result<(), HttpError> {
        let body = Bytes::copy_from_slice(text.as_bytes());
        self.exchange(Method::POST, url, "text/plain; charset=utf-8", body).await.map(drop)
    }

    async fn exchange(
        &self,
        method: Method,
        url: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<Bytes, HttpError> {
        let uri = checked(url)?;
        let mut request = Request::builder().method(method).uri(uri);
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        let request =
            request.body(Full::new(body)).map_err(|_| HttpError::Address(url.to_owned()))?;
        let whole = async {
            let answer = self
                .client
                .request(request)
                .await
                .map_err(|e| HttpError::Unreachable(url.to_owned(), Some(Box::new(e))))?;
            if !answer.status().is_success() {
                return Err(HttpError::Status(url.to_owned(), answer.status().as_u16()));
            }
            let body = Limited::new(answer.into_body(), BODY_BYTES_MAX).collect().await;
            body.map(|b| b.to_bytes()).map_err(|_| HttpError::Body(url.to_owned()))
        };
        match tokio::time::timeout(TIMEOUT, whole).await {
            Ok(done) => done,
            Err(_) => Err(HttpError::Unreachable(url.to_owned(), None)),
        }
    }
}

/// An address that may be called.
///
/// # Errors
/// [`HttpError::Address`].
pub fn checked(url: &str) -> Result<Uri, HttpError> {
    let refused = || HttpError::Address(url.to_owned());
    let uri: Uri = url.parse().map_err(|_| refused())?;
    let here = matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if here => Ok(uri),
        _ => Err(refused()),
    }
}
