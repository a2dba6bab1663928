//! Building permits in every stage, and a command of every name to ask of them.

use std::collections::BTreeSet;

use pratica_domain::case::{Attachment, Channel, Command as Common, Tenor};
use pratica_domain::ids::{CaseId, EntryId};
use pratica_domain::permit::{
    AnnulmentGround, BodyForm, Command as Own, ConferenceForm, Constraint, ContributionKind,
    Entitlement, ExtensionGround, Form, Forum, Ground, InstalmentForm, Kind, OpinionKind, Parcel,
    Position, SILENCE, Site, State, WorksTerm,
};
use pratica_domain::term::{Length, first_instant_of};
use pratica_domain::{Command, ProcedureState};
use uuid::Uuid;

use crate::given::{Given, nothing_yet, officer};
use crate::scenarios::{
    FILED, address, answer, appeal, expire, observe, person, receive, send_notice,
};
use crate::support::day;

/// Ninety days from Monday 2 March 2026 end on Sunday 31 May, and so on Monday 1 June.
pub(crate) const SILENCE_ENDS: &str = "2026-06-01";
pub(crate) const SILENCE_OVER: &str = "2026-06-02";

pub(crate) fn form(kind: Kind) -> Form {
    Form {
        kind,
        applicant: person("Verdi"),
        account: None,
        entitlement: Some(Entitlement::Owner),
        designer: Some(person("Bassi")),
        designer_account: None,
        by_mandate: true,
        drawings: true,
        asseveration: true,
        works: "Villetta bifamiliare".to_owned(),
        site: Site {
            address: address("Via dei Colli 3"),
            parcels: vec![Parcel {
                sheet: "12".to_owned(),
                number: "345".to_owned(),
                unit: String::new(),
            }],
        },
        constraints: BTreeSet::new(),
        authorisations_held: false,
        assents_needed: Vec::new(),
        follows: kind.follows_another().then_some(CaseId(Uuid::from_u128(8))),
    }
}

pub(crate) fn constrained_form() -> Form {
    let mut form = form(Kind::NewConstruction);
    form.constraints.insert(Constraint::Landscape);
    form.assents_needed.push("Soprintendenza".to_owned());
    form
}

pub(crate) fn file_on(form: Form, on: &str) -> Own {
    Own::File {
        form: Box::new(form),
        channel: Channel::Portal,
        filed_at: first_instant_of(day(on)),
        office: "edilizia".parse().unwrap(),
        attachments: vec![Attachment {
            kind: "drawings".to_owned(),
            media_type: "application/pdf".to_owned(),
            size_bytes: 9,
            sha256: "cd".repeat(32),
        }],
    }
}

pub(crate) fn filed_form(form: Form) -> Given {
    filed_at(form, FILED)
}

pub(crate) fn filed_at(form: Form, on: &str) -> Given {
    let mut case = nothing_yet().on(on);
    case.step(&file_on(form, on).into()).expect("a permit is filed");
    case
}

pub(crate) fn filed() -> Given {
    filed_form(form(Kind::NewConstruction))
}

pub(crate) fn constrained() -> Given {
    filed_form(constrained_form())
}

pub(crate) fn ask_additions(on: &str) -> Own {
    Own::RequestAdditions {
        text: "Manca la relazione geologica".to_owned(),
        sent_on: day(on),
        answer_within: Length::days(30),
    }
}

pub(crate) fn ask_changes(on: &str) -> Own {
    Own::RequestChanges {
        text: "Arretrare la recinzione".to_owned(),
        sent_on: day(on),
        answer_within: Length::days(20),
    }
}

/// Asked on 20 March, within thirty days from filing.
pub(crate) fn awaiting_additions() -> Given {
    filed().on("2026-03-20").when(ask_additions("2026-03-20")).then(["case.request_sent"])
}

/// Received on 10 April: a new term of sixty days runs from there.
pub(crate) fn with_additions() -> Given {
    let case = awaiting_additions().on("2026-04-10");
    let request = case.request();
    case.when(answer(request, "2026-04-10")).then(["case.request_answered"])
}

/// The thirty days ended on 20 April without an answer.
pub(crate) fn additions_missing() -> Given {
    let case = awaiting_additions().on("2026-04-21");
    let key = format!("case.additions#{}", case.request());
    case.when(expire(&key, "2026-04-20")).then(["case.request_lapsed"])
}

