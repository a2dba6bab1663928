//! A case: as a row of a list, and in full.

use super::{deadlines, direction, number, person, phase_text, word};
use crate::app::error::AppError;
use crate::app::handler::etag;
use crate::app::town::Town;
use crate::grpc::convert::date_message;
use crate::messages::Language;
use jiff::civil::Date;
use pratica_domain::Case;
use pratica_domain::case::{self, CaseFile, ClockEffect, PartyRole, RequestState};
use pratica_domain::ids::ProtocolNumber;
use pratica_projections::CaseRow;
use pratica_proto::cases::v1 as cases;

/// A row of a list; `internal` for staff.
///
/// # Errors
/// When its sealed data was altered.
pub(crate) fn row(
    town: &Town,
    row: &CaseRow,
    today: Date,
    language: Language,
    internal: bool,
) -> Result<cases::CaseSummary, AppError> {
    let applicant = match &row.applicant {
        None => String::new(),
        Some(person) => town.read(&row.stream, person)?.value.name(),
    };
    Ok(cases::CaseSummary {
        case_id: row.case.to_string(),
        procedure: row.procedure.clone(),
        kind: row.kind.clone(),
        phase: row.phase.clone(),
        phase_text: phase_text(language, &row.phase),
        closed: row.closed,
        filing_date: Some(date_message(row.filed_on)),
        close_date: row.closed_on.map(date_message),
        office: row.office.clone().unwrap_or_default(),
        officer: row.officer.clone().filter(|_| internal).unwrap_or_default(),
        responsible: row.responsible.clone().unwrap_or_default(),
        due_date: row.due_on.map(date_message),
        due_term: row.due_term.clone().unwrap_or_default(),
        overdue: row.overdue(today),
        waits_for_citizen: row.waits_for_citizen,
        protocol_number: row.protocol.map(number),
        applicant,
        reference: row.reference.clone().unwrap_or_default(),
        etag: row.revision.get().to_string(),
        erase_date: row.erased_on.map(date_message),
    })
}

/// A folded case in full; `internal` for staff.
///
/// # Errors
/// When a term of the case cannot be reckoned.
pub(crate) fn detail(
    town: &Town,
    id: pratica_domain::ids::CaseId,
    case: &Case,
    language: Language,
    today: Date,
    internal: bool,
) -> Result<cases::CaseDetail, AppError> {
    let file = &case.file;
    let deadlines = deadlines(town, case, today, language, false)?;
    let next = deadlines.iter().find(|d| d.status != "stopped" && d.due_date.is_some());
    let opening = file.opening.as_ref();
    let summary = cases::CaseSummary {
        case_id: id.to_string(),
        procedure: case.procedure().map_or("", case::Procedure::as_str).to_owned(),
        kind: opening.map(|o| o.kind.clone()).unwrap_or_default(),
        phase: case.phase().to_owned(),
        phase_text: phase_text(language, case.phase()),
        closed: file.closure.is_some(),
        filing_date: opening.map(|o| date_message(o.filed_on)),
        close_date: file.closure.as_ref().map(|c| date_message(c.closed_on)),
        office: file.office.as_ref().map(ToString::to_string).unwrap_or_default(),
        // Citizens learn the responsible officer (L. 241/1990 art. 5), not who has the file now.
        officer: file
            .officer
            .as_ref()
            .filter(|_| internal)
            .map(ToString::to_string)
            .unwrap_or_default(),
        responsible: file.responsible.as_ref().map(ToString::to_string).unwrap_or_default(),
        due_date: next.and_then(|d| d.due_date),
        due_term: next.map(|d| d.term.clone()).unwrap_or_default(),
        overdue: deadlines.iter().any(|d| d.overdue),
        waits_for_citizen: file.waits_for_citizen(),
        protocol_number: filing_number(file).map(number),
        applicant: file
            .applicant()
            .map(|(_, p)| {
                let person = &p.person.value;
                format!("{} {}", person.family_name, person.given_name).trim().to_owned()
            })
            .unwrap_or_default(),
        reference: opening.and_then(|o| o.reference.clone()).unwrap_or_default(),
        etag: etag(case),
        erase_date: file.disposal.erased_on().map(date_message),
    };
    Ok(cases::CaseDetail {
        summary: Some(summary),
        parties: file
            .parties
            .iter()
            .map(|(subject, party)| cases::PartyView {
                party_id: subject.to_string(),
                role: party_role(party.role).to_owned(),
                person: Some(person(&party.person.value)),
            })
            .collect(),
        documents: documents(file),
        requests: requests(file),
        deadlines,
        links: file
            .links
            .iter()
            .map(|(other, kind)| cases::LinkView { case_id: other.to_string(), kind: word(kind) })
            .collect(),
        rules_version: case.rules_version().to_owned(),
        suspensions: file
            .suspensions
            .iter()
            .map(|(id, (term, open))| cases::SuspensionView {
                suspension_id: id.to_string(),
                term: term.to_string(),
                open: *open,
            })
            .collect(),
        representations: file
            .representations
            .iter()
            .map(|(id, r)| cases::RepresentationView {
                representation_id: id.to_string(),
                agent_party_id: r.agent.to_string(),
                principal_party_id: r.principal.to_string(),
                title: word(&r.title),
                until_date: r.until.map(date_message),
                ended: r.ended,
                evidence_document_id: r.evidence.map(|d| d.to_string()).unwrap_or_default(),
            })
            .collect(),
        notices: file
            .terms
            .notices()
            .iter()
            .map(|n| cases::NoticeView {
                notice_entry_id: n.notice.to_string(),
                send_date: Some(date_message(n.sent.0)),
                receive_date: n.received.map(|(on, _)| date_message(on)),
                observe_date: n.observed.map(|(on, _)| date_message(on)),
            })
            .collect(),
        proposal: file.proposal.as_ref().filter(|_| internal).map(|p| cases::ProposalView {
            proposal_entry_id: p.proposal.to_string(),
            by: p.by.to_string(),
            tenor: word(&p.outcome),
        }),
    })
}

