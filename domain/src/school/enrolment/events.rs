//! The facts of an application that no other procedure has.

use crate::case::Closure;
use crate::event::{Occurrence, events};
use crate::ids::{BandId, CallId, CaseId, DocumentId, EntryId, SchoolId, SubjectId};
use crate::people::Personal;
use crate::ranking::{ListId, Stage};
pub use crate::residency::Appeal;
use crate::school::fee::Ground as FeeGround;
use crate::school::score::{Facts, Score};
use crate::term::Length;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

events! {
    /// A fact of an application.
    pub enum Event {
        /// The application was filed.
        Filed = "enrolment.filed" v 1,
        /// The application was changed within the window.
        Amended = "enrolment.amended" v 1,
        /// The application was completed on request.
        CompletedOnRequest = "enrolment.completed" v 1,
        /// The application takes part in the ranking.
        Admitted = "enrolment.admitted" v 1,
        /// The application was excluded.
        Excluded = "enrolment.excluded" v 1,
        /// The ISEE was recorded.
        IseeRecorded = "enrolment.isee_recorded" v 1,
        /// Points were given.
        Scored = "enrolment.scored" v 1,
        /// A ranking that it stands in was published.
        RankedIn = "enrolment.ranked" v 1,
        /// The family objects to the provisional ranking.
        ObservationFiled = "enrolment.observation_filed" v 1,
        /// The office answered an observation.
        ObservationAnswered = "enrolment.observation_answered" v 1,
        /// A place is offered.
        Offered = "enrolment.offered" v 1,
        /// The family accepted a place.
        Accepted = "enrolment.accepted" v 2,
        /// Another place was accepted: this offer falls away.
        OfferDropped = "enrolment.offer_dropped" v 1,
        /// The family renounced a place.
        Renounced = "enrolment.renounced" v 1,
        /// No answer came in time: it counts as renounced.
        OfferLapsed = "enrolment.offer_lapsed" v 1,
        /// What the health authority says of the vaccines.
        VaccinesRecorded = "enrolment.vaccines_recorded" v 1,
        /// The parents were invited to deposit proof.
        VaccineProofInvited = "enrolment.vaccine_proof_invited" v 1,
        /// Proof was deposited.
        VaccineProofFiled = "enrolment.vaccine_proof_filed" v 1,
        /// The child began to attend.
        AttendanceStarted = "enrolment.attendance_started" v 1,
        /// The monthly fee was set.
        FeeSet = "enrolment.fee_set" v 1,
        /// The family gave the place up.
        PlaceLeft = "enrolment.left" v 1,
        /// The place was lost.
        PlaceLost = "enrolment.place_lost" v 1,
        /// The school year is over.
        YearFinished = "enrolment.finished" v 1,
    }
}

impl Event {
    /// When the fact counts, if not at the moment of the decision.
    pub fn occurred_on(&self) -> Option<Occurrence> {
        use Occurrence::{Day, Instant};
        match self {
            Event::Filed(e) => Some(Instant(e.filed_at)),
            Event::OfferLapsed(e) => Some(Instant(e.legal_at)),
            Event::PlaceLost(e) => e.legal_at.map(Instant),
            Event::VaccinesRecorded(e) => Some(Day(e.stated_on)),
            Event::VaccineProofInvited(e) => Some(Day(e.sent_on)),
            Event::VaccineProofFiled(e) => Some(Day(e.filed_on)),
            Event::AttendanceStarted(e) => Some(Day(e.started_on)),
            Event::YearFinished(e) => Some(Day(e.ended_on)),
            _ => None,
        }
    }

    /// How the case ends with this event, if it does.
    pub fn closes(&self) -> Option<Closure> {
        let (outcome, closed_on) = match self {
            Event::Excluded(e) => ("excluded", e.excluded_on),
            Event::PlaceLeft(e) => ("left", e.left_on),
            Event::PlaceLost(e) => ("place_lost", e.lost_on),
            Event::YearFinished(e) if e.had_a_place => ("year_finished", e.ended_on),
            Event::YearFinished(e) => ("unplaced", e.ended_on),
            _ => return None,
        };
        Some(Closure { outcome, closed_on })
    }
}

/// What of the call an application was filed under; a call once published does not change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// The call.
    pub call: CallId,
    /// Name and version of its criteria.
    pub criteria: String,
    /// The last day of its window.
    pub closes_on: Date,
    /// The documents that every application needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<String>,
    /// What is paid on acceptance.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deposit_cents: i64,
    /// Whether missing vaccines cost the place.
    pub vaccines_bind: bool,
    /// Who leaves after this day still owes the fee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave_free_until: Option<Date>,
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

