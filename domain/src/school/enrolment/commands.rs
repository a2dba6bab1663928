//! What may be asked of an application.

use super::events::{Appeal, Ground, Isee, LossGround, Pinned, Place, VaccineProof};
use crate::case::Channel;
use crate::ids::{CallId, CaseId, DocumentId, EntryId, OfficeId, SchoolId};
use crate::people::Person;
use crate::ranking::Stage;
use crate::residency::Attachment;
use crate::school::call::{Phase, Plan};
use crate::school::fee::FeeRule;
use crate::school::score::Facts;
use crate::term::Length;
use jiff::{Timestamp, civil::Date};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The call as it stood when a command was read: a call once published does not change, and its
/// window is closed by dates that stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallView {
    /// Which.
    pub call: CallId,
    /// Where it stands.
    pub phase: Phase,
    /// What it says.
    pub plan: Arc<Plan>,
}

impl CallView {
    /// What an application keeps of it.
    pub fn pinned(&self) -> Pinned {
        let (plan, criteria) = (&self.plan, &self.plan.criteria);
        Pinned {
            call: self.call,
            criteria: criteria.title(),
            closes_on: plan.closes_on,
            documents: criteria.documents.clone(),
            deposit_cents: criteria.deposit_cents,
            vaccines_bind: criteria.vaccines_bind,
            leave_free_until: criteria.leave_free_until.and_then(|d| d.in_year(plan.school_year)),
        }
    }
}

/// What a family fills in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The schools, most wanted first.
    pub choices: Vec<SchoolId>,
    /// What the family states.
    pub facts: Facts,
    /// Applications of twins in the same call.
    pub twins: Vec<CaseId>,
    /// Applications of other siblings in the same call.
    pub siblings: Vec<CaseId>,
}

/// A command of an application.
#[expect(clippy::large_enum_variant, reason = "commands are few and short-lived")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Files an application: opens the case.
    File {
        /// The call.
        call: CallView,
        /// The parent.
        applicant: Person,
        /// The parent's account, if known.
        account: Option<String>,
        /// The child.
        child: Person,
        /// What is asked for.
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
    /// Changes it within the window.
    Amend {
        /// The call.
        call: CallView,
        /// What is asked for now.
        form: Form,
    },
    /// Completes it on request.
    Complete {
        /// The call.
        call: CallView,
        /// The request.
        request: EntryId,
        /// What is stated now.
        facts: Facts,
    },
    /// Lets it take part in the ranking.
    Admit,
    /// Excludes it.
    Exclude {
        /// The ground.
        ground: Ground,
        /// The reasons.
        reasons: String,
        /// Term and authority of appeal.
        appeal: Appeal,
    },
    /// Records the ISEE.
    RecordIsee {
        /// What INPS says.
        isee: Isee,
    },
    /// Gives the points.
    Score {
        /// The call.
        call: CallView,
        /// Facts that the office does not accept.
        set_aside: BTreeSet<String>,
    },
    /// Objects to the provisional ranking.
    FileObservation {
        /// What is wrong.
        text: String,
    },
    /// Answers an observation.
    AnswerObservation {
        /// The call.
        call: CallView,
        /// Which.
        observation: EntryId,
        /// Whether it is right: the points are given again.
        accepted: bool,
        /// The reasons.
        reasons: String,
        /// Facts that the office does not accept.
        set_aside: BTreeSet<String>,
        /// Facts that were stated in time and overlooked, or wrongly taken over.
        correct: Option<Facts>,
    },
    /// Accepts an offer.
    Accept {
        /// Which.
        offer: EntryId,
        /// The receipt of the deposit, where one is due.
        deposit_receipt: Option<String>,
    },
    /// Renounces an offer.
    Renounce {
        /// Which.
        offer: EntryId,
    },
    /// Records what the health authority says.
    RecordVaccines {
        /// Whether the child is in order.
        in_order: bool,
        /// The day of the list.
        stated_on: Date,
    },
    /// Invites the parents to deposit proof.
    InviteVaccineProof {
        /// The day.
        sent_on: Date,
    },
    /// Deposits proof.
    FileVaccineProof {
        /// Which.
        proof: VaccineProof,
        /// The document.
        document: Option<DocumentId>,
    },
    /// The child begins to attend.
    StartAttendance {
        /// The day.
        started_on: Date,
    },
    /// Sets the monthly fee.
    SetFee {
        /// The formula of the call, if it has one.
        fee: Option<FeeRule>,
    },
    /// Gives the place up.
    Leave {
        /// Why, if they say.
        reason: Option<String>,
    },
    /// Declares the place lost.
    DeclareLoss {
        /// Why.
        ground: LossGround,
        /// The reasons.
        reasons: String,
        /// Term and authority of appeal.
        appeal: Appeal,
        /// The day on which the family was told of the start (L. 241/1990 art. 7).
        told_on: Date,
    },
    /// Records a published ranking; the process sends it.
    RecordRank {
        /// Which.
        ranking: EntryId,
        /// Provisional or definitive.
        stage: Stage,
        /// The day of publication.
        published_on: Date,
        /// The places.
        places: Vec<Place>,
        /// How long it is open to observations.
        observations_within: Option<Length>,
    },
    /// Receives an offer; the process sends it.
    ReceiveOffer {
        /// Which.
        offer: EntryId,
        /// The school.
        school: SchoolId,
        /// The day.
        offered_on: Date,
        /// How long it stands.
        answer_within: Length,
    },
    /// Ends with the school year; the process sends it.
    Finish {
        /// The last day.
        ended_on: Date,
    },
}

impl Command {
    /// The stable name, as in tables and available actions.
    pub fn name(&self) -> &'static str {
        match self {
            Command::File { .. } => "enrolment.file",
            Command::Amend { .. } => "enrolment.amend",
            Command::Complete { .. } => "enrolment.complete",
            Command::Admit => "enrolment.admit",
            Command::Exclude { .. } => "enrolment.exclude",
            Command::RecordIsee { .. } => "enrolment.record_isee",
            Command::Score { .. } => "enrolment.score",
            Command::FileObservation { .. } => "enrolment.file_observation",
            Command::AnswerObservation { .. } => "enrolment.answer_observation",
            Command::Accept { .. } => "enrolment.accept",
            Command::Renounce { .. } => "enrolment.renounce",
            Command::RecordVaccines { .. } => "enrolment.record_vaccines",
            Command::InviteVaccineProof { .. } => "enrolment.invite_vaccine_proof",
            Command::FileVaccineProof { .. } => "enrolment.file_vaccine_proof",
            Command::StartAttendance { .. } => "enrolment.start_attendance",
            Command::SetFee { .. } => "enrolment.set_fee",
            Command::Leave { .. } => "enrolment.leave",
            Command::DeclareLoss { .. } => "enrolment.declare_loss",
            Command::RecordRank { .. } => "enrolment.record_rank",
            Command::ReceiveOffer { .. } => "enrolment.receive_offer",
            Command::Finish { .. } => "enrolment.finish",
        }
    }
}
