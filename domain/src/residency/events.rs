//! The facts of a residency change that no other procedure has.

use crate::case::{Appeal, Closure, LateStatement};
use crate::event::{Occurrence, events};
use crate::ids::{CaseId, EntryId, SubjectId};
use crate::people::{Address, Personal};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

events! {
    /// A fact of a residency change.
    pub enum Event {
        /// The declaration was filed.
        Declared = "residency.declared" v 1,
        /// The declaration was completed before registration.
        Completed = "residency.completed" v 1,
        /// The declaration is not receivable.
        FoundIrreceivable = "residency.found_irreceivable" v 1,
        /// The officer registered what was declared.
        Registered = "residency.registered" v 1,
        /// A visit to the dwelling.
        VisitRecorded = "residency.visit_recorded" v 1,
        /// The requirements were found to exist.
        Confirmed = "residency.confirmed" v 1,
        /// The term of the checks ran out in silence.
        ConfirmedBySilence = "residency.confirmed_by_silence" v 1,
        /// The attestation that the term ran out was issued.
        SilenceAttested = "residency.silence_attested" v 1,
        /// The registration was annulled and the earlier position restored.
        PositionRestored = "residency.position_restored" v 1,
        /// A later declaration took the place of this one.
        Superseded = "residency.superseded" v 1,
        /// Death or a further move ended the case.
        EndedByFact = "residency.ended_by_fact" v 1,
        /// The office opened the case itself.
        OpenedExOfficio = "residency.opened_ex_officio" v 1,
        /// The person was told of the start and invited to declare.
        Invited = "residency.invited" v 1,
        /// The consular form arrived.
        ConsularFormReceived = "residency.consular_form_received" v 1,
        /// The person was cancelled from the register of residents.
        Cancelled = "residency.cancelled" v 1,
        /// Another authority was told.
        Reported = "residency.reported" v 2,
    }
}

impl Event {
    /// When the fact counts, if not at the moment of the decision.
    pub fn occurred_on(&self) -> Option<Occurrence> {
        use Occurrence::{Day, Instant};
        match self {
            Event::Declared(e) => Some(Instant(e.filed_at)),
            Event::VisitRecorded(e) => Some(Instant(e.visited_at)),
            Event::ConfirmedBySilence(e) => Some(Instant(e.legal_at)),
            Event::EndedByFact(e) => Some(Day(e.happened_on)),
            Event::Invited(e) => Some(Day(e.sent_on)),
            Event::ConsularFormReceived(e) => Some(Day(e.received_on)),
            Event::Reported(e) => Some(Day(e.reported_on)),
            _ => None,
        }
    }

    /// How the case ends with this event, if it does.
    pub fn closes(&self) -> Option<Closure> {
        let (outcome, closed_on) = match self {
            Event::FoundIrreceivable(e) => ("irreceivable", e.found_on),
            Event::Confirmed(e) => ("confirmed", e.confirmed_on),
            Event::ConfirmedBySilence(e) => ("confirmed_by_silence", e.effective_on),
            Event::PositionRestored(e) => ("position_restored", e.restored_on),
            Event::Superseded(e) => ("superseded", e.superseded_on),
            Event::EndedByFact(e) => match e.fact {
                EndingFact::Death => ("died", e.happened_on),
                EndingFact::Move => ("moved", e.happened_on),
            },
            Event::Registered(e) if e.mode == RegistrationMode::ExOfficio => {
                ("registered_ex_officio", e.registered_on)
            }
            Event::Cancelled(e) => ("cancelled", e.cancelled_on),
            _ => return None,
        };
        Some(Closure { outcome, closed_on })
    }
}

