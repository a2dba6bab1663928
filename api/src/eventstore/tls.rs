//! TLS for the address of the logs. The cryptography is named, never the process's default: the
//! client of a cluster sets one of its own.

use super::Pem;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;

/// How many may be shaking hands at a time; more wait to be accepted.
const AT_ONCE: usize = 256;
/// How long shaking hands may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that is encrypted.
type Encrypted = std::io::Result<TlsStream<TcpStream>>;

/// What connections are greeted with.
pub(super) fn config(pem: &Pem) -> anyhow::Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_slice_iter(&pem.certificates).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(&pem.key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

/// The connections of a listener, once they are encrypted. Who does not finish shaking hands holds
/// nobody up, and is let go after a while.
pub(super) fn incoming(
    listener: TcpListener,
    config: Arc<ServerConfig>,
) -> ReceiverStream<Encrypted> {
    let (sender, receiver) = mpsc::channel(1);
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let acceptor = TlsAcceptor::from(config);
    tokio::spawn(async move {
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = sender.closed() => return,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (acceptor, sender) = (acceptor.clone(), sender.clone());
            tokio::spawn(async move {
                let _place = place;
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection stays slow");
                }
                match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                    // Nobody takes it any more when the server is ending.
                    Ok(Ok(encrypted)) => drop(sender.send(Ok(encrypted)).await),
                    Ok(Err(error)) => tracing::debug!(%error, "no TLS with a caller"),
                    Err(_) => tracing::debug!("a caller did not finish shaking hands"),
                }
            });
        }
    });
    ReceiverStream::new(receiver)
}
