//! `pratica demo`: an empty town with a manual clock lives a year over gRPC.

use super::exit::Failure;
use super::show;
use super::{output, serve};
use crate::app::{Clock, House, ManualClock, MasterKeys};
use crate::demo::{Town, play, play_building, play_school};
use crate::grpc::auth::{Identity, ServerKey};
use crate::grpc::{Options, serve as serve_grpc};
use anyhow::Context as _;
use pratica_domain::Role;
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Arguments of `pratica demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Directory of the data; without one, a directory of its own that goes with the demo.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Which story: a year of the registry office, or of a school call.
    #[arg(long, value_enum, default_value_t = Story::Town)]
    story: Story,
    /// Stop when the story is told, instead of staying up for a visitor.
    #[arg(long)]
    stop: bool,
}

/// What the demonstration tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Story {
    /// A year of the registry office.
    Town,
    /// The year of a school call: sixty children, four schools.
    School,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    serve::telemetry_at("warn");
    let own = args.data.is_none();
    let data = args.data.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("pratica-demo-{}", std::process::id()))
    });
    std::fs::create_dir_all(&data)
        .with_context(|| format!("cannot make the directory {}", data.display()))?;
    let told = serve::runtime()?.block_on(tell(args, &data));
    if own {
        std::fs::remove_dir_all(&data)
            .with_context(|| format!("cannot remove {}", data.display()))?;
    }
    told
}

async fn tell(args: &Args, data: &std::path::Path) -> Result<(), Failure> {
    let comune = "collina";
    let start = match args.story {
        Story::Town => "2026-03-02T07:00:00Z",
        Story::School => "2026-02-01T07:00:00Z",
    };
    let start = start.parse().map_err(anyhow::Error::from)?;
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(start));
    let key = ServerKey::open(data).map_err(anyhow::Error::from)?;
    let id = comune.parse().map_err(anyhow::Error::from)?;
    let (house, projectors) = House::open(data, &[id], clock, &MasterKeys::Demonstration)?;
    house.start(projectors).await;
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = {
        let (house, key) = (Arc::clone(&house), key.clone());
        tokio::spawn(async move {
            let options = Options { reflection: true, ..Options::default() };
            let until = async {
                // Told to stop, or the teller is gone: both end it.
                let _ = stopped.await;
            };
            serve_grpc(listener, house, &Identity::own(&key), &options, until).await
        })
    };
    let mut town = Town::new(comune, &format!("http://{address}"), key);
    let told = match args.story {
        Story::Town => story(&mut town, args, address).await,
        Story::School => school(&mut town, args, address).await,
    };
    let _ = stop.send(());
    server.await.context("the server ended badly")??;
    house.stop().await;
    told
}

async fn story(town: &mut Town, args: &Args, address: SocketAddr) -> Result<(), Failure> {
    title("A year of the town, over gRPC");
    let shown = play(town, &mut |line| println!("{line}")).await?;
    let cases = "pratica.cases.v1.CasesService";
    let officer = crate::demo::OFFICER;

    title("What the office sees: every case");
    let list = json!({ "page_size": 50, "language": "en" });
    let answer = town.call(officer, &format!("{cases}/ListCases"), list).await?;
    show::cases(show::items(&answer, "cases"));

    title("What a citizen sees: the history of the contested case");
    let one = json!({ "case_id": shown.contested, "page_size": 200, "language": "en" });
    let citizen = crate::demo::Who("citizen.conti", Role::Citizen);
    let answer = town.call(citizen, &format!("{cases}/GetTimeline"), one).await?;
    show::timeline(show::items(&answer, "entries"));

    title("Why that date: a suspended term that ends on a holiday");
    let one = json!({ "case_id": shown.suspended, "term": "residency.checks", "language": "en" });
    let answer = town.call(officer, &format!("{cases}/ExplainDeadlines"), one).await?;
    show::deadlines(show::items(&answer, "deadlines"), true);

    title("What may be done with the case that silence confirmed, and why not");
    let one = json!({ "case_id": shown.silent, "language": "en" });
    let answer = town.call(officer, &format!("{cases}/GetAvailableActions"), one).await?;
    show::actions(show::items(&answer, "actions").get(..8).unwrap_or_default());
    println!("     ...");

    title("The clerk's worklist");
    let method = "pratica.worklist.v1.WorklistService/ListWorklist";
    let answer = town.call(officer, method, json!({ "language": "en" })).await?;
    show::cases(show::items(&answer, "cases"));

    title("The protocol register, newest first");
    let method = "pratica.register.v1.RegisterService/ListRegistrations";
    let last = json!({ "year": 2026, "page_size": 5 });
    let answer = town.call(officer, method, last).await?;
    show::registrations(show::items(&answer, "registrations"));

    title("Statistics: real times against the legal term");
    let method = "pratica.statistics.v1.StatisticsService/GetStatistics";
    let answer = town.call(officer, method, json!({})).await?;
    show::statistics(&answer);

    title("The building office, from January 2027");
    play_building(town, &mut |line| println!("{line}")).await?;
    let list = json!({ "page_size": 50, "language": "en" });
    let answer = town.call(crate::demo::SURVEYOR, &format!("{cases}/ListCases"), list).await?;
    show::cases(show::items(&answer, "cases"));

    if !args.stop {
        stay(town, address).await?;
    }
    Ok(())
}

async fn school(town: &mut Town, args: &Args, address: SocketAddr) -> Result<(), Failure> {
    title("The year of a school call, over gRPC");
    let cohort = play_school(town, &mut |line| println!("{line}")).await?;

    title("What a family sees: where it stands, and why");
    let position = town.position(crate::demo::SCHOOL_OFFICER, &cohort.corrected).await?;
    for list in position["positions"].as_array().into_iter().flatten() {
        println!("{}", list["reason"].as_str().unwrap_or_default());
    }

    title("The definitive ranking as anybody can check it: the first lines of its file");
    for line in cohort.document.lines().take(12) {
        println!("{line}");
    }

    title("Places at the end of the year");
    for list in town.places(&cohort.call).await? {
        println!(
            "{:<16} places {:>3}  taken {:>3}  free {:>3}  first choices {:>3}  renounced {:>3}  lapsed {:>3}",
            list["list"].as_str().unwrap_or_default(),
            list["places"],
            list["taken"],
            list["free"],
            list["first_choices"],
            list["renounced"],
            list["lapsed"],
        );
    }
    if !args.stop {
        stay(town, address).await?;
    }
    Ok(())
}

async fn stay(town: &Town, address: SocketAddr) -> Result<(), Failure> {
    title("The town stays up; Ctrl-C ends it");
    let token = town.token("anna", Role::Officer)?;
    output::pairs(&[("server", format!("http://{address}")), ("comune", town.comune.clone())]);
    println!("\nexport PRATICA_SERVER=http://{address} PRATICA_COMUNE={}", town.comune);
    println!("export PRATICA_TOKEN={token}");
    println!("pratica list");
    println!("grpcurl -plaintext -H \"authorization: Bearer $PRATICA_TOKEN\" \\");
    println!(
        "  -d '{{\"comune\":\"{}\"}}' {address} pratica.cases.v1.CasesService/ListCases",
        town.comune
    );
    serve::stop_asked().await;
    Ok(())
}

fn title(text: &str) {
    println!("\n== {text}\n");
}
