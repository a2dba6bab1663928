//! Messages about the end of a case's papers to domain commands.

use super::Fields;
use super::casework::Asking;
use pratica_domain::case::Command;
use pratica_proto::privacy::v1 as proto;

pub(crate) fn place_hold(
    m: proto::PlaceHoldRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reason = f.text("reason", m.reason);
    let reference = f.text("reference", m.reference);
    Some(Command::PlaceHold { reason: reason?, reference: reference? })
}

pub(crate) fn lift_hold(
    m: proto::LiftHoldRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let hold = f.parse("hold_id", &m.hold_id);
    let reason = f.text("reason", m.reason);
    let reference = f.text("reference", m.reference);
    Some(Command::LiftHold { hold: hold?, reason: reason?, reference: reference? })
}

#[expect(clippy::unnecessary_wraps, reason = "as the other readers")]
pub(crate) fn propose_erasure(
    _: proto::ProposeErasureRequest,
    _: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    Some(Command::ProposeErasure)
}

pub(crate) fn authorise_erasure(
    m: proto::AuthoriseErasureRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reference = f.text("reference", m.reference);
    Some(Command::AuthoriseErasure { reference: reference? })
}