/// What a family asks for and states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The age band of the child.
    pub band: BandId,
    /// The schools, most wanted first.
    pub choices: Vec<SchoolId>,
    /// What the family states.
    pub facts: Personal<Facts>,
    /// Applications of twins in the same call: they draw one lot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub twins: Vec<CaseId>,
    /// Applications of other siblings in the same call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub siblings: Vec<CaseId>,
}

/// The application was filed. The order of filing makes no difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filed {
    /// What of the call it was filed under.
    pub pinned: Pinned,
    /// The instant of receipt.
    pub filed_at: Timestamp,
    /// The child.
    pub child: SubjectId,
    /// What is asked for.
    pub content: Content,
    /// Whether it came after the window, as the call allows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// The application was changed within the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amended {
    /// What takes the place of the earlier content.
    pub content: Content,
}

/// The application was completed on request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedOnRequest {
    /// The request.
    pub request: EntryId,
    /// What takes the place of the earlier statements.
    pub facts: Personal<Facts>,
}

/// The application takes part in the ranking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admitted {
    /// The day.
    pub admitted_on: Date,
}

/// Why an application is excluded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Filed out of time.
    #[default] // what stands in for a value whose key is gone
    OutOfTime,
    /// The child has another age.
    OutsideAge,
    /// Not resident, where the call wants it.
    NotResident,
    /// Not completed though asked.
    NotCompleted,
    /// A second application for the same child.
    Duplicate,
    /// What was stated is not true (DPR 445/2000 art. 75).
    FalseStatement,
}

impl Ground {
    /// Every ground.
    pub const ALL: [Ground; 6] = [
        Ground::OutOfTime,
        Ground::OutsideAge,
        Ground::NotResident,
        Ground::NotCompleted,
        Ground::Duplicate,
        Ground::FalseStatement,
    ];

    /// The word in events and views.
    pub fn as_str(self) -> &'static str {
        match self {
            Ground::OutOfTime => "out_of_time",
            Ground::OutsideAge => "outside_age",
            Ground::NotResident => "not_resident",
            Ground::NotCompleted => "not_completed",
            Ground::Duplicate => "duplicate",
            Ground::FalseStatement => "false_statement",
        }
    }
}

/// The application was excluded: a reasoned act (L. 241/1990 art. 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// The ground.
    pub ground: Ground,
    /// The reasons.
    pub reasons: Personal<String>,
    /// The day.
    pub excluded_on: Date,
    /// Term and authority of appeal.
    pub appeal: Appeal,
}

/// An ISEE as INPS attests it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isee {
    /// The indicator for services to minors (DPCM 159/2013 art. 7).
    pub cents: i64,
    /// The attestation's protocol, INPS-ISEE-YYYY-...
    pub protocol: String,
    /// The last day it is valid.
    pub valid_until: Date,
    /// Whether it has omissions or differences: it then counts as none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_omissions: bool,
}

/// The ISEE was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IseeRecorded {
    /// What INPS says.
    pub isee: Personal<Isee>,
}

/// What the ranking reads of an application, as it stood when points were given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Points at each school, each with what proves it.
    pub scores: Vec<Score>,
    /// Stated, but not proved or set aside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_counted: Vec<String>,
    /// The statements that count.
    pub facts: Facts,
    /// The ISEE without omissions, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isee_cents: Option<i64>,
    /// The child's day of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born_on: Option<Date>,
}

/// Points were given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scored {
    /// What the ranking reads.
    pub standing: Personal<Standing>,
}

/// A place in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The list.
    pub list: ListId,
    /// The place, from 1.
    pub rank: u32,
    /// Of how many.
    pub of: u32,
}

/// A ranking that the application stands in was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankedIn {
    /// Which.
    pub ranking: EntryId,
    /// Provisional or definitive.
    pub stage: Stage,
    /// The day of publication.
    pub published_on: Date,
    /// Its place in each list.
    pub places: Vec<Place>,
    /// How long the ranking is open to observations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observations_within: Option<Length>,
}

/// The family objects to the provisional ranking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservationFiled {
    /// Identifies it.
    pub observation: EntryId,
    /// What it says.
    pub text: Personal<String>,
    /// The day.
    pub filed_on: Date,
}

