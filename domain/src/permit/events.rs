//! The facts of a building permit that no other procedure has.

mod conference;
mod decision;
mod filing;
mod review;
mod title;

pub use conference::*;
pub use decision::*;
pub use filing::*;
pub use review::*;
pub use title::*;

use crate::case::Closure;
use crate::event::{Occurrence, events};

events! {
    /// A fact of a building permit.
    pub enum Event {
        /// The application, notice or communication was filed.
        Filed = "permit.filed" v 1,
        /// The application is manifestly irreceivable.
        FoundIrreceivable = "permit.found_irreceivable" v 1,
        /// The project was declared particularly complex.
        DeclaredComplex = "permit.declared_complex" v 1,
        /// The applicant answered a request for minor changes.
        ChangesAnswered = "permit.changes_answered" v 1,
        /// Safeguard measures suspend the decision.
        SafeguardsApplied = "permit.safeguards_applied" v 1,
        /// Safeguard measures no longer suspend.
        SafeguardsEnded = "permit.safeguards_ended" v 1,
        /// The constraints on the property were established.
        ConstraintsRecorded = "permit.constraints_recorded" v 1,
        /// Another body was asked for its opinion or assent.
        OpinionRequested = "permit.opinion_requested" v 1,
        /// The body needs more before it can say.
        OpinionInterrupted = "permit.opinion_interrupted" v 1,
        /// The body got what it needed.
        OpinionResumed = "permit.opinion_resumed" v 1,
        /// The body said.
        OpinionReceived = "permit.opinion_received" v 1,
        /// The body's time ran out in silence.
        OpinionLapsed = "permit.opinion_lapsed" v 1,
        /// The conferenza was convened.
        ConferenceConvened = "permit.conference_convened" v 1,
        /// A body gave its determination.
        DeterminationReceived = "permit.determination_received" v 1,
        /// A body's time ran out: its silence is unconditional assent.
        BodyAssentedBySilence = "permit.body_assented_by_silence" v 1,
        /// The conferenza meets.
        MeetingOpened = "permit.meeting_opened" v 1,
        /// The conferenza was concluded.
        ConferenceConcluded = "permit.conference_concluded" v 1,
        /// A qualified body opposed the determination.
        OppositionRaised = "permit.opposition_raised" v 1,
        /// The opposition ended.
        OppositionEnded = "permit.opposition_ended" v 2,
        /// The permit was issued.
        Issued = "permit.issued" v 1,
        /// The permit was refused.
        Refused = "permit.refused" v 1,
        /// The application was archived.
        Archived = "permit.archived" v 1,
        /// The term ran out in silence: the permit is granted.
        GrantedBySilence = "permit.granted_by_silence" v 1,
        /// The attestation of elapsed terms was issued.
        SilenceAttested = "permit.silence_attested" v 1,
        /// The attestation was asked for.
        AttestationRequested = "permit.attestation_requested" v 1,
        /// The applicant was told that acts stand against the attestation.
        AttestationDenied = "permit.attestation_denied" v 1,
        /// The substitute took the case.
        SubstituteInvoked = "permit.substitute_invoked" v 1,
        /// The title was annulled.
        Annulled = "permit.annulled" v 2,
        /// Somebody contested the decision.
        Contested = "permit.contested" v 2,
        /// The title was published.
        Published = "permit.published" v 2,
        /// The contribution was determined.
        ContributionDetermined = "permit.contribution_determined" v 1,
        /// Works take the place of part of the contribution.
        ContributionOffset = "permit.contribution_offset" v 2,
        /// An instalment was paid, or part of it.
        PaymentRecorded = "permit.payment_recorded" v 1,
        /// Works began.
        WorksStarted = "permit.works_started" v 1,
        /// Works ended.
        WorksFinished = "permit.works_finished" v 1,
        /// More time for the works was asked for.
        ExtensionRequested = "permit.extension_requested" v 1,
        /// More time was given.
        ExtensionGranted = "permit.extension_granted" v 1,
        /// More time was refused.
        ExtensionRefused = "permit.extension_refused" v 1,
        /// The law itself gave more time.
        ExtendedByLaw = "permit.extended_by_law" v 1,
        /// The title lapsed for what was not carried out.
        Lapsed = "permit.lapsed" v 2,
        /// The title went to a new holder.
        Transferred = "permit.transferred" v 1,
        /// The certified report of usability was filed.
        UsabilityReported = "permit.usability_reported" v 1,
        /// What was reported must be conformed to the rules.
        ConformationOrdered = "permit.conformation_ordered" v 1,
        /// Compliance was communicated.
        ConformationReported = "permit.conformation_reported" v 1,
        /// What was reported was forbidden.
        Prohibited = "permit.prohibited" v 1,
        /// The time to control ran out.
        ControlEnded = "permit.control_ended" v 1,
    }
}

