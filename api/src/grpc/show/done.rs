//! What a command did: its events in words, the numbers given, the receipt of a filing.

use super::case::filing_number;
use super::{deadlines, event_facts, event_text, number, phase_text};
use crate::app::error::AppError;
use crate::app::handler::Outcome;
use crate::app::town::Town;
use crate::grpc::convert::{date_message, timestamp_message};
use crate::messages::{self, Facts, Language};
use pratica_domain::permit::Event as PermitEvent;
use pratica_domain::residency::Event as ResidencyEvent;
use pratica_domain::school::enrolment::Event as Filing;
use pratica_domain::{Event, case};
use pratica_proto::common::v1 as common;

/// What a command did, for the reply.
///
/// # Errors
/// When a term of the case cannot be reckoned.
pub(crate) fn outcome(
    town: &Town,
    done: &Outcome,
    language: Language,
) -> Result<common::CommandOutcome, AppError> {
    let today = pratica_domain::term::rome_date(town.clock.now());
    let deadlines: Vec<_> = deadlines(town, &done.case, today, language, false)?
        .into_iter()
        .filter(|d| d.status != "stopped")
        .collect();
    let events = done
        .events
        .iter()
        .map(|event| common::EventSummary {
            r#type: event.event_type().to_owned(),
            text: event_text(language, event.event_type(), &event_facts(event)),
        })
        .collect();
    let registrations = registrations(done);
    let receipt = receipt(done, &deadlines, language);
    Ok(common::CommandOutcome {
        case_id: done.case_id.to_string(),
        etag: done.etag(),
        position: done.position.get(),
        phase: done.case.phase().to_owned(),
        phase_text: phase_text(language, done.case.phase()),
        events,
        deadlines,
        replayed: done.replayed,
        registrations,
        receipt,
    })
}

/// The protocol numbers of the documents that the command added.
fn registrations(done: &Outcome) -> Vec<common::Registration> {
    done.events
        .iter()
        .filter_map(|event| match event {
            Event::Case(case::Event::DocumentAdded(added)) => {
                let document = done.case.file.documents.get(&added.document)?;
                Some(common::Registration {
                    document_id: added.document.to_string(),
                    kind: document.kind.clone(),
                    number: Some(number(document.number?)),
                })
            }
            _ => None,
        })
        .collect()
}

/// The receipt of a filing (L. 241/1990 art. 18-bis): number, terms and effect of silence.
fn receipt(
    done: &Outcome,
    deadlines: &[common::Deadline],
    language: Language,
) -> Option<common::Receipt> {
    let filed = done.events.iter().any(|e| {
        matches!(
            e,
            Event::Residency(ResidencyEvent::Declared(_))
                | Event::Permit(PermitEvent::Filed(_))
                | Event::Enrolment(Filing::Filed(_))
        )
    });
    let opening = done.case.file.opening.as_ref().filter(|_| filed)?;
    let filing_number = filing_number(&done.case.file);
    let silence = deadlines.iter().find(|d| d.effect_at_end == "silence_assent");
    let silence_text = match silence {
        Some(term) => {
            let mut facts = Facts::new();
            facts.insert("term".to_owned(), term.title.clone());
            let due = term
                .due_date
                .as_ref()
                .map(|d| format!("{:04}-{:02}-{:02}", d.year, d.month, d.day));
            facts.insert("end".to_owned(), due.unwrap_or_default());
            facts.insert("article".to_owned(), term.article.clone());
            messages::text(language, "receipt.silence_assent", &facts)
        }
        None => messages::plain(language, "receipt.no_silence"),
    };
    Some(common::Receipt {
        number: filing_number.map(number),
        file_time: Some(timestamp_message(opening.filed_at)),
        filing_date: Some(date_message(opening.filed_on)),
        terms: deadlines.to_vec(),
        silence_text,
        office: done.case.file.office.as_ref().map(ToString::to_string).unwrap_or_default(),
    })
}
