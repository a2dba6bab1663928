//! Servers on free ports of this machine: Pratica, and beside it tonic with an empty call.
//!
//! The empty call is `grpc.health.v1.Health/Check` on a server that has nothing else: no token, no
//! layer; nor has the one whose answers are ready (`ready`). Clients and servers share the processors, in both cases alike.

use crate::place::{COMUNE, Place};
use pratica_api::grpc::auth::{Claims, Identity, ServerKey};
use pratica_api::grpc::{Options, serve};
use pratica_domain::Role;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;

/// A server that runs.
pub(crate) struct Served {
    pub(crate) url: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Served {
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        // A server that has ended already needs no telling.
        let _ = self.stop.send(());
        self.task.await?
    }
}

async fn listen() -> anyhow::Result<(TcpListener, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok((listener, url))
}

/// Tonic with the empty call.
pub(crate) async fn empty() -> anyhow::Result<Served> {
    let (health, service) = tonic_health::server::health_reporter();
    health.set_service_status("", tonic_health::ServingStatus::Serving).await;
    tonic(Routes::new(service)).await
}

/// Tonic with these services, and nothing else.
pub(crate) async fn tonic(services: Routes) -> anyhow::Result<Served> {
    let (listener, url) = listen().await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        let until = async {
            let _ = stopped.await;
        };
        tonic::transport::Server::builder()
            .add_routes(services)
            .serve_with_incoming_shutdown(
                TcpIncoming::from(listener).with_nodelay(Some(true)),
                until,
            )
            .await?;
        Ok(())
    });
    Ok(Served { url, stop, task })
}

/// Pratica over a place, its views following.
pub(crate) async fn pratica(place: &mut Place) -> anyhow::Result<(Served, ServerKey)> {
    let key = ServerKey::open(&place.directory)?;
    place.start().await;
    let (listener, url) = listen().await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let (house, its_key) = (Arc::clone(&place.house), key.clone());
    let task = tokio::spawn(async move {
        let until = async {
            let _ = stopped.await;
        };
        let served = serve(
            listener,
            Arc::clone(&house),
            &Identity::own(&its_key),
            &Options::default(),
            until,
        )
        .await;
        house.stop().await;
        served
    });
    Ok((Served { url, stop, task }, key))
}

/// The token of a member of the office's staff.
pub(crate) fn token(key: &ServerKey, account: &str, role: Role) -> anyhow::Result<String> {
    let mut claims = Claims::new(account, role, jiff::Timestamp::now(), 1);
    claims.comuni = vec![COMUNE.to_owned()];
    claims.offices = vec!["anagrafe".to_owned()];
    Ok(key.token(&claims)?)
}
