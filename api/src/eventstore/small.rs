//! What clients ask before they have anything to show: what the server can, and who it is. Both
//! answer anybody, and tell nothing of a comune.

use pratica_proto::event_store::client::gossip::gossip_server::Gossip as GossipRpc;
use pratica_proto::event_store::client::gossip::member_info::VNodeState;
use pratica_proto::event_store::client::gossip::{ClusterInfo, EndPoint, MemberInfo};
use pratica_proto::event_store::client::server_features::server_features_server::ServerFeatures;
use pratica_proto::event_store::client::server_features::{SupportedMethod, SupportedMethods};
use pratica_proto::event_store::client::{Empty, Uuid, uuid};
use std::net::SocketAddr;
use std::str::FromStr;
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

/// The host and port by which clients reach an endpoint, as gossip names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertised {
    host: String,
    port: u16,
}

impl From<SocketAddr> for Advertised {
    fn from(address: SocketAddr) -> Self {
        Advertised { host: address.ip().to_string(), port: address.port() }
    }
}

impl FromStr for Advertised {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, port) = text.rsplit_once(':').unwrap_or_default();
        match port.parse() {
            Ok(port) if !host.is_empty() => Ok(Advertised { host: host.to_owned(), port }),
            _ => Err("a host and a port, as in logs.comune.example:2113".to_owned()),
        }
    }
}

impl std::fmt::Display for Advertised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Who the server is: one node, and the leader of itself.
pub(super) struct Gossip {
    pub(super) advertised: Advertised,
}

#[tonic::async_trait]
impl GossipRpc for Gossip {
    async fn read(&self, _: Request<Empty>) -> Result<Response<ClusterInfo>, Status> {
        let name = format!("pratica {}", self.advertised);
        let id = ::uuid::Uuid::new_v5(&::uuid::Uuid::NAMESPACE_URL, name.as_bytes());
        let member = MemberInfo {
            instance_id: Some(Uuid { value: Some(uuid::Value::String(id.to_string())) }),
            time_stamp: 0,
            state: VNodeState::Leader.into(),
            is_alive: true,
            http_end_point: Some(EndPoint {
                address: self.advertised.host.clone(),
                port: self.advertised.port.into(),
            }),
        };
        Ok(Response::new(ClusterInfo { members: vec![member] }))
    }
}