pub(crate) fn awaiting_changes() -> Given {
    filed().on("2026-04-01").when(ask_changes("2026-04-01")).then(["case.request_sent"])
}

pub(crate) fn safeguarded() -> Given {
    filed().on("2026-03-20").when(safeguards("2026-03-20")).then(["permit.safeguards_applied"])
}

pub(crate) fn safeguards(on: &str) -> Own {
    Own::ApplySafeguards {
        applied_on: day(on),
        plan_adopted_on: day("2026-02-10"),
        sent_for_approval: false,
        plan: "PUG adottato".to_owned(),
        reasons: "Contrasto con il piano adottato".to_owned(),
    }
}

pub(crate) fn opinion_asked() -> Given {
    filed().on("2026-03-09").when(ask_opinion("2026-03-09")).then(["permit.opinion_requested"])
}

pub(crate) fn ask_opinion(on: &str) -> Own {
    Own::RequestOpinion {
        body: "Vigili del fuoco".to_owned(),
        kind: OpinionKind::Opinion,
        sensitive: false,
        requested_on: day(on),
    }
}

pub(crate) fn opinion_interrupted() -> Given {
    let case = opinion_asked().on("2026-03-16");
    let ask = Own::InterruptOpinion { opinion: opinion(&case), asked_on: day("2026-03-16") };
    case.when(ask).then(["permit.opinion_interrupted"])
}

pub(crate) fn convene(on: &str, meeting_on: &str, bodies: &[(&str, bool)]) -> Own {
    Own::ConveneConference {
        form: ConferenceForm::Simplified,
        convened_on: day(on),
        meeting_on: day(meeting_on),
        bodies: bodies
            .iter()
            .map(|(name, sensitive)| BodyForm { name: (*name).to_owned(), sensitive: *sensitive })
            .collect(),
    }
}

/// Convened on 5 March with the heritage office (to Monday 4 May) and the health office (to 7 April,
/// after Easter Monday... the thirty days end on Saturday 4 April).
pub(crate) fn in_conference() -> Given {
    constrained()
        .on("2026-03-05")
        .when(convene("2026-03-05", "2026-05-08", &[("Soprintendenza", true), ("AUSL", false)]))
        .then(["permit.conference_convened"])
}

pub(crate) fn determine(case: &Given, name: &str, on: &str, position: Position) -> Own {
    Own::RecordDetermination {
        body: body(case, name),
        received_on: day(on),
        position,
        reasons: "Si veda la relazione".to_owned(),
    }
}

pub(crate) fn conclude(positive: bool) -> Own {
    Own::ConcludeConference {
        positive,
        reasons: "Posizioni acquisite".to_owned(),
        answers: "Le osservazioni non bastano".to_owned(),
    }
}

fn positions(heritage: Position, health: Position) -> Given {
    let case = in_conference().on("2026-03-30");
    let ask = determine(&case, "AUSL", "2026-03-30", health);
    let case = case.when(ask).then(["permit.determination_received"]).on("2026-04-20");
    let ask = determine(&case, "Soprintendenza", "2026-04-20", heritage);
    case.when(ask).then(["permit.determination_received"])
}

pub(crate) fn conference_agrees() -> Given {
    positions(Position::Conditional, Position::Assent)
}

pub(crate) fn conference_dissents() -> Given {
    positions(Position::Insurmountable, Position::Assent)
}

/// The heritage office dissents and names changes: a meeting is needed.
pub(crate) fn conference_wavers() -> Given {
    positions(Position::Surmountable, Position::Assent)
}

pub(crate) fn met() -> Given {
    conference_wavers()
        .on("2026-05-08")
        .when(Own::OpenMeeting { opened_on: day("2026-05-08") })
        .then(["permit.meeting_opened"])
}

/// Granted against the heritage office, which may oppose within ten days.
pub(crate) fn effect_suspended() -> Given {
    met()
        .on("2026-05-20")
        .when(conclude(true))
        .then(["permit.conference_concluded", "permit.issued"])
}

