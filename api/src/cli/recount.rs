//! `pratica recount`: the statistics counted from a log alone, as they stood at any position. For
//! who has the data directory or a copy of it; no keys are needed, since nothing sealed is opened.

use super::client::as_answered;
use super::exit::Failure;
use super::output::{self, Format};
use super::serve::{comuni_in, runtime};
use super::show;
use super::upkeep::bar;
use crate::app::settings::Settings;
use crate::grpc::convert::statistics;
use crate::messages::Language;
use anyhow::{Context as _, ensure};
use jiff::civil::Date;
use pratica_domain::ids::ComuneId;
use pratica_projections::{Recount, RecountOf, recount};
use pratica_store::{EventReader, Position, SqliteLog, sqlite};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

/// Which statistics, of which comuni of which directory.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Directory of the data, or a copy of it. No server may be running on it.
    #[arg(long, default_value = "pratica-data")]
    data: PathBuf,
    /// A comune; repeat for several. Without one, every comune of the directory.
    #[arg(long)]
    comune: Vec<ComuneId>,
    /// One procedure only.
    #[arg(long)]
    procedure: Option<String>,
    /// Of cases closed from the month of this day on.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Of cases closed up to the month of this day.
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// As they stood when the event of this position was the newest.
    #[arg(long, value_name = "POSITION")]
    until: Option<u64>,
}

/// Counts the statistics of each comune, and prints them.
pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let runtime = runtime()?;
    let comuni = if args.comune.is_empty() { comuni_in(&args.data)? } else { args.comune.clone() };
    if comuni.is_empty() {
        return Err(anyhow::anyhow!("{} holds no comune", args.data.display()).into());
    }
    let mut all = Vec::new();
    for comune in comuni {
        let counted = runtime
            .block_on(of(args, &comune))
            .with_context(|| format!("cannot count the statistics of {comune}"))?;
        let answer = statistics::answer(&counted.rows, counted.position, Language::En);
        let mut answer = as_answered("pratica.statistics.v1.GetStatisticsResponse", &answer)?;
        answer["comune"] = json!(comune.as_str());
        all.push(answer);
    }
    if format == Format::Json {
        output::json(&json!(all));
        return Ok(());
    }
    for answer in &all {
        println!("{} at position {}", show::field(answer, "comune"), answer["as_of_position"]);
        show::statistics(answer);
    }
    Ok(())
}

async fn of(args: &Args, comune: &ComuneId) -> anyhow::Result<Recount> {
    let directory = args.data.join(comune.as_str());
    let file = directory.join("log.db");
    ensure!(file.is_file(), "{} holds no log: check --data and --comune", directory.display());
    let rules = Settings::read(&directory)?.rules(&directory)?;
    let log: Arc<dyn EventReader> = Arc::new(SqliteLog::open(&file, sqlite::Options::default())?);
    let bar = bar(comune.as_str());
    let of = RecountOf {
        procedure: args.procedure.as_deref(),
        from: args.from,
        to: args.to,
        until: args.until.map(Position::new),
    };
    let counted = recount(log, &rules, of, |at, until| {
        bar.set_length(until.get());
        bar.set_position(at.get());
    })
    .await?;
    bar.finish_and_clear();
    Ok(counted)
}
