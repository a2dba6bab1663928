//! A log served over the protocol of event stores, on a free port: of a running server, or bare.

use crate::Server;
use jiff::Timestamp;
use pratica_api::app::{Clock, ManualClock};
use pratica_api::eventstore::{Endpoint, Shelf, serve};
use pratica_api::grpc::auth::{Claims, Identity, ServerKey};
use pratica_api::grpc::tls::{Tls, TlsFiles};
use pratica_domain::Role;
use pratica_store::{SqliteLog, sqlite};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running endpoint.
pub struct LogServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whose key its tokens are signed with.
    pub key: ServerKey,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<anyhow::Result<()>>>,
}

impl LogServer {
    /// The logs of a running server, as `pratica serve` would serve them.
    pub async fn over(server: &Server) -> anyhow::Result<LogServer> {
        let logs = server.house.all().map(|open| {
            let shelf = Shelf {
                log: Arc::clone(&open.embedded),
                appendable: true,
                rules: Some(Arc::clone(&open.town.rules)),
                vault: Some(Arc::clone(&open.town.vault)),
                clock: Arc::clone(&server.house.clock),
            };
            (open.town.comune.clone(), shelf)
        });
        LogServer::start(logs.collect(), server.key.clone(), None, "127.0.0.1:0".parse()?).await
    }

    /// The log in a directory, of any comune by these names, taking events of every kind.
    pub async fn bare(directory: &Path, comuni: &[&str]) -> anyhow::Result<LogServer> {
        LogServer::bare_at(directory, comuni, "127.0.0.1:0".parse()?).await
    }

    /// As [`LogServer::bare`], over TLS; `ca.pem` in the directory is whom to trust.
    pub async fn bare_over_tls(directory: &Path, comuni: &[&str]) -> anyhow::Result<LogServer> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let (certificate, key) = (directory.join("ca.pem"), directory.join("endpoint.key"));
        std::fs::write(&certificate, made.cert.pem())?;
        std::fs::write(&key, made.signing_key.serialize_pem())?;
        let tls = Tls::open(TlsFiles { certificate, key, client_roots: None })?;
        LogServer::open(directory, comuni, Some(tls), "127.0.0.1:0".parse()?).await
    }

    /// As [`LogServer::bare`], at an address of before: the server that comes back.
    pub async fn bare_at(
        directory: &Path,
        comuni: &[&str],
        address: SocketAddr,
    ) -> anyhow::Result<LogServer> {
        LogServer::open(directory, comuni, None, address).await
    }

    async fn open(
        directory: &Path,
        comuni: &[&str],
        tls: Option<Arc<Tls>>,
        address: SocketAddr,
    ) -> anyhow::Result<LogServer> {
        let path = directory.join("log.db");
        let log = Arc::new(SqliteLog::open(path, sqlite::Options::default())?);
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(crate::START.parse()?));
        let mut logs = BTreeMap::new();
        for comune in comuni {
            let shelf = Shelf {
                log: Arc::clone(&log),
                appendable: true,
                rules: None,
                vault: None,
                clock: Arc::clone(&clock),
            };
            logs.insert(comune.parse()?, shelf);
        }
        LogServer::start(logs, ServerKey::open(directory)?, tls, address).await
    }

    async fn start(
        logs: BTreeMap<pratica_domain::ids::ComuneId, Shelf>,
        key: ServerKey,
        tls: Option<Arc<Tls>>,
        address: SocketAddr,
    ) -> anyhow::Result<LogServer> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let identity = Identity::own(&key);
        // A certificate is for a name.
        let advertised = match &tls {
            Some(_) => {
                format!("localhost:{}", address.port()).parse().map_err(anyhow::Error::msg)?
            }
            None => address.into(),
        };
        let endpoint = Endpoint { logs, identity, calls_per_second: 0, tls, advertised };
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serve(listener, endpoint, async {
            // A sender that is gone stops it as well.
            let _ = stopped.await;
        }));
        Ok(LogServer { address, key, stop: Some(stop), served: Some(served) })
    }

    /// Claims for this endpoint's tokens, for one comune.
    pub fn claims(account: &str, role: Role, comune: &str) -> Claims {
        let mut claims = Claims::new(account, role, Timestamp::now(), 1);
        claims.comuni = vec![comune.to_owned()];
        claims
    }

    /// A connection string for a comune, with a token of a role.
    pub fn connection(&self, comune: &str, role: Role) -> anyhow::Result<String> {
        let token = self.key.token(&LogServer::claims("trasloco", role, comune))?;
        Ok(format!("esdb://{comune}:{token}@{}?tls=false&maxDiscoverAttempts=2", self.address))
    }

    /// Stops it and waits until it has ended, its log closed.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        match self.served.take() {
            Some(served) => served.await?,
            None => Ok(()),
        }
    }
}
