//! Acts and messages as documents: what goes out or comes in enters the case's file with its hash,
//! so that the register's process can give it a number (DPR 445/2000 art. 53).

use super::commands::Attachment;
use super::events::{Direction, DocumentAdded, Event as CaseEvent};
use crate::context::Context;
use crate::event::{Event, Occurrence};
use crate::ids::{DocumentId, derived};
use crate::{permit, residency};
use jiff::civil::Date;

/// What kind of document an event is, and which way it goes; most events are none.
fn document_of(event: &Event) -> Option<(&'static str, Direction)> {
    use Direction::{Incoming, Outgoing};
    match event {
        Event::Case(e) => match e {
            CaseEvent::RequestSent(_) => Some(("request", Outgoing)),
            CaseEvent::NoticeSent(_) => Some(("rejection_notice", Outgoing)),
            CaseEvent::ObservationsFiled(_) => Some(("observations", Incoming)),
            CaseEvent::MessageSent(m) => Some(("message", m.direction)),
            CaseEvent::Withdrawn(_) => Some(("withdrawal", Incoming)),
            _ => None,
        },
        Event::Residency(e) => match e {
            residency::Event::Declared(_) => Some(("declaration", Incoming)),
            residency::Event::Completed(_) => Some(("completion", Incoming)),
            residency::Event::Registered(_) => Some(("start_communication", Outgoing)),
            residency::Event::FoundIrreceivable(_) => Some(("irreceivability_act", Outgoing)),
            residency::Event::SilenceAttested(_) => Some(("silence_attestation", Outgoing)),
            residency::Event::PositionRestored(_) => Some(("restoration_act", Outgoing)),
            residency::Event::Cancelled(_) => Some(("cancellation_act", Outgoing)),
            residency::Event::Invited(_) => Some(("invitation", Outgoing)),
            residency::Event::Reported(_) => Some(("report", Outgoing)),
            _ => None,
        },
        Event::Permit(e) => of_a_permit(e),
        Event::Imported(_) | Event::Register(_) => None,
    }
}

fn of_a_permit(event: &permit::Event) -> Option<(&'static str, Direction)> {
    use Direction::{Incoming, Outgoing};
    use permit::Event::*;
    Some(match event {
        Filed(_) => ("application", Incoming),
        FoundIrreceivable(_) => ("irreceivability_act", Outgoing),
        DeclaredComplex(_) => ("complexity_resolution", Outgoing),
        ChangesAnswered(_) => ("changes_answer", Incoming),
        SafeguardsApplied(_) => ("safeguards_act", Outgoing),
        OpinionRequested(_) => ("opinion_request", Outgoing),
        OpinionReceived(_) => ("opinion", Incoming),
        ConferenceConvened(_) => ("conference_convocation", Outgoing),
        DeterminationReceived(_) => ("determination", Incoming),
        ConferenceConcluded(_) => ("conference_determination", Outgoing),
        OppositionRaised(_) => ("opposition", Incoming),
        // A positive determination is the title itself: it goes out once.
        Issued(e) if e.conference.is_some() => return None,
        Issued(_) => ("permit", Outgoing),
        Refused(_) => ("refusal_act", Outgoing),
        Archived(_) => ("archiving_act", Outgoing),
        SilenceAttested(_) => ("silence_attestation", Outgoing),
        AttestationRequested(_) => ("attestation_request", Incoming),
        AttestationDenied(_) => ("attestation_answer", Outgoing),
        Annulled(_) => ("annulment_act", Outgoing),
        ContributionDetermined(_) => ("contribution_demand", Outgoing),
        WorksStarted(_) => ("works_start_notice", Incoming),
        WorksFinished(_) => ("works_end_notice", Incoming),
        ExtensionRequested(_) => ("extension_request", Incoming),
        ExtensionGranted(_) | ExtensionRefused(_) => ("extension_act", Outgoing),
        Lapsed(e) if e.ground == permit::LapseGround::NewPlan => ("lapse_act", Outgoing),
        Transferred(_) => ("transfer_act", Outgoing),
        UsabilityReported(_) => ("usability_report", Incoming),
        ConformationOrdered(_) => ("conformation_order", Outgoing),
        ConformationReported(_) => ("conformation_report", Incoming),
        Prohibited(e) if e.reasons.is_some() => ("prohibition_act", Outgoing),
        _ => return None,
    })
}

/// Adds a document for each event that is one.
pub(crate) fn write_down(events: &mut Vec<Event>, ctx: &Context<'_>) {
    let mut documents = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let Some((kind, direction)) = document_of(event) else { continue };
        let written = (ctx.written)(event);
        let dated_on = match event.occurred_on() {
            Some(Occurrence::Day(day)) => day,
            Some(Occurrence::Instant(at)) => crate::term::rome_date(at),
            None => ctx.today(),
        };
        documents.push(DocumentAdded {
            document: DocumentId(derived(ctx.request_id, &format!("written {index}"))),
            kind: kind.to_owned(),
            media_type: written.media_type.to_owned(),
            size_bytes: written.size_bytes,
            sha256: written.sha256,
            direction,
            dated_on,
            version: 1,
            replaces: None,
            attached_to: None,
        });
    }
    events.extend(documents.into_iter().map(|d| Event::Case(d.into())));
}

/// Adds the documents that came with a filing, under the number of what was filed.
pub(crate) fn attach(
    events: &mut Vec<Event>,
    attachments: &[Attachment],
    filed_on: Date,
    main: DocumentId,
    ctx: &Context<'_>,
) {
    for (index, a) in attachments.iter().enumerate() {
        let document = DocumentAdded {
            document: DocumentId(ctx.new_id(&format!("attachment {index}"))),
            kind: a.kind.clone(),
            media_type: a.media_type.clone(),
            size_bytes: a.size_bytes,
            sha256: a.sha256.clone(),
            direction: Direction::Incoming,
            dated_on: filed_on,
            version: 1,
            replaces: None,
            attached_to: Some(main),
        };
        events.push(Event::Case(document.into()));
    }
}

/// The identifier that the document written for the event at `index` of a request gets.
pub(crate) fn written_id(ctx: &Context<'_>, index: usize) -> DocumentId {
    DocumentId(derived(ctx.request_id, &format!("written {index}")))
}
