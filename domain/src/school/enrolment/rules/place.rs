//! Offers, places, vaccines and fees.

use super::phase::{fits, own};
use crate::case::rules::{date_within, refuse, wrong_phase};
use crate::case::{TermKey, rules::reckoned};
use crate::context::Context;
use crate::decider::{self, Case};
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::school::enrolment::OFFER;
use crate::school::enrolment::commands::Command;
use crate::school::enrolment::state::{OfferStanding, Phase};

type Checked = Result<(), Rejection>;

/// Some offer waits for the family.
pub(super) fn an_offer_is_open(case: &Case, _: &Context<'_>) -> Checked {
    fits(case, &[Phase::Offered])
}

/// The offer is one of the case's, open, and its last day is not over: silence has renounced at
/// midnight, whether or not that is on record yet.
pub(super) fn the_offer_is_this_one(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Checked {
    let decider::Command::Enrolment(Command::Accept { offer, .. } | Command::Renounce { offer }) =
        command
    else {
        return Ok(());
    };
    let standing = own(case).and_then(|(_, app)| app.offers.get(offer)).map(|o| o.standing);
    if standing != Some(OfferStanding::Open) {
        return refuse(Code::OfferNotOpen);
    }
    let key = TermKey::instance(OFFER, *offer);
    match reckoned(case, &key, ctx)?.and_then(|t| t.reckoning.end) {
        Some(end) if ctx.today() > end => Err(Rejection::new(Code::OfferOver).with("end", end)),
        _ => Ok(()),
    }
}

/// Acceptance is complete with the deposit.
pub(super) fn the_deposit_is_paid(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Checked {
    let decider::Command::Enrolment(Command::Accept { deposit_receipt, .. }) = command else {
        return Ok(());
    };
    let due = own(case).map_or(0, |(_, app)| app.pinned.deposit_cents);
    let paid = deposit_receipt.as_deref().is_some_and(|r| !r.trim().is_empty());
    if due > 0 && !paid {
        return Err(Rejection::new(Code::DepositMissing).with("cents", due));
    }
    Ok(())
}

pub(super) fn a_place_was_accepted(case: &Case, _: &Context<'_>) -> Checked {
    fits(case, &[Phase::Accepted])
}

/// A place that was accepted, attended or not.
pub(super) fn there_is_a_place(case: &Case, _: &Context<'_>) -> Checked {
    fits(case, &[Phase::Accepted, Phase::Attending])
}

/// The health authority says that the child is not in order, and no proof has come since.
pub(super) fn the_child_is_not_in_order(case: &Case, _: &Context<'_>) -> Checked {
    match own(case) {
        Some((_, app)) if app.vaccines_in_order == Some(false) && app.vaccine_proof.is_none() => {
            Ok(())
        }
        _ => refuse(Code::VaccinesNotInQuestion),
    }
}

/// The invitation goes out while 10 July is still to come.
pub(super) fn the_invitation_is_in_time(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Checked {
    let decider::Command::Enrolment(Command::InviteVaccineProof { sent_on }) = command else {
        return Ok(());
    };
    match crate::school::enrolment::decide::ten_july(*sent_on) {
        Some(end) if *sent_on < end => Ok(()),
        _ => Err(Rejection::new(Code::DateTooLate).with("field", "sent_on").with("date", sent_on)),
    }
}

pub(super) fn proof_was_asked_for(case: &Case, _: &Context<'_>) -> Checked {
    match own(case) {
        Some((_, app)) if app.vaccine_proof == Some(false) => Ok(()),
        Some(_) => refuse(Code::VaccinesNotInQuestion),
        None => wrong_phase(case, &[Phase::Filed.as_str()]),
    }
}

pub(super) fn the_call_has_a_fee(_: &Case, command: &decider::Command, _: &Context<'_>) -> Checked {
    match command {
        decider::Command::Enrolment(Command::SetFee { fee: None }) => refuse(Code::NoFeeFormula),
        _ => Ok(()),
    }
}

/// A loss that the office declares begins with a communication to the family (art. 7): it is not
/// an act on an application, so that no notice of rejection is due.
pub(super) fn the_family_was_told(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Checked {
    let decider::Command::Enrolment(Command::DeclareLoss { told_on, .. }) = command else {
        return Ok(());
    };
    let accepted = own(case).and_then(|(_, app)| app.offers.values().map(|o| o.offered_on).min());
    date_within("told_on", *told_on, accepted, ctx)
}
