//! Rows that the events of calls and applications give one by one.

use pratica_domain::Event;
use pratica_domain::ids::{CallId, CaseId, EntryId};
use pratica_domain::ranking::{Document, Stage, read};
use pratica_domain::school::call::{Event as Call, Phase, Plan, Settlement};
use pratica_domain::school::enrolment::{Content, Event as Enrolment};
use pratica_store::{Position, RecordedEvent};
use rusqlite::{Connection, OptionalExtension};

use crate::dates;
use crate::error::ViewError;

/// An event of a call, or one of an application that its call counts.
pub(crate) struct Fact {
    pub position: Position,
    stream: String,
    event: Event,
}

impl Fact {
    /// The fact of an event, if it is one.
    pub(crate) fn of(recorded: &RecordedEvent, event: &Event) -> Option<Fact> {
        let counted = match event {
            Event::Call(_) => true,
            Event::Enrolment(e) => matches!(e, Enrolment::Filed(_) | Enrolment::Amended(_)),
            _ => false,
        };
        counted.then(|| Fact {
            position: recorded.position,
            stream: recorded.stream.rest().to_owned(),
            event: event.clone(),
        })
    }

    fn poison(&self, detail: &str) -> ViewError {
        let detail = detail.to_owned();
        ViewError::Poison { position: self.position, detail, source: None }
    }

    fn id<T: std::str::FromStr>(&self) -> Result<T, ViewError> {
        self.stream.parse().map_err(|_| self.poison("its stream is not named after a call or case"))
    }
}

/// Writes a fact.
pub(crate) fn write(c: &Connection, fact: &Fact) -> Result<(), ViewError> {
    match &fact.event {
        Event::Call(event) => call(c, fact, fact.id::<CallId>()?, event),
        Event::Enrolment(Enrolment::Filed(e)) => {
            applied(c, e.pinned.call, fact.id()?, &e.content, true)
        }
        Event::Enrolment(Enrolment::Amended(e)) => {
            let case: CaseId = fact.id()?;
            let found: Option<[u8; 16]> = c
                .prepare_cached("SELECT call FROM call_applications WHERE case_id = ?")?
                .query_row([blob(case.0)], |row| row.get(0))
                .optional()?;
            let call = found.ok_or_else(|| fact.poison("it amends what was not filed"))?;
            applied(c, CallId(uuid::Uuid::from_bytes(call)), case, &e.content, false)
        }
        _ => Ok(()),
    }
}

fn blob(id: uuid::Uuid) -> [u8; 16] {
    *id.as_bytes()
}

/// Counts an application under its choices, and no longer under those it had.
fn applied(
    c: &Connection,
    call: CallId,
    case: CaseId,
    content: &Content,
    new: bool,
) -> Result<(), ViewError> {
    let key = (blob(call.0), blob(case.0));
    let before: Option<String> = c
        .prepare_cached("SELECT choices FROM call_applications WHERE call = ? AND case_id = ?")?
        .query_row(key, |row| row.get(0))
        .optional()?;
    for (place, list) in before.iter().flat_map(|b| b.split(' ')).enumerate() {
        count(c, call, list, -1, place == 0)?;
    }
    let lists: Vec<String> =
        content.choices.iter().map(|school| format!("{school}/{}", content.band)).collect();
    for (place, list) in lists.iter().enumerate() {
        count(c, call, list, 1, place == 0)?;
    }
    c.prepare_cached("INSERT OR REPLACE INTO call_applications VALUES(?, ?, ?)")?.execute((
        key.0,
        key.1,
        lists.join(" "),
    ))?;
    if new {
        c.prepare_cached("UPDATE calls SET applications = applications + 1 WHERE id = ?")?
            .execute([blob(call.0)])?;
    }
    Ok(())
}

fn count(c: &Connection, call: CallId, list: &str, by: i64, first: bool) -> Result<(), ViewError> {
    c.prepare_cached(
        "UPDATE call_lists SET choices = choices + ?, first_choices = first_choices + ? \
         WHERE call = ? AND list = ?",
    )?
    .execute((by, if first { by } else { 0 }, blob(call.0), list))?;
    Ok(())
}

