//! The canonical document: input and result as lines of text, the same bytes on every machine.
//!
//! It ends every line with one line feed and holds nothing twice in two forms, so that equal
//! rankings have equal bytes. Its SHA-256 is the ranking's hash. Format: docs/adr/0020.

use super::Ranking;
use super::model::{Application, Better, Input, List, Seat, a_word};
use super::order::{Deciding, Ranked};
use super::{RankingError, rank};
use crate::ids::CallId;
use std::fmt::{self, Write};

/// The first line of every document.
pub(super) const FORMAT: &str = "pratica-ranking 1";
/// The name of the key whose values are lots.
pub const LOT: &str = "lot";

/// Which ranking it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Open to observations.
    Provisional,
    /// Offers are made by it.
    Definitive,
}

impl Stage {
    /// The word in documents, events and views.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Provisional => "provisional",
            Stage::Definitive => "definitive",
        }
    }
}

/// How lots were drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotsDrawn {
    /// What was published before.
    pub commitment: String,
    /// The seed, revealed.
    pub seed: String,
    /// The public draw; empty if none.
    pub public_draw: String,
}

/// What a document says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The call.
    pub call: CallId,
    /// Which ranking.
    pub stage: Stage,
    /// Name and version of the criteria.
    pub criteria: String,
    /// Hash of the criteria.
    pub criteria_sha256: String,
    /// How lots were drawn, if they were.
    pub lots: Option<LotsDrawn>,
}

/// A ranking with what it was computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it says of itself.
    pub header: Header,
    /// What it was computed from.
    pub input: Input,
    /// What came out.
    pub ranking: Ranking,
}

impl Document {
    /// Ranks an input.
    ///
    /// # Errors
    /// When a word of the header cannot stand in a document.
    pub fn compute(header: Header, input: Input) -> Result<Self, RankingError> {
        a_word(&header.criteria)?;
        a_word(&header.criteria_sha256)?;
        if let Some(lots) = &header.lots {
            a_word(&lots.commitment)?;
            a_word(&lots.seed)?;
            if !lots.public_draw.is_empty() {
                a_word(&lots.public_draw)?;
            }
        }
        let ranking = rank(&input);
        Ok(Document { header, input, ranking })
    }

    /// The canonical text.
    pub fn text(&self) -> String {
        let rows: usize = self.ranking.orders.iter().map(Vec::len).sum();
        let mut text = String::with_capacity(512 + rows * 128 + self.ranking.seats.len() * 256);
        // Writing into a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let header = &self.header;
        writeln!(out, "{FORMAT}")?;
        writeln!(out, "call {}", header.call)?;
        writeln!(out, "stage {}", header.stage.as_str())?;
        writeln!(out, "criteria {} {}", header.criteria, header.criteria_sha256)?;
        match &header.lots {
            None => writeln!(out, "lots -")?,
            Some(l) => {
                let draw = if l.public_draw.is_empty() { "-" } else { &l.public_draw };
                writeln!(out, "lots {} {} {draw}", l.commitment, l.seed)?;
            }
        }
        for key in self.input.keys() {
            let better = match key.better {
                Better::Higher => "higher",
                Better::Lower => "lower",
            };
            writeln!(out, "key {} {better}", key.name)?;
        }
        for list in self.input.lists() {
            write_list(out, list)?;
        }
        for application in self.input.applications() {
            self.write_application(out, application)?;
        }
        for (list, rows) in self.input.lists().iter().zip(&self.ranking.orders) {
            for (place, row) in rows.iter().enumerate() {
                let id = self.input.applications()[row.application as usize].id;
                writeln!(out, "rank {} {} {id} {}", list.id, place + 1, self.deciding(row))?;
            }
        }
        for (application, seat) in self.input.applications().iter().zip(&self.ranking.seats) {
            writeln!(out, "seat {} {}", application.id, self.seat(*seat))?;
        }
        Ok(())
    }

    fn write_application(&self, out: &mut String, application: &Application) -> fmt::Result {
        let Application { id, evidence, lot_of, groups, choices } = application;
        write!(out, "application {id} {evidence} ")?;
        if lot_of == id {
            out.push('-');
        } else {
            write!(out, "{lot_of}")?;
        }
        out.push(' ');
        if groups.is_empty() {
            out.push('-');
        }
        for (place, group) in groups.iter().enumerate() {
            out.push_str(if place == 0 { "" } else { "," });
            out.push_str(group);
        }
        out.push(' ');
        if choices.is_empty() {
            out.push('-');
        }
        for (place, choice) in choices.iter().enumerate() {
            out.push_str(if place == 0 { "" } else { ";" });
            write!(out, "{}=", self.input.lists()[choice.list as usize].id)?;
            for (n, value) in choice.values.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { "," });
                write!(out, "{value}")?;
            }
        }
        out.push('\n');
        Ok(())
    }

    /// The word for what puts a row before its next.
    pub fn deciding(&self, row: &Ranked) -> &str {
        match row.before_next {
            Deciding::Key(key) => self.input.keys().get(key as usize).map_or("-", |k| &k.name),
            Deciding::Number => "number",
            Deciding::Last => "last",
        }
    }

    /// The word for a place: `-`, the list, or the list and the group it is reserved for.
    pub fn seat(&self, seat: Option<Seat>) -> String {
        let Some(seat) = seat else { return "-".to_owned() };
        let list = &self.input.lists()[seat.list as usize];
        match seat.reserve.and_then(|r| list.reserves.get(r as usize)) {
            Some(reserve) => format!("{} {}", list.id, reserve.group),
            None => list.id.to_string(),
        }
    }
}

fn write_list(out: &mut String, list: &List) -> fmt::Result {
    write!(out, "list {} {} ", list.id, list.places)?;
    if list.reserves.is_empty() {
        out.push('-');
    }
    for (place, reserve) in list.reserves.iter().enumerate() {
        out.push_str(if place == 0 { "" } else { "," });
        write!(out, "{}:{}", reserve.group, reserve.places)?;
    }
    out.push('\n');
    Ok(())
}
