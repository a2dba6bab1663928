//! Idempotence of the procedure's own commands: what they ask for may stand already.

use super::commands::Command;
use super::decide::{content, fee_of, standing};
use super::rules::own;
use super::state::{OfferStanding, Phase};
use crate::context::Context;
use crate::decider::Case;
use crate::ids::{EntryId, SubjectId};

pub(crate) fn stands_already(case: &Case, command: &Command, ctx: &Context<'_>) -> bool {
    let Some((phase, app)) = own(case) else { return false };
    let outcome = case.file.closure.as_ref().map(|c| c.outcome);
    let is =
        |offer: &EntryId, standing| app.offers.get(offer).is_some_and(|o| o.standing == standing);
    match command {
        Command::File { .. } => case.file.parties.contains_key(&SubjectId(ctx.new_id("party 0"))),
        Command::Score { call, set_aside } => {
            let facts = app.content.facts.value.clone();
            let fresh = standing(case, app, call, facts, set_aside.clone(), None);
            phase == Phase::Scored && app.standing.as_ref().is_some_and(|s| s.value == fresh)
        }
        Command::Amend { form, .. } => {
            phase == Phase::Filed
                && content(form, app.content.band.clone(), app.child) == app.content
        }
        Command::Complete { facts, .. } => {
            phase == Phase::Filed && app.content.facts.value == *facts
        }
        Command::Admit => matches!(phase, Phase::Admitted | Phase::Scored),
        Command::Exclude { .. } => outcome == Some("excluded"),
        Command::RecordIsee { isee } => app.isee.as_ref().is_some_and(|i| i.value == *isee),
        Command::FileObservation { .. } => {
            app.observations.contains_key(&EntryId(ctx.new_id("observation")))
        }
        Command::AnswerObservation { observation, accepted, .. } => {
            app.observations.get(observation).is_some_and(|o| o.accepted == Some(*accepted))
        }
        Command::Accept { offer, .. } => is(offer, OfferStanding::Accepted),
        Command::Renounce { offer } => is(offer, OfferStanding::Ended),
        Command::RecordVaccines { in_order, stated_on } => {
            app.vaccines_in_order == Some(*in_order) && app.vaccines_stated_on == Some(*stated_on)
        }
        Command::InviteVaccineProof { .. } => app.vaccine_proof.is_some(),
        Command::FileVaccineProof { .. } => app.vaccine_proof == Some(true),
        Command::StartAttendance { .. } => phase == Phase::Attending,
        Command::SetFee { fee } => fee.as_ref().is_some_and(|rule| {
            let fresh = fee_of(app, rule, ctx.today());
            app.fee.as_ref().is_some_and(|(cents, version)| {
                cents.value == fresh.monthly_cents && *version == rule.version
            })
        }),
        Command::Leave { .. } => outcome == Some("left"),
        Command::DeclareLoss { .. } => outcome == Some("place_lost"),
        Command::RecordRank { ranking, stage, .. } => {
            app.ranked.as_ref().is_some_and(|(r, s, _)| r == ranking && s == stage)
        }
        Command::ReceiveOffer { offer, .. } => app.offers.contains_key(offer),
        Command::Finish { .. } => matches!(outcome, Some("year_finished" | "unplaced")),
    }
}
