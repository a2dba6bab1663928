//! Residency cases in every phase, and a command of every name to ask of them.

use pratica_domain::case::{
    Channel, Command as Common, DeliveryMode, Direction, LinkKind, PartyRole, ReopeningGround,
    RepresentationTitle, RequestKind, Tenor, TermKey,
};
use pratica_domain::ids::{CaseId, DocumentId, EntryId, ProtocolNumber, SubjectId};
use pratica_domain::people::{Address, Person};
use pratica_domain::residency::{
    Annex, Appeal, Attachment, Authority, CHECKS, Command as Own, EndingFact, Form, Ground, Kind,
    MemberForm, OccupationTitle, VisitOutcome,
};
use pratica_domain::term::{Length, first_instant_of};
use pratica_domain::{Command, Event};
use uuid::Uuid;

use crate::given::{Given, given, nothing_yet, officer};
use crate::support::day;

/// The day of filing of every scenario, a Monday; the forty-five days end on Thursday 16 April.
pub(crate) const FILED: &str = "2026-03-02";
pub(crate) const CHECKS_END: &str = "2026-04-16";
pub(crate) const CHECKS_OVER: &str = "2026-04-17";

pub(crate) fn person(family_name: &str) -> Person {
    Person {
        given_name: "Ada".to_owned(),
        family_name: family_name.to_owned(),
        fiscal_code: None,
        birth_date: Some(day("1980-05-05")),
        contact: None,
    }
}

pub(crate) fn address(street: &str) -> Address {
    Address {
        street: street.to_owned(),
        postcode: "40030".to_owned(),
        municipality: "Vergate".to_owned(),
        province: "BO".to_owned(),
    }
}

pub(crate) fn member(family_name: &str) -> MemberForm {
    MemberForm {
        person: person(family_name),
        account: None,
        signed: true,
        identity_copy: true,
        annex: None,
        origin: "Milano".to_owned(),
    }
}

/// A form to which nothing is missing.
pub(crate) fn form(kind: Kind) -> Form {
    let mut applicant = member("Rossi");
    applicant.annex = match kind {
        Kind::FromAbroadNonEu => Some(Annex::A),
        Kind::FromAbroadEu => Some(Annex::B),
        _ => None,
    };
    Form {
        kind,
        ministry_form: true,
        fact_on: None,
        address: address("Via Roma 1"),
        title: Some(OccupationTitle::Owner),
        title_details: "foglio 3".to_owned(),
        members: vec![applicant],
        family_consent: None,
        other_parent_told: None,
    }
}

pub(crate) fn declare_on(form: Form, on: &str) -> Own {
    Own::Declare {
        form,
        channel: Channel::Counter,
        filed_at: first_instant_of(day(on)),
        office: "anagrafe".parse().unwrap(),
        attachments: vec![Attachment {
            kind: "identity_copy".to_owned(),
            media_type: "application/pdf".to_owned(),
            size_bytes: 9,
            sha256: "cd".repeat(32),
        }],
    }
}

pub(crate) fn appeal() -> Appeal {
    Appeal { authority: "Prefetto".to_owned(), term_days: 30 }
}

pub(crate) fn filed(form: Form) -> Given {
    filed_on(form, FILED)
}

pub(crate) fn filed_on(form: Form, on: &str) -> Given {
    nothing_yet().on(on).when(declare_on(form, on)).then([
        "case.opened",
        "case.party_added",
        "residency.declared",
        "case.document_added",
        "case.document_added",
    ])
}

pub(crate) fn declared() -> Given {
    filed(form(Kind::FromOtherComune))
}

pub(crate) fn under_check() -> Given {
    declared().on("2026-03-04").when(Own::Register).then(["residency.registered"])
}

pub(crate) fn send_notice(on: &str) -> Common {
    let reasons = vec!["Nessuno all'indirizzo".to_owned()];
    Common::SendNotice { reasons, sent_on: day(on), mode: DeliveryMode::Pec }
}

pub(crate) fn receive(on: &str) -> Common {
    Common::RecordNoticeReceipt { received_on: day(on), mode: DeliveryMode::Pec }
}

