//! The life of the title: what is owed, how far the works are, who holds it.

use super::{personal, state};
use crate::case::rules::{reckoned, wrong_phase};
use crate::case::{PartyAdded, PartyRole, TermKey};
use crate::context::Context;
use crate::decider::Case;
use crate::event::Event;
use crate::ids::{EntryId, SubjectId};
use crate::people::Personal;
use crate::permit::USABILITY;
use crate::permit::commands::{Command, InstalmentForm};
use crate::permit::events::{
    ContributionDetermined, ContributionKind, ContributionOffset, Event as Own, ExtendedByLaw,
    ExtensionGranted, ExtensionRefused, ExtensionRequested, InstalmentDue, LapseGround, Lapsed,
    PaymentRecorded, Published, Reduction, Transferred, UsabilityReported, WorksFinished,
    WorksStarted, WorksTerm,
};
use crate::permit::rules::{TITLED_FITS, surcharge_percent};
use crate::permit::state::Title;
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::term::first_instant_after;
use jiff::civil::Date;

pub(super) fn decide(
    case: &Case,
    command: Command,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let today = ctx.today();
    let text = |words: &str| personal(case, words, ctx);
    let own = |event: Own| Ok(vec![Event::Permit(event)]);
    match command {
        Command::Publish { published_on, reference } => {
            own(Published { published_on, reference: personal(case, &reference, ctx) }.into())
        }
        Command::DetermineContribution { kind, amount_cents, instalments } => {
            determine(kind, amount_cents, &instalments, ctx)
        }
        Command::OffsetContribution { contribution, amount_cents, agreement } => {
            offset(case, contribution, amount_cents, &agreement, ctx)
        }
        Command::RecordPayment { instalment, paid_on, amount_cents } => {
            pay(case, instalment, paid_on, amount_cents, ctx)
        }
        Command::StartWorks { started_on } => own(WorksStarted { started_on }.into()),
        Command::FinishWorks { finished_on } => own(WorksFinished { finished_on }.into()),
        Command::RequestExtension { term, requested_on, reasons } => own(ExtensionRequested {
            extension: EntryId(ctx.new_id("extension")),
            term,
            requested_on,
            reasons: text(&reasons),
        }
        .into()),
        Command::GrantExtension { extension, by, ground, reasons } => own(ExtensionGranted {
            extension,
            term: asked(case, &extension)?,
            by,
            ground,
            reasons: text(&reasons),
            granted_on: today,
        }
        .into()),
        Command::RefuseExtension { extension, reasons, appeal } => {
            let term = asked(case, &extension)?;
            let refused = ExtensionRefused {
                extension,
                term,
                reasons: text(&reasons),
                appeal,
                refused_on: today,
            };
            let mut events = vec![Event::Permit(refused.into())];
            // The term may have ended while the request was open: then the title lapsed with it.
            let end = reckoned(case, &TermKey::of(term.rule()), ctx)?.and_then(|t| t.reckoning.end);
            if let Some(due_on) = end.filter(|end| today > *end) {
                let ground = match term {
                    WorksTerm::Start => LapseGround::NotStarted,
                    WorksTerm::Finish => LapseGround::NotFinished,
                };
                let legal_at = first_instant_after(due_on);
                let lapsed = Lapsed { ground, due_on, legal_at, reference: None };
                events.push(Event::Permit(lapsed.into()));
            }
            Ok(events)
        }
        Command::ExtendByLaw { term, by, basis } => own(ExtendedByLaw {
            extension: EntryId(ctx.new_id("extension")),
            term,
            by,
            basis: basis.trim().to_owned(),
        }
        .into()),
        Command::DeclareLapse { in_force_on, reference } => own(Lapsed {
            ground: LapseGround::NewPlan,
            due_on: in_force_on.yesterday().unwrap_or(in_force_on),
            legal_at: crate::term::first_instant_of(in_force_on),
            reference: Some(personal(case, &reference, ctx)),
        }
        .into()),
        Command::Transfer { person, account, transferred_on, deed } => {
            let to = SubjectId(ctx.new_id("party"));
            let party = PartyAdded {
                subject: to,
                role: PartyRole::Member,
                person: Personal::new(to, person),
                account,
            };
            let deed = Personal::new(to, deed.trim().to_owned());
            Ok(vec![
                Event::Case(party.into()),
                Event::Permit(Transferred { to, transferred_on, deed }.into()),
            ])
        }
        Command::ReportUsability { reported_on, partial } => {
            let end = reckoned(case, &TermKey::of(USABILITY), ctx)?.and_then(|t| t.reckoning.end);
            own(UsabilityReported {
                report: EntryId(ctx.new_id("report")),
                reported_on,
                partial,
                late: !partial && end.is_some_and(|end| reported_on > end),
            }
            .into())
        }
        _ => wrong_phase(case, TITLED_FITS),
    }
}

