//! Nodes of one comune over one log: each with a directory, a runtime and a server of its own, so
//! that one can be killed; keys and clock are shared.

use crate::COMUNE;
use crate::endpoint::LogServer;
use pratica_api::app::{Clock, House, ManualClock, MasterKeys};
use pratica_api::demo::Town;
use pratica_api::grpc::auth::{Identity, ServerKey};
use pratica_api::grpc::{Options, serve};
use pratica_domain::Role;
use pratica_store::Vault;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// What the nodes share.
pub struct Shared {
    /// A directory for everything.
    pub root: PathBuf,
    /// The clock of all.
    pub clock: Arc<ManualClock>,
    /// Signs the tokens of all.
    pub key: ServerKey,
    connection: String,
}

impl Shared {
    /// Makes the shared keys and settings for nodes over a served log.
    pub fn new(root: &Path, log: &LogServer) -> anyhow::Result<Shared> {
        let comune = COMUNE.parse()?;
        let master = MasterKeys::File(root.join("master/{comune}.key").display().to_string());
        let master = master.of(&comune, &root.join("new").join(COMUNE))?;
        Vault::share(None, &root.join("keys").join(COMUNE), &master)?;
        Ok(Shared {
            root: root.to_owned(),
            clock: Arc::new(ManualClock::new(crate::START.parse()?)),
            key: ServerKey::open(root)?,
            connection: log.connection(COMUNE, Role::Migrator)?,
        })
    }

    /// Starts a node; its directory may be there from before.
    pub fn start(&self, name: &str) -> anyhow::Result<Node> {
        let data = self.root.join(name);
        let directory = data.join(COMUNE);
        std::fs::create_dir_all(&directory)?;
        let keys = self.root.join("keys");
        std::fs::write(
            directory.join("comune.toml"),
            format!("[log]\nkurrent = {:?}\nkeys = {:?}\n", self.connection, keys),
        )?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let master = MasterKeys::File(self.root.join("master/{comune}.key").display().to_string());
        let identity = Identity::own(&self.key);
        let (house, url) = runtime.block_on(async {
            let (house, projectors) = House::open(&data, &[COMUNE.parse()?], clock, &master)?;
            house.start(projectors).await;
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let url = format!("http://{}", listener.local_addr()?);
            let its = Arc::clone(&house);
            tokio::spawn(async move {
                serve(listener, its, &identity, &Options::default(), std::future::pending()).await
            });
            anyhow::Ok((house, url))
        })?;
        Ok(Node { url, house, key: self.key.clone(), runtime: Some(runtime) })
    }
}

/// A running node.
pub struct Node {
    /// Where it listens.
    pub url: String,
    /// What it serves.
    pub house: Arc<House>,
    key: ServerKey,
    runtime: Option<Runtime>,
}

impl Node {
    /// The people of the comune, at this node.
    pub fn town(&self) -> Town {
        Town::new(COMUNE, &self.url, self.key.clone())
    }

    /// Whether it does what must be done once at a time.
    pub fn leads(&self) -> bool {
        self.house.all().any(|open| open.town.lead.leads())
    }

    /// Ends it as it is, in the middle of whatever it does, and waits until its files are free.
    pub fn kill(mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The views follow on a thread of their own, which only ends when it is asked; everything
            // else is dropped where it stands.
            runtime.block_on(async {
                let _ = tokio::time::timeout(Duration::ZERO, self.house.stop()).await;
            });
            runtime.shutdown_timeout(Duration::from_secs(60));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