fn call(c: &Connection, fact: &Fact, id: CallId, event: &Call) -> Result<(), ViewError> {
    match event {
        Call::Drafted(e) => plan(c, id, &e.plan)?,
        Call::Revised(e) => plan(c, id, &e.plan)?,
        Call::CallPublished(_) => stands(c, id, Phase::Published, Next::Opens)?,
        Call::WindowOpened(_) => stands(c, id, Phase::WindowOpen, Next::Closes)?,
        Call::WindowClosed(_) => stands(c, id, Phase::Scoring, Next::Nothing)?,
        Call::SeedRevealed(_) => {}
        Call::RankingPage(e) => {
            c.prepare_cached("INSERT OR REPLACE INTO call_pages VALUES(?, ?, ?)")?.execute((
                blob(e.ranking.0),
                e.page,
                &e.text,
            ))?;
        }
        Call::RankingPublished(e) => {
            let document = document(c, fact, e.ranking)?;
            ranks(c, id, e.stage, &document)?;
            let until = e.observations_until.map(dates::number);
            match e.stage {
                Stage::Provisional => {
                    c.prepare_cached("UPDATE calls SET observations_until = ? WHERE id = ?")?
                        .execute((until, blob(id.0)))?;
                    stands(c, id, Phase::Provisional, Next::Observations)?;
                }
                Stage::Definitive => stands(c, id, Phase::Definitive, Next::Ends)?,
            }
        }
        Call::RankingBecameDefinitive(_) => {
            c.prepare_cached(
                "INSERT OR REPLACE INTO call_ranks SELECT call, 'definitive', list, rank, \
                 application, keys, decided_by, seat FROM call_ranks \
                 WHERE call = ? AND stage = 'provisional'",
            )?
            .execute([blob(id.0)])?;
            stands(c, id, Phase::Definitive, Next::Ends)?;
        }
        Call::OfferingStarted(_) => stands(c, id, Phase::Offering, Next::Ends)?,
        Call::PlaceOffered(e) => {
            c.prepare_cached("INSERT INTO call_offers VALUES(?, ?, ?, ?, ?, ?, 'open')")?.execute(
                (
                    e.offer.to_string(),
                    blob(id.0),
                    blob(e.application.0),
                    e.list.to_string(),
                    e.rank,
                    dates::number(e.offered_on),
                ),
            )?;
            moved(c, id, &e.list.to_string(), "offered = offered + 1")?;
        }
        Call::OfferSettled(e) => settled(c, fact, id, e.offer, e.outcome)?,
        Call::ApplicationReleased(e) => released(c, id, e.application)?,
        Call::PlacesChanged(e) => {
            c.prepare_cached("UPDATE call_lists SET places = ? WHERE call = ? AND list = ?")?
                .execute((e.places, blob(id.0), e.list.to_string()))?;
        }
        Call::CallClosed(_) => stands(c, id, Phase::Closed, Next::Nothing)?,
    }
    Ok(())
}

/// What the clock has due next for a call.
enum Next {
    Opens,
    Closes,
    Observations,
    Ends,
    Nothing,
}

