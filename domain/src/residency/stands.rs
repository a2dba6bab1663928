//! Idempotence of the procedure's own commands: what they ask for may stand already.

use super::commands::Command;
use super::state::{Phase, State};
use crate::context::Context;
use crate::decider::{Case, ProcedureState};
use crate::ids::EntryId;

pub(crate) fn stands_already(case: &Case, command: &Command, ctx: &Context<'_>) -> bool {
    let ProcedureState::Residency(state) = &case.procedure else { return false };
    let outcome = case.file.closure.as_ref().map(|c| c.outcome);
    match (command, state) {
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
        (Command::Invite { .. }, State::ExOfficio(x)) => x.invited_on.is_some(),
        (Command::Confirm { .. }, _) => outcome == Some("confirmed"),
        (Command::RestorePosition { .. }, _) => outcome == Some("position_restored"),
        (Command::FindIrreceivable { .. }, _) => outcome == Some("irreceivable"),
        (Command::Supersede { .. }, _) => outcome == Some("superseded"),
        (Command::RegisterExOfficio, _) => outcome == Some("registered_ex_officio"),
        (Command::Cancel { .. }, _) => outcome == Some("cancelled"),
        _ => false,
    }
}
