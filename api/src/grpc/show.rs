//! Domain and view values as messages of the contract, in the language asked for.

use super::convert::{date_message, timestamp_message};
use crate::app::error::AppError;
use crate::app::handler::{Outcome, etag};
use crate::app::town::Town;
use crate::messages::{self, Facts, Language, facts_of};
use jiff::civil::Date;
use pratica_domain::case::{
    self, CaseFile, ClockEffect, Direction, PartyRole, ReckonedTerm, RequestState,
};
use pratica_domain::ids::ProtocolNumber;
use pratica_domain::people::Person;
use pratica_domain::permit::Event as PermitEvent;
use pratica_domain::residency::Event as ResidencyEvent;
use pratica_domain::school::enrolment::Event as Filing;
use pratica_domain::term::TermStatus;
use pratica_domain::{Case, Event};
use pratica_projections::{CaseRow, RegistrationRow, TimelineRow};
use pratica_proto::cases::v1 as cases;
use pratica_proto::common::v1 as common;
use pratica_proto::register::v1 as register;

/// The word of a serde enum, such as `silence_assent`.
pub(crate) fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A phase in words.
pub(crate) fn phase_text(language: Language, phase: &str) -> String {
    messages::plain(language, &format!("phase.{phase}"))
}

pub(crate) fn direction(direction: Direction) -> common::Direction {
    match direction {
        Direction::Incoming => common::Direction::Incoming,
        Direction::Outgoing => common::Direction::Outgoing,
        Direction::Internal => common::Direction::Internal,
    }
}

pub(crate) fn number(number: ProtocolNumber) -> common::ProtocolNumber {
    common::ProtocolNumber {
        year: i32::from(number.year),
        number: number.number,
        text: number.to_string(),
    }
}

pub(crate) fn person(person: &Person) -> common::Person {
    common::Person {
        given_name: person.given_name.clone(),
        family_name: person.family_name.clone(),
        fiscal_code: person.fiscal_code.as_ref().map(|c| c.as_str().to_owned()).unwrap_or_default(),
        birth_date: person.birth_date.map(date_message),
        contact: person.contact.clone().unwrap_or_default(),
    }
}

/// The terms of a case as they stand on a day, without their steps.
///
/// # Errors
/// When a term cannot be reckoned by the rules that the case pinned.
pub(crate) fn deadlines(
    town: &Town,
    case: &Case,
    today: Date,
    language: Language,
    with_steps: bool,
) -> Result<Vec<common::Deadline>, AppError> {
    let Some(rules) = town.rules.book.version(case.rules_version()) else { return Ok(Vec::new()) };
    let calendar = &town.rules.calendar;
    let fault = |e: pratica_domain::term::TermError| AppError::Fault {
        doing: "reckoning a term",
        source: Box::new(e),
        transient: false,
    };
    let mut shown = Vec::new();
    for term in case.file.terms.reckon_all(rules, calendar).map_err(fault)? {
        let resumed = match term.reckoning.status {
            TermStatus::Suspended { .. } | TermStatus::Interrupted { .. } => case
                .file
                .terms
                .end_if_resumed_on(&term.key, today, rules, calendar)
                .map_err(fault)?,
            TermStatus::Running | TermStatus::Stopped { .. } => None,
        };
        shown.push(deadline(&term, today, resumed, language, with_steps));
    }
    // Open terms first, the earliest due date first; the others after them.
    shown.sort_by_key(|d| {
        let due = d.due_date.as_ref().map(|d| (d.year, d.month, d.day));
        (d.status == "stopped", due.is_none(), due)
    });
    Ok(shown)
}

fn deadline(
    term: &ReckonedTerm,
    today: Date,
    resumed: Option<Date>,
    language: Language,
    with_steps: bool,
) -> common::Deadline {
    let reckoning = &term.reckoning;
    let status = match reckoning.status {
        TermStatus::Running => "running",
        TermStatus::Suspended { .. } => "suspended",
        TermStatus::Interrupted { .. } => "interrupted",
        TermStatus::Stopped { .. } => "stopped",
    };
    let title = match language {
        Language::It => &term.rule.title_it,
        Language::En => &term.rule.title_en,
    };
    common::Deadline {
        term: term.key.to_string(),
        title: title.clone(),
        article: reckoning.article.clone(),
        status: status.to_owned(),
        due_date: reckoning.end.map(date_message),
        raw_date: reckoning.raw_end.map(date_message),
        warn_date: reckoning.warn_on.map(date_message),
        owner: word(&reckoning.owner),
        effect_at_end: word(&reckoning.effect_at_end),
        overdue: term.is_open() && reckoning.end.is_some_and(|end| end < today),
        due_date_if_resumed_today: resumed.map(date_message),
        steps: if with_steps { steps(term, language) } else { Vec::new() },
        rules_version: reckoning.rules_version.clone(),
        calendar_version: reckoning.calendar_version.clone(),
        expiry_recorded: term.expired_for.is_some() && term.expired_for == reckoning.end,
    }
}

/// The arithmetic of a term in words.
pub(crate) fn steps(term: &ReckonedTerm, language: Language) -> Vec<common::DeadlineStep> {
    reckoning_steps(&term.reckoning, language)
}

