//! Reading a document back, and computing it again: what a parent or a court does with the file.

use super::document::{Document, FORMAT, Header, LOT, LotsDrawn, Stage};
use super::error::ReadError;
use super::lots::{Hash, commitment_of, lot};
use super::model::{Application, Better, Choice, Input, Key, List, ListId, Reserve};
use crate::ids::CaseId;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// What a document that holds says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The document.
    pub document: Document,
    /// Its hash, in lower-case hexadecimal.
    pub sha256: String,
}

/// Reads a document, computes the ranking again from its input, draws the lots again from its seed,
/// and compares every byte.
///
/// # Errors
/// The first line that cannot be read or says something else than what comes out.
pub fn verify(text: &str, hash: Hash) -> Result<Verified, ReadError> {
    let document = read(text)?;
    let computed = document.text();
    if computed != text {
        let mut pairs = text.lines().zip(computed.lines()).enumerate();
        let differs = pairs.find(|(_, (found, fresh))| found != fresh);
        let shorter = text.lines().count().min(computed.lines().count());
        let (line, found, fresh) = differs.map_or_else(
            || {
                let at = |t: &str| t.lines().nth(shorter).unwrap_or_default().to_owned();
                (shorter, at(text), at(&computed))
            },
            |(line, (found, fresh))| (line, found.to_owned(), fresh.to_owned()),
        );
        return Err(ReadError::Differs { line: line + 1, found, computed: fresh });
    }
    the_lots_are_drawn(&document, hash)?;
    let sha256 = hash(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    Ok(Verified { document, sha256 })
}

fn the_lots_are_drawn(document: &Document, hash: Hash) -> Result<(), ReadError> {
    let Some(lots) = &document.header.lots else { return Ok(()) };
    let computed = commitment_of(&lots.seed, hash);
    if computed != lots.commitment {
        return Err(ReadError::Commitment { computed, committed: lots.commitment.clone() });
    }
    let Some(key) = document.input.keys().iter().position(|k| k.name == LOT) else {
        return Ok(());
    };
    for application in document.input.applications() {
        let computed = lot(&lots.seed, &lots.public_draw, application.lot_of, hash);
        let other = application.choices.iter().map(|c| c.values[key]).find(|v| *v != computed);
        if let Some(found) = other {
            return Err(ReadError::Lot { application: application.id, found, computed });
        }
    }
    Ok(())
}

/// Reads a document and computes its ranking; whether its lines say the same is not looked at.
///
/// # Errors
/// The first line that cannot be read, or what keeps the input from being ranked.
pub fn read(text: &str) -> Result<Document, ReadError> {
    let mut lines = Lines { lines: text.lines().enumerate().peekable() };
    if lines.whole(FORMAT)? != FORMAT {
        return Err(ReadError::Line { line: 1, what: format!("expected {FORMAT:?}") });
    }
    let header = header(&mut lines)?;
    let mut keys = Vec::new();
    while let Some((line, rest)) = lines.if_starts("key ") {
        keys.push(key(line, rest)?);
    }
    let mut lists = Vec::new();
    while let Some((line, rest)) = lines.if_starts("list ") {
        lists.push(list(line, rest)?);
    }
    let places: BTreeMap<String, u32> = (0_u32..)
        .zip(&lists)
        .map(|(place, list): (u32, &List)| (list.id.to_string(), place))
        .collect();
    let mut applications = Vec::new();
    while let Some((line, rest)) = lines.if_starts("application ") {
        applications.push(application(line, rest, &places)?);
    }
    Ok(Document::compute(header, Input::new(keys, lists, applications)?)?)
}

struct Lines<'a> {
    lines: std::iter::Peekable<std::iter::Enumerate<std::str::Lines<'a>>>,
}

impl<'a> Lines<'a> {
    fn whole(&mut self, expected: &str) -> Result<&'a str, ReadError> {
        self.lines.next().map(|(_, line)| line).ok_or_else(|| ReadError::Line {
            line: 1,
            what: format!("expected {expected:?}, found the end"),
        })
    }

    fn starts(&mut self, start: &str) -> Result<(usize, &'a str), ReadError> {
        let (line, text) = self.lines.next().map_or((0, ""), |(n, text)| (n + 1, text));
        let rest = text.strip_prefix(start);
        rest.map(|rest| (line, rest)).ok_or_else(|| bad(line, &format!("{start}...")))
    }

    fn if_starts(&mut self, start: &str) -> Option<(usize, &'a str)> {
        let (line, text) = self.lines.next_if(|(_, text)| text.starts_with(start))?;
        Some((line + 1, text.strip_prefix(start).unwrap_or_default()))
    }
}

