//! Who calls: a bearer token, read before any method.
//!
//! Of an identity provider (see [`super::issuer`]), or signed by the server's own key: that is for
//! a first install and for tests, and off unless it is asked for.

use super::door::Door;
use super::incoming::Peer;
use super::issuer::{Issuer, Refused};
use super::tls::{self, CertificateSettings};
use crate::app::Principal;
use http::HeaderMap;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use pratica_domain::Role;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::server::NamedService;

const ISSUER: &str = "pratica";

/// What a token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed it.
    pub iss: String,
    /// The account: lower-case letters, digits, `.`, `_`; never a name or a fiscal code.
    pub sub: String,
    /// The role.
    pub role: String,
    /// The comuni it is for; empty means all.
    #[serde(default)]
    pub comuni: Vec<String>,
    /// The offices of a member of staff.
    #[serde(default)]
    pub offices: Vec<String>,
    /// Until when, in seconds since 1970.
    pub exp: i64,
}

/// The server's own key.
#[derive(Clone)]
pub struct ServerKey(Vec<u8>);

/// A key or a token that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file could not be read or written.
    #[error("cannot use the key file {path}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file does not hold a key.
    #[error("{path} does not hold a key: it must be 64 hexadecimal characters")]
    Shape {
        /// The file.
        path: std::path::PathBuf,
    },
    /// The token could not be made.
    #[error("cannot sign the token")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

impl ServerKey {
    /// Reads `server.key` of the data directory, or makes it on a first install.
    ///
    /// # Errors
    /// When the file cannot be read, written, or does not hold a key.
    pub fn open(data: &Path) -> Result<Self, KeyError> {
        let path = data.join("server.key");
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(text.trim()).ok_or(KeyError::Shape { path }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Self::make(&path),
            Err(source) => Err(KeyError::File { path, source }),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        crate::app::deliver::unhex(text).filter(|b| b.len() == 32).map(ServerKey)
    }

    fn make(path: &Path) -> Result<Self, KeyError> {
        use std::io::Write as _;
        let mut bytes = uuid::Uuid::new_v4().into_bytes().to_vec();
        bytes.extend(uuid::Uuid::new_v4().into_bytes());
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(path).and_then(|mut file| {
            file.write_all(crate::app::deliver::hex(&bytes).as_bytes())?;
            file.sync_all()
        });
        match written {
            Ok(()) => Ok(ServerKey(bytes)),
            Err(source) => Err(KeyError::File { path: path.to_owned(), source }),
        }
    }

    /// Signs a token.
    ///
    /// # Errors
    /// When the claims cannot be written.
    pub fn token(&self, claims: &Claims) -> Result<String, KeyError> {
        let key = EncodingKey::from_secret(&self.0);
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).map_err(KeyError::Sign)
    }
}

impl Claims {
    /// Claims of an account, valid for some days from `now`.
    pub fn new(account: &str, role: Role, now: Timestamp, days: i64) -> Self {
        Claims {
            iss: ISSUER.to_owned(),
            sub: account.to_owned(),
            role: role.as_str().to_owned(),
            comuni: Vec::new(),
            offices: Vec::new(),
            exp: now.as_second() + days * 86_400,
        }
    }

    fn principal(self) -> Result<Principal, pratica_domain::ids::InvalidId> {
        Ok(Principal {
            account: self.sub.parse()?,
            role: self.role.parse()?,
            comuni: self.comuni.iter().map(|c| c.parse()).collect::<Result<_, _>>()?,
            offices: self.offices.iter().map(|o| o.parse()).collect::<Result<_, _>>()?,
        })
    }
}

/// Whose tokens are accepted.
#[derive(Clone, Default)]
pub struct Identity {
    own: Option<DecodingKey>,
    issuers: Arc<[Issuer]>,
    certificates: Arc<[CertificateSettings]>,
}

impl Identity {
    /// Tokens signed by the server's own key, and no others.
    pub fn own(key: &ServerKey) -> Self {
        Identity::default().with_own(key)
    }

    /// Tokens of these providers.
    pub fn of(issuers: Vec<Issuer>) -> Self {
        Identity { issuers: issuers.into(), ..Identity::default() }
    }

    /// And those signed by the server's own key.
    #[must_use]
    pub fn with_own(mut self, key: &ServerKey) -> Self {
        self.own = Some(DecodingKey::from_secret(&key.0));
        self
    }

    /// And who comes with a client certificate of these names.
    #[must_use]
    pub fn with_certificates(mut self, certificates: Vec<CertificateSettings>) -> Self {
        self.certificates = certificates.into();
        self
    }

    /// Who a token stands for.
    pub(crate) async fn principal(&self, token: &str) -> Result<Principal, Status> {
        if let Some(issuer) = self.issuers.iter().find(|issuer| issuer.issued(token)) {
            return issuer.principal(token).await.map_err(|refused| match refused {
                Refused::Keys => Status::unavailable("the identity provider does not answer"),
                Refused::Claims | Refused::Level => {
                    Status::unauthenticated(format!("the token is not accepted: {refused}"))
                }
                Refused::NotMine | Refused::Invalid => {
                    Status::unauthenticated("the token is not valid or has expired")
                }
            });
        }
        match &self.own {
            Some(key) => own_principal(key, token),
            None => Err(Status::unauthenticated("the token is of no issuer that is known here")),
        }
    }

