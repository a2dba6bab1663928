//! The harness: a real server on a free port over a directory of its own, a manual clock, and the
//! town's people as clients. Nothing of ours is stubbed.

pub mod endpoint;
pub mod node;
pub mod random;
pub mod unreliable;

pub use random::Random;

use jiff::Timestamp;
use pratica_api::app::{Clock, House, ManualClock, MasterKeys};
use pratica_api::cli::Failure;
use pratica_api::cli::client::Client;
use pratica_api::demo::Town;
use pratica_api::grpc::auth::{Claims, Identity, ServerKey};
use pratica_api::grpc::{Options, serve};
use pratica_domain::Role;
use pratica_store::EventReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic_types::StatusExt as _;

/// The comune of most tests.
pub const COMUNE: &str = "collina";
/// A Monday morning in Rome.
pub const START: &str = "2026-03-02T09:00:00Z";

/// A running server.
pub struct Server {
    /// Where it listens.
    pub url: String,
    /// Its comuni.
    pub house: Arc<House>,
    /// Its key.
    pub key: ServerKey,
    directory: PathBuf,
    temporary: Option<tempfile::TempDir>,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Server {
    /// One comune in a new directory, at [`START`].
    pub async fn start() -> anyhow::Result<Server> {
        Server::start_with(&[COMUNE], START).await
    }

    /// Several comuni in a new directory, at an instant.
    pub async fn start_with(comuni: &[&str], at: &str) -> anyhow::Result<Server> {
        let temporary = tempfile::tempdir()?;
        let mut server = Server::open(temporary.path(), comuni, at).await?;
        server.temporary = Some(temporary);
        Ok(server)
    }

    /// Comuni in a directory that is there, with tokens of the server's own.
    pub async fn open(directory: &Path, comuni: &[&str], at: &str) -> anyhow::Result<Server> {
        let identity = Identity::own(&ServerKey::open(directory)?);
        Server::open_for(directory, comuni, at, identity).await
    }

    /// As [`Server::open`], with tokens of others.
    pub async fn open_for(
        directory: &Path,
        comuni: &[&str],
        at: &str,
        identity: Identity,
    ) -> anyhow::Result<Server> {
        let options = Options {
            web_origins: vec!["https://portale.example".into()],
            reflection: true,
            ..Options::default()
        };
        Server::open_over(directory, comuni, at, identity, options).await
    }

    /// As [`Server::open_for`], with a door of one's own.
    pub async fn open_over(
        directory: &Path,
        comuni: &[&str],
        at: &str,
        identity: Identity,
        options: Options,
    ) -> anyhow::Result<Server> {
        let now: Timestamp = at.parse()?;
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(now));
        let comuni = comuni.iter().map(|c| c.parse()).collect::<Result<Vec<_>, _>>()?;
        let key = ServerKey::open(directory)?;
        let keys = MasterKeys::Demonstration;
        let (house, projectors) = House::open(directory, &comuni, clock, &keys)?;
        house.start(projectors).await;
        house.advance(now).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let (its_house, its_identity) = (Arc::clone(&house), identity);
        let served = tokio::spawn(async move {
            let until = async {
                let _ = stopped.await;
            };
            serve(listener, its_house, &its_identity, &options, until).await
        });
        Ok(Server {
            url,
            house,
            key,
            directory: directory.to_owned(),
            temporary: None,
            stop: Some(stop),
            served: Some(served),
        })
    }

    /// Stops it and starts it again over the same directory at another instant.
    pub async fn restart(mut self, comuni: &[&str], at: &str) -> anyhow::Result<Server> {
        let temporary = self.temporary.take();
        let directory = self.directory.clone();
        self.stop().await?;
        let mut server = Server::open(&directory, comuni, at).await?;
        server.temporary = temporary;
        Ok(server)
    }

    /// Stops it and waits until everything has ended.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(served) = self.served.take() {
            served.await??;
        }
        self.house.stop().await;
        Ok(())
    }

    /// The people of the first comune.
    pub fn town(&self) -> Town {
        Town::new(COMUNE, &self.url, self.key.clone())
    }

    /// The people of another comune.
    pub fn town_of(&self, comune: &str) -> Town {
        Town::new(comune, &self.url, self.key.clone())
    }

    /// A client with claims of one's own.
    pub async fn client(&self, claims: &Claims) -> anyhow::Result<Client> {
        let token = self.key.token(claims)?;
        Client::open(&self.url, Some(&token), "en").await.map_err(|e| anyhow::anyhow!("{e:?}"))
    }

    /// Claims of an account in a role, for all comuni.
    pub fn claims(account: &str, role: Role) -> Claims {
        Claims::new(account, role, Timestamp::now(), 1)
    }

    /// The last position of the first comune's log.
    pub async fn head(&self) -> anyhow::Result<u64> {
        match self.house.all().next() {
            Some(open) => Ok(open.town.log.head().await?.get()),
            None => anyhow::bail!("the server has no comune"),
        }
    }

    /// Fails unless the views of the first comune are what its log says, at its end as of now.
    pub async fn views_equal_a_rebuild(&self) -> anyhow::Result<()> {
        let Some(open) = self.house.all().next() else { anyhow::bail!("the server has no comune") };
        let town = &open.town;
        town.wait_for_views(town.log.head().await?).await?;
        let followed = town.views.content_digest().await?.value;
        let reader: Arc<dyn EventReader> = Arc::clone(&town.log) as _;
        town.views.rebuild(reader, &town.rules, |_, _| {}).await?;
        let rebuilt = town.views.content_digest().await?.value;
        anyhow::ensure!(followed == rebuilt, "the views are not what the log says");
        Ok(())
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// A failure as an error that a test may end with.
pub fn fault(failure: Failure) -> anyhow::Error {
    anyhow::anyhow!("{failure:?}")
}

/// The reason of a refusal; the whole answer if it is none.
pub fn reason<T: std::fmt::Debug>(answer: Result<T, Failure>) -> String {
    match answer {
        Err(Failure::Status(status)) => status
            .get_error_details()
            .error_info()
            .map_or_else(|| format!("{:?}", status.code()), |info| info.reason.clone()),
        other => format!("{other:?}"),
    }
}

/// The fields that an answer says break a rule.
pub fn violations<T: std::fmt::Debug>(answer: Result<T, Failure>) -> Vec<String> {
    match answer {
        Err(Failure::Status(status)) => status
            .get_error_details()
            .bad_request()
            .map(|bad| bad.field_violations.iter().map(|v| v.field.clone()).collect())
            .unwrap_or_default(),
        other => vec![format!("{other:?}")],
    }
}
