//! Idempotence of the procedure's own commands: what they ask for may stand already.

use super::commands::Command;
use super::decide::content;
use super::events::EndingFact;
use super::state::{Phase, State};
use crate::context::Context;
use crate::decider::{Case, ProcedureState};
use crate::ids::{EntryId, SubjectId};

pub(crate) fn stands_already(case: &Case, command: &Command, ctx: &Context<'_>) -> bool {
    let ProcedureState::Residency(state) = &case.procedure else { return false };
    let closure = case.file.closure.as_ref();
    let outcome = closure.map(|c| c.outcome);
    match (command, state) {
        // A filing asks for the case that it opened itself; any other asks for a second one.
        (Command::Declare { .. } | Command::OpenExOfficio { .. }, _) => {
            case.file.parties.contains_key(&SubjectId(ctx.new_id("party 0")))
        }
        (Command::Complete { form }, State::Declared(phase, d)) => {
            let subjects: Vec<_> = d.content.members.iter().map(|m| m.subject).collect();
            let filed_on = case.file.opening.as_ref().map(|o| o.filed_on);
            matches!(phase, Phase::Declared | Phase::AwaitingConsulate)
                && d.kind == form.kind
                && subjects.len() == form.members.len()
                && filed_on.is_some_and(|on| content(form, &subjects, on) == d.content)
        }
        (Command::Report { to, reported_on, .. }, State::Declared(_, d)) => {
            d.reports.contains(&(*to, *reported_on))
        }
        (
            Command::Report { to, reported_on, .. },
            State::ExOfficio(x) | State::ExOfficioEnded(x),
        ) => x.reports.contains(&(*to, *reported_on)),
        (Command::EndByFact { fact, happened_on }, _) => {
            let ended = match fact {
                EndingFact::Death => "died",
                EndingFact::Move => "moved",
            };
            closure.is_some_and(|c| c.outcome == ended && c.closed_on == *happened_on)
        }
        (Command::Register, State::Declared(_, d)) if d.kind.leaves() => {
            outcome == Some("cancelled")
        }
        (Command::Register, State::Declared(phase, d)) => {
            d.registered_on.is_some() && *phase != Phase::Ended
        }
        (Command::RecordVisit { .. }, State::Declared(_, d)) => {
            let visit = EntryId(ctx.new_id("visit"));
            d.visits.iter().any(|(id, _)| *id == visit)
        }
        (Command::RecordVisit { .. }, State::ExOfficio(x)) => {
            let visit = EntryId(ctx.new_id("visit"));
            x.visits.iter().any(|(id, _, _)| *id == visit)
        }
        (Command::RecordConsularForm { declared_on, .. }, State::Declared(_, d)) => {
            d.consular_on == Some(*declared_on)
        }
        (Command::Invite { sent_on }, State::ExOfficio(x)) => x.invited_on == Some(*sent_on),
        (Command::Confirm { .. }, _) => outcome == Some("confirmed"),
        (Command::RestorePosition { .. }, _) => outcome == Some("position_restored"),
        (Command::FindIrreceivable { .. }, _) => outcome == Some("irreceivable"),
        (Command::Supersede { .. }, _) => outcome == Some("superseded"),
        (Command::RegisterExOfficio, _) => outcome == Some("registered_ex_officio"),
        (Command::Cancel { .. }, _) => outcome == Some("cancelled"),
        _ => false,
    }
}
