//! The table: one line a figure, with its goal where it has one.

use crate::figures::{Figure, Rate};
use crate::machine::{self, Machine, Usage};
use serde_json::{Value, json};
use std::fmt;
use std::path::Path;

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn met(self, value: f64) -> bool {
        match self {
            Goal::AtLeast(goal) => value >= goal,
            Goal::AtMost(goal) => value <= goal,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Goal::AtLeast(goal) => write!(f, ">= {}", number(*goal)),
            Goal::AtMost(goal) => write!(f, "<= {}", number(*goal)),
        }
    }
}

struct Row {
    work: &'static str,
    what: String,
    unit: &'static str,
    figure: Figure,
    goal: Option<Goal>,
}

/// Everything measured in a run.
pub(crate) struct Report {
    machine: Machine,
    work: &'static str,
    rows: Vec<Row>,
    notes: Vec<(&'static str, String)>,
}

impl Report {
    pub(crate) fn new(machine: Machine) -> Report {
        Report { machine, work: "", rows: Vec::new(), notes: Vec::new() }
    }

    /// Runs one work, and notes how much of the processors others had meanwhile.
    pub(crate) fn measure(
        &mut self,
        work: &'static str,
        run: impl FnOnce(&mut Report) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        eprintln!("{work} ...");
        self.work = work;
        let before = Usage::now();
        run(self)
            .map_err(|e| e.context(format!("{work} failed: its figures would be worth nothing")))?;
        self.note(format!("others used {:.0} % of the processors", before.others_since()));
        Ok(())
    }

    pub(crate) fn note(&mut self, text: String) {
        self.notes.push((self.work, text));
    }

    pub(crate) fn row(
        &mut self,
        what: impl Into<String>,
        unit: &'static str,
        figure: &Figure,
        goal: Option<Goal>,
    ) {
        let figure = figure.clone();
        self.rows.push(Row { work: self.work, what: what.into(), unit, figure, goal });
    }

    /// A rate with the times of its operations.
    pub(crate) fn rate(&mut self, what: &str, rate: &Rate) {
        self.row(what, "/s", &rate.per_second, None);
        self.row(format!("{what}, p50"), "us", &rate.p50_us, None);
        self.row(format!("{what}, p99"), "us", &rate.p99_us, None);
    }

    /// One figure over another, run by run.
    pub(crate) fn ratio(&mut self, what: &str, of: &Figure, over: &Figure, goal: Option<Goal>) {
        self.row(what, "x", &of.over(over), goal);
    }

    pub(crate) fn disk_afterwards(&mut self, directory: &Path) -> anyhow::Result<()> {
        self.machine.lines.push(("fdatasync after", machine::flushes(directory)?));
        Ok(())
    }

    pub(crate) fn json(&self) -> Value {
        let machine: serde_json::Map<_, _> =
            self.machine.lines.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|r| {
                json!({
                    "work": r.work, "what": r.what, "unit": r.unit, "runs": r.figure.runs(),
                    "median": r.figure.median(), "least": r.figure.least(),
                    "most": r.figure.most(), "goal": r.goal.map(|g| g.to_string()),
                    "met": r.goal.map(|g| g.met(r.figure.median())),
                })
            })
            .collect();
        let notes: Vec<_> =
            self.notes.iter().map(|(work, text)| json!({ "work": work, "note": text })).collect();
        json!({ "machine": machine, "rows": rows, "notes": notes })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.machine.lines {
            writeln!(f, "{name}: {value}")?;
        }
        writeln!(f, "\n| # | what | median | least .. most | unit | goal | met |")?;
        writeln!(f, "|---|---|---:|---:|---|---|---|")?;
        for r in &self.rows {
            let spread = if r.figure.runs() > 1 {
                format!("{} .. {}", number(r.figure.least()), number(r.figure.most()))
            } else {
                String::new()
            };
            let (goal, met) = match r.goal {
                Some(goal) if goal.met(r.figure.median()) => (goal.to_string(), "yes"),
                Some(goal) => (goal.to_string(), "no"),
                None => (String::new(), ""),
            };
            let median = number(r.figure.median());
            writeln!(
                f,
                "| {} | {} | {median} | {spread} | {} | {goal} | {met} |",
                r.work, r.what, r.unit
            )?;
        }
        writeln!(f)?;
        for (work, note) in &self.notes {
            writeln!(f, "{work}: {note}")?;
        }
        Ok(())
    }
}

/// Two digits behind the point for small numbers, thousands apart for large ones.
fn number(value: f64) -> String {
    if value.is_nan() {
        return "-".to_owned();
    }
    if value < 10.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