/// The kinds of residency case (DPR 223/1989 arts. 7, 11, 13, 15; ministry forms).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// From another comune (art. 13 c. 1 lett. a).
    FromOtherComune,
    /// Back from abroad, registered with the AIRE.
    FromAbroadAire,
    /// From abroad, citizen of the European Union.
    FromAbroadEu,
    /// From abroad, citizen of another State.
    FromAbroadNonEu,
    /// Another dwelling in the same comune (lett. c).
    ChangeOfDwelling,
    /// To abroad, Italian citizen (AIRE; L. 470/1988).
    ToAbroadItalian,
    /// To abroad, foreigner (art. 11 c. 1 lett. b).
    ToAbroadForeigner,
    /// New family or cohabitation, or a change of its composition (lett. b).
    FamilyChange,
    /// Person without a fixed abode.
    NoFixedAbode,
    /// Registration by the officer (art. 15).
    ExOfficioRegistration,
    /// Cancellation for untraceability (art. 11 c. 1 lett. c).
    Untraceable,
    /// Habitual abode not renewed by a foreigner (arts. 7 c. 3 and 11 c. 1 lett. c).
    AbodeNotRenewed,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 12] = [
        Kind::FromOtherComune,
        Kind::FromAbroadAire,
        Kind::FromAbroadEu,
        Kind::FromAbroadNonEu,
        Kind::ChangeOfDwelling,
        Kind::ToAbroadItalian,
        Kind::ToAbroadForeigner,
        Kind::FamilyChange,
        Kind::NoFixedAbode,
        Kind::ExOfficioRegistration,
        Kind::Untraceable,
        Kind::AbodeNotRenewed,
    ];

    /// The word in events and views.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::FromOtherComune => "from_other_comune",
            Kind::FromAbroadAire => "from_abroad_aire",
            Kind::FromAbroadEu => "from_abroad_eu",
            Kind::FromAbroadNonEu => "from_abroad_non_eu",
            Kind::ChangeOfDwelling => "change_of_dwelling",
            Kind::ToAbroadItalian => "to_abroad_italian",
            Kind::ToAbroadForeigner => "to_abroad_foreigner",
            Kind::FamilyChange => "family_change",
            Kind::NoFixedAbode => "no_fixed_abode",
            Kind::ExOfficioRegistration => "ex_officio_registration",
            Kind::Untraceable => "untraceable",
            Kind::AbodeNotRenewed => "abode_not_renewed",
        }
    }

    /// Whether the office opens it, not a declaration.
    pub fn is_ex_officio(self) -> bool {
        matches!(self, Kind::ExOfficioRegistration | Kind::Untraceable | Kind::AbodeNotRenewed)
    }

    /// Whether it ends the residence here instead of beginning one.
    pub fn leaves(self) -> bool {
        matches!(self, Kind::ToAbroadItalian | Kind::ToAbroadForeigner)
    }

    /// Whether the declarant needs a title to occupy the dwelling (DL 47/2014 art. 5).
    pub fn needs_occupation_title(self) -> bool {
        !self.is_ex_officio() && !self.leaves() && self != Kind::NoFixedAbode
    }

    /// The code of ANPR's table of reasons for registration or cancellation, where it has one.
    pub fn anpr_reason(self) -> Option<u8> {
        match self {
            Kind::FromAbroadAire => Some(6),
            Kind::FromAbroadEu | Kind::FromAbroadNonEu => Some(4),
            Kind::NoFixedAbode => Some(8),
            Kind::ToAbroadForeigner => Some(5),
            Kind::ToAbroadItalian => Some(8),
            Kind::Untraceable => Some(6),
            Kind::AbodeNotRenewed => Some(7),
            Kind::FromOtherComune
            | Kind::ChangeOfDwelling
            | Kind::FamilyChange
            | Kind::ExOfficioRegistration => None,
        }
    }
}

/// By which title the dwelling is occupied (DL 47/2014 art. 5; municipal forms).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OccupationTitle {
    /// Owner.
    Owner,
    /// Registered lease.
    Lease,
    /// Loan for use (*comodato*).
    Loan,
    /// Assignment of public housing.
    PublicHousing,
    /// Usufruct.
    Usufruct,
    /// Another title, with the owner's statement.
    Other,
}

/// The annex that a foreigner's declaration carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Annex {
    /// Annex A: citizens of States outside the Union.
    A,
    /// Annex B: citizens of the Union.
    B,
}