fn title(case: &Case) -> Result<&Title, Rejection> {
    match state(case)?.title() {
        Some(title) => Ok(title),
        None => wrong_phase(case, TITLED_FITS),
    }
}

fn asked(case: &Case, extension: &EntryId) -> Result<WorksTerm, Rejection> {
    match title(case)?.extensions.get(extension) {
        Some(asked) => Ok(asked.term),
        None => Err(Rejection::new(Code::UnknownExtension).with("extension", extension)),
    }
}

fn determine(
    kind: ContributionKind,
    amount_cents: u64,
    instalments: &[InstalmentForm],
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let due = instalments.iter().enumerate().map(|(index, i)| InstalmentDue {
        instalment: EntryId(ctx.new_id(&format!("instalment {index}"))),
        amount_cents: i.amount_cents,
        due_on: i.due_on,
    });
    let determined = ContributionDetermined {
        contribution: EntryId(ctx.new_id("contribution")),
        kind,
        amount_cents,
        determined_on: ctx.today(),
        instalments: due.collect(),
    };
    Ok(vec![Event::Permit(determined.into())])
}

/// Takes the offset off the first instalments that are open, in the order of their days.
fn offset(
    case: &Case,
    contribution: EntryId,
    amount_cents: u64,
    agreement: &str,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let Some(part) = title(case)?.contributions.get(&contribution) else {
        return Err(Rejection::new(Code::UnknownContribution).with("contribution", contribution));
    };
    let mut open: Vec<_> = part.instalments.iter().filter(|(_, i)| i.open_cents() > 0).collect();
    open.sort_by_key(|(id, i)| (i.due_on, **id));
    let mut left = amount_cents;
    let mut reductions = Vec::new();
    for (instalment, i) in open {
        let amount_cents = left.min(i.open_cents());
        if amount_cents == 0 {
            break;
        }
        left -= amount_cents;
        reductions.push(Reduction { instalment: *instalment, amount_cents });
    }
    let offset = ContributionOffset {
        offset: EntryId(ctx.new_id("offset")),
        contribution,
        amount_cents,
        reductions,
        agreement: personal(case, agreement, ctx),
        offset_on: ctx.today(),
    };
    Ok(vec![Event::Permit(offset.into())])
}

fn pay(
    case: &Case,
    instalment: EntryId,
    paid_on: Date,
    amount_cents: u64,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let Some((_, due)) = title(case)?.instalment(&instalment) else {
        return Err(Rejection::new(Code::UnknownInstalment).with("instalment", instalment));
    };
    let percent = surcharge_percent(case, &instalment, paid_on, ctx)?;
    // Exact in cents: halves round up, as in the settlement of taxes.
    let surcharge = (u128::from(amount_cents) * u128::from(percent) + 50) / 100;
    let paid = PaymentRecorded {
        payment: EntryId(ctx.new_id("payment")),
        instalment,
        paid_on,
        amount_cents,
        surcharge_percent: percent,
        surcharge_cents: u64::try_from(surcharge).unwrap_or(u64::MAX),
        settles: amount_cents >= due.open_cents(),
    };
    Ok(vec![Event::Permit(paid.into())])
}
