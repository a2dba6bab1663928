//! Statistics as the contract has them: one answer, whether the views were asked or the log counted.

use crate::messages::{Language, plain};
use pratica_projections::{Distribution, StatRow};
use pratica_proto::statistics::v1 as proto;
use pratica_store::Position;

/// The answer, with the words that say how days are counted.
pub(crate) fn answer(
    rows: &[StatRow],
    position: Position,
    language: Language,
) -> proto::GetStatisticsResponse {
    proto::GetStatisticsResponse {
        rows: rows.iter().map(row).collect(),
        as_of_position: position.get(),
        method: plain(language, "statistics.method"),
    }
}

fn row(row: &StatRow) -> proto::StatisticsRow {
    let days =
        |d: &Distribution| Some(proto::Distribution { median: d.median, p90: d.p90, sum: d.sum });
    let outcomes = row
        .outcomes
        .iter()
        .map(|(outcome, count)| proto::OutcomeCount { outcome: outcome.clone(), count: *count });
    proto::StatisticsRow {
        procedure: row.procedure.clone(),
        kind: row.kind.clone(),
        open: row.open,
        closed: row.closed,
        outcomes: outcomes.collect(),
        total_days: days(&row.total),
        office_days: days(&row.office),
        citizen_days: days(&row.citizen),
        third_party_days: days(&row.third_party),
        suspended_days: days(&row.suspended),
        legal_term_days: row.legal_term_days,
        late: row.late,
    }
}
