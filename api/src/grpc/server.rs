//! The server put together: services, token, reflection, health, gRPC-Web with CORS, limits.

use super::auth::{Guarded, Identity};
use super::door::Door;
use super::incoming::{Acknowledging, incoming};
use super::limits::{
    BEGIN, CALL_TIMEOUT, GRACE, HEADER_BYTES_MAX, KEEPALIVE, MESSAGE_BYTES_MAX, STREAMS_MAX,
};
use super::services::Shared;
use super::tls::Tls;
use crate::app::House;
use http::HeaderValue;
use pratica_proto::admin::v1::admin_service_server::AdminServiceServer;
use pratica_proto::cases::v1::cases_service_server::CasesServiceServer;
use pratica_proto::cases::v1::casework_service_server::CaseworkServiceServer;
use pratica_proto::enrolment::v1::call_service_server::CallServiceServer;
use pratica_proto::enrolment::v1::enrolment_service_server::EnrolmentServiceServer;
use pratica_proto::evidence::v1::evidence_service_server::EvidenceServiceServer;
use pratica_proto::feed::v1::feed_service_server::FeedServiceServer;
use pratica_proto::history::v1::history_service_server::HistoryServiceServer;
use pratica_proto::permit::v1::permit_service_server::PermitServiceServer;
use pratica_proto::privacy::v1::privacy_service_server::PrivacyServiceServer;
use pratica_proto::register::v1::register_service_server::RegisterServiceServer;
use pratica_proto::residency::v1::residency_service_server::ResidencyServiceServer;
use pratica_proto::statistics::v1::statistics_service_server::StatisticsServiceServer;
use pratica_proto::worklist::v1::worklist_service_server::WorklistServiceServer;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::sync::watch::error::RecvError;
use tokio::task::JoinSet;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

/// How the server is reached.
#[derive(Debug, Clone)]
pub struct Options {
    /// Origins of web pages that may call; none allows none.
    pub web_origins: Vec<String>,
    /// Calls a second of one account; 0 for any number. Twice as many may come at once.
    pub calls_per_second: u32,
    /// Whether the server describes its services to who asks.
    pub reflection: bool,
    /// Encryption; none leaves it to a proxy.
    pub tls: Option<Arc<Tls>>,
    /// How long a connection may take to shake hands and to say its first bytes.
    pub begin: Duration,
    /// A client that was silent for so long is asked whether it lives, and cut off if it does not
    /// answer in half of that again.
    pub silence: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            web_origins: Vec::new(),
            calls_per_second: 0,
            reflection: false,
            tls: None,
            begin: BEGIN,
            silence: KEEPALIVE,
        }
    }
}