/// A person whom the declaration moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The party.
    pub subject: SubjectId,
    /// Whether of age on the day of filing.
    pub adult: bool,
    /// Whether they signed.
    pub signed: bool,
    /// Whether a copy of an identity document is there.
    pub identity_copy: bool,
    /// The annex that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annex: Option<Annex>,
}

/// What a declaration contains, as far as receivability is judged by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Whether the ministry's form was used.
    pub ministry_form: bool,
    /// The comune or State that the persons come from or go to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origin: String,
    /// The dwelling.
    pub address: Personal<Address>,
    /// The title of occupation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<OccupationTitle>,
    /// Data of the title: registration of the lease, the owner's statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_details: Option<Personal<String>>,
    /// The persons.
    pub members: Vec<Member>,
    /// Whether an adult of the family that they join signed; absent if they join none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_consent: Option<bool>,
    /// Whether the other parent of a minor who moves with one parent is told; absent if no case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_parent_told: Option<bool>,
}

/// The declaration was filed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// The kind.
    pub kind: Kind,
    /// The instant of receipt.
    pub filed_at: Timestamp,
    /// The day of the fact that is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact_on: Option<Date>,
    /// Whether the twenty days had passed (art. 13 c. 2): a fine is due (L. 1228/1954 art. 11).
    pub declared_late: bool,
    /// The content.
    pub content: Content,
}

/// The declaration was completed before registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completed {
    /// The content that takes the place of the earlier one.
    pub content: Content,
}

/// Why a declaration is not receivable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Not on the ministry's form.
    NotOnMinistryForm,
    /// Mandatory fields are empty.
    MandatoryFieldsMissing,
    /// An adult concerned did not sign.
    SignatureMissing,
    /// A copy of an identity document is missing.
    IdentityCopyMissing,
    /// The title of occupation is missing (DL 47/2014 art. 5).
    OccupationTitleMissing,
    /// Annex A or B is missing.
    AnnexMissing,
    /// No adult of the family that is joined signed.
    FamilyConsentMissing,
    /// Nothing says that the other parent of a minor knows.
    OtherParentNotTold,
}

impl Ground {
    /// The word in refusals and views.
    pub fn as_str(self) -> &'static str {
        match self {
            Ground::NotOnMinistryForm => "not_on_ministry_form",
            Ground::MandatoryFieldsMissing => "mandatory_fields_missing",
            Ground::SignatureMissing => "signature_missing",
            Ground::IdentityCopyMissing => "identity_copy_missing",
            Ground::OccupationTitleMissing => "occupation_title_missing",
            Ground::AnnexMissing => "annex_missing",
            Ground::FamilyConsentMissing => "family_consent_missing",
            Ground::OtherParentNotTold => "other_parent_not_told",
        }
    }
}

/// The declaration is not receivable: a simplified reasoned act (L. 241/1990 art. 2 c. 1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundIrreceivable {
    /// The grounds.
    pub grounds: Vec<Ground>,
    /// The reasons in short.
    pub reasons: Personal<String>,
    /// The day.
    pub found_on: Date,
    /// Term and authority of appeal.
    pub appeal: Appeal,
}

/// How a registration came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationMode {
    /// By the officer, on the declaration.
    OnDeclaration,
    /// By law: the checks' term ran out and the officer had not registered.
    ByLaw,
    /// By the officer, without a declaration (art. 15).
    ExOfficio,
}

/// The officer registered what was declared, with effect from the day of the declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The day of registration.
    pub registered_on: Date,
    /// The day from which it has effect (DL 5/2012 art. 5 c. 3).
    pub effective_from: Date,
    /// How it came about.
    pub mode: RegistrationMode,
    /// Whether the two working days had passed.
    pub late: bool,
    /// ANPR's code of the reason, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anpr_reason: Option<u8>,
}

/// What a visit found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitOutcome {
    /// The persons live there.
    Present,
    /// Nobody was there.
    Absent,
    /// What was found contradicts the declaration.
    Discrepant,
}

