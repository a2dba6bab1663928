//! What crosses streams: pure reactions to events. The shell delivers what they ask for, at least
//! once; every request they make derives from the event, so that a second delivery changes nothing.

use crate::case::{self, Direction};
use crate::decider::Case;
use crate::event::Event;
use crate::ids::{CaseId, SubjectId};
use crate::people::Personal;
use crate::register::Entry;

/// A document of a case that needs a protocol number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToRegister {
    /// What the register is to hold.
    pub entry: Entry,
}

/// The register's process: every incoming or outgoing document of a case gets a number
/// (DPR 445/2000 art. 53 c. 5). Attachments share the number of what they are attached to;
/// imported histories have the numbers of their own time.
pub fn documents_to_register(case_id: CaseId, case: &Case, event: &Event) -> Option<ToRegister> {
    let Event::Case(case::Event::DocumentAdded(added)) = event else { return None };
    let imported = case.file.opening.as_ref().is_some_and(|o| o.channel == case::Channel::Import);
    if added.direction == Direction::Internal || added.attached_to.is_some() || imported {
        return None;
    }
    let (subject, correspondent) = case.file.applicant().map_or_else(
        || (SubjectId(case_id.0), case_id.to_string()),
        |(subject, party)| {
            let person = &party.person;
            let name = if person.is_readable() {
                person.value.name()
            } else {
                // Erased: the register names the case.
                case_id.to_string()
            };
            (*subject, name)
        },
    );
    let procedure = case.procedure().map_or("", case::Procedure::as_str);
    Some(ToRegister {
        entry: Entry {
            direction: added.direction,
            correspondent: Personal::new(subject, correspondent),
            object: Personal::new(subject, format!("{procedure}: {}", added.kind)),
            sha256: added.sha256.clone(),
            case: Some(case_id),
            document: Some(added.document),
            filed_on: Some(added.dated_on),
            emergency_number: None,
        },
    })
}