pub(crate) fn opposed() -> Given {
    let case = effect_suspended().on("2026-05-25");
    let ask =
        Own::RaiseOpposition { body: body(&case, "Soprintendenza"), raised_on: day("2026-05-25") };
    case.when(ask).then(["permit.opposition_raised"])
}

/// The negative determination is the notice of rejection too.
pub(crate) fn conference_rejects() -> Given {
    conference_dissents().on("2026-05-05").when(conclude(false)).then([
        "permit.conference_concluded",
        "case.notice_sent",
        "case.term_extended",
        "case.term_extended",
    ])
}

pub(crate) fn propose(tenor: Tenor) -> Common {
    Common::Propose { outcome: tenor, reasons: "Relazione istruttoria".to_owned() }
}

pub(crate) fn proposed() -> Given {
    filed()
        .on("2026-04-20")
        .by(officer("bruno"))
        .when(propose(Tenor::Favourable))
        .then(["case.proposal_made"])
        .by(officer("anna"))
}

pub(crate) fn issue() -> Own {
    Own::Issue {
        conditions: "Piantumare il confine".to_owned(),
        reasons: "Conforme".to_owned(),
        departure: String::new(),
    }
}

/// Issued on Monday 11 May 2026.
pub(crate) fn granted() -> Given {
    proposed().on("2026-05-11").when(issue()).then(["permit.issued"])
}

pub(crate) fn tacit() -> Given {
    filed()
        .on(SILENCE_OVER)
        .when(expire(SILENCE, SILENCE_ENDS))
        .then(["permit.granted_by_silence", "permit.silence_attested"])
}

pub(crate) fn notified() -> Given {
    filed().on("2026-04-13").when(send_notice("2026-04-13")).then([
        "case.notice_sent",
        "case.term_extended",
        "case.term_extended",
    ])
}

/// Received on 14 April, observed on the 20th, and proposed for refusal on the 27th.
pub(crate) fn to_be_refused() -> Given {
    notified()
        .on("2026-04-14")
        .when(receive("2026-04-14"))
        .then(["case.notice_received"])
        .on("2026-04-20")
        .when(observe("2026-04-20"))
        .then(["case.observations_filed"])
        .on("2026-04-27")
        .by(officer("bruno"))
        .when(propose(Tenor::Negative))
        .then(["case.proposal_made"])
        .by(officer("anna"))
}

pub(crate) fn refuse() -> Own {
    Own::Refuse {
        reasons: "Contrasto con il piano".to_owned(),
        answers: "Le osservazioni non superano i motivi".to_owned(),
        appeal: appeal(),
        departure: String::new(),
    }
}

pub(crate) fn refused() -> Given {
    to_be_refused().on("2026-05-11").when(refuse()).then(["permit.refused"])
}

pub(crate) fn determined() -> Given {
    granted()
        .when(Own::DetermineContribution {
            kind: ContributionKind::Urbanisation,
            amount_cents: 1_000_000,
            instalments: vec![
                InstalmentForm { amount_cents: 400_000, due_on: day("2026-06-10") },
                InstalmentForm { amount_cents: 600_000, due_on: day("2026-12-10") },
            ],
        })
        .then(["permit.contribution_determined"])
}

pub(crate) fn in_works() -> Given {
    granted()
        .on("2026-09-07")
        .when(Own::StartWorks { started_on: day("2026-09-07") })
        .then(["permit.works_started"])
}

pub(crate) fn finished() -> Given {
    in_works()
        .on("2028-03-01")
        .when(Own::FinishWorks { finished_on: day("2028-03-01") })
        .then(["permit.works_finished"])
}

pub(crate) fn under_usability_control() -> Given {
    finished()
        .on("2028-03-10")
        .when(Own::ReportUsability { reported_on: day("2028-03-10"), partial: false })
        .then(["permit.usability_reported"])
}

pub(crate) fn extension_asked() -> Given {
    granted()
        .on("2027-05-03")
        .when(Own::RequestExtension {
            term: WorksTerm::Start,
            requested_on: day("2027-05-03"),
            reasons: "Falda imprevista".to_owned(),
        })
        .then(["permit.extension_requested"])
}

/// A notice of works filed on 2 March: controlled until 1 April.
pub(crate) fn notice_of_works() -> Given {
    filed_form(form(Kind::Notice))
}

