//! How long things really take.

use super::Shared;
use super::shared::{at_least, view_error};
use crate::app::policy::Area;
use crate::grpc::convert::{Fields, statistics};
use crate::grpc::status::status;
use pratica_proto::statistics::v1::statistics_service_server::StatisticsService;
use pratica_proto::statistics::v1::*;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl StatisticsService for Shared {
    async fn get_statistics(
        &self,
        request: Request<GetStatisticsRequest>,
    ) -> Result<Response<GetStatisticsResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::Statistics)?;
            at_least(open, m.min_position).await?;
            let mut f = Fields::default();
            let from = f.date_optional("from_date", m.from_date);
            let to = f.date_optional("to_date", m.to_date);
            let (from, to) = f.finish(from.zip(to))?;
            let procedure = (!m.procedure.is_empty()).then_some(m.procedure);
            let found = open
                .town
                .views
                .statistics(procedure.as_deref(), from, to)
                .await
                .map_err(view_error)?;
            let language = call.language("");
            Ok(statistics::answer(&found.value, found.position, language))
        };
        answer.await.map(Response::new).map_err(status)
    }
}
