//! A way that breaks, and a server that is not the one: what a client of a cluster meets.

use pratica_proto::event_store::client::gossip::gossip_server::{Gossip, GossipServer};
use pratica_proto::event_store::client::gossip::member_info::VNodeState;
use pratica_proto::event_store::client::gossip::{ClusterInfo, EndPoint, MemberInfo};
use pratica_proto::event_store::client::streams as pb;
use pratica_proto::event_store::client::streams::streams_server::{Streams, StreamsServer};
use pratica_proto::event_store::client::{Empty, Uuid, uuid as uuid_message};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

/// A way to a server, whose connections can be cut at any moment.
pub struct Way {
    /// Where it begins.
    pub address: SocketAddr,
    cut: broadcast::Sender<()>,
}

impl Way {
    /// A way to an address.
    pub async fn to(target: SocketAddr) -> anyhow::Result<Way> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (cut, _) = broadcast::channel(1);
        let cuts = cut.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut cut = cuts.subscribe();
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(target).await else { return };
                    tokio::select! {
                        // How it ended does not matter: both ends are gone.
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.recv() => {}
                    }
                });
            }
        });
        Ok(Way { address, cut })
    }

    /// Cuts every connection; new ones are let through.
    pub fn cut(&self) {
        // Nobody is connected: then there is nothing to cut.
        let _ = self.cut.send(());
    }
}

/// A node of a cluster that is not the leader, and says who is: to who asks for members, and to who
/// asks it for anything else.
#[derive(Clone)]
pub struct Follower {
    /// Where it listens.
    pub address: SocketAddr,
    leader: Arc<Mutex<SocketAddr>>,
}

impl Follower {
    /// Starts one.
    pub async fn start(leader: SocketAddr) -> anyhow::Result<Follower> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let follower = Follower { address, leader: Arc::new(Mutex::new(leader)) };
        let server = tonic::transport::Server::builder()
            .add_service(StreamsServer::new(follower.clone()))
            .add_service(GossipServer::new(follower.clone()))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(server);
        Ok(follower)
    }

    /// Another leads from now on.
    pub fn elect(&self, leader: SocketAddr) {
        *self.leader.lock().unwrap_or_else(PoisonError::into_inner) = leader;
    }

    fn leader(&self) -> SocketAddr {
        *self.leader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn not_leader(&self) -> Status {
        let mut status = Status::not_found("Leader info available");
        let metadata = status.metadata_mut();
        metadata.insert("exception", MetadataValue::from_static("not-leader"));
        let leader = self.leader();
        if let Ok(host) = MetadataValue::try_from(leader.ip().to_string()) {
            metadata.insert("leader-endpoint-host", host);
        }
        metadata.insert("leader-endpoint-port", MetadataValue::from(leader.port()));
        status
    }
}

fn member(address: SocketAddr, state: VNodeState, is_alive: bool) -> MemberInfo {
    let id = uuid::Uuid::from_u128(address.port().into()).to_string();
    MemberInfo {
        instance_id: Some(Uuid { value: Some(uuid_message::Value::String(id)) }),
        time_stamp: 0,
        state: state.into(),
        is_alive,
        http_end_point: Some(EndPoint {
            address: address.ip().to_string(),
            port: address.port().into(),
        }),
    }
}

#[tonic::async_trait]
impl Gossip for Follower {
    async fn read(&self, _: Request<Empty>) -> Result<Response<ClusterInfo>, Status> {
        // One that led before, is gone, and is not forgotten yet.
        let gone = SocketAddr::from(([127, 0, 0, 1], 1));
        let members = vec![
            member(gone, VNodeState::Leader, false),
            member(self.address, VNodeState::Follower, true),
            member(self.leader(), VNodeState::Leader, true),
        ];
        Ok(Response::new(ClusterInfo { members }))
    }
}

#[tonic::async_trait]
impl Streams for Follower {
    type ReadStream = ReceiverStream<Result<pb::ReadResp, Status>>;
    type BatchAppendStream = ReceiverStream<Result<pb::BatchAppendResp, Status>>;

    async fn read(&self, _: Request<pb::ReadReq>) -> Result<Response<Self::ReadStream>, Status> {
        Err(self.not_leader())
    }

    async fn append(
        &self,
        _: Request<Streaming<pb::AppendReq>>,
    ) -> Result<Response<pb::AppendResp>, Status> {
        Err(self.not_leader())
    }

    async fn batch_append(
        &self,
        _: Request<Streaming<pb::BatchAppendReq>>,
    ) -> Result<Response<Self::BatchAppendStream>, Status> {
        Err(self.not_leader())
    }

    async fn delete(&self, _: Request<pb::DeleteReq>) -> Result<Response<pb::DeleteResp>, Status> {
        Err(self.not_leader())
    }

    async fn tombstone(
        &self,
        _: Request<pb::TombstoneReq>,
    ) -> Result<Response<pb::TombstoneResp>, Status> {
        Err(self.not_leader())
    }
}
