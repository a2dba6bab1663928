//! For who runs the installation.

use super::Shared;
use super::shared::view_error;
use crate::app::AppError;
use crate::app::policy::{self, Area};
use crate::grpc::convert::{Fields, date_message, timestamp_message};
use crate::grpc::limits::STREAM_BUFFER;
use crate::grpc::status::status;
use pratica_domain::term::rome_date;
use pratica_proto::admin::v1::admin_service_server::AdminService;
use pratica_proto::admin::v1::*;
use pratica_store::EventReader;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl AdminService for Shared {
    async fn get_status(
        &self,
        request: Request<GetStatusRequest>,
    ) -> Result<Response<GetStatusResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::Administration)?;
            let head =
                open.town.log.head().await.map_err(|e| AppError::store("reading the head", e))?;
            let views = open.town.views.status().await.map_err(view_error)?.value;
            Ok(GetStatusResponse {
                log_position: head.get(),
                views: views
                    .into_iter()
                    .map(|v| ViewStatus {
                        name: v.name,
                        position: v.position.get(),
                        lag: head.get().saturating_sub(v.position.get()),
                        event_count: v.events,
                        event_digest: v.digest,
                    })
                    .collect(),
                register_process_position: open.town.registered_to().get(),
                server_version: env!("CARGO_PKG_VERSION").to_owned(),
                sqlite_version: pratica_store::sqlite::version().to_owned(),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }

    type RebuildViewsStream = ReceiverStream<Result<RebuildViewsResponse, Status>>;

    async fn rebuild_views(
        &self,
        request: Request<RebuildViewsRequest>,
    ) -> Result<Response<Self::RebuildViewsStream>, Status> {
        let (call, m) = self.open(request)?;
        let open = self.town_for(&call, &m.comune, Area::Administration).map_err(status)?;
        let town = Arc::clone(&open.town);
        let (sender, receiver) = mpsc::channel(STREAM_BUFFER);
        // Building the views is work for a thread of its own, not for the runtime's.
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            let reader: Arc<dyn EventReader> = Arc::clone(&town.log) as Arc<dyn EventReader>;
            let progress = |position: pratica_store::Position, head: pratica_store::Position| {
                let message = RebuildViewsResponse {
                    position: position.get(),
                    log_position: head.get(),
                    ..RebuildViewsResponse::default()
                };
                // Progress that nobody reads fast enough is left out.
                let _ = sender.try_send(Ok(message));
            };
            let rebuilt = runtime.block_on(async {
                town.views.rebuild(reader, &town.rules, progress).await?;
                town.views.content_digest().await
            });
            let last = match rebuilt {
                Ok(rebuilt) => Ok(RebuildViewsResponse {
                    position: rebuilt.position.get(),
                    log_position: rebuilt.position.get(),
                    done: true,
                    content_digest: rebuilt.value.to_string(),
                }),
                Err(error) => Err(status(view_error(error))),
            };
            let _ = sender.blocking_send(last);
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn get_clock(
        &self,
        request: Request<GetClockRequest>,
    ) -> Result<Response<GetClockResponse>, Status> {
        let (_, _) = self.open(request)?;
        let now = self.house.clock.now();
        Ok(Response::new(GetClockResponse {
            time: Some(timestamp_message(now)),
            today_date: Some(date_message(rome_date(now))),
            manual: self.house.clock.manual().is_some(),
        }))
    }

    async fn advance_clock(
        &self,
        request: Request<AdvanceClockRequest>,
    ) -> Result<Response<AdvanceClockResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            // The clock is of all comuni: who moves it administers all of them.
            if !policy::may_use(&call.principal, Area::Administration)
                || !call.principal.comuni.is_empty()
            {
                return Err(AppError::Denied);
            }
            let mut f = Fields::default();
            let to = f.instant_optional("to_time", m.to_time);
            if to == Some(None) {
                f.refuse("to_time", "required");
            }
            let to = f.finish(to.flatten())?;
            let expired_terms = self.house.advance(to).await?;
            let time = Some(timestamp_message(self.house.clock.now()));
            Ok(AdvanceClockResponse { time, expired_terms })
        };
        answer.await.map(Response::new).map_err(status)
    }
}