impl Event {
    /// When the fact counts, if not at the moment of the decision.
    pub fn occurred_on(&self) -> Option<Occurrence> {
        use Occurrence::{Day, Instant};
        Some(match self {
            Event::Filed(e) => Instant(e.filed_at),
            Event::ChangesAnswered(e) => Day(e.answered_on),
            Event::SafeguardsApplied(e) => Day(e.applied_on),
            Event::SafeguardsEnded(e) => Day(e.ended_on),
            Event::OpinionRequested(e) => Day(e.requested_on),
            Event::OpinionInterrupted(e) => Day(e.asked_on),
            Event::OpinionResumed(e) => Day(e.received_on),
            Event::OpinionReceived(e) => Day(e.received_on),
            Event::OpinionLapsed(e) => Instant(e.legal_at),
            Event::ConferenceConvened(e) => Day(e.convened_on),
            Event::DeterminationReceived(e) => Day(e.received_on),
            Event::BodyAssentedBySilence(e) => Instant(e.legal_at),
            Event::MeetingOpened(e) => Day(e.opened_on),
            Event::OppositionRaised(e) => Day(e.raised_on),
            Event::OppositionEnded(e) => Day(e.ended_on),
            Event::GrantedBySilence(e) => Instant(e.legal_at),
            Event::AttestationRequested(e) => Day(e.requested_on),
            Event::Contested(e) => Day(e.contested_on),
            Event::Published(e) => Day(e.published_on),
            Event::PaymentRecorded(e) => Day(e.paid_on),
            Event::WorksStarted(e) => Day(e.started_on),
            Event::WorksFinished(e) => Day(e.finished_on),
            Event::ExtensionRequested(e) => Day(e.requested_on),
            Event::Lapsed(e) => Instant(e.legal_at),
            Event::Transferred(e) => Day(e.transferred_on),
            Event::UsabilityReported(e) => Day(e.reported_on),
            Event::ConformationReported(e) => Day(e.reported_on),
            Event::ControlEnded(e) => Instant(e.legal_at),
            _ => return None,
        })
    }

    /// How the procedure ends with this event, if it does. What becomes of the title afterwards is
    /// the title's life, not another end.
    pub fn closes(&self) -> Option<Closure> {
        let (outcome, closed_on) = match self {
            Event::FoundIrreceivable(e) => ("irreceivable", e.found_on),
            Event::Issued(e) => ("granted", e.issued_on),
            Event::GrantedBySilence(e) => ("granted_by_silence", e.effective_on),
            Event::Refused(e) if e.effect == RefusalEffect::Effective => ("refused", e.refused_on),
            Event::Archived(e) => ("archived", e.archived_on),
            Event::Filed(e) if e.kind == Kind::Communication => {
                ("communicated", crate::term::rome_date(e.filed_at))
            }
            Event::ControlEnded(e) if e.of == Controlled::Notice => ("consolidated", e.ended_on),
            Event::Prohibited(e) if e.of == Controlled::Notice => ("prohibited", e.prohibited_on),
            _ => return None,
        };
        Some(Closure { outcome, closed_on })
    }
}
