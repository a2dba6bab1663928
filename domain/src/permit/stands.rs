//! Idempotence of the procedure's own commands: what they ask for may stand already.

use super::commands::Command;
use super::state::{State, Title, Works};
use crate::context::Context;
use crate::decider::{Case, ProcedureState};
use crate::ids::{EntryId, SubjectId};

pub(crate) fn stands_already(case: &Case, command: &Command, ctx: &Context<'_>) -> bool {
    let ProcedureState::Permit(state) = &case.procedure else { return false };
    let made = |purpose: &str| EntryId(ctx.new_id(purpose));
    let outcome = case.file.closure.as_ref().map(|c| c.outcome);
    let Some(a) = state.application() else { return false };
    let pending = matches!(**state, State::Pending(_));
    match command {
        Command::File { .. } => case.file.parties.contains_key(&SubjectId(ctx.new_id("party 0"))),
        Command::FindIrreceivable { .. } => outcome == Some("irreceivable"),
        Command::RequestAdditions { .. } | Command::RequestChanges { .. } => {
            case.file.requests.contains_key(&made("request"))
        }
        Command::AnswerChanges { request, adheres, .. } => {
            a.changes_answered.contains(request) && *adheres == (a.changes_agreed == Some(*request))
        }
        Command::DeclareComplex { .. } => a.complex,
        Command::ApplySafeguards { .. } => a.safeguards.iter().any(|s| s.0 == made("safeguards")),
        Command::EndSafeguards { .. } => {
            !a.safeguards.is_empty() && a.safeguarded().is_none() && pending
        }
        Command::RecordConstraints { constraints, authorisations_held, .. } => {
            pending
                && a.constraints == *constraints
                && a.authorisations_held == *authorisations_held
        }
        Command::RequestOpinion { .. } => a.opinions.contains_key(&made("opinion")),
        Command::InterruptOpinion { opinion, asked_on } => {
            a.opinions.get(opinion).and_then(|o| o.interrupted).is_some_and(|i| i.0 == *asked_on)
        }
        Command::ResumeOpinion { opinion, received_on } => a
            .opinions
            .get(opinion)
            .and_then(|o| o.interrupted)
            .is_some_and(|i| i.1 == Some(*received_on)),
        Command::RecordOpinion { opinion, received_on, .. } => {
            a.opinions.get(opinion).is_some_and(|o| o.received_on == Some(*received_on))
        }
        Command::ConveneConference { .. } => {
            a.conferences.last().is_some_and(|c| c.conference == made("conference"))
        }
        Command::RecordDetermination { body, received_on, position, .. } => a
            .conference()
            .and_then(|c| c.bodies.get(body))
            .is_some_and(|b| b.received_on == Some(*received_on) && b.position == Some(*position)),
        Command::OpenMeeting { opened_on } => {
            a.conference().is_some_and(|c| c.met_on == Some(*opened_on))
        }
        Command::ConcludeConference { positive, .. } => {
            a.conference().is_none()
                && a.conferences.last().and_then(|c| c.concluded).map(|c| c.0) == Some(*positive)
        }
        Command::Refuse { .. } => {
            outcome == Some("refused") || a.late_refusal_on == Some(ctx.today())
        }
        Command::Archive { .. } => outcome == Some("archived"),
        Command::Issue { .. } => outcome == Some("granted"),
        Command::RequestAttestation { .. } => a.attestations.contains_key(&made("attestation")),
        Command::AnswerAttestation => {
            !a.attestations.is_empty() && a.attestations.values().all(|answered| *answered)
        }
        Command::RecordContest { .. } => a.contests.contains_key(&made("contest")),
        Command::InvokeSubstitute { substitute, .. } => a.substitute.as_ref() == Some(substitute),
        Command::OrderConformation { .. } => state
            .control()
            .is_some_and(|(_, c)| c.ordered.is_some_and(|o| o.0 == made("conformation"))),
        Command::ReportConformation { reported_on } => state.control().is_some_and(|(_, c)| {
            c.ordered.is_none() && c.complied.last().is_some_and(|o| o.1 == *reported_on)
        }),
        Command::Prohibit { .. } => state.control().is_some_and(|(_, c)| c.prohibited),
        other => state.title().is_some_and(|title| of_title(case, title, other, ctx)),
    }
}

fn of_title(case: &Case, title: &Title, command: &Command, ctx: &Context<'_>) -> bool {
    let made = |purpose: &str| EntryId(ctx.new_id(purpose));
    match command {
        Command::Annul { .. } => title.annulled_on == Some(ctx.today()),
        Command::Publish { published_on, .. } => title.published_on == Some(*published_on),
        Command::DetermineContribution { .. } => {
            title.contributions.contains_key(&made("contribution"))
        }
        Command::OffsetContribution { .. } => title.entries.contains(&made("offset")),
        Command::RecordPayment { .. } => title.entries.contains(&made("payment")),
        Command::StartWorks { started_on } => match title.works {
            Works::Started(on) | Works::Finished(on, _) => on == *started_on,
            Works::NotStarted => false,
        },
        Command::FinishWorks { finished_on } => {
            matches!(title.works, Works::Finished(_, on) if on == *finished_on)
        }
        Command::RequestExtension { .. } => title.extensions.contains_key(&made("extension")),
        Command::GrantExtension { extension, .. } => {
            title.extensions.get(extension).is_some_and(|e| e.granted == Some(true))
        }
        Command::RefuseExtension { extension, .. } => {
            title.extensions.get(extension).is_some_and(|e| e.granted == Some(false))
        }
        Command::ExtendByLaw { .. } => title.by_law.contains(&made("extension")),
        Command::DeclareLapse { .. } => title.lapsed_on.is_some(),
        Command::RaiseOpposition { body, raised_on } => title.opposed == Some((*body, *raised_on)),
        Command::EndOpposition { ended_on, .. } => title.opposition_ended_on == Some(*ended_on),
        Command::Transfer { .. } => case.file.parties.contains_key(&SubjectId(ctx.new_id("party"))),
        Command::ReportUsability { .. } => {
            title.reports.iter().any(|(report, ..)| *report == made("report"))
        }
        _ => false,
    }
}