    /// Who calls: whom the token names, or, without one, whom the connection's certificate does.
    async fn authenticate(
        &self,
        headers: &HeaderMap,
        peer: Option<&Peer>,
    ) -> Result<Principal, Status> {
        let certificate = peer.and_then(|peer| peer.certificate.as_ref());
        if let Some(certificate) = certificate.filter(|_| !headers.contains_key("authorization")) {
            return tls::who(&self.certificates, certificate).ok_or_else(|| {
                Status::unauthenticated("the certificate is of nobody who is known here")
            });
        }
        let header = headers.get("authorization").and_then(|v| v.to_str().ok());
        let token = header.and_then(|h| h.strip_prefix("Bearer ").or(h.strip_prefix("bearer ")));
        let Some(token) = token else {
            return Err(Status::unauthenticated(
                "every call needs a token: authorization: Bearer <token>; `pratica token` makes one",
            ));
        };
        self.principal(token).await
    }
}

fn own_principal(key: &DecodingKey, token: &str) -> Result<Principal, Status> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    validation.validate_aud = false;
    let claims = jsonwebtoken::decode::<Claims>(token, key, &validation)
        .map_err(|_| Status::unauthenticated("the token is not valid or has expired"))?
        .claims;
    let principal = claims
        .principal()
        .map_err(|e| Status::unauthenticated(format!("the token's claims are not valid: {e}")))?;
    if principal.role == Role::System {
        return Err(Status::unauthenticated("no token is for Pratica's own processes"));
    }
    Ok(principal)
}

/// The method that is called, for the record of access.
#[derive(Clone)]
pub(crate) struct Method(pub(crate) String);

/// How a call is let in: who calls is read from it, and put into it for the method.
pub(crate) trait Admit: Clone + Send + 'static {
    /// Who calls.
    fn admit(
        &self,
        call: &mut http::Request<Body>,
    ) -> impl Future<Output = Result<Principal, Status>> + Send;
}

impl Admit for Identity {
    async fn admit(&self, call: &mut http::Request<Body>) -> Result<Principal, Status> {
        let principal = self.authenticate(call.headers(), call.extensions().get()).await?;
        let method = call.uri().path().trim_start_matches('/').to_owned();
        call.extensions_mut().insert(Method(method));
        call.extensions_mut().insert(principal.clone());
        Ok(principal)
    }
}

/// A service behind the door: who calls is put into the request; of nobody, no method is called.
#[derive(Clone)]
pub(crate) struct Guarded<S, A> {
    inner: S,
    entrance: A,
    door: Arc<Door>,
}

impl<S, A> Guarded<S, A> {
    /// Puts a service behind the door.
    pub(crate) fn new(inner: S, entrance: A, door: Arc<Door>) -> Self {
        Guarded { inner, entrance, door }
    }
}

impl<S: NamedService, A> NamedService for Guarded<S, A> {
    const NAME: &'static str = S::NAME;
}

impl<S, A> Service<http::Request<Body>> for Guarded<S, A>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    A: Admit,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        // The clone is not ready, the one that was asked is.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let (entrance, door) = (self.entrance.clone(), Arc::clone(&self.door));
        Box::pin(async move {
            let admitted = entrance.admit(&mut request).await;
            let entered = admitted.and_then(|who| door.enter(&who).map_err(|status| *status));
            match entered {
                Ok(inside) => {
                    // All that have come are counted before any of them is worked on.
                    tokio::task::yield_now().await;
                    // Whatever comes after must not see it, or write it down.
                    request.headers_mut().remove("authorization");
                    inner.call(request).await.map(|answer| inside.answers(answer))
                }
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]
    use super::super::limits::CALLS_MAX;
    use super::*;
    use std::future::{Ready, ready};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::task::JoinSet;
    use tonic::Code;
    use tonic_types::StatusExt as _;

    /// Answers at once, as a query does that reads what is in memory.
    #[derive(Clone)]
    struct Quick;

    impl Service<http::Request<Body>> for Quick {
        type Response = http::Response<Body>;
        type Error = Infallible;
        type Future = Ready<Result<http::Response<Body>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: http::Request<Body>) -> Self::Future {
            ready(Ok(http::Response::new(Body::empty())))
        }
    }

    /// Four accounts, one after the other.
    #[derive(Clone, Default)]
    struct Four(Arc<AtomicUsize>);

    impl Admit for Four {
        async fn admit(&self, _: &mut http::Request<Body>) -> Result<Principal, Status> {
            let turn = self.0.fetch_add(1, Ordering::Relaxed) % 4;
            Ok(Principal::system(format!("account.{turn}").parse().unwrap()))
        }
    }

    #[tokio::test]
    async fn calls_that_wait_for_their_turn_count_though_each_is_answered_at_once() {
        const TOO_MANY: usize = 100;
        let guarded = Guarded::new(Quick, Four::default(), Door::new(0));
        let mut calls = JoinSet::new();
        for _ in 0..CALLS_MAX + TOO_MANY {
            calls.spawn(guarded.clone().call(http::Request::new(Body::empty())));
        }
        let answers = calls.join_all().await;
        let refused: Vec<_> = answers
            .iter()
            .filter_map(|a| Status::from_header_map(a.as_ref().unwrap().headers()))
            .collect();
        assert_eq!(refused.len(), TOO_MANY);
        for status in refused {
            assert_eq!(status.code(), Code::ResourceExhausted);
            assert_eq!(status.get_error_details().error_info().unwrap().reason, "OVERLOADED");
            assert!(status.get_error_details().retry_info().is_some(), "when to come back");
        }
    }
}