pub(crate) fn order() -> Own {
    Own::OrderConformation {
        comply_within: Length::days(30),
        reasons: "Distanza dal confine".to_owned(),
        appeal: appeal(),
    }
}

pub(crate) fn conformation_ordered() -> Given {
    notice_of_works().on("2026-03-16").when(order()).then(["permit.conformation_ordered"])
}

fn state(case: &Given) -> &State {
    match &case.case.procedure {
        ProcedureState::Permit(state) => state,
        other => panic!("no permit: {other:?}"),
    }
}

const UNKNOWN: EntryId = EntryId(Uuid::from_u128(99));

pub(crate) fn body(case: &Given, name: &str) -> EntryId {
    let rounds = state(case).application().expect("filed").conferences.iter().rev();
    let mut bodies = rounds.flat_map(|r| r.bodies.iter());
    *bodies.find(|(_, b)| b.name == name).unwrap_or_else(|| panic!("no body {name}")).0
}

pub(crate) fn opinion(case: &Given) -> EntryId {
    let known = match &case.case.procedure {
        ProcedureState::Permit(s) => s.application().and_then(|a| a.opinions.keys().next()),
        _ => None,
    };
    known.copied().unwrap_or(UNKNOWN)
}

pub(crate) fn instalment(case: &Given, place: usize) -> EntryId {
    let title = match &case.case.procedure {
        ProcedureState::Permit(s) => s.title(),
        _ => None,
    };
    let mut all: Vec<_> = title
        .into_iter()
        .flat_map(|t| t.contributions.values())
        .flat_map(|c| c.instalments.iter())
        .collect();
    all.sort_by_key(|(id, i)| (i.due_on, **id));
    all.get(place).map_or(UNKNOWN, |(id, _)| **id)
}

pub(crate) fn pay(case: &Given, place: usize, on: &str, amount_cents: u64) -> Own {
    Own::RecordPayment { instalment: instalment(case, place), paid_on: day(on), amount_cents }
}