/// Moves a call on. The day is that before which nothing is due: the clock acts on the next one,
/// save for the opening, which is due on its own day.
fn stands(c: &Connection, id: CallId, phase: Phase, next: Next) -> Result<(), ViewError> {
    let days: (i64, i64, Option<i64>, i64) = c
        .prepare_cached(
            "SELECT opens_on, closes_on, observations_until, ends_on FROM calls WHERE id = ?",
        )?
        .query_row([blob(id.0)], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?;
    let after = |day: i64| -> Result<Option<i64>, ViewError> {
        Ok(dates::date(day)?.tomorrow().ok().map(dates::number))
    };
    let next_on = match next {
        Next::Opens => Some(days.0),
        Next::Closes => after(days.1)?,
        Next::Observations => days.2.map(after).transpose()?.flatten(),
        Next::Ends => after(days.3)?,
        Next::Nothing => None,
    };
    c.prepare_cached("UPDATE calls SET phase = ?, next_on = ? WHERE id = ?")?.execute((
        phase.as_str(),
        next_on,
        blob(id.0),
    ))?;
    Ok(())
}

fn plan(c: &Connection, id: CallId, plan: &Plan) -> Result<(), ViewError> {
    c.prepare_cached(
        "INSERT OR REPLACE INTO calls VALUES(?, ?, ?, 'drafted', ?, ?, ?, ?, NULL, NULL, 0)",
    )?
    .execute((
        blob(id.0),
        &plan.title,
        plan.school_year,
        plan.criteria.title(),
        dates::number(plan.opens_on),
        dates::number(plan.closes_on),
        dates::number(plan.ends_on),
    ))?;
    c.prepare_cached("DELETE FROM call_lists WHERE call = ?")?.execute([blob(id.0)])?;
    for (list, places) in plan.lists() {
        c.prepare_cached("INSERT INTO call_lists VALUES(?, ?, ?, 0, 0, 0, 0, 0, 0)")?.execute((
            blob(id.0),
            list.to_string(),
            places.places,
        ))?;
    }
    Ok(())
}

fn document(c: &Connection, fact: &Fact, ranking: EntryId) -> Result<Document, ViewError> {
    let mut statement =
        c.prepare_cached("SELECT text FROM call_pages WHERE ranking = ? ORDER BY page")?;
    let pages = statement.query_map([blob(ranking.0)], |row| row.get::<_, String>(0))?;
    let text: String = pages.collect::<Result<_, _>>()?;
    c.prepare_cached("DELETE FROM call_pages WHERE ranking = ?")?.execute([blob(ranking.0)])?;
    read(&text).map_err(|e| fact.poison(&format!("its ranking cannot be read: {e}")))
}

fn ranks(c: &Connection, id: CallId, stage: Stage, document: &Document) -> Result<(), ViewError> {
    let mut insert = c.prepare_cached("INSERT INTO call_ranks VALUES(?, ?, ?, ?, ?, ?, ?, ?)")?;
    for (list, rows) in document.input.lists().iter().zip(&document.ranking.orders) {
        for (rank, row) in (1_u32..).zip(rows) {
            let place = row.application as usize;
            let application = &document.input.applications()[place];
            let values: Vec<String> = application.choices[row.choice as usize]
                .values
                .iter()
                .map(ToString::to_string)
                .collect();
            insert.execute((
                blob(id.0),
                stage.as_str(),
                list.id.to_string(),
                rank,
                blob(application.id.0),
                values.join(" "),
                document.deciding(row),
                document.seat(document.ranking.seats[place]),
            ))?;
        }
    }
    Ok(())
}

fn moved(c: &Connection, id: CallId, list: &str, how: &'static str) -> Result<(), ViewError> {
    c.prepare_cached(&format!("UPDATE call_lists SET {how} WHERE call = ? AND list = ?"))?
        .execute((blob(id.0), list))?;
    Ok(())
}

fn settled(
    c: &Connection,
    fact: &Fact,
    id: CallId,
    offer: EntryId,
    outcome: Settlement,
) -> Result<(), ViewError> {
    let list: Option<String> = c
        .prepare_cached("SELECT list FROM call_offers WHERE offer = ?")?
        .query_row([offer.to_string()], |row| row.get(0))
        .optional()?;
    let list = list.ok_or_else(|| fact.poison("it settles an offer that was not made"))?;
    let (state, how) = match outcome {
        Settlement::Accepted => ("accepted", "offered = offered - 1, taken = taken + 1"),
        Settlement::Renounced => ("renounced", "offered = offered - 1, renounced = renounced + 1"),
        Settlement::Lapsed => ("lapsed", "offered = offered - 1, lapsed = lapsed + 1"),
        Settlement::Dropped => ("dropped", "offered = offered - 1"),
        Settlement::Unavailable => ("unavailable", "offered = offered - 1"),
    };
    c.prepare_cached("UPDATE call_offers SET state = ? WHERE offer = ?")?
        .execute((state, offer.to_string()))?;
    moved(c, id, &list, how)
}

fn released(c: &Connection, id: CallId, application: CaseId) -> Result<(), ViewError> {
    let mut statement = c.prepare_cached(
        "SELECT list, state FROM call_offers WHERE application = ? AND call = ? \
         AND state IN ('open', 'accepted')",
    )?;
    let key = (blob(application.0), blob(id.0));
    let held: Vec<(String, String)> =
        statement.query_map(key, |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Result<_, _>>()?;
    for (list, state) in held {
        let how = if state == "open" { "offered = offered - 1" } else { "taken = taken - 1" };
        moved(c, id, &list, how)?;
    }
    c.prepare_cached(
        "UPDATE call_offers SET state = 'released' WHERE application = ? AND call = ? \
         AND state IN ('open', 'accepted')",
    )?
    .execute(key)?;
    Ok(())
}