pub(crate) fn observe(on: &str) -> Common {
    Common::FileObservations {
        filed_on: day(on),
        text: "Abito qui".to_owned(),
        documents: Vec::new(),
    }
}

/// Notice sent on 30 March, day 28 of 45: seventeen are left.
pub(crate) fn notice_pending() -> Given {
    under_check().on("2026-03-30").when(send_notice("2026-03-30")).then(["case.notice_sent"])
}

/// Received on 7 April: the window closes on Friday 17 April.
pub(crate) fn window_open() -> Given {
    notice_pending().on("2026-04-07").when(receive("2026-04-07")).then(["case.notice_received"])
}

/// Observations on 10 April: the clock runs on from 20 April and ends on 7 May.
pub(crate) fn under_review() -> Given {
    window_open().on("2026-04-10").when(observe("2026-04-10")).then(["case.observations_filed"])
}

pub(crate) fn restore() -> Own {
    Own::RestorePosition {
        reasons: "Dimora non trovata".to_owned(),
        answers: "Le bollette non bastano".to_owned(),
        appeal: appeal(),
        departure: String::new(),
    }
}

pub(crate) fn confirm() -> Own {
    Own::Confirm { reasons: "Sopralluogo positivo".to_owned(), departure: String::new() }
}

pub(crate) fn restored() -> Given {
    under_review().on("2026-04-27").when(restore()).then(["residency.position_restored"])
}

pub(crate) fn confirmed() -> Given {
    under_check().on("2026-03-20").when(confirm()).then(["residency.confirmed"])
}

pub(crate) fn irreceivable() -> Given {
    declared()
        .on("2026-03-03")
        .when(sample("residency.find_irreceivable", &declared()))
        .then(["residency.found_irreceivable"])
}

pub(crate) fn expire(term: &str, due_on: &str) -> Common {
    Common::ExpireTerm { term: TermKey::of(term), due_on: day(due_on) }
}

pub(crate) fn silent() -> Given {
    under_check()
        .on(CHECKS_OVER)
        .when(expire(CHECKS, CHECKS_END))
        .then(["residency.confirmed_by_silence", "residency.silence_attested"])
}

/// The office's own case; the fact lies on 10 January 2025.
pub(crate) fn ex_officio(kind: Kind) -> Given {
    nothing_yet().on(FILED).when(open(kind, "2025-01-10")).then([
        "case.opened",
        "case.party_added",
        "residency.opened_ex_officio",
    ])
}

pub(crate) fn open(kind: Kind, fact_on: &str) -> Own {
    Own::OpenExOfficio {
        kind,
        person: person("Neri"),
        address: address("Via Verdi 2"),
        fact_on: day(fact_on),
        grounds: "Segnalazione della polizia locale".to_owned(),
        office: "anagrafe".parse().unwrap(),
    }
}

pub(crate) fn visit(on: &str, outcome: VisitOutcome) -> Own {
    let visited_at = first_instant_of(day(on));
    Own::RecordVisit { visited_at, outcome, report: "Visto".to_owned() }
}

pub(crate) fn cancel() -> Own {
    Own::Cancel { reasons: "Irreperibile".to_owned(), appeal: appeal() }
}

/// Told on 2 March 2026, absent twice, thirty days apart, for more than a year.
pub(crate) fn untraceable() -> Given {
    ex_officio(Kind::Untraceable)
        .when(Own::Invite { sent_on: day(FILED) })
        .then(["residency.invited"])
        .when(visit("2026-03-02", VisitOutcome::Absent))
        .then(["residency.visit_recorded"])
        .on("2026-04-02")
        .when(visit("2026-04-01", VisitOutcome::Absent))
        .then(["residency.visit_recorded"])
}

pub(crate) fn cancelled() -> Given {
    untraceable().when(cancel()).then(["residency.cancelled"])
}

pub(crate) fn ask_additions(on: &str, within: u32, suspends: bool) -> Common {
    Common::SendRequest {
        kind: RequestKind::Additions,
        text: "Manca il contratto".to_owned(),
        sent_on: day(on),
        answer_within: Length::days(within),
        suspends: suspends.then(|| TermKey::of(CHECKS)),
    }
}

