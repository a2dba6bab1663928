//! `pratica import`: the case histories of an older system, into a data directory that no server
//! has open.

use super::exit::Failure;
use super::keys::KeyArgs;
use super::output::{self, Format};
use super::serve;
use crate::app::settings::Settings;
use crate::app::{House, SystemClock};
use crate::import::{self, Checked, Plan, Progress, Report, Stage, Survey, Tally};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use pratica_domain::ids::ComuneId;
use pratica_projections::{Projector, Rules};
use pratica_store::{EventReader, EventStore};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Arguments of `pratica import`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    format: From,
}

#[derive(Debug, clap::Subcommand)]
enum From {
    /// An event log in XES (IEEE 1849), packed with gzip or not.
    Xes(XesArgs),
}

#[derive(Debug, clap::Args)]
struct XesArgs {
    /// The file.
    file: PathBuf,
    /// What its words mean here: a mapping file, or a shipped one (nl-bpic15, nl-receipt).
    #[arg(long)]
    mapping: PathBuf,
    /// The comune that the cases are of.
    #[arg(long)]
    comune: ComuneId,
    #[command(flatten)]
    keys: KeyArgs,
    /// Directory of the data; made if it is not there.
    #[arg(long, default_value = "pratica-data")]
    data: PathBuf,
    /// Check and count only; record nothing.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let From::Xes(args) = &args.format;
    serve::telemetry();
    let directory = args.data.join(args.comune.as_str());
    let settings = Settings::read(&directory).map_err(anyhow::Error::from)?;
    let rules = settings.rules(&directory).map_err(anyhow::Error::from)?;
    let checked = Checked::read(&args.mapping, &rules.book).map_err(anyhow::Error::from)?;
    let office = match &checked.mapping.office {
        Some(office) => office.clone(),
        None => settings.office(checked.mapping.procedure).map_err(anyhow::Error::from)?,
    };
    let plan = Plan::new(args.comune.clone(), office, checked);
    let bar = Bar::default();
    let survey = import::check(&plan, &args.file, &bar).map_err(anyhow::Error::from)?;
    bar.done();
    if args.check {
        print_survey(&survey, format)?;
        return Ok(());
    }
    // One thread: appends are queued in the order of the file, the log has its own writer.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(recorded(args, &plan, survey, &rules, &bar))?;
    bar.done();
    print_report(&report, format)?;
    if report.other > 0 {
        return Err(Failure::Fault(anyhow::anyhow!(
            "{} cases are there with another history; they were left as they are",
            report.other
        )));
    }
    Ok(())
}

async fn recorded(
    args: &XesArgs,
    plan: &Plan,
    survey: Survey,
    rules: &Rules,
    bar: &Bar,
) -> anyhow::Result<Report> {
    let clock = Arc::new(SystemClock);
    std::fs::create_dir_all(&args.data)
        .with_context(|| format!("cannot make the directory {}", args.data.display()))?;
    let keys = args.keys.of(&args.data);
    let (house, projectors) =
        House::open(&args.data, std::slice::from_ref(&args.comune), Arc::clone(&clock) as _, &keys)
            .context("an import needs the data for itself: stop the server of this directory")?;
    let open = house.get(&args.comune).context("the comune was not opened")?;
    let log: Arc<dyn EventStore> = Arc::clone(&open.town.log);
    let report = import::record(
        plan,
        &args.file,
        survey,
        Arc::clone(&log),
        &open.town.vault,
        clock as _,
        bar,
    )
    .await?;
    for (_, projector) in projectors {
        views(projector, Arc::clone(&log), rules, bar).await?;
    }
    Ok(report)
}

/// Brings the views up to date, so that a server starts at once.
async fn views(
    mut projector: Projector,
    log: Arc<dyn EventStore>,
    rules: &Rules,
    bar: &Bar,
) -> anyhow::Result<()> {
    let head = EventReader::head(&*log).await?;
    bar.begin(Stage::Views, head.get());
    let shown = bar.clone();
    projector.on_applied(Box::new(move |position| shown.at(position.get())));
    projector.catch_up(log as Arc<dyn EventReader>, rules).await?;
    Ok(())
}

