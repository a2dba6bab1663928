//! How long things really take.

use super::Shared;
use super::shared::{at_least, view_error};
use crate::app::policy::Area;
use crate::grpc::convert::Fields;
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
            Ok(GetStatisticsResponse {
                rows: found.value.iter().map(row).collect(),
                as_of_position: found.position.get(),
                method: crate::messages::plain(language, "statistics.method"),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }
}

fn row(row: &pratica_projections::StatRow) -> StatisticsRow {
    let days = |d: &pratica_projections::Distribution| {
        Some(Distribution { median: d.median, p90: d.p90, sum: d.sum })
    };
    StatisticsRow {
        procedure: row.procedure.clone(),
        kind: row.kind.clone(),
        open: row.open,
        closed: row.closed,
        outcomes: row
            .outcomes
            .iter()
            .map(|(outcome, count)| OutcomeCount { outcome: outcome.clone(), count: *count })
            .collect(),
        total_days: days(&row.total),
        office_days: days(&row.office),
        citizen_days: days(&row.citizen),
        third_party_days: days(&row.third_party),
        suspended_days: days(&row.suspended),
        legal_term_days: row.legal_term_days,
        late: row.late,
    }
}