pub(crate) fn answer(request: EntryId, on: &str) -> Common {
    Common::AnswerRequest { request, answered_on: day(on), documents: Vec::new() }
}

/// A history of an older system, still under way.
pub(crate) fn imported() -> Given {
    use pratica_domain::case::{Opened, Procedure};
    use pratica_domain::imported::TermSet;
    let opened = Opened {
        procedure: Procedure::Permit,
        kind: "wabo".to_owned(),
        filed_on: day("2011-01-10"),
        filed_at: first_instant_of(day("2011-01-10")),
        channel: Channel::Import,
        rules_version: "nl-wabo".to_owned(),
        office: "import".parse().unwrap(),
        reference: Some("case-1".to_owned()),
    };
    let term = TermKey::of("nl.wabo.regular");
    let set = TermSet { term, from: day("2011-01-10"), length: None };
    given([Event::Case(opened.into()), Event::Imported(pratica_domain::imported::Event::from(set))])
}

/// A case whose forty years are over.
pub(crate) fn long_ended() -> Given {
    confirmed().on("2066-03-21")
}

pub(crate) fn held() -> Given {
    let case = long_ended();
    let hold = sample("case.place_hold", &case);
    case.when(hold).then(["case.hold_placed"])
}

pub(crate) fn erasure_proposed() -> Given {
    long_ended().by(officer("dora")).when(Common::ProposeErasure).then(["case.erasure_proposed"])
}

pub(crate) fn erasure_authorised() -> Given {
    let case = erasure_proposed().by(officer("bruno"));
    let authorise = sample("case.authorise_erasure", &case);
    case.when(authorise).then(["case.erasure_authorised"])
}

pub(crate) fn erased() -> Given {
    erasure_authorised().when(Common::RecordErasure { keys: 2 }).then(["case.erased"])
}

fn text(words: &str) -> String {
    words.to_owned()
}