/// A progress bar on stderr; hidden where that is not a terminal.
#[derive(Clone, Default)]
struct Bar(Arc<Mutex<Option<ProgressBar>>>);

impl Bar {
    fn done(&self) {
        if let Some(bar) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bar {
    fn begin(&self, stage: Stage, total: u64) {
        self.done();
        let (name, unit) = match stage {
            Stage::Checking => ("checking", "{bytes}/{total_bytes}"),
            Stage::Recording => ("recording", "{bytes}/{total_bytes}"),
            Stage::Counting => ("counting", "{pos}/{len} events"),
            Stage::Views => ("views", "{pos}/{len} events"),
        };
        let template = format!("{name:>9} {{wide_bar}} {unit} {{eta}}");
        let bar = ProgressBar::new(total);
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
    }

    fn at(&self, done: u64) {
        if let Some(bar) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            bar.set_position(done);
        }
    }
}

fn print_survey(survey: &Survey, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        output::json(&serde_json::to_value(survey)?);
    } else {
        counts(&[("in the file", &survey.tally)]);
        notes(survey);
    }
    Ok(())
}

fn print_report(report: &Report, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        output::json(&serde_json::to_value(report)?);
        return Ok(());
    }
    println!(
        "{} cases recorded, {} were there already, {} are there with another history",
        report.new, report.same, report.other
    );
    for case in &report.differing {
        println!("  {} (line {}): {}", case.reference, case.line, case.because);
    }
    println!();
    counts(&[("in the file", &report.file.tally), ("in the log", &report.log.tally)]);
    if report.equal {
        println!("\nEvery event of the file is carried by exactly one event of the log.");
    }
    if report.log.later > 0 {
        println!("{} events came to these cases later, by other ways.", report.log.later);
    }
    notes(&report.file);
    Ok(())
}

fn counts(columns: &[(&str, &Tally)]) {
    let mut head = vec![""];
    head.extend(columns.iter().map(|(name, _)| *name));
    let row = |name: &str, value: &dyn Fn(&Tally) -> u64| {
        let mut row = vec![name.to_owned()];
        row.extend(columns.iter().map(|(_, tally)| value(tally).to_string()));
        row
    };
    let mut rows = vec![row("cases", &|t| t.cases), row("source events", &|t| t.source_events)];
    let types = |of: fn(&Tally) -> &std::collections::BTreeMap<String, u64>| {
        let all: std::collections::BTreeSet<&String> =
            columns.iter().flat_map(|(_, tally)| of(tally).keys()).collect();
        all
    };
    for name in types(|t| &t.domain) {
        rows.push(row(&format!("  as {name}"), &|t| t.domain.get(name).copied().unwrap_or(0)));
    }
    rows.push(row("  as imported.step_recorded", &|t| t.steps));
    rows.push(row("events of cases as a whole", &|t| t.of_cases.values().sum()));
    for name in types(|t| &t.of_cases) {
        rows.push(row(&format!("  {name}"), &|t| t.of_cases.get(name).copied().unwrap_or(0)));
    }
    output::table(&head, &rows);
}

fn notes(survey: &Survey) {
    let tally = &survey.tally;
    // Per mille as a whole number: no floating point in what is compared.
    if let Some(share) = (tally.domain_events() * 1000).checked_div(tally.source_events) {
        println!(
            "\n{}.{} % of the source events are domain events; {} activities are not in the \
             mapping.",
            share / 10,
            share % 10,
            survey.unmapped.len()
        );
    }
    top("the most frequent of them:", &survey.unmapped);
    top("in the mapping, and not admitted by the history:", &survey.not_admitted);
    if survey.days_set_aside > 0 {
        println!("legal days set aside for the day of their event: {}", survey.days_set_aside);
    }
    if !survey.absent.is_empty() {
        println!("in the mapping, and not in the file: {}", survey.absent.join(", "));
    }
}

fn top(title: &str, counts: &std::collections::BTreeMap<String, u64>) {
    if counts.is_empty() {
        return;
    }
    println!("{title}");
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), (*name).clone()));
    for (name, count) in sorted.iter().take(10) {
        println!("  {count:>7}  {name}");
    }
}
