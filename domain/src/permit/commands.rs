//! What may be asked of a building permit.

use super::events::{
    AnnulmentGround, ConferenceForm, Constraint, ContributionKind, Entitlement, ExtensionGround,
    Forum, Ground, Kind, OpinionKind, Position, Site, WorksTerm,
};
use crate::case::rules::Act;
use crate::case::{Appeal, Attachment, Channel, Tenor};
use crate::ids::{CaseId, EntryId, OfficeId, OfficerId};
use crate::people::Person;
use crate::term::Length;
use jiff::{Timestamp, civil::Date};
use std::collections::BTreeSet;

/// An application, notice or communication as filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The kind.
    pub kind: Kind,
    /// Who asks.
    pub applicant: Person,
    /// Their account, when they have one.
    pub account: Option<String>,
    /// The title by which they ask.
    pub entitlement: Option<Entitlement>,
    /// The designer.
    pub designer: Option<Person>,
    /// The designer's account.
    pub designer_account: Option<String>,
    /// Whether the designer files and acts for the applicant, on a mandate.
    pub by_mandate: bool,
    /// Whether the drawings are there.
    pub drawings: bool,
    /// Whether the designer asseverates conformity.
    pub asseveration: bool,
    /// What is to be built.
    pub works: String,
    /// Where.
    pub site: Site,
    /// Constraints that the applicant declares.
    pub constraints: BTreeSet<Constraint>,
    /// Whether the authorisations they need are held for the same drawings and in force.
    pub authorisations_held: bool,
    /// Other bodies whose assent is needed.
    pub assents_needed: Vec<String>,
    /// The case that a variant or a remainder follows.
    pub follows: Option<CaseId>,
}

/// A body to convene.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyForm {
    /// Its name.
    pub name: String,
    /// Whether it protects environment, landscape, culture, health or public safety.
    pub sensitive: bool,
}

/// An instalment to determine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalmentForm {
    /// How much, in cents.
    pub amount_cents: u64,
    /// The last day to pay.
    pub due_on: Date,
}

/// A command of the building permit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the events that the command records")]
pub enum Command {
    /// Files: opens the case.
    File {
        form: Box<Form>,
        channel: Channel,
        filed_at: Timestamp,
        office: OfficeId,
        attachments: Vec<Attachment>,
    },
    /// Finds the application manifestly irreceivable.
    FindIrreceivable { grounds: Vec<Ground>, reasons: String, appeal: Appeal },
    /// Asks for additions: interrupts, if it is the first and in time; in a conference, suspends.
    RequestAdditions { text: String, sent_on: Date, answer_within: Length },
    /// Asks for minor changes: suspends.
    RequestChanges { text: String, sent_on: Date, answer_within: Length },
    /// Records whether the applicant agrees to the changes.
    AnswerChanges { request: EntryId, answered_on: Date, adheres: bool },
    /// Declares the project particularly complex: doubles.
    DeclareComplex { reasons: String },
    /// Applies safeguard measures: suspends.
    ApplySafeguards {
        applied_on: Date,
        plan_adopted_on: Date,
        sent_for_approval: bool,
        plan: String,
        reasons: String,
    },
    /// Ends safeguard measures.
    EndSafeguards { ended_on: Date },
    /// Establishes the constraints on the property.
    RecordConstraints {
        constraints: BTreeSet<Constraint>,
        authorisations_held: bool,
        reasons: String,
    },
    /// Asks another body for its opinion or assent.
    RequestOpinion { body: String, kind: OpinionKind, sensitive: bool, requested_on: Date },
    /// Records that the body needs more.
    InterruptOpinion { opinion: EntryId, asked_on: Date },
    /// Records that the body got it.
    ResumeOpinion { opinion: EntryId, received_on: Date },
    /// Records what the body said.
    RecordOpinion { opinion: EntryId, received_on: Date, tenor: Tenor, text: String },
    /// Convenes the conferenza.
    ConveneConference {
        form: ConferenceForm,
        convened_on: Date,
        meeting_on: Date,
        bodies: Vec<BodyForm>,
    },
    /// Records a body's determination.
    RecordDetermination { body: EntryId, received_on: Date, position: Position, reasons: String },
    /// Opens the meeting.
    OpenMeeting { opened_on: Date },
    /// Concludes the conferenza.
    ConcludeConference { positive: bool, reasons: String, answers: String },
    /// Records the opposition of a qualified body.
    RaiseOpposition { body: EntryId, raised_on: Date },
    /// Records how the opposition ended.
    EndOpposition { upheld: bool, ended_on: Date, reference: String },
    /// Issues the permit.
    Issue { conditions: String, reasons: String, departure: String },
    /// Refuses the permit.
    Refuse { reasons: String, answers: String, appeal: Appeal, departure: String },
    /// Archives an application whose additions never came.
    Archive { reasons: String, answers: String, appeal: Appeal },
    /// Asks for the attestation of elapsed terms.
    RequestAttestation { requested_on: Date },
    /// Answers it: attests, or names the acts that stand against it.
    AnswerAttestation,
    /// Hands the case to the substitute.
    InvokeSubstitute { on_request: bool, substitute: OfficerId },
    /// Annuls the title.
    Annul { ground: AnnulmentGround, reference: String, reasons: String, appeal: Appeal },
    /// Records that the decision was contested.
    RecordContest { forum: Forum, contested_on: Date, reference: String },
    /// Records the publication.
    Publish { published_on: Date, reference: String },
    /// Determines a part of the contribution.
    DetermineContribution {
        kind: ContributionKind,
        amount_cents: u64,
        instalments: Vec<InstalmentForm>,
    },
    /// Lets works take the place of charges.
    OffsetContribution { contribution: EntryId, amount_cents: u64, agreement: String },
    /// Records a payment.
    RecordPayment { instalment: EntryId, paid_on: Date, amount_cents: u64 },
    /// Records the start of works.
    StartWorks { started_on: Date },
    /// Records the end of works.
    FinishWorks { finished_on: Date },
    /// Asks for more time.
    RequestExtension { term: WorksTerm, requested_on: Date, reasons: String },
    /// Gives it.
    GrantExtension { extension: EntryId, by: Length, ground: ExtensionGround, reasons: String },
    /// Refuses it.
    RefuseExtension { extension: EntryId, reasons: String, appeal: Appeal },
    /// Records time that a law gives.
    ExtendByLaw { term: WorksTerm, by: Length, basis: String },
    /// Declares the title lapsed because of a new plan.
    DeclareLapse { in_force_on: Date, reference: String },
    /// Records the new holder.
    Transfer { person: Person, account: Option<String>, transferred_on: Date, deed: String },
    /// Records the report of usability.
    ReportUsability { reported_on: Date, partial: bool },
    /// Orders to conform.
    OrderConformation { comply_within: Length, reasons: String, appeal: Appeal },
    /// Records that compliance was communicated.
    ReportConformation { reported_on: Date },
    /// Forbids what was reported.
    Prohibit { reasons: String, appeal: Appeal },
}

