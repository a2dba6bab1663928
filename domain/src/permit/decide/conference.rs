//! The conferenza: who is convened, what counts as what, and what the determination brings.

use super::{pending, personal};
use crate::case::procedure::notice_suspends;
use crate::case::{self, DeliveryMode, NoticeSent};
use crate::context::Context;
use crate::decider::Case;
use crate::event::Event;
use crate::ids::EntryId;
use crate::permit::commands::BodyForm;
use crate::permit::events::{
    ConferenceConcluded, ConferenceConvened, ConferenceForm, DeterminationReceived, Issued,
    MeetingOpened, Participant, Position,
};
use crate::permit::rules::{body_end, conference_keeps_silence_off, conference_under_way};
use crate::rejection::Rejection;
use jiff::civil::Date;

pub(super) fn convene(
    case: &Case,
    form: ConferenceForm,
    convened_on: Date,
    meeting_on: Date,
    bodies: &[BodyForm],
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let a = pending(case)?;
    let bodies = bodies.iter().enumerate().map(|(index, b)| Participant {
        body: EntryId(ctx.new_id(&format!("body {index}"))),
        name: b.name.trim().to_owned(),
        sensitive: b.sensitive,
    });
    let convened = ConferenceConvened {
        conference: EntryId(ctx.new_id("conference")),
        round: u16::try_from(a.conferences.len() + 1).unwrap_or(u16::MAX),
        form,
        convened_on,
        meeting_on,
        bodies: bodies.collect(),
        keeps_silence_off: conference_keeps_silence_off(case, convened_on, ctx)?,
    };
    Ok(vec![Event::Permit(convened.into())])
}

pub(super) fn determination(
    case: &Case,
    body: EntryId,
    received_on: Date,
    position: Position,
    reasons: &str,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let round = conference_under_way(case)?;
    // Dissent and conditions without reasons are unconditional assent (art. 14-bis c. 4).
    let counts_as = if reasons.trim().is_empty() { Position::Assent } else { position };
    let due_on = match round.met_on {
        Some(met_on) => received_on.max(met_on),
        None => body_end(case, &body, ctx)?.unwrap_or(received_on),
    };
    let received = DeterminationReceived {
        conference: round.conference,
        body,
        received_on,
        position,
        counts_as,
        due_on,
        reasons: super::optional(reasons).map(|r| personal(case, r, ctx)),
    };
    Ok(vec![Event::Permit(received.into())])
}

pub(super) fn meeting(case: &Case, opened_on: Date) -> Result<Vec<Event>, Rejection> {
    let round = conference_under_way(case)?;
    let opened = MeetingOpened { conference: round.conference, opened_on };
    Ok(vec![Event::Permit(opened.into())])
}

/// Positive: the determination is the title itself (DPR 380/2001 art. 20 c. 6). Negative: it
/// rejects, and in a procedure on application it is the notice of rejection too (L. 241/1990
/// art. 14-bis c. 5); after observations on an earlier one, it is the refusal that `refuse` adopts.
pub(super) fn conclude(
    case: &Case,
    positive: bool,
    reasons: &str,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let today = ctx.today();
    let round = conference_under_way(case)?;
    let dissent =
        |p: Option<Position>| matches!(p, Some(Position::Surmountable | Position::Insurmountable));
    let opposing = round.bodies.iter().filter(|(_, b)| b.sensitive && dissent(b.position));
    let concluded = ConferenceConcluded {
        conference: round.conference,
        positive,
        concluded_on: today,
        reasons: personal(case, reasons, ctx),
        may_oppose: if positive { opposing.map(|(id, _)| *id).collect() } else { Vec::new() },
    };
    let mut events = vec![Event::Permit(concluded.into())];
    if positive {
        let issued = Issued {
            issued_on: today,
            conditions: None,
            reasons: Some(personal(case, reasons, ctx)),
            conference: Some(round.conference),
            late: super::late_statement(case, today, ctx)?,
        };
        events.push(Event::Permit(issued.into()));
    } else if case.file.terms.last_notice().is_none() {
        let notice = NoticeSent {
            notice: EntryId(ctx.new_id("notice")),
            sent_on: today,
            mode: DeliveryMode::Pec,
            reasons: vec![personal(case, reasons, ctx)],
            suspends: notice_suspends(case, ctx)?,
            stops_at: case::notice_stops_at(case, ctx)?,
        };
        events.extend(case::with_its_extensions(case, notice, ctx)?);
    }
    Ok(events)
}
