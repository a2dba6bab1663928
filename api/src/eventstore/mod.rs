//! The log over the protocol of EventStoreDB and KurrentDB: any official client, in any language,
//! reads and follows the history of a comune. An address of its own, beside the contract of Pratica.
//!
//! A connection sees one comune's log as a whole database: the login name of its credentials is the
//! comune, the password a token. Personal data stays sealed. Reading is for who may read history,
//! appending for a migration identity alone. What must never enter: opening of personal data, a
//! buffer that grows with a slow reader, a write past the one writer of the log.

mod append;
mod batch;
mod convert;
mod door;
mod filter;
mod read;
mod small;

use crate::app::Clock;
use crate::grpc::auth::{Guarded, Identity};
use crate::grpc::door::Door;
use crate::grpc::incoming::{Acknowledging, incoming};
use crate::grpc::limits::{BEGIN, GRACE, HEADER_BYTES_MAX, KEEPALIVE, STREAM_BUFFER, STREAMS_MAX};
use crate::grpc::tls::Tls;
use door::Entrance;
use pratica_domain::ids::ComuneId;
use pratica_projections::Rules;
use pratica_proto::event_store::client::gossip::gossip_server::GossipServer;
use pratica_proto::event_store::client::server_features::server_features_server::ServerFeaturesServer;
use pratica_proto::event_store::client::streams as pb;
use pratica_proto::event_store::client::streams::streams_server::{Streams, StreamsServer};
use pratica_store::{SqliteLog, Vault};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

pub use small::Advertised;

/// The largest message read, in bytes: one event of the largest append, and its surroundings.
const MESSAGE_BYTES_MAX: usize = 2 << 20;

/// A log that is served.
#[derive(Clone)]
pub struct Shelf {
    /// The log, or the copy of it that this node keeps.
    pub log: Arc<SqliteLog>,
    /// Whether a migration identity may append to it: not to a copy.
    pub appendable: bool,
    /// The rules of the town that lives on this log, where one does: then only what its views can
    /// take is taken.
    pub rules: Option<Arc<Rules>>,
    /// The comune's vault, for the names that analysts read in the place of accounts; without it they
    /// read nothing.
    pub vault: Option<Arc<Vault>>,
    /// When something is recorded that does not say so itself.
    pub clock: Arc<dyn Clock>,
}

/// What is served, and to whom.
pub struct Endpoint {
    /// The logs.
    pub logs: BTreeMap<ComuneId, Shelf>,
    /// Whose tokens are accepted.
    pub identity: Identity,
    /// Calls a second of one account; 0 for any number.
    pub calls_per_second: u32,
    /// The certificate and its key; without them everything goes over the wire as it is, and most
    /// clients then send no credentials.
    pub tls: Option<Arc<Tls>>,
    /// Where clients reach this endpoint.
    pub advertised: Advertised,
}

/// Serves until `shutdown`. The caller owns the listener and the logs.
///
/// # Errors
/// When the transport fails.
pub async fn serve(
    listener: TcpListener,
    endpoint: Endpoint,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let closing = watch::Sender::new(false);
    let streams = Rpc { closing: closing.subscribe() };
    let entrance = Entrance { identity: endpoint.identity, logs: Arc::new(endpoint.logs) };
    let behind = Guarded::new(
        StreamsServer::new(streams).max_decoding_message_size(MESSAGE_BYTES_MAX),
        entrance,
        Door::new(endpoint.calls_per_second),
    );
    let router = Server::builder()
        .max_concurrent_streams(STREAMS_MAX)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE / 2))
        .add_service(ServerFeaturesServer::new(small::Features))
        .add_service(GossipServer::new(small::Gossip { advertised: endpoint.advertised }))
        .add_service(behind);
    let (asked, stopping) = tokio::sync::oneshot::channel();
    let until = async {
        shutdown.await;
        closing.send_replace(true);
        let _ = asked.send(());
    };
    let cut = async {
        match stopping.await {
            Ok(()) => tokio::time::sleep(GRACE).await,
            Err(_) => std::future::pending().await,
        }
    };
    let connections = incoming(listener, endpoint.tls, BEGIN, Acknowledging::AtOnce);
    let serving = router.serve_with_incoming_shutdown(connections, until);
    tokio::select! {
        served = serving => served?,
        () = cut => {}
    }
    Ok(())
}

/// The service of streams.
#[derive(Clone)]
struct Rpc {
    closing: watch::Receiver<bool>,
}

#[tonic::async_trait]
impl Streams for Rpc {
    type ReadStream = ReceiverStream<Result<pb::ReadResp, Status>>;
    type BatchAppendStream = ReceiverStream<Result<pb::BatchAppendResp, Status>>;

    async fn read(
        &self,
        request: Request<pb::ReadReq>,
    ) -> Result<Response<Self::ReadStream>, Status> {
        let caller = door::caller(&request)?;
        let asked = read::Asked::parse(request.into_inner(), &caller)?;
        let (sender, receiver) = mpsc::channel(STREAM_BUFFER);
        let closing = self.closing.clone();
        tokio::spawn(async move { read::answer(asked, caller, sender, closing).await });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn append(
        &self,
        request: Request<Streaming<pb::AppendReq>>,
    ) -> Result<Response<pb::AppendResp>, Status> {
        let caller = door::caller(&request)?;
        caller.may_append()?;
        append::append(request.into_inner(), &caller).await.map(Response::new)
    }

    async fn batch_append(
        &self,
        request: Request<Streaming<pb::BatchAppendReq>>,
    ) -> Result<Response<Self::BatchAppendStream>, Status> {
        let caller = door::caller(&request)?;
        caller.may_append()?;
        let (sender, receiver) = mpsc::channel(STREAM_BUFFER);
        let requests = request.into_inner();
        let closing = self.closing.clone();
        tokio::spawn(async move { batch::answer(requests, caller, sender, closing).await });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn delete(&self, _: Request<pb::DeleteReq>) -> Result<Response<pb::DeleteResp>, Status> {
        Err(kept_for_ever())
    }

    async fn tombstone(
        &self,
        _: Request<pb::TombstoneReq>,
    ) -> Result<Response<pb::TombstoneResp>, Status> {
        Err(kept_for_ever())
    }
}

fn kept_for_ever() -> Status {
    Status::permission_denied("nothing is ever deleted from this log")
}