/// The protocol number of the filing: the declaration's or the application's.
pub(super) fn filing_number(file: &CaseFile) -> Option<ProtocolNumber> {
    let filing = |kind: &str| matches!(kind, "declaration" | "application");
    file.documents.values().find(|d| filing(&d.kind)).and_then(|d| d.number)
}

fn party_role(role: PartyRole) -> &'static str {
    match role {
        PartyRole::Applicant => "applicant",
        PartyRole::Member => "member",
        PartyRole::Intervener => "intervener",
        PartyRole::Representative => "representative",
    }
}

fn documents(file: &CaseFile) -> Vec<cases::DocumentView> {
    file.documents
        .iter()
        .map(|(id, d)| {
            let attached = d.attached_to.and_then(|to| file.documents.get(&to));
            cases::DocumentView {
                document_id: id.to_string(),
                kind: d.kind.clone(),
                direction: direction(d.direction).into(),
                sha256: d.sha256.clone(),
                media_type: d.media_type.clone(),
                size_bytes: d.size_bytes,
                document_date: Some(date_message(d.dated_on)),
                version: d.version,
                replaced_by_document_id: d.replaced_by.map(|r| r.to_string()).unwrap_or_default(),
                number: d.number.or(attached.and_then(|a| a.number)).map(number),
            }
        })
        .collect()
}

fn requests(file: &CaseFile) -> Vec<cases::RequestView> {
    file.requests
        .iter()
        .map(|(id, r)| cases::RequestView {
            request_entry_id: id.to_string(),
            kind: word(&r.kind),
            state: match r.state {
                RequestState::Open => "open",
                RequestState::Answered(_) => "answered",
                RequestState::Lapsed => "lapsed",
                RequestState::Cancelled => "cancelled",
            }
            .to_owned(),
            send_date: Some(date_message(r.sent_on)),
            stops_term: match &r.clock {
                ClockEffect::None => String::new(),
                ClockEffect::Suspends { term, .. } | ClockEffect::Interrupts { term } => {
                    term.to_string()
                }
            },
        })
        .collect()
}