impl Command {
    /// The stable name, as in tables and available actions.
    pub fn name(&self) -> &'static str {
        match self {
            Command::File { .. } => "permit.file",
            Command::FindIrreceivable { .. } => "permit.find_irreceivable",
            Command::RequestAdditions { .. } => "permit.request_additions",
            Command::RequestChanges { .. } => "permit.request_changes",
            Command::AnswerChanges { .. } => "permit.answer_changes",
            Command::DeclareComplex { .. } => "permit.declare_complex",
            Command::ApplySafeguards { .. } => "permit.apply_safeguards",
            Command::EndSafeguards { .. } => "permit.end_safeguards",
            Command::RecordConstraints { .. } => "permit.record_constraints",
            Command::RequestOpinion { .. } => "permit.request_opinion",
            Command::InterruptOpinion { .. } => "permit.interrupt_opinion",
            Command::ResumeOpinion { .. } => "permit.resume_opinion",
            Command::RecordOpinion { .. } => "permit.record_opinion",
            Command::ConveneConference { .. } => "permit.convene_conference",
            Command::RecordDetermination { .. } => "permit.record_determination",
            Command::OpenMeeting { .. } => "permit.open_meeting",
            Command::ConcludeConference { .. } => "permit.conclude_conference",
            Command::RaiseOpposition { .. } => "permit.raise_opposition",
            Command::EndOpposition { .. } => "permit.end_opposition",
            Command::Issue { .. } => "permit.issue",
            Command::Refuse { .. } => "permit.refuse",
            Command::Archive { .. } => "permit.archive",
            Command::RequestAttestation { .. } => "permit.request_attestation",
            Command::AnswerAttestation => "permit.answer_attestation",
            Command::InvokeSubstitute { .. } => "permit.invoke_substitute",
            Command::Annul { .. } => "permit.annul",
            Command::RecordContest { .. } => "permit.record_contest",
            Command::Publish { .. } => "permit.publish",
            Command::DetermineContribution { .. } => "permit.determine_contribution",
            Command::OffsetContribution { .. } => "permit.offset_contribution",
            Command::RecordPayment { .. } => "permit.record_payment",
            Command::StartWorks { .. } => "permit.start_works",
            Command::FinishWorks { .. } => "permit.finish_works",
            Command::RequestExtension { .. } => "permit.request_extension",
            Command::GrantExtension { .. } => "permit.grant_extension",
            Command::RefuseExtension { .. } => "permit.refuse_extension",
            Command::ExtendByLaw { .. } => "permit.extend_by_law",
            Command::DeclareLapse { .. } => "permit.declare_lapse",
            Command::Transfer { .. } => "permit.transfer",
            Command::ReportUsability { .. } => "permit.report_usability",
            Command::OrderConformation { .. } => "permit.order_conformation",
            Command::ReportConformation { .. } => "permit.report_conformation",
            Command::Prohibit { .. } => "permit.prohibit",
        }
    }

    /// What the command carries of an act.
    pub fn act(&self) -> Act<'_> {
        let reasoned = |field, text| Act { reasons: Some((field, text)), ..Act::default() };
        match self {
            Command::FindIrreceivable { reasons, appeal, .. }
            | Command::Annul { reasons, appeal, .. }
            | Command::RefuseExtension { reasons, appeal, .. }
            | Command::OrderConformation { reasons, appeal, .. }
            | Command::Prohibit { reasons, appeal } => {
                Act { appeal: Some(appeal), ..reasoned("reasons", reasons) }
            }
            Command::Archive { reasons, answers, appeal } => {
                Act { appeal: Some(appeal), answers: Some(answers), ..reasoned("reasons", reasons) }
            }
            Command::Refuse { reasons, answers, appeal, departure } => Act {
                appeal: Some(appeal),
                answers: Some(answers),
                departure: Some((Tenor::Negative, departure)),
                ..reasoned("reasons", reasons)
            },
            Command::Issue { departure, .. } => {
                Act { departure: Some((Tenor::Favourable, departure)), ..Act::default() }
            }
            Command::ConcludeConference { reasons, answers, .. } => {
                Act { answers: Some(answers), ..reasoned("reasons", reasons) }
            }
            Command::DeclareComplex { reasons }
            | Command::ApplySafeguards { reasons, .. }
            | Command::RecordConstraints { reasons, .. }
            | Command::RequestExtension { reasons, .. }
            | Command::GrantExtension { reasons, .. } => reasoned("reasons", reasons),
            Command::RequestAdditions { text, .. }
            | Command::RequestChanges { text, .. }
            | Command::RecordOpinion { text, .. } => reasoned("text", text),
            Command::EndOpposition { reference, .. }
            | Command::DeclareLapse { reference, .. }
            | Command::Publish { reference, .. } => reasoned("reference", reference),
            Command::OffsetContribution { agreement, .. } => reasoned("agreement", agreement),
            Command::ExtendByLaw { basis, .. } => reasoned("basis", basis),
            Command::Transfer { deed, .. } => reasoned("deed", deed),
            Command::RequestOpinion { body, .. } => reasoned("body", body),
            _ => Act::default(),
        }
    }

    /// The day that the command bears: its field, the day.
    pub(crate) fn dated(&self) -> Option<(&'static str, Date)> {
        Some(match self {
            Command::RequestAdditions { sent_on, .. } | Command::RequestChanges { sent_on, .. } => {
                ("sent_on", *sent_on)
            }
            Command::AnswerChanges { answered_on, .. } => ("answered_on", *answered_on),
            Command::ApplySafeguards { applied_on, .. } => ("applied_on", *applied_on),
            Command::EndSafeguards { ended_on } | Command::EndOpposition { ended_on, .. } => {
                ("ended_on", *ended_on)
            }
            Command::RequestOpinion { requested_on, .. }
            | Command::RequestAttestation { requested_on }
            | Command::RequestExtension { requested_on, .. } => ("requested_on", *requested_on),
            Command::InterruptOpinion { asked_on, .. } => ("asked_on", *asked_on),
            Command::ResumeOpinion { received_on, .. }
            | Command::RecordOpinion { received_on, .. }
            | Command::RecordDetermination { received_on, .. } => ("received_on", *received_on),
            Command::ConveneConference { convened_on, .. } => ("convened_on", *convened_on),
            Command::OpenMeeting { opened_on } => ("opened_on", *opened_on),
            Command::RaiseOpposition { raised_on, .. } => ("raised_on", *raised_on),
            Command::RecordContest { contested_on, .. } => ("contested_on", *contested_on),
            Command::Publish { published_on, .. } => ("published_on", *published_on),
            Command::RecordPayment { paid_on, .. } => ("paid_on", *paid_on),
            Command::StartWorks { started_on } => ("started_on", *started_on),
            Command::FinishWorks { finished_on } => ("finished_on", *finished_on),
            Command::DeclareLapse { in_force_on, .. } => ("in_force_on", *in_force_on),
            Command::Transfer { transferred_on, .. } => ("transferred_on", *transferred_on),
            Command::ReportUsability { reported_on, .. }
            | Command::ReportConformation { reported_on } => ("reported_on", *reported_on),
            _ => return None,
        })
    }
}
