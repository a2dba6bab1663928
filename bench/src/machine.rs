//! The machine that the figures are of: versions, disk, and who else used the processors.

use crate::figures::Times;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

/// What stands above the table.
pub(crate) struct Machine {
    pub(crate) lines: Vec<(&'static str, String)>,
}

pub(crate) fn describe(directory: &Path) -> anyhow::Result<Machine> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|l| l.strip_prefix("model name").map(|m| m.trim_start_matches([' ', '\t', ':'])))
        .unwrap_or("unknown")
        .to_owned();
    Ok(Machine {
        lines: vec![
            ("date", jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()),
            ("pratica", env!("CARGO_PKG_VERSION").to_owned()),
            ("SQLite", rusqlite::version().to_owned()),
            ("processors", format!("{cores} x {model}")),
            ("kernel", read("/proc/sys/kernel/osrelease")),
            ("file system", file_system(directory)),
            ("durability", "WAL, synchronous=FULL wherever it says durable".to_owned()),
            ("fdatasync before", flushes(directory)?),
        ],
    })
}

/// How long the disk takes to make 4 KiB safe.
pub(crate) fn flushes(directory: &Path) -> anyhow::Result<String> {
    let mut file = tempfile::tempfile_in(directory)?;
    let mut times = Times::default();
    for _ in 0..500 {
        file.write_all(&[7; 4096])?;
        let begun = Instant::now();
        file.sync_data()?;
        times.add(begun.elapsed());
    }
    let (p50, p99) = (times.percentile_us(0.50), times.percentile_us(0.99));
    Ok(format!("p50 {p50:.0} us, p99 {p99:.0} us"))
}

fn file_system(directory: &Path) -> String {
    let path = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts
        .lines()
        .filter_map(|line| {
            let mut parts = line.split(' ');
            let (_, point, kind) = (parts.next()?, parts.next()?, parts.next()?);
            path.starts_with(point).then(|| (point.len(), kind.to_owned()))
        })
        .max()
        .map_or_else(|| "unknown".to_owned(), |(_, kind)| kind)
}

/// Processor time so far, in ticks: of everybody, and of this process with those that it started
/// and that have ended.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    all: u64,
    busy: u64,
    own: u64,
}

impl Usage {
    pub(crate) fn now() -> Usage {
        let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        let fields: Vec<u64> = stat
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .skip(1)
            .take(8)
            .filter_map(|f| f.parse().ok())
            .collect();
        let all: u64 = fields.iter().sum();
        let idle = fields.get(3).copied().unwrap_or(0) + fields.get(4).copied().unwrap_or(0);
        let own = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The name, in brackets, may hold blanks.
        let own = own.rsplit(')').next().unwrap_or_default();
        let own = own.split_whitespace().skip(11).take(4).filter_map(|f| f.parse::<u64>().ok());
        Usage { all, busy: all.saturating_sub(idle), own: own.sum() }
    }

    /// The processor time that this process used since then, in microseconds; the kernel counts in
    /// hundredths of a second.
    pub(crate) fn own_us_since(self) -> f64 {
        Usage::now().own.saturating_sub(self.own) as f64 * 10_000.0
    }

    /// The share of the processors that others used since then, in percent.
    pub(crate) fn others_since(self) -> f64 {
        let now = Usage::now();
        let all = now.all.saturating_sub(self.all).max(1);
        let busy = now.busy.saturating_sub(self.busy);
        let own = now.own.saturating_sub(self.own);
        busy.saturating_sub(own) as f64 * 100.0 / all as f64
    }
}
