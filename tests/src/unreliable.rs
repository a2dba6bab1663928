//! A way that breaks, and a server that is not the one: what a client of a cluster meets.

use pratica_proto::event_store::client::streams as pb;
use pratica_proto::event_store::client::streams::streams_server::{Streams, StreamsServer};
use std::net::SocketAddr;
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

/// A node of a cluster that is not the leader, and says who is.
#[derive(Clone)]
pub struct Follower {
    leader: SocketAddr,
}

impl Follower {
    /// Starts one; answers its address.
    pub async fn start(leader: SocketAddr) -> anyhow::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tonic::transport::Server::builder()
            .add_service(StreamsServer::new(Follower { leader }))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(server);
        Ok(address)
    }

    fn not_leader(&self) -> Status {
        let mut status = Status::not_found("Leader info available");
        let metadata = status.metadata_mut();
        metadata.insert("exception", MetadataValue::from_static("not-leader"));
        if let Ok(host) = MetadataValue::try_from(self.leader.ip().to_string()) {
            metadata.insert("leader-endpoint-host", host);
        }
        metadata.insert("leader-endpoint-port", MetadataValue::from(self.leader.port()));
        status
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
