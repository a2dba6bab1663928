//! What all peers have in common: the one tiny protocol by which `pratica-bench` asks them for the
//! same work as Pratica does, and the loop that measures it. A line of JSON in, a line of JSON out.
//!
//! First comes `{"payload": .., "metadata": ..}`, the very bytes that Pratica appends; the peer
//! answers what it is. Then one request after the other, until the input ends.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::future::Future;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is appended, the same for all.
#[derive(Debug, Clone, Deserialize)]
pub struct Same {
    /// An event as JSON, 300 bytes.
    pub payload: String,
    /// Who recorded it, and why.
    pub metadata: BTreeMap<String, String>,
}

/// The payload, decoded: what a load folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    pub note: String,
    pub text: Text,
}

/// The text of a note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Text {
    pub subject: String,
    pub value: String,
}

/// What a peer says of itself.
#[derive(Debug, Serialize)]
pub struct About {
    /// The engine below, with its version.
    pub engine: String,
    /// As the engine reports it, not as it was asked for.
    pub durability: String,
}

/// A peer. What it cannot do, it answers with an error.
pub trait Peer: Send + Sync + Sized + 'static {
    /// What one writer has of its own.
    type Writer: Send;

    fn open(directory: &Path, same: Same) -> impl Future<Output = anyhow::Result<(Self, About)>>;

    fn writer(&self) -> impl Future<Output = anyhow::Result<Self::Writer>>;

    /// Appends one event to a stream that must be new; durable when it returns.
    fn append(
        &self,
        writer: &mut Self::Writer,
        stream: String,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// A new stream of so many events, appended at once.
    fn fill(&self, stream: String, events: u64) -> impl Future<Output = anyhow::Result<()>>;

    /// Reads a stream, decodes each event and folds it; how many there were.
    fn load(&self, stream: &str) -> impl Future<Output = anyhow::Result<u64>>;

    /// Replays everything into a view of its own; how many events the view knows of afterwards.
    fn replay(&self) -> impl Future<Output = anyhow::Result<u64>>;

    /// All events, counted by reading them back.
    fn count(&self) -> impl Future<Output = anyhow::Result<u64>>;
}

#[derive(Debug, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
enum Ask {
    Append { writers: usize, slice_ms: u64 },
    Fill { streams: u64, events: u64 },
    Load,
    Replay,
    Count,
}

/// How a piece of work went.
#[derive(Debug, Default, Serialize)]
struct Went {
    done: u64,
    took_us: f64,
    p50_us: f64,
    p99_us: f64,
}

/// Serves the protocol; the directory is the program's first argument.
pub fn serve<P: Peer>() -> anyhow::Result<()> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.ok_or_else(|| anyhow::anyhow!("no directory was named"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut lines = std::io::stdin().lock().lines();
    let first = lines.next().ok_or_else(|| anyhow::anyhow!("nothing was asked"))??;
    let (peer, about) = runtime.block_on(P::open(&directory, serde_json::from_str(&first)?))?;
    say(&about)?;
    let (peer, mut streams) = (Arc::new(peer), Vec::new());
    for line in lines {
        let ask = serde_json::from_str(&line?)?;
        say(&runtime.block_on(answer(&peer, &mut streams, ask))?)?;
    }
    Ok(())
}

fn say(what: &impl Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(what)?)?;
    Ok(out.flush()?)
}

async fn answer<P: Peer>(
    peer: &Arc<P>,
    streams: &mut Vec<(String, u64)>,
    ask: Ask,
) -> anyhow::Result<Went> {
    match ask {
        Ask::Append { writers, slice_ms } => append(peer, writers, slice_ms).await,
        Ask::Fill { streams: count, events } => {
            let begun = Instant::now();
            for _ in 0..count {
                let name = stream_name();
                peer.fill(name.clone(), events).await?;
                streams.push((name, events));
            }
            Ok(whole(count * events, begun.elapsed()))
        }
        Ask::Load => {
            let (begun, mut times) = (Instant::now(), Vec::new());
            for (stream, events) in streams.iter() {
                let one = Instant::now();
                let found = peer.load(stream).await?;
                times.push(one.elapsed());
                anyhow::ensure!(found == *events, "{found} of {events} events");
            }
            Ok(each(times, begun.elapsed()))
        }
        Ask::Replay => {
            let begun = Instant::now();
            let known = peer.replay().await?;
            Ok(whole(known, begun.elapsed()))
        }
        Ask::Count => {
            let begun = Instant::now();
            Ok(whole(peer.count().await?, begun.elapsed()))
        }
    }
}

/// A new case's stream, named as Pratica names it.
fn stream_name() -> String {
    format!("collina.residency-{}", uuid::Uuid::new_v4())
}

async fn append<P: Peer>(peer: &Arc<P>, writers: usize, slice_ms: u64) -> anyhow::Result<Went> {
    let mut own = Vec::new();
    for _ in 0..writers {
        own.push(peer.writer().await?);
    }
    let (begun, slice) = (Instant::now(), Duration::from_millis(slice_ms));
    let mut tasks = Vec::new();
    for mut writer in own {
        let peer = Arc::clone(peer);
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            while begun.elapsed() < slice {
                let stream = stream_name();
                let one = Instant::now();
                peer.append(&mut writer, stream).await?;
                times.push(one.elapsed());
            }
            anyhow::Ok(times)
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await??);
    }
    Ok(each(all, begun.elapsed()))
}

fn whole(done: u64, took: Duration) -> Went {
    Went { done, took_us: took.as_secs_f64() * 1e6, ..Went::default() }
}

/// Percentiles as Pratica's own are taken.
fn each(mut times: Vec<Duration>, took: Duration) -> Went {
    times.sort_unstable();
    let at = |share: f64| {
        let place = (times.len() as f64 * share) as usize;
        times.get(place.min(times.len().saturating_sub(1))).map_or(0.0, |t| t.as_secs_f64() * 1e6)
    };
    Went { p50_us: at(0.50), p99_us: at(0.99), ..whole(times.len() as u64, took) }
}