/// The office answered an observation. Only errors are corrected: a fact that came after the window
/// is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservationAnswered {
    /// Which.
    pub observation: EntryId,
    /// Whether it was right.
    pub accepted: bool,
    /// The reasons.
    pub reasons: Personal<String>,
    /// The points as they should have been, if it was right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<Personal<Standing>>,
}

/// A place is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// Identifies the offer.
    pub offer: EntryId,
    /// The school.
    pub school: SchoolId,
    /// The day.
    pub offered_on: Date,
    /// How long it stands.
    pub answer_within: Length,
}

/// The family accepted a place; every other list drops the child with this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The offer.
    pub offer: EntryId,
    /// The school.
    pub school: SchoolId,
    /// The day.
    pub accepted_on: Date,
    /// What was paid with it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deposit_cents: i64,
    /// The receipt of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit_receipt: Option<Personal<String>>,
}

/// Another place was accepted: this offer falls away at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferDropped {
    /// Which.
    pub offer: EntryId,
    /// The school.
    pub school: SchoolId,
    /// The day.
    pub dropped_on: Date,
}

/// The family renounced a place: this school only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renounced {
    /// The offer.
    pub offer: EntryId,
    /// The school.
    pub school: SchoolId,
    /// The day.
    pub renounced_on: Date,
}

/// No answer came in time: it counts as renounced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferLapsed {
    /// The offer.
    pub offer: EntryId,
    /// The school.
    pub school: SchoolId,
    /// The last day.
    pub due_on: Date,
    /// The legal instant.
    pub legal_at: Timestamp,
}

/// What the health authority says of the vaccines (DL 73/2017 art. 3-bis c. 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaccinesRecorded {
    /// Whether the child is in order.
    pub in_order: Personal<bool>,
    /// The day of the list.
    pub stated_on: Date,
}

/// The parents were invited to deposit proof by 10 July (c. 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaccineProofInvited {
    /// The day.
    pub sent_on: Date,
    /// Days from then to 10 July.
    pub within: Length,
}

/// What proves that the law on vaccines is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VaccineProof {
    /// The vaccination.
    #[default] // what stands in for a value whose key is gone
    Vaccination,
    /// An exemption.
    Exemption,
    /// A postponement.
    Postponement,
    /// A formal request to be vaccinated.
    FormalRequest,
}

/// Proof was deposited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaccineProofFiled {
    /// Which.
    pub proof: Personal<VaccineProof>,
    /// The document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentId>,
    /// The day.
    pub filed_on: Date,
}

/// The child began to attend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttendanceStarted {
    /// The day.
    pub started_on: Date,
}

/// The monthly fee was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeSet {
    /// How much a month: it lets the ISEE be guessed.
    pub monthly_cents: Personal<i64>,
    /// Why.
    pub ground: Personal<FeeGround>,
    /// The version of the formula.
    pub formula: String,
    /// The protocol of the ISEE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isee_protocol: Option<Personal<String>>,
}

/// The family gave the place up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceLeft {
    /// The day.
    pub left_on: Date,
    /// Whether the fee is owed all the same, because it came late.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fee_owed: bool,
    /// Why, if they say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<String>>,
}

/// Why a place is lost (*decadenza*).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossGround {
    /// Absent without a reason.
    #[default] // what stands in for a value whose key is gone
    Absence,
    /// The fee was not paid.
    Arrears,
    /// No proof of vaccination (DL 73/2017 art. 3-bis c. 5).
    Vaccines,
}

impl LossGround {
    /// Every ground.
    pub const ALL: [LossGround; 3] =
        [LossGround::Absence, LossGround::Arrears, LossGround::Vaccines];

    /// The word in events and views.
    pub fn as_str(self) -> &'static str {
        match self {
            LossGround::Absence => "absence",
            LossGround::Arrears => "arrears",
            LossGround::Vaccines => "vaccines",
        }
    }
}

/// The place was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceLost {
    /// Why; whose health it is about stays sealed.
    pub ground: Personal<LossGround>,
    /// The reasons of the act, where one was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Personal<String>>,
    /// Term and authority of appeal, where there is an act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal: Option<Appeal>,
    /// The day.
    pub lost_on: Date,
    /// The legal instant, where the law itself takes the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_at: Option<Timestamp>,
}

/// The school year is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearFinished {
    /// The last day.
    pub ended_on: Date,
    /// Whether the child had a place.
    pub had_a_place: bool,
}