/// A command of this name that a fitting case would take, for a day after filing.
pub(crate) fn sample(name: &str, given: &Given) -> Command {
    let file = &given.case.file;
    let unknown = Uuid::from_u128(99);
    let subject = file.applicant().map_or(SubjectId(unknown), |(s, _)| *s);
    let request = file.requests.keys().next().copied().unwrap_or(EntryId(unknown));
    let suspension = file.suspensions.keys().next().copied().unwrap_or(EntryId(unknown));
    let power = file.representations.keys().next().copied().unwrap_or(EntryId(unknown));
    let document = file.documents.keys().next().copied().unwrap_or(DocumentId(unknown));
    let today = given.context().today();
    let on = today.to_string();
    let common = match name {
        "case.add_party" => {
            Common::AddParty { role: PartyRole::Intervener, person: person("Blu"), account: None }
        }
        "case.grant_representation" => Common::GrantRepresentation {
            agent: subject,
            principal: subject,
            title: RepresentationTitle::Mandate,
            evidence: Some(document),
            until: None,
        },
        "case.end_representation" => {
            Common::EndRepresentation { representation: power, reason: text("Revoca") }
        }
        "case.assign" => Common::Assign {
            office: "anagrafe".parse().unwrap(),
            officer: Some("bruno".parse().unwrap()),
            reason: text("Turno"),
        },
        "case.name_responsible" => Common::NameResponsible { officer: "bruno".parse().unwrap() },
        "case.declare_conflict" => {
            Common::DeclareConflict { officer: "bruno".parse().unwrap(), reason: text("Parente") }
        }
        "case.add_note" => Common::AddNote { text: text("Nota") },
        "case.send_message" => Common::SendMessage {
            direction: Direction::Outgoing,
            text: text("Salve"),
            documents: Vec::new(),
        },
        "case.add_document" => Common::AddDocument {
            kind: text("lease"),
            media_type: text("application/pdf"),
            size_bytes: 1,
            sha256: "ef".repeat(32),
            direction: Direction::Incoming,
            dated_on: today,
            replaces: None,
        },
        "case.send_request" => ask_additions(&on, 20, true),
        "case.answer_request" => answer(request, &on),
        "case.cancel_request" => Common::CancelRequest { request, reason: text("Superflua") },
        "case.send_notice" => send_notice(&on),
        "case.record_notice_receipt" => receive(&on),
        "case.file_observations" => observe(&on),
        "case.link" => {
            Common::Link { other: CaseId(Uuid::from_u128(8)), kind: LinkKind::FollowUpOf }
        }
        "case.propose" => {
            Common::Propose { outcome: Tenor::Favourable, reasons: text("Tutto in regola") }
        }
        "case.withdraw_proposal" => Common::WithdrawProposal { reason: text("Errore") },
        "case.withdraw" => Common::Withdraw { reason: None },
        "case.reopen" => Common::Reopen {
            ground: ReopeningGround::AppealUpheld,
            reference: text("Decreto 12/2026"),
        },
        "case.suspend_term" => Common::SuspendTerm {
            term: TermKey::of(CHECKS),
            suspended_on: today,
            reason: text("Dati di altro ente"),
        },
        "case.resume_term" => Common::ResumeTerm { suspension, resumed_on: today },
        "case.extend_term" => Common::ExtendTerm {
            term: TermKey::of(CHECKS),
            by: Length::days(10),
            reason: text("Sisma"),
            basis: text("DL 1/2026"),
        },
        "case.place_hold" => {
            Common::PlaceHold { reason: text("Ricorso"), reference: text("R.G. 12/2067") }
        }
        "case.lift_hold" => Common::LiftHold {
            hold: file.disposal.holds.keys().next().copied().unwrap_or(EntryId(unknown)),
            reason: text("Giudicato"),
            reference: text("Sentenza 3/2068"),
        },
        "case.propose_erasure" => Common::ProposeErasure,
        "case.authorise_erasure" => Common::AuthoriseErasure { reference: text("Prot. 77/2067") },
        "case.record_erasure" => Common::RecordErasure { keys: 2 },
        "case.expire_term" => expire(CHECKS, CHECKS_END),
        "case.record_registration" => Common::RecordRegistration {
            document,
            number: ProtocolNumber { year: 2026, number: 12 },
            registered_on: today,
        },
        name if name.starts_with("enrolment.") => {
            return crate::school_scenarios::sample(name, given)
                .unwrap_or_else(|| panic!("no sample of {name}: add one"));
        }
        _ if name.starts_with("permit.") => {
            return crate::permit_scenarios::permit_sample(name, given);
        }
        _ => return Command::Residency(own_sample(name, &on)),
    };
    Command::Case(common)
}

fn own_sample(name: &str, on: &str) -> Own {
    match name {
        "residency.declare" => declare_on(form(Kind::FromOtherComune), on),
        "residency.complete" => {
            let mut changed = form(Kind::FromOtherComune);
            changed.address = address("Via Nuova 3");
            Own::Complete { form: changed }
        }
        "residency.find_irreceivable" => Own::FindIrreceivable {
            grounds: vec![Ground::SignatureMissing],
            reasons: text("Manca la firma"),
            appeal: appeal(),
        },
        "residency.register" => Own::Register,
        "residency.record_visit" => visit(on, VisitOutcome::Absent),
        "residency.confirm" => confirm(),
        "residency.restore_position" => restore(),
        "residency.supersede" => Own::Supersede { by: CaseId(Uuid::from_u128(8)) },
        "residency.end_by_fact" => Own::EndByFact { fact: EndingFact::Move, happened_on: day(on) },
        "residency.open_ex_officio" => open(Kind::Untraceable, "2025-01-10"),
        "residency.invite" => Own::Invite { sent_on: day(on) },
        "residency.register_ex_officio" => Own::RegisterExOfficio,
        "residency.cancel" => cancel(),
        "residency.record_consular_form" => {
            Own::RecordConsularForm { received_on: day(on), declared_on: day(on) }
        }
        "residency.report" => {
            Own::Report { to: Authority::Prefect, reported_on: day(on), reference: text("Prot. 5") }
        }
        other => panic!("no sample of {other}: add one"),
    }
}
