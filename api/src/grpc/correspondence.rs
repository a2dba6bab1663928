//! What was written in a case, read from its events: the words that no view keeps.

use super::convert::timestamp_message;
use super::show;
use crate::app::load;
use crate::app::{AppError, Town};
use pratica_domain::Event;
use pratica_domain::case::{self, Direction};
use pratica_domain::ids::DocumentId;
use pratica_domain::people::Personal;
use pratica_proto::cases::v1::CorrespondenceEntry;
use pratica_store::RecordedEvent;

/// The entry that an event is, if it is one and may be shown.
pub(crate) fn entry(
    town: &Town,
    recorded: &RecordedEvent,
    internal: bool,
) -> Result<Option<CorrespondenceEntry>, AppError> {
    let Event::Case(event) = load::open(town, recorded)? else { return Ok(None) };
    let one = |text: Personal<String>| vec![text.value];
    let written = match event {
        case::Event::MessageSent(e) => {
            Some((e.message.to_string(), "message", e.direction, one(e.text), e.documents))
        }
        case::Event::RequestSent(e) => {
            Some((e.request.to_string(), "request", Direction::Outgoing, one(e.text), Vec::new()))
        }
        case::Event::NoticeSent(e) => {
            let reasons = e.reasons.into_iter().map(|r| r.value).collect();
            Some((e.notice.to_string(), "notice", Direction::Outgoing, reasons, Vec::new()))
        }
        case::Event::ObservationsFiled(e) => {
            let id = e.observations.to_string();
            Some((id, "observations", Direction::Incoming, one(e.text), e.documents))
        }
        case::Event::Withdrawn(e) => {
            let texts = e.reason.map(one).unwrap_or_default();
            let id = recorded.id.to_string();
            Some((id, "withdrawal", Direction::Incoming, texts, Vec::new()))
        }
        case::Event::NoteAdded(e) if internal => {
            Some((e.note.to_string(), "note", Direction::Internal, one(e.text), Vec::new()))
        }
        _ => None,
    };
    let Some((entry_id, kind, direction, texts, documents)) = written else { return Ok(None) };
    // An internal message is a note between offices: citizens do not see it.
    if direction == Direction::Internal && !internal {
        return Ok(None);
    }
    let metadata = recorded.metadata().map_err(|e| AppError::store("reading metadata", e))?;
    Ok(Some(CorrespondenceEntry {
        entry_id,
        kind: kind.to_owned(),
        direction: show::direction(direction).into(),
        texts,
        occur_time: Some(timestamp_message(recorded.occurred_at)),
        role: metadata.role,
        actor: if internal { metadata.actor } else { String::new() },
        document_ids: documents.iter().map(DocumentId::to_string).collect(),
        revision: recorded.revision.get(),
    }))
}
