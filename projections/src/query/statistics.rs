//! How long cases took: sums over maintained histograms, no case is looked at.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rusqlite::Connection;

use crate::dates;
use crate::error::ViewError;
use crate::types::{Distribution, StatRow};

/// Median and 90th percentile by nearest rank over a histogram: days and how many cases.
pub(crate) fn distribution(histogram: &BTreeMap<u32, u64>) -> Distribution {
    let n: u64 = histogram.values().sum();
    let at_rank = |rank: u64| {
        let mut seen = 0;
        histogram
            .iter()
            .find(|(_, count)| {
                seen += **count;
                seen >= rank
            })
            .map_or(0, |(days, _)| *days)
    };
    Distribution {
        median: at_rank(n.div_ceil(2)),
        p90: at_rank((n * 9).div_ceil(10)),
        sum: histogram.iter().map(|(days, count)| u64::from(*days) * count).sum(),
    }
}

type Measures = BTreeMap<String, BTreeMap<u32, u64>>;

/// One row a procedure and kind, for the cases closed in these months.
pub(crate) fn rows(
    c: &Connection,
    procedure: Option<&str>,
    from: Option<Date>,
    to: Option<Date>,
) -> Result<Vec<StatRow>, ViewError> {
    let from = from.map_or(0, dates::month);
    let to = to.map_or(i64::MAX, dates::month);
    let mut kinds = c.prepare_cached(
        "SELECT procedure, kind, open, legal_days FROM stat_kinds \
         WHERE ?1 IS NULL OR procedure = ?1 ORDER BY procedure, kind",
    )?;
    let mut outcomes = c.prepare_cached(
        "SELECT outcome, sum(n), sum(late) FROM stat_outcomes WHERE procedure = ? AND kind = ? \
         AND month BETWEEN ? AND ? GROUP BY outcome ORDER BY outcome",
    )?;
    let mut days = c.prepare_cached(
        "SELECT measure, days, sum(n) FROM stat_days WHERE procedure = ? AND kind = ? \
         AND month BETWEEN ? AND ? GROUP BY measure, days",
    )?;
    let mut found = kinds.query([procedure])?;
    let mut read = Vec::new();
    while let Some(row) = found.next()? {
        let (procedure, kind): (String, String) = (row.get(0)?, row.get(1)?);
        let narrowed = (&procedure, &kind, from, to);
        let mut by_outcome = Vec::new();
        let (mut closed, mut late) = (0, 0);
        let mut rows = outcomes.query(narrowed)?;
        while let Some(row) = rows.next()? {
            let n = row.get::<_, i64>(1)?.cast_unsigned();
            closed += n;
            late += row.get::<_, i64>(2)?.cast_unsigned();
            by_outcome.push((row.get(0)?, n));
        }
        let mut measures = Measures::new();
        let mut rows = days.query(narrowed)?;
        while let Some(row) = rows.next()? {
            measures
                .entry(row.get(0)?)
                .or_default()
                .insert(row.get(1)?, row.get::<_, i64>(2)?.cast_unsigned());
        }
        let of = |measure: &str| measures.get(measure).map(distribution).unwrap_or_default();
        read.push(StatRow {
            open: row.get::<_, i64>(2)?.cast_unsigned(),
            closed,
            outcomes: by_outcome,
            total: of("total"),
            office: of("office"),
            citizen: of("citizen"),
            third_party: of("third_party"),
            suspended: of("suspended"),
            legal_term_days: row.get(3)?,
            late,
            procedure,
            kind,
        });
    }
    Ok(read)
}
