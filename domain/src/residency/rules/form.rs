//! What a filing and an act must contain.

use super::own;
use crate::case::rules::{date_within, refuse};
use crate::context::Context;
use crate::decider::{self, Case};
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::residency::commands::{Command, Form};
use crate::residency::events::{Content, Ground, Kind};
use crate::residency::state::State;
use crate::term::{rome_date, simple_term};
use jiff::civil::Date;

/// A form needs persons, an address and one origin: different origins are separate cases.
pub(super) fn the_form_can_be_a_case(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Residency(Command::Declare { form, .. } | Command::Complete { form }) =
        command
    else {
        return Ok(());
    };
    let missing = |field: &str| Err(Rejection::new(Code::FormIncomplete).with("field", field));
    if form.kind.is_ex_officio() {
        return Err(Rejection::new(Code::WrongProcedure).with("kind", form.kind.as_str()));
    }
    let Some(first) = form.members.first() else { return missing("members") };
    for member in &form.members {
        if member.person.family_name.trim().is_empty() {
            return missing("members.person.family_name");
        }
        if !member.origin.trim().eq_ignore_ascii_case(first.origin.trim()) {
            return refuse(Code::SeparateCasesNeeded);
        }
    }
    if form.address.municipality.trim().is_empty() {
        return missing("address.municipality");
    }
    if let Some(State::Declared(_, d)) = own(case)
        && (d.content.members.len() != form.members.len() || d.kind != form.kind)
    {
        return refuse(Code::SeparateCasesNeeded);
    }
    Ok(())
}

pub(super) fn dates_are_plausible(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Residency(command) = command else { return Ok(()) };
    let filed = case.file.opening.as_ref().map(|o| o.filed_on);
    match command {
        Command::Declare { filed_at, form, .. } => {
            if *filed_at > ctx.now {
                return Err(Rejection::new(Code::DateInFuture)
                    .with("field", "filed_at")
                    .with("date", filed_at)
                    .with("latest", ctx.now));
            }
            match form.fact_on {
                // Leaving for abroad may be declared before it happens.
                Some(fact) if !form.kind.leaves() => date_within("fact_on", fact, None, ctx),
                _ => Ok(()),
            }
        }
        Command::RecordVisit { visited_at, .. } => {
            if *visited_at > ctx.now {
                return Err(Rejection::new(Code::DateInFuture)
                    .with("field", "visited_at")
                    .with("date", visited_at)
                    .with("latest", ctx.now));
            }
            date_within("visited_at", rome_date(*visited_at), filed, ctx)
        }
        Command::EndByFact { happened_on, .. } => {
            date_within("happened_on", *happened_on, filed, ctx)
        }
        Command::OpenExOfficio { fact_on, .. } => date_within("fact_on", *fact_on, None, ctx),
        Command::Invite { sent_on } => date_within("sent_on", *sent_on, filed, ctx),
        Command::RecordConsularForm { received_on, declared_on } => {
            date_within("declared_on", *declared_on, None, ctx)?;
            date_within("received_on", *received_on, Some(*declared_on), ctx)
        }
        Command::Report { reported_on, .. } => date_within("reported_on", *reported_on, filed, ctx),
        _ => Ok(()),
    }
}

/// The grounds of irreceivability that a declaration shows by itself.
pub fn defects(kind: Kind, content: &Content) -> Vec<Ground> {
    use crate::residency::events::Annex;
    let members = &content.members;
    let annex = match kind {
        Kind::FromAbroadNonEu => Some(Annex::A),
        Kind::FromAbroadEu => Some(Annex::B),
        _ => None,
    };
    let checks = [
        (!content.ministry_form, Ground::NotOnMinistryForm),
        (
            content.address.value.street.trim().is_empty()
                && !kind.leaves()
                && kind != Kind::NoFixedAbode,
            Ground::MandatoryFieldsMissing,
        ),
        (members.iter().any(|m| m.adult && !m.signed), Ground::SignatureMissing),
        (members.iter().any(|m| !m.identity_copy), Ground::IdentityCopyMissing),
        (kind.needs_occupation_title() && content.title.is_none(), Ground::OccupationTitleMissing),
        (annex.is_some() && members.iter().any(|m| m.annex != annex), Ground::AnnexMissing),
        (content.family_consent == Some(false), Ground::FamilyConsentMissing),
        (content.other_parent_told == Some(false), Ground::OtherParentNotTold),
    ];
    checks.into_iter().filter(|(broken, _)| *broken).map(|(_, ground)| ground).collect()
}

pub(super) fn the_declaration_is_receivable(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    let Some(State::Declared(_, d)) = own(case) else { return Ok(()) };
    let defects = defects(d.kind, &d.content);
    if defects.is_empty() {
        return Ok(());
    }
    let grounds: Vec<_> = defects.iter().map(|g| g.as_str()).collect();
    Err(Rejection::new(Code::NotReceivable).with("grounds", grounds.join(", ")))
}

pub(super) fn a_ground_is_named(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Residency(Command::FindIrreceivable { grounds, .. })
            if grounds.is_empty() =>
        {
            refuse(Code::NoGroundOfIrreceivability)
        }
        _ => Ok(()),
    }
}

pub(super) fn ended_before(
    from: Date,
    rule: &str,
    on: Date,
    rules: &crate::term::RuleSet,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let uncomputable =
        |e: crate::term::TermError| Rejection::new(Code::TermUncomputable).with("reason", e);
    let rule = rules.term(&crate::term::TermRuleId::from(rule)).map_err(uncomputable)?;
    let end = simple_term(from, rule.length, rules.saturday_is_working(rule), ctx.calendar)
        .map_err(uncomputable)?
        .end;
    match end {
        Some(end) if on > end => Ok(()),
        Some(end) => Err(Rejection::new(Code::TooSoon).with("from", from).with("end", end)),
        None => refuse(Code::TooSoon),
    }
}

/// Whether a fact was declared after its twenty days (art. 13 c. 2).
pub(crate) fn declared_late(
    form: &Form,
    filed_on: Date,
    rules: &crate::term::RuleSet,
    ctx: &Context<'_>,
) -> Result<bool, Rejection> {
    let Some(fact) = form.fact_on else { return Ok(false) };
    match ended_before(fact, "residency.declaration", filed_on, rules, ctx) {
        Ok(()) => Ok(true),
        Err(r) if r.code == Code::TooSoon => Ok(false),
        Err(r) => Err(r),
    }
}