/// Serves until `shutdown`. The caller owns the listener, the clock and the processes.
///
/// # Errors
/// When the transport fails or reflection cannot be built.
pub async fn serve(
    listener: TcpListener,
    house: Arc<House>,
    identity: &Identity,
    options: &Options,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let shared = Shared { house: Arc::clone(&house) };
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let mut watching = watch_comuni(&house, &health).await;
    let reflection = if options.reflection {
        let v1 = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(pratica_proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        let alpha = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(pratica_proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1alpha()?;
        Some((v1, alpha))
    } else {
        None
    };

    let door = Door::new(options.calls_per_second);
    macro_rules! guarded {
        ($server:ident) => {
            Guarded::new(
                $server::new(shared.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX),
                identity.clone(),
                Arc::clone(&door),
            )
        };
    }
    let (v1, alpha) = reflection.unzip();
    let router = Server::builder()
        .accept_http1(true)
        .timeout(CALL_TIMEOUT)
        .max_concurrent_streams(STREAMS_MAX)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_keepalive_interval(Some(options.silence))
        .http2_keepalive_timeout(Some(options.silence / 2))
        .layer(cors(&options.web_origins))
        .layer(tonic_web::GrpcWebLayer::new())
        .layer(behind(Arc::clone(&house)))
        .add_service(health_service)
        .add_optional_service(v1)
        .add_optional_service(alpha)
        .add_service(guarded!(ResidencyServiceServer))
        .add_service(guarded!(EnrolmentServiceServer))
        .add_service(guarded!(CallServiceServer))
        .add_service(guarded!(PermitServiceServer))
        .add_service(guarded!(CaseworkServiceServer))
        .add_service(guarded!(CasesServiceServer))
        .add_service(guarded!(WorklistServiceServer))
        .add_service(guarded!(RegisterServiceServer))
        .add_service(guarded!(StatisticsServiceServer))
        .add_service(guarded!(HistoryServiceServer))
        .add_service(guarded!(FeedServiceServer))
        .add_service(guarded!(EvidenceServiceServer))
        .add_service(guarded!(PrivacyServiceServer))
        .add_service(guarded!(AdminServiceServer));
    let incoming = incoming(listener, options.tls.clone(), options.begin, Acknowledging::InTime);
    // Calls under way may end, streams are asked to; who does not is left behind after a moment.
    let (asked, stopping) = tokio::sync::oneshot::channel();
    let until = async {
        shutdown.await;
        house.close_streams();
        let _ = asked.send(());
    };
    let cut = async {
        match stopping.await {
            Ok(()) => tokio::time::sleep(GRACE).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        served = router.serve_with_incoming_shutdown(incoming, until) => {
            served?;
        }
        () = cut => {}
    }
    watching.shutdown().await;
    Ok(())
}

/// Keeps the health of each comune, under its name: whether its log is written, whether its views
/// follow it, and in a cluster whether this node has the log as it stands. The node itself serves all
/// the same.
async fn watch_comuni(house: &House, health: &HealthReporter) -> JoinSet<()> {
    let mut watching = JoinSet::new();
    for open in house.all() {
        let (comune, health) = (open.town.comune.to_string(), health.clone());
        let mut following = open.town.watch_following();
        let mut stopped = open.embedded.watch_stopped();
        let mut standing = open.town.cluster.as_ref().map(|cluster| cluster.standing());
        health.set_service_status(&comune, ServingStatus::NotServing).await;
        watching.spawn(async move {
            loop {
                let has_log = standing.as_mut().is_none_or(|standing| {
                    let now = *standing.borrow_and_update();
                    now.connected && now.caught_up
                });
                let is_written = stopped.borrow_and_update().is_none();
                let follows = *following.borrow_and_update();
                let status = if has_log && is_written && follows {
                    ServingStatus::Serving
                } else {
                    ServingStatus::NotServing
                };
                health.set_service_status(&comune, status).await;
                let changed = tokio::select! {
                    changed = following.changed() => changed,
                    changed = stopped.changed() => changed,
                    changed = changed(&mut standing) => changed,
                };
                if changed.is_err() {
                    return;
                }
            }
        });
    }
    watching
}

/// Ready when what is watched changes; never where there is nothing to watch.
async fn changed<T>(watched: &mut Option<watch::Receiver<T>>) -> Result<(), RecvError> {
    match watched {
        Some(watched) => watched.changed().await,
        None => std::future::pending().await,
    }
}

/// Says in every answer which logs this node may be behind with: `collina=1234, valle=99`.
fn behind<B>(
    house: Arc<House>,
) -> SetResponseHeaderLayer<impl Fn(&http::Response<B>) -> Option<HeaderValue> + Clone> {
    let name = header("pratica-behind");
    SetResponseHeaderLayer::overriding(name, move |_: &http::Response<B>| {
        let behind = house.behind();
        if behind.is_empty() {
            return None;
        }
        let text: Vec<_> = behind.iter().map(|(c, at)| format!("{c}={}", at.get())).collect();
        HeaderValue::from_str(&text.join(", ")).ok()
    })
}

/// Web pages of the origins named, and of no other.
fn cors(origins: &[String]) -> CorsLayer {
    let headers = ["grpc-status", "grpc-message", "grpc-status-details-bin", "pratica-behind"];
    let exposed: Vec<_> = headers.into_iter().map(header).collect();
    let allowed: Vec<_> = origins.iter().filter_map(|o| o.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(allowed))
        .allow_headers(Any)
        .allow_methods(Any)
        .expose_headers(exposed)
}

fn header(name: &'static str) -> tonic::codegen::http::HeaderName {
    tonic::codegen::http::HeaderName::from_static(name)
}
