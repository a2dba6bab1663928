//! What the end of a term brings: a title by silence, an assent, a lapse, the end of a control.

use super::state;
use crate::case::TermKey;
use crate::context::Context;
use crate::decider::Case;
use crate::event::Event;
use crate::permit::events::{
    AttestationDenied, BodyAssentedBySilence, ControlEnded, GrantedBySilence, LapseGround, Lapsed,
    OpinionKind, OpinionLapsed, Prohibited, SafeguardsEnded, SilenceAttested, SilenceOfBody,
    WorksTerm,
};
use crate::permit::rules::{acts_against_attestation, silence_would_grant_on};
use crate::permit::state::State;
use crate::permit::{
    BODY, BODY_SENSITIVE, CONFORMATION, CONTROL, REGULARISATION_LANDSCAPE, SAFEGUARDS,
    SAFEGUARDS_LONG, SILENCE, WORKS_FINISH, WORKS_START,
};
use crate::rejection::Rejection;
use crate::term::{first_instant_after, rome_date};
use jiff::civil::Date;

/// What the end of a term brings besides attention; none if nothing.
pub(crate) fn end_of_term(
    case: &Case,
    term: &TermKey,
    due_on: Date,
    ctx: &Context<'_>,
) -> Result<Option<Vec<Event>>, Rejection> {
    let state = state(case)?;
    let rule = term.rule();
    let legal_at = first_instant_after(due_on);
    let after = rome_date(legal_at);
    let one = |event: crate::permit::Event| Ok(Some(vec![Event::Permit(event)]));
    match rule.as_str() {
        SILENCE => grant(case, due_on, ctx),
        BODY | BODY_SENSITIVE => {
            let round = state.application().and_then(|a| a.conference());
            match (term.entry(), round) {
                (Some(body), Some(round)) if round.bodies.contains_key(&body) => {
                    let conference = round.conference;
                    one(BodyAssentedBySilence { conference, body, due_on, legal_at }.into())
                }
                _ => Ok(None),
            }
        }
        "permit.opinion"
        | "permit.opinion_again"
        | "permit.evaluation"
        | "permit.assent"
        | "permit.assent_sensitive"
        | REGULARISATION_LANDSCAPE => {
            let Some(opinion) = term.entry() else { return Ok(None) };
            let Some(asked) = state.application().and_then(|a| a.opinions.get(&opinion)) else {
                return Ok(None);
            };
            let effect = match (asked.kind, asked.sensitive) {
                // Art. 36-bis c. 4: the silence of the landscape body lets the office go on.
                _ if asked.on_regularisation && asked.sensitive => SilenceOfBody::ProceedWithout,
                (OpinionKind::Assent, _) => SilenceOfBody::Assent,
                (_, true) => SilenceOfBody::StillNeeded,
                (OpinionKind::Opinion, false) => SilenceOfBody::ProceedWithout,
                // Another qualified body or a university is asked instead.
                (OpinionKind::Evaluation, false) => SilenceOfBody::StillNeeded,
            };
            one(OpinionLapsed { opinion, due_on, legal_at, effect }.into())
        }
        SAFEGUARDS | SAFEGUARDS_LONG => {
            let Some(suspension) = term.entry() else { return Ok(None) };
            one(SafeguardsEnded { suspension, ended_on: due_on, by_law: true }.into())
        }
        WORKS_START => lapse(state, WorksTerm::Start, due_on),
        WORKS_FINISH => lapse(state, WorksTerm::Finish, due_on),
        CONTROL => match state.control() {
            Some((of, _)) => one(ControlEnded { of, due_on, ended_on: after, legal_at }.into()),
            None => Ok(None),
        },
        // Who does not comply in time is forbidden by law (L. 241/1990 art. 19 c. 3).
        CONFORMATION => match state.control() {
            Some((of, _)) => {
                one(Prohibited { of, prohibited_on: after, reasons: None, appeal: None }.into())
            }
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

fn grant(case: &Case, due_on: Date, ctx: &Context<'_>) -> Result<Option<Vec<Event>>, Rejection> {
    if !silence_would_grant_on(case, due_on, ctx)? {
        return Ok(None);
    }
    let legal_at = first_instant_after(due_on);
    let effective_on = rome_date(legal_at);
    let granted = GrantedBySilence { due_on, effective_on, legal_at };
    let mut events = vec![Event::Permit(granted.into())];
    let rules = ctx.rule_set(case.rules_version())?;
    if rules.policy_text("silence_attestation") != Some("on_request") {
        let attested = SilenceAttested { due_on, attested_on: ctx.today(), on_request: false };
        events.push(Event::Permit(attested.into()));
    }
    Ok(Some(events))
}

/// Works that neither began nor ended in time lapse by law, unless more time was asked for before
/// and nobody answered (art. 15 c. 2).
fn lapse(state: &State, term: WorksTerm, due_on: Date) -> Result<Option<Vec<Event>>, Rejection> {
    let Some(title) = state.title() else { return Ok(None) };
    if title.pending_extension(term).is_some() {
        return Ok(None);
    }
    let ground = match term {
        WorksTerm::Start => LapseGround::NotStarted,
        WorksTerm::Finish => LapseGround::NotFinished,
    };
    let lapsed = Lapsed { ground, due_on, legal_at: first_instant_after(due_on), reference: None };
    Ok(Some(vec![Event::Permit(lapsed.into())]))
}

/// Attests, or names the acts that stand against it (art. 20 c. 8).
pub(super) fn answer_attestation(case: &Case, ctx: &Context<'_>) -> Result<Vec<Event>, Rejection> {
    let state = state(case)?;
    let acts = acts_against_attestation(case);
    let today = ctx.today();
    let open = state.application().into_iter().flat_map(|a| a.attestations.iter());
    let mut open = open.filter(|(_, answered)| !**answered).map(|(id, _)| *id);
    match (state, acts.is_empty()) {
        (State::Titled(_, title), true) => {
            let due_on = title.granted_on.yesterday().unwrap_or(title.granted_on);
            let attested = SilenceAttested { due_on, attested_on: today, on_request: true };
            Ok(vec![Event::Permit(attested.into())])
        }
        _ => Ok(open
            .by_ref()
            .map(|request| {
                let acts = acts.clone();
                Event::Permit(AttestationDenied { request, answered_on: today, acts }.into())
            })
            .collect()),
    }
}
