//! `pratica serve`: one or more comuni over gRPC, on the embedded store or in front of a cluster.

use super::exit::Failure;
use super::keys::KeyArgs;
use crate::app::{Clock, House, ManualClock, SystemClock};
use crate::eventstore::{self, Advertised, Endpoint, Shelf};
use crate::grpc::auth::{Identity, ServerKey};
use crate::grpc::issuer::{IdentitySettings, Issuer};
use crate::grpc::tls::{Tls, TlsFiles};
use crate::grpc::{Options, serve};
use anyhow::Context as _;
use jiff::Timestamp;
use pratica_domain::ids::ComuneId;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Arguments of `pratica serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Directory of the data; made if it is not there.
    #[arg(long, default_value = "pratica-data")]
    data: PathBuf,
    #[command(flatten)]
    keys: KeyArgs,
    /// A comune to serve; repeat for several. Without one, every directory in the data is served.
    #[arg(long)]
    comune: Vec<ComuneId>,
    /// Address to listen on. Port 0 takes a free one, which is printed.
    #[arg(long, default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
    /// Also serve each comune's log over the protocol of EventStoreDB and KurrentDB, on this address.
    #[arg(long, value_name = "ADDRESS")]
    eventstore_listen: Option<SocketAddr>,
    /// The host and port by which clients reach that address, where it is not the one they would
    /// guess: behind a port that is passed on, or with a certificate for a name.
    #[arg(long, value_name = "HOST:PORT", requires = "eventstore_listen")]
    eventstore_advertise: Option<Advertised>,
    /// The certificate, in PEM, for the address of the logs: clients send credentials over TLS only.
    #[arg(long, value_name = "FILE", requires = "eventstore_key")]
    eventstore_cert: Option<PathBuf>,
    /// The private key of that certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "eventstore_cert")]
    eventstore_key: Option<PathBuf>,
    /// Start a manual clock at this instant (for training and tests); it moves by AdvanceClock only.
    #[arg(long, value_name = "INSTANT")]
    manual_clock: Option<Timestamp>,
    /// Origin of a web page that may call over gRPC-Web; repeat for several.
    #[arg(long)]
    web_origin: Vec<String>,
    /// Also accept tokens signed by the server's own key, as `pratica token` makes them: for a
    /// first install and for tests.
    #[arg(long)]
    own_tokens: bool,
    /// Calls a second that one account may make; twice as many may come at once. 0 for any number.
    #[arg(long, default_value_t = 200)]
    calls_per_second: u32,
    /// Do not describe the services to who asks.
    #[arg(long)]
    no_reflection: bool,
    /// The server's certificate chain as PEM: encrypts every connection. Read again when it
    /// changes, and on SIGHUP.
    #[arg(long, value_name = "PATH", requires = "tls_key", env = "PRATICA_TLS_CERT")]
    tls_cert: Option<PathBuf>,
    /// Its private key as PEM.
    #[arg(long, value_name = "PATH", requires = "tls_cert", env = "PRATICA_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// The roots of client certificates as PEM: services may come with one instead of a token, as
    /// `identity.toml` says.
    #[arg(long, value_name = "PATH", requires = "tls_cert", env = "PRATICA_TLS_CLIENT_CA")]
    tls_client_ca: Option<PathBuf>,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    telemetry();
    runtime()?.block_on(serve_until_stopped(args))?;
    Ok(())
}

/// The runtime of everything that waits.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Logs to stderr; `PRATICA_LOG` narrows them. Never personal data, whatever the level.
pub(crate) fn telemetry() {
    telemetry_at("info");
}

/// What is logged at a level. The transport's crates may show headers and bytes at their lower
/// levels, and so tokens and names: they are never asked for them.
pub fn log_filter(level: &str) -> tracing_subscriber::EnvFilter {
    const TRANSPORT: &[&str] = &[
        "h2",
        "hyper",
        "hyper_util",
        "tower",
        "tower_http",
        "tonic",
        "rustls",
        "tokio_rustls",
        "eventstore",
    ];
    let mut filter = tracing_subscriber::EnvFilter::try_new(level)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    for name in TRANSPORT {
        if let Ok(directive) = format!("{name}=warn").parse() {
            filter = filter.add_directive(directive);
        }
    }
    filter
}

/// As [`telemetry`], at a level of one's own.
pub(crate) fn telemetry_at(level: &str) {
    let asked = std::env::var("PRATICA_LOG").unwrap_or_default();
    let filter = log_filter(if asked.is_empty() { level } else { &asked });
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).finish();
    // A second call, as in tests, keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

async fn serve_until_stopped(args: Args) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = match args.manual_clock {
        Some(start) => Arc::new(ManualClock::new(start)),
        None => Arc::new(SystemClock),
    };
    std::fs::create_dir_all(&args.data)
        .with_context(|| format!("cannot make the directory {}", args.data.display()))?;
    let comuni = if args.comune.is_empty() { comuni_in(&args.data)? } else { args.comune.clone() };
    anyhow::ensure!(
        !comuni.is_empty(),
        "{} holds no comune yet: name the first with --comune",
        args.data.display()
    );
    let identity = identity(&args)?;
    let tls = encrypted(&args.tls_cert, &args.tls_key, args.tls_client_ca.clone())?;
    let log_tls = encrypted(&args.eventstore_cert, &args.eventstore_key, None)?;
    let (house, projectors) = House::open(&args.data, &comuni, clock, &args.keys.of(&args.data))?;
    house.start(projectors).await;
    if house.clock.manual().is_some() {
        // What ran out while the machine was off takes its effect before anybody asks.
        house.advance(house.clock.now()).await?;
    }
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    let names: Vec<_> = comuni.iter().map(ComuneId::as_str).collect();
    tracing::info!(%address, comuni = names.join(", "), "serving");
    let asked = stop_asked();
    println!("{address}");
    let options = Options {
        web_origins: args.web_origin,
        reflection: !args.no_reflection,
        calls_per_second: args.calls_per_second,
        tls: tls.clone(),
        ..Options::default()
    };
    let mut following = JoinSet::new();
    for tls in [tls, log_tls.clone()].into_iter().flatten() {
        following.spawn(async move { tls.follow(told_to_reload()).await });
    }
    let stop = watch::Sender::new(false);
    let log = match args.eventstore_listen {
        Some(address) => {
            let listener = TcpListener::bind(address)
                .await
                .with_context(|| format!("cannot listen on {address}"))?;
            let own = args.eventstore_advertise;
            Some(serve_logs(listener, own, log_tls, &house, &identity, &options, &stop)?)
        }
        None => None,
    };
    let served = serve(listener, Arc::clone(&house), &identity, &options, asked).await;
    stop.send_replace(true);
    if let Some(log) = log {
        log.await??;
    }
    following.shutdown().await;
    house.stop().await;
    served
}

/// The encryption of an address: with both files, or none.
fn encrypted(
    certificate: &Option<PathBuf>,
    key: &Option<PathBuf>,
    client_roots: Option<PathBuf>,
) -> anyhow::Result<Option<Arc<Tls>>> {
    let (Some(certificate), Some(key)) = (certificate.clone(), key.clone()) else {
        return Ok(None);
    };
    Ok(Some(Tls::open(TlsFiles { certificate, key, client_roots })?))
}

/// Serves the logs beside the contract until `stop`.
fn serve_logs(
    listener: TcpListener,
    advertised: Option<Advertised>,
    tls: Option<Arc<Tls>>,
    house: &House,
    identity: &Identity,
    options: &Options,
    stop: &watch::Sender<bool>,
) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
    let address = listener.local_addr()?;
    let secure = tls.is_some();
    if advertised.is_none() && address.ip().is_unspecified() {
        tracing::warn!(%address, "clients that ask who is in the cluster are sent to this address, \
            which is nowhere; name the right one with --eventstore-advertise");
    }
    if !secure && !address.ip().is_loopback() {
        tracing::warn!(%address, "the logs are served without TLS: tokens can be read \
            on the way; name a certificate with --eventstore-cert");
    }
    let logs = house.all().map(|open| {
        let shelf = Shelf {
            log: Arc::clone(&open.embedded),
            appendable: open.town.cluster.is_none(),
            rules: Some(Arc::clone(&open.town.rules)),
            vault: Some(Arc::clone(&open.town.vault)),
            clock: Arc::clone(&house.clock),
        };
        (open.town.comune.clone(), shelf)
    });
    let endpoint = Endpoint {
        logs: logs.collect(),
        identity: identity.clone(),
        calls_per_second: options.calls_per_second,
        tls,
        advertised: advertised.unwrap_or_else(|| address.into()),
    };
    tracing::info!(%address, "serving the logs to clients of event stores");
    println!("esdb://{address}?tls={secure}");
    let mut stopped = stop.subscribe();
    Ok(tokio::spawn(eventstore::serve(listener, endpoint, async move {
        // Without a sender the server is ending as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    })))
}

/// Whose tokens are accepted: of the providers of `identity.toml`, and the server's own if asked.
fn identity(args: &Args) -> anyhow::Result<Identity> {
    let settings = IdentitySettings::read(&args.data)?;
    anyhow::ensure!(
        args.own_tokens || !settings.issuers.is_empty() || !settings.certificates.is_empty(),
        "nobody could call: name identity providers in {}, or start with --own-tokens",
        args.data.join("identity.toml").display()
    );
    let issuers = settings
        .issuers
        .into_iter()
        .map(|issuer| Issuer::new(issuer, &args.data))
        .collect::<Result<Vec<_>, _>>()?;
    let identity = Identity::of(issuers).with_certificates(settings.certificates);
    Ok(if args.own_tokens { identity.with_own(&ServerKey::open(&args.data)?) } else { identity })
}

/// The comuni that a data directory holds: the directories with a log.
///
/// # Errors
/// When the directory cannot be read, or one of its comuni is not named like a comune.
pub(crate) fn comuni_in(data: &std::path::Path) -> anyhow::Result<Vec<ComuneId>> {
    let mut comuni = Vec::new();
    for entry in std::fs::read_dir(data)? {
        let path = entry?.path();
        if path.join("log.db").is_file() {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
            comuni.push(name.unwrap_or_default().parse()?);
        }
    }
    comuni.sort();
    Ok(comuni)
}

/// Says each time that the process is told to read its certificates again.
fn told_to_reload() -> tokio::sync::mpsc::Receiver<()> {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    #[cfg(unix)]
    tokio::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
        while hangup.recv().await.is_some() {
            if sender.send(()).await.is_err() {
                return;
            }
        }
    });
    #[cfg(not(unix))]
    drop(sender);
    receiver
}

/// Ready when the process is asked to stop, from this call on.
pub(crate) fn stop_asked() -> impl Future<Output = ()> + Send {
    #[cfg(unix)]
    let terminate = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate())
    };
    async move {
        #[cfg(unix)]
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}
