//! What may be asked of a residency change.

use super::events::{Annex, Authority, EndingFact, Ground, Kind, OccupationTitle, VisitOutcome};
use crate::case::rules::Act;
use crate::case::{Appeal, Attachment, Channel, Tenor};
use crate::ids::{CaseId, OfficeId};
use crate::people::{Address, Person};
use jiff::{Timestamp, civil::Date};

/// A person of a declaration, as the form says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberForm {
    /// Who.
    pub person: Person,
    /// Their account, when they came with one.
    pub account: Option<String>,
    /// Whether they signed.
    pub signed: bool,
    /// Whether a copy of an identity document is there.
    pub identity_copy: bool,
    /// The annex that came with it.
    pub annex: Option<Annex>,
    /// The comune or State that they come from or go to.
    pub origin: String,
}

/// A declaration as filed. The first member is the applicant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The kind.
    pub kind: Kind,
    /// Whether the ministry's form was used.
    pub ministry_form: bool,
    /// The day of the fact that is declared.
    pub fact_on: Option<Date>,
    /// The dwelling.
    pub address: Address,
    /// The title of occupation.
    pub title: Option<OccupationTitle>,
    /// Data of the title.
    pub title_details: String,
    /// The persons; the first is the applicant.
    pub members: Vec<MemberForm>,
    /// Whether an adult of the family that they join signed; absent if they join none.
    pub family_consent: Option<bool>,
    /// Whether the other parent of a minor is told; absent if no case.
    pub other_parent_told: Option<bool>,
}

/// A command of the residency change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Files a declaration: opens the case.
    Declare {
        /// The form.
        form: Form,
        /// How it arrived.
        channel: Channel,
        /// The instant of receipt; not after now.
        filed_at: Timestamp,
        /// The office in charge.
        office: OfficeId,
        /// Documents that came with it.
        attachments: Vec<Attachment>,
    },
    /// Completes the declaration before registration. The persons stay the same.
    Complete {
        /// The form as it should have been.
        form: Form,
    },
    /// Finds the declaration irreceivable.
    FindIrreceivable {
        /// The grounds.
        grounds: Vec<Ground>,
        /// The reasons in short.
        reasons: String,
        /// Term and authority of appeal.
        appeal: Appeal,
    },
    /// Registers what was declared; for a move to abroad, cancels.
    Register,
    /// Records a visit.
    RecordVisit {
        /// When.
        visited_at: Timestamp,
        /// What was found.
        outcome: VisitOutcome,
        /// The report.
        report: String,
    },
    /// Closes the checks in favour of the declarant.
    Confirm {
        /// Why.
        reasons: String,
        /// Why the proposal is not followed, if it is not.
        departure: String,
    },
    /// Annuls the registration and restores the earlier position.
    RestorePosition {
        /// Why.
        reasons: String,
        /// The answers to the observations.
        answers: String,
        /// Term and authority of appeal.
        appeal: Appeal,
        /// Why the proposal is not followed, if it is not.
        departure: String,
    },
    /// Closes the case because a later declaration took its place.
    Supersede {
        /// The later case.
        by: CaseId,
    },
    /// Closes the case because of death or a further move.
    EndByFact {
        /// Which.
        fact: EndingFact,
        /// When.
        happened_on: Date,
    },
    /// Opens a case without a declaration.
    OpenExOfficio {
        /// The kind.
        kind: Kind,
        /// Who.
        person: Person,
        /// Where registered or found.
        address: Address,
        /// The day that the law counts from.
        fact_on: Date,
        /// What the office knows.
        grounds: String,
        /// The office in charge.
        office: OfficeId,
    },
    /// Tells the person of the start and invites them to declare.
    Invite {
        /// The day it was sent.
        sent_on: Date,
    },
    /// Registers a person who did not declare.
    RegisterExOfficio,
    /// Cancels a person who is untraceable or did not renew.
    Cancel {
        /// Why.
        reasons: String,
        /// Term and authority of appeal.
        appeal: Appeal,
    },
    /// Records the consular form.
    RecordConsularForm {
        /// The day it was received.
        received_on: Date,
        /// The day of the declaration to the consulate.
        declared_on: Date,
    },
    /// Records that another authority was told.
    Report {
        /// Who.
        to: Authority,
        /// When.
        reported_on: Date,
        /// Reference of the report.
        reference: String,
    },
}

impl Command {
    /// The stable name, as in tables and available actions.
    pub fn name(&self) -> &'static str {
        match self {
            Command::Declare { .. } => "residency.declare",
            Command::Complete { .. } => "residency.complete",
            Command::FindIrreceivable { .. } => "residency.find_irreceivable",
            Command::Register => "residency.register",
            Command::RecordVisit { .. } => "residency.record_visit",
            Command::Confirm { .. } => "residency.confirm",
            Command::RestorePosition { .. } => "residency.restore_position",
            Command::Supersede { .. } => "residency.supersede",
            Command::EndByFact { .. } => "residency.end_by_fact",
            Command::OpenExOfficio { .. } => "residency.open_ex_officio",
            Command::Invite { .. } => "residency.invite",
            Command::RegisterExOfficio => "residency.register_ex_officio",
            Command::Cancel { .. } => "residency.cancel",
            Command::RecordConsularForm { .. } => "residency.record_consular_form",
            Command::Report { .. } => "residency.report",
        }
    }

    /// What the command carries of an act.
    pub fn act(&self) -> Act<'_> {
        match self {
            Command::FindIrreceivable { reasons, appeal, .. }
            | Command::Cancel { reasons, appeal } => {
                Act { reasons: Some(("reasons", reasons)), appeal: Some(appeal), ..Act::default() }
            }
            Command::Confirm { departure, .. } => {
                Act { departure: Some((Tenor::Favourable, departure)), ..Act::default() }
            }
            Command::RestorePosition { reasons, answers, appeal, departure } => Act {
                reasons: Some(("reasons", reasons)),
                answers: Some(answers),
                appeal: Some(appeal),
                departure: Some((Tenor::Negative, departure)),
            },
            Command::OpenExOfficio { grounds, .. } => {
                Act { reasons: Some(("grounds", grounds)), ..Act::default() }
            }
            Command::RecordVisit { report, .. } => {
                Act { reasons: Some(("report", report)), ..Act::default() }
            }
            _ => Act::default(),
        }
    }
}
