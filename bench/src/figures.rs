//! Medians, spreads and percentiles.

use crate::peers::Went;
use std::time::Duration;

/// One figure measured several times, in the order of the runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figure(Vec<f64>);

impl Figure {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// This figure over another, run by run: what disturbed a run disturbed both.
    pub(crate) fn over(&self, other: &Figure) -> Figure {
        Figure(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }

    /// The greater of the two, run by run.
    pub(crate) fn greater(&self, other: &Figure) -> Figure {
        Figure(self.0.iter().zip(&other.0).map(|(a, b)| a.max(*b)).collect())
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    pub(crate) fn runs(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        match sorted.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => sorted[n / 2],
            n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
        }
    }

    pub(crate) fn least(&self) -> f64 {
        self.sorted().first().copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn most(&self) -> f64 {
        self.sorted().last().copied().unwrap_or(f64::NAN)
    }
}

/// The times of single operations, in nanoseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Times(Vec<u64>);

impl Times {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn join(&mut self, others: Times) {
        self.0.extend(others.0);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// In microseconds, what this share of the operations did not exceed.
    pub(crate) fn percentile_us(&mut self, share: f64) -> f64 {
        if self.0.is_empty() {
            return f64::NAN;
        }
        self.0.sort_unstable();
        let place = (self.0.len() as f64 * share) as usize;
        self.0[place.min(self.0.len() - 1)] as f64 / 1e3
    }
}

/// A rate with the times of its operations, over several runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rate {
    pub(crate) per_second: Figure,
    pub(crate) p50_us: Figure,
    pub(crate) p99_us: Figure,
    pub(crate) done: u64,
}

impl Rate {
    /// Takes in one run.
    pub(crate) fn add(&mut self, mut times: Times, took: Duration) {
        self.per_second.add(times.count() as f64 / took.as_secs_f64());
        self.p50_us.add(times.percentile_us(0.50));
        self.p99_us.add(times.percentile_us(0.99));
        self.done += times.count() as u64;
    }

    /// Takes in one run that a peer measured.
    pub(crate) fn add_told(&mut self, went: &Went) {
        self.per_second.add(went.done as f64 * 1e6 / went.took_us);
        self.p50_us.add(went.p50_us);
        self.p99_us.add(went.p99_us);
        self.done += went.done;
    }
}