/// A command of this name that a fitting permit would take.
pub(crate) fn permit_sample(name: &str, case: &Given) -> Command {
    let on = case.context().today();
    let today = on.to_string();
    let text = |words: &str| words.to_owned();
    let application = match &case.case.procedure {
        ProcedureState::Permit(s) => s.application(),
        _ => None,
    };
    let title = match &case.case.procedure {
        ProcedureState::Permit(s) => s.title(),
        _ => None,
    };
    let some_body = application
        .and_then(|a| a.conferences.last())
        .and_then(|c| c.bodies.iter().max_by_key(|(_, b)| (b.position.is_none(), b.sensitive)))
        .map_or(UNKNOWN, |(id, _)| *id);
    let extension = title
        .and_then(|t| t.extensions.iter().find(|(_, e)| e.granted.is_none()))
        .map_or(UNKNOWN, |(id, _)| *id);
    let contribution =
        title.and_then(|t| t.contributions.keys().next()).copied().unwrap_or(UNKNOWN);
    let request = case
        .case
        .file
        .requests
        .iter()
        .rev()
        .find(|(_, r)| r.kind == pratica_domain::case::RequestKind::Correction)
        .map_or(UNKNOWN, |(id, _)| *id);
    Command::Permit(match name {
        "permit.file" => file_on(form(Kind::NewConstruction), &today),
        "permit.find_irreceivable" => Own::FindIrreceivable {
            grounds: vec![Ground::DrawingsMissing],
            reasons: text("Mancano gli elaborati"),
            appeal: appeal(),
        },
        "permit.request_additions" => ask_additions(&today),
        "permit.request_changes" => ask_changes(&today),
        "permit.answer_changes" => Own::AnswerChanges { request, answered_on: on, adheres: true },
        "permit.declare_complex" => Own::DeclareComplex { reasons: text("Opera complessa") },
        "permit.apply_safeguards" => safeguards(&today),
        "permit.end_safeguards" => Own::EndSafeguards { ended_on: on },
        "permit.record_constraints" => Own::RecordConstraints {
            constraints: [Constraint::Hydrogeological].into(),
            authorisations_held: false,
            reasons: text("Carta dei vincoli"),
        },
        "permit.request_opinion" => ask_opinion(&today),
        "permit.interrupt_opinion" => {
            Own::InterruptOpinion { opinion: opinion(case), asked_on: on }
        }
        "permit.resume_opinion" => Own::ResumeOpinion { opinion: opinion(case), received_on: on },
        "permit.record_opinion" => Own::RecordOpinion {
            opinion: opinion(case),
            received_on: on,
            tenor: Tenor::Favourable,
            text: text("Nulla osta"),
        },
        "permit.convene_conference" => {
            let answered = on.checked_add(jiff::ToSpan::days(62)).unwrap();
            let meeting_on = case.context().calendar.roll_forward(answered);
            convene(&today, &meeting_on.to_string(), &[("Soprintendenza", true), ("AUSL", false)])
        }
        "permit.record_determination" => Own::RecordDetermination {
            body: some_body,
            received_on: on,
            position: Position::Assent,
            reasons: text("Parere favorevole"),
        },
        "permit.open_meeting" => Own::OpenMeeting { opened_on: on },
        "permit.conclude_conference" => conclude(true),
        "permit.raise_opposition" => Own::RaiseOpposition { body: some_body, raised_on: on },
        "permit.end_opposition" => {
            Own::EndOpposition { upheld: false, ended_on: on, reference: text("DPCM 3/2026") }
        }
        "permit.issue" => issue(),
        "permit.refuse" => refuse(),
        "permit.archive" => Own::Archive {
            reasons: text("Integrazioni mai pervenute"),
            answers: text("Si conferma"),
            appeal: appeal(),
        },
        "permit.request_attestation" => Own::RequestAttestation { requested_on: on },
        "permit.answer_attestation" => Own::AnswerAttestation,
        "permit.invoke_substitute" => {
            Own::InvokeSubstitute { on_request: true, substitute: "segretario".parse().unwrap() }
        }
        "permit.annul" => Own::Annul {
            ground: AnnulmentGround::OwnAnnulment,
            reference: String::new(),
            reasons: text("Distanza falsamente dichiarata"),
            appeal: appeal(),
        },
        "permit.record_contest" => Own::RecordContest {
            forum: Forum::Court,
            contested_on: on,
            reference: text("TAR 12/2026"),
        },
        "permit.publish" => Own::Publish { published_on: on, reference: text("Albo 12/2026") },
        "permit.determine_contribution" => Own::DetermineContribution {
            kind: ContributionKind::ConstructionCost,
            amount_cents: 50_000,
            instalments: vec![InstalmentForm { amount_cents: 50_000, due_on: on }],
        },
        "permit.offset_contribution" => Own::OffsetContribution {
            contribution,
            amount_cents: 100,
            agreement: text("Convenzione 4/2026"),
        },
        "permit.record_payment" => pay(case, 0, &today, 100),
        "permit.start_works" => Own::StartWorks { started_on: on },
        "permit.finish_works" => Own::FinishWorks { finished_on: on },
        "permit.request_extension" => Own::RequestExtension {
            term: WorksTerm::Start,
            requested_on: on,
            reasons: text("Falda imprevista"),
        },
        "permit.grant_extension" => Own::GrantExtension {
            extension,
            by: Length::months(6),
            ground: ExtensionGround::SupervenedFacts,
            reasons: text("Fatti sopravvenuti"),
        },
        "permit.refuse_extension" => {
            Own::RefuseExtension { extension, reasons: text("Nessun fatto"), appeal: appeal() }
        }
        "permit.extend_by_law" => Own::ExtendByLaw {
            term: WorksTerm::Start,
            by: Length::years(1),
            basis: text("DL 21/2022 art. 10-septies"),
        },
        "permit.declare_lapse" => {
            Own::DeclareLapse { in_force_on: on, reference: text("PUG 2027") }
        }
        "permit.transfer" => Own::Transfer {
            person: person("Gialli"),
            account: None,
            transferred_on: on,
            deed: text("Rogito 88"),
        },
        "permit.report_usability" => Own::ReportUsability { reported_on: on, partial: false },
        "permit.order_conformation" => order(),
        "permit.report_conformation" => Own::ReportConformation { reported_on: on },
        "permit.prohibit" => {
            Own::Prohibit { reasons: text("Requisiti mancanti"), appeal: appeal() }
        }
        other => panic!("no sample of {other}: add one"),
    })
}