/// A visit to the dwelling (DPR 223/1989 art. 19 c. 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitRecorded {
    /// Identifies the visit.
    pub visit: EntryId,
    /// When.
    pub visited_at: Timestamp,
    /// What was found.
    pub outcome: VisitOutcome,
    /// The report.
    pub report: Personal<String>,
}

/// The requirements were found to exist. No letter is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The day.
    pub confirmed_on: Date,
    /// Why; needed where a notice of rejection came first, or a proposal is not followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Personal<String>>,
    /// Set when the act comes after its term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<LateStatement>,
}

/// The term of the checks ran out in silence (DPR 223/1989 art. 18-bis; L. 241/1990 art. 20).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedBySilence {
    /// The last day of the term.
    pub due_on: Date,
    /// The first day on which silence stands: the day after.
    pub effective_on: Date,
    /// The first instant of that day in Rome, whenever the machine came to know.
    pub legal_at: Timestamp,
}

/// The attestation that the term ran out (L. 241/1990 art. 20 c. 2-bis).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceAttested {
    /// The last day of the term.
    pub due_on: Date,
    /// The day of issue.
    pub attested_on: Date,
}

/// What follows from a restored position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consequence {
    /// Loss of benefits obtained by the declaration (DPR 445/2000 art. 75).
    BenefitsLost,
    /// Criminal report for a false statement (DPR 445/2000 art. 76).
    CriminalReport,
    /// Report to the public-security authority (DL 5/2012 art. 5 c. 4).
    PublicSecurityReport,
    /// The comune of origin is told.
    ComuneOfOriginTold,
}

/// The registration was annulled from the day of the declaration (art. 18-bis c. 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionRestored {
    /// The day of the act.
    pub restored_on: Date,
    /// The day from which the registration is annulled.
    pub annulled_from: Date,
    /// The reasons.
    pub reasons: Personal<String>,
    /// The answers to the observations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<Personal<String>>,
    /// Term and authority of appeal.
    pub appeal: Appeal,
    /// What follows.
    pub consequences: Vec<Consequence>,
    /// ANPR's code: 10 registers again where the person came from, 12 cancels.
    pub anpr_reason: u8,
    /// Set when the act comes after its term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<LateStatement>,
}

/// A later declaration took the place of this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Superseded {
    /// The later case.
    pub by: CaseId,
    /// The day.
    pub superseded_on: Date,
}

/// A fact that ends a case by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndingFact {
    /// The person died.
    Death,
    /// The person moved on.
    Move,
}

/// Death or a further move ended the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedByFact {
    /// Which.
    pub fact: EndingFact,
    /// When.
    pub happened_on: Date,
}

/// The office opened the case itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedExOfficio {
    /// The kind.
    pub kind: Kind,
    /// The day of the fact that the law counts from: first finding of absence, expiry of the
    /// residence permit, the omitted declaration.
    pub fact_on: Date,
    /// Where the person is registered or found.
    pub address: Personal<Address>,
    /// What the office knows.
    pub grounds: Personal<String>,
}

/// The person was told of the start (L. 241/1990 art. 7) and invited to declare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    /// The day it was sent.
    pub sent_on: Date,
}

/// The consular form arrived (L. 470/1988 art. 6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsularFormReceived {
    /// The day the comune received it.
    pub received_on: Date,
    /// The day of the declaration to the consulate.
    pub declared_on: Date,
}

/// The person was cancelled from the register of residents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// The day of the act.
    pub cancelled_on: Date,
    /// The day from which it has effect.
    pub effective_from: Date,
    /// The reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Personal<String>>,
    /// Term and authority of appeal, for what the person did not ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal: Option<Appeal>,
    /// ANPR's code of the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anpr_reason: Option<u8>,
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// The public-security authority.
    PublicSecurity,
    /// The comune of origin.
    ComuneOfOrigin,
    /// The Prefect.
    Prefect,
    /// The head of police, for foreigners.
    Questore,
    /// The public prosecutor.
    Prosecutor,
}

/// Another authority was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// Who.
    pub to: Authority,
    /// When.
    pub reported_on: Date,
    /// Reference of the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Personal<String>>,
}
