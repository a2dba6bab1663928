//! What clients ask before they have anything to show: what the server can, and who it is. Both
//! answer anybody, and tell nothing of a comune.

use pratica_proto::event_store::client::gossip::gossip_server::Gossip as GossipRpc;
use pratica_proto::event_store::client::gossip::member_info::VNodeState;
use pratica_proto::event_store::client::gossip::{ClusterInfo, EndPoint, MemberInfo};
use pratica_proto::event_store::client::server_features::server_features_server::ServerFeatures;
use pratica_proto::event_store::client::server_features::{SupportedMethod, SupportedMethods};
use pratica_proto::event_store::client::{Empty, Uuid, uuid};
use std::net::SocketAddr;
use tonic::{Request, Response, Status};

/// The version of the protocol that is spoken, as clients parse it: digits and dots.
const SPOKEN: &str = "24.10.0";

/// What the server can.
pub(super) struct Features;

#[tonic::async_trait]
impl ServerFeatures for Features {
    async fn get_supported_methods(
        &self,
        _: Request<Empty>,
    ) -> Result<Response<SupportedMethods>, Status> {
        let streams = "event_store.client.streams.streams";
        let methods =
            [("read", None), ("append", None), ("batchappend", Some("deadline_duration"))].map(
                |(method, feature)| SupportedMethod {
                    method_name: method.to_owned(),
                    service_name: streams.to_owned(),
                    features: feature.map(str::to_owned).into_iter().collect(),
                },
            );
        Ok(Response::new(SupportedMethods {
            methods: methods.into(),
            event_store_server_version: SPOKEN.to_owned(),
        }))
    }
}

/// Who the server is: one node, and the leader of itself.
pub(super) struct Gossip {
    pub(super) address: SocketAddr,
}

#[tonic::async_trait]
impl GossipRpc for Gossip {
    async fn read(&self, _: Request<Empty>) -> Result<Response<ClusterInfo>, Status> {
        let name = format!("pratica {}", self.address);
        let id = ::uuid::Uuid::new_v5(&::uuid::Uuid::NAMESPACE_URL, name.as_bytes());
        let member = MemberInfo {
            instance_id: Some(Uuid { value: Some(uuid::Value::String(id.to_string())) }),
            time_stamp: 0,
            state: VNodeState::Leader.into(),
            is_alive: true,
            http_end_point: Some(EndPoint {
                address: self.address.ip().to_string(),
                port: self.address.port().into(),
            }),
        };
        Ok(Response::new(ClusterInfo { members: vec![member] }))
    }
}
