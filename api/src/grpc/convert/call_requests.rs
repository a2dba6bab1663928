//! The requests of a call's commands: what each asks for.

use super::Fields;
use super::call::plan;
use pratica_domain::ranking::{ListId, OF_LOTS, is_of_lots};
use pratica_domain::school::call::Command;
use pratica_proto::enrolment::v1::*;

pub(crate) fn draft_call(m: DraftCallRequest, f: &mut Fields) -> Option<Command> {
    plan(f, m.plan).map(|plan| Command::Draft { plan })
}
pub(crate) fn revise_call(m: ReviseCallRequest, f: &mut Fields) -> Option<Command> {
    plan(f, m.plan).map(|plan| Command::Revise { plan })
}
pub(crate) fn publish_call(m: PublishCallRequest, f: &mut Fields) -> Option<Command> {
    let seed_commitment = Some(m.seed_commitment).filter(|c| !c.is_empty());
    Some(Command::Publish { act: f.text("act", m.act)?, seed_commitment })
}
/// What lots are drawn from; it may be empty.
fn of_lots(f: &mut Fields, field: &str, text: String) -> Option<String> {
    if text.is_empty() || is_of_lots(&text) {
        return Some(text);
    }
    f.refuse(field, format!("must be {OF_LOTS}"));
    None
}
pub(crate) fn reveal_seed(m: RevealSeedRequest, f: &mut Fields) -> Option<Command> {
    let seed = f.required("seed", m.seed).and_then(|seed| of_lots(f, "seed", seed));
    let public_draw = of_lots(f, "public_draw", m.public_draw);
    Some(Command::RevealSeed { seed: seed?, public_draw: public_draw? })
}
pub(crate) fn publish_provisional_ranking(
    _: PublishProvisionalRankingRequest,
    _: &mut Fields,
) -> Option<Command> {
    Some(Command::PublishProvisional)
}
pub(crate) fn approve_definitive_ranking(
    m: ApproveDefinitiveRankingRequest,
    f: &mut Fields,
) -> Option<Command> {
    Some(Command::ApproveDefinitive { act: f.text("act", m.act)? })
}
pub(crate) fn start_offers(_: StartOffersRequest, _: &mut Fields) -> Option<Command> {
    Some(Command::StartOffers)
}
pub(crate) fn change_places(m: ChangePlacesRequest, f: &mut Fields) -> Option<Command> {
    let list = f.parse::<ListId>("list", &m.list);
    let act = f.text("act", m.act);
    Some(Command::ChangePlaces { list: list?, places: m.places, act: act? })
}