/// The arithmetic of a reckoning in words.
pub fn reckoning_steps(
    reckoning: &pratica_domain::term::Reckoning,
    language: Language,
) -> Vec<common::DeadlineStep> {
    reckoning
        .steps
        .iter()
        .map(|step| {
            let value = serde_json::to_value(step).unwrap_or_default();
            let facts = facts_of(&value);
            let kind = facts.get("step").cloned().unwrap_or_default();
            // What is skipped or passed over gets a sentence of its own, only where there is some.
            let mut text = messages::text(language, &format!("step.{kind}"), &facts);
            for detail in ["skipped", "over"] {
                if facts.get(detail).is_some_and(|d| !d.is_empty()) {
                    text.push(' ');
                    text.push_str(&messages::text(language, &format!("step.{detail}"), &facts));
                }
            }
            common::DeadlineStep {
                kind,
                text,
                article: step.article.clone().unwrap_or_default(),
                event_revision: step.event,
                event_type: step.event_type.clone().unwrap_or_default(),
            }
        })
        .collect()
}

/// What an event says, in words and without personal data.
pub(crate) fn event_text(language: Language, event_type: &str, facts: &Facts) -> String {
    messages::text(language, &format!("timeline.{event_type}"), facts)
}

/// What an event of any stream says, from its own facts.
pub(crate) fn told(language: Language, event: &Event) -> String {
    event_text(language, event.event_type(), &event_facts(event))
}

fn event_facts(event: &Event) -> Facts {
    let payload = pratica_store::codec::payload(event).unwrap_or_default();
    let mut value: serde_json::Value = serde_json::from_slice(&payload).unwrap_or_default();
    without_personal(&mut value);
    facts_of(&value)
}

/// Takes personal data out of a payload, sealed or not: every object with a subject and either.
pub(crate) fn without_personal(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            let personal = fields.contains_key("value") || fields.contains_key("sealed");
            if fields.contains_key("subject") && personal {
                fields.remove("value");
                fields.remove("sealed");
                fields.insert("personal".to_owned(), serde_json::Value::Bool(true));
                return;
            }
            fields.values_mut().for_each(without_personal);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_personal),
        _ => {}
    }
}

/// Says of personal data that is still sealed in an opened payload that it is erased.
pub(crate) fn mark_erased(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            if fields.contains_key("subject") && fields.remove("sealed").is_some() {
                fields.insert("erased".to_owned(), serde_json::Value::Bool(true));
                return;
            }
            fields.values_mut().for_each(mark_erased);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(mark_erased),
        _ => {}
    }
}

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

/// The protocol number of the filing: the declaration's or the application's.
fn filing_number(file: &CaseFile) -> Option<ProtocolNumber> {
    let filing = |kind: &str| matches!(kind, "declaration" | "application");
    file.documents.values().find(|d| filing(&d.kind)).and_then(|d| d.number)
}

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

/// A step of the timeline in words.
pub(crate) fn timeline(
    row: &TimelineRow,
    rules: Option<&pratica_domain::term::RuleSet>,
    language: Language,
) -> cases::TimelineEntry {
    let mut facts = facts_of(&serde_json::Value::Object(row.args.clone()));
    for (name, value) in facts.clone() {
        if let Some(last) = name.rsplit('.').next() {
            facts.entry(last.to_owned()).or_insert(value);
        }
    }
    // A term is named by its title; what its end means depends on who had to act.
    let mut key = row.event_type.clone();
    let rule = facts.get("term").and_then(|t| {
        let id = t.split('#').next().unwrap_or(t);
        rules?.term(&id.into()).ok()
    });
    if let Some(rule) = rule {
        let title = match language {
            Language::It => &rule.title_it,
            Language::En => &rule.title_en,
        };
        facts.insert("term".to_owned(), title.clone());
        if key == "case.term_expired" && rule.owner != pratica_domain::term::TermOwner::Office {
            key.push_str("_by_others");
        }
    }
    cases::TimelineEntry {
        revision: row.revision.get(),
        event_type: row.event_type.clone(),
        text: event_text(language, &key, &facts),
        occur_time: Some(timestamp_message(row.occurred_at)),
        record_time: Some(timestamp_message(row.recorded_at)),
        role: row.role.clone(),
        actor: row.actor.clone(),
    }
}

/// A registration.
///
/// # Errors
/// When its sealed data was altered.
pub(crate) fn registration(
    town: &Town,
    row: &RegistrationRow,
) -> Result<register::RegistrationView, AppError> {
    let stream = town.register_stream(row.number.year)?;
    let read = |words| Ok::<_, AppError>(town.read(stream.as_str(), words)?.value);
    // Acts about the register stand in a stream of their own.
    let acts = town.stream(&format!("register_acts-{}", row.number.year))?;
    let read_act = |words| Ok::<_, AppError>(town.read(acts.as_str(), words)?.value);
    let annulment = match &row.annulment {
        None => None,
        Some(a) => Some(register::Annulment {
            annul_date: Some(date_message(a.annulled_on)),
            reason: read_act(&a.reason)?,
            authorisation: read_act(&a.authorisation)?,
            by: a.by.clone(),
        }),
    };
    Ok(register::RegistrationView {
        number: Some(number(row.number)),
        register_date: Some(date_message(row.registered_on)),
        direction: direction(row.direction).into(),
        correspondent: read(&row.correspondent)?,
        object: read(&row.object)?,
        sha256: row.sha256.clone(),
        case_id: row.case.map(|c| c.to_string()).unwrap_or_default(),
        document_id: row.document.map(|d| d.to_string()).unwrap_or_default(),
        filing_date: row.filed_on.map(date_message),
        emergency_number: row.emergency_number.unwrap_or_default(),
        annulment,
    })
}