fn bad(line: usize, expected: &str) -> ReadError {
    ReadError::Line { line, what: format!("expected {expected}") }
}

fn parsed<T: FromStr>(line: usize, text: &str, expected: &str) -> Result<T, ReadError> {
    text.parse().map_err(|_| bad(line, expected))
}

/// Exactly so many words between single blanks.
fn words<'a, const N: usize>(
    line: usize,
    text: &'a str,
    expected: &str,
) -> Result<[&'a str; N], ReadError> {
    let words: Vec<&str> = text.split(' ').collect();
    <[&str; N]>::try_from(words).map_err(|_| bad(line, expected))
}

fn header(lines: &mut Lines<'_>) -> Result<Header, ReadError> {
    let (line, call) = lines.starts("call ")?;
    let call = parsed(line, call, "call UUID")?;
    let (line, stage) = lines.starts("stage ")?;
    let stage = match stage {
        "provisional" => Stage::Provisional,
        "definitive" => Stage::Definitive,
        _ => return Err(bad(line, "stage provisional or definitive")),
    };
    let (line, text) = lines.starts("criteria ")?;
    let [criteria, criteria_sha256] = words(line, text, "criteria NAME SHA256")?;
    let (line, text) = lines.starts("lots ")?;
    let lots = if text == "-" {
        None
    } else {
        let [commitment, seed, draw] = words(line, text, "lots - or COMMITMENT SEED DRAW")?;
        let public_draw = if draw == "-" { String::new() } else { draw.to_owned() };
        Some(LotsDrawn { commitment: commitment.to_owned(), seed: seed.to_owned(), public_draw })
    };
    let (criteria, criteria_sha256) = (criteria.to_owned(), criteria_sha256.to_owned());
    Ok(Header { call, stage, criteria, criteria_sha256, lots })
}

fn key(line: usize, text: &str) -> Result<Key, ReadError> {
    let [name, better] = words(line, text, "key NAME higher or lower")?;
    let better = match better {
        "higher" => Better::Higher,
        "lower" => Better::Lower,
        _ => return Err(bad(line, "key NAME higher or lower")),
    };
    Ok(Key { name: name.to_owned(), better })
}

fn list(line: usize, text: &str) -> Result<List, ReadError> {
    let expected = "list SCHOOL/BAND PLACES GROUP:PLACES,... or -";
    let [id, places, reserved] = words(line, text, expected)?;
    let mut reserves = Vec::new();
    for part in reserved.split(',').filter(|_| reserved != "-") {
        let (group, places) = part.split_once(':').ok_or_else(|| bad(line, expected))?;
        let places = parsed(line, places, expected)?;
        reserves.push(Reserve { group: group.to_owned(), places });
    }
    let id: ListId = parsed(line, id, expected)?;
    Ok(List { id, places: parsed(line, places, expected)?, reserves })
}

fn application(
    line: usize,
    text: &str,
    lists: &BTreeMap<String, u32>,
) -> Result<Application, ReadError> {
    let expected = "application UUID EVIDENCE LOT-OF GROUPS LIST=VALUES;...";
    let [id, evidence, lot_of, groups, chosen] = words(line, text, expected)?;
    let id: CaseId = parsed(line, id, expected)?;
    let lot_of = if lot_of == "-" { id } else { parsed(line, lot_of, expected)? };
    let groups: BTreeSet<String> =
        groups.split(',').filter(|_| groups != "-").map(str::to_owned).collect();
    let mut choices = Vec::new();
    for part in chosen.split(';').filter(|_| chosen != "-") {
        let (name, values) = part.split_once('=').ok_or_else(|| bad(line, expected))?;
        let list = lists.get(name).copied().ok_or_else(|| {
            ReadError::Input(super::RankingError::UnknownList {
                application: id,
                list: name.to_owned(),
            })
        })?;
        let values = values
            .split(',')
            .filter(|_| !values.is_empty())
            .map(|v| parsed(line, v, expected))
            .collect::<Result<_, _>>()?;
        choices.push(Choice { list, values });
    }
    Ok(Application { id, evidence: evidence.to_owned(), lot_of, groups, choices })
}
