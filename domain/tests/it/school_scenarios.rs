//! A call and applications in the phases that tests begin from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pratica_domain::Command;
use pratica_domain::case::{Channel, TermKey};
use pratica_domain::ids::{BandId, CallId, EntryId, SchoolId};
use pratica_domain::people::Person;
use pratica_domain::ranking::Stage;
use pratica_domain::residency::Attachment;
use pratica_domain::school::call::{Phase, Places, Plan, School};
use pratica_domain::school::enrolment::{
    Appeal, CallView, Command as Own, Form, Ground, Isee, LossGround, OFFER, Place, VaccineProof,
};
use pratica_domain::school::{Criteria, Facts};
use pratica_domain::term::{Length, first_instant_of};
use uuid::Uuid;

use crate::given::{Given, nothing_yet};
use crate::support::day;

pub(crate) const APPLIED: &str = "2026-03-10";
pub(crate) const CLOSED: &str = "2026-04-02";
pub(crate) const RANKED: &str = "2026-05-04";
pub(crate) const FINAL: &str = "2026-06-01";

const BOLOGNA: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../criteria/bologna.toml"));
const PAVULLO: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../criteria/pavullo.toml"));
const UMBERTIDE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../criteria/umbertide.toml"));
const TRENTO: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../criteria/trento.toml"));

pub(crate) fn shipped() -> [Criteria; 4] {
    [BOLOGNA, PAVULLO, UMBERTIDE, TRENTO].map(|text| toml::from_str(text).unwrap())
}

/// Those of Bologna, with a document and a deposit.
pub(crate) fn criteria() -> Criteria {
    let mut criteria = shipped()[0].clone();
    criteria.documents = vec!["family_statement".to_owned()];
    criteria.deposit_cents = 5_000;
    criteria.late = pratica_domain::school::criteria::Late::Refused;
    criteria
}

pub(crate) fn school(id: &str) -> SchoolId {
    id.parse().unwrap()
}

pub(crate) fn plan_with(criteria: Criteria, schools: &[(&str, u32)]) -> Plan {
    let of = |places: u32| Places { places, reserved: Vec::new() };
    Plan {
        title: "Nidi 2026/27".to_owned(),
        school_year: 2026,
        opens_on: day("2026-03-02"),
        closes_on: day("2026-03-31"),
        ends_on: day("2027-06-30"),
        schools: schools
            .iter()
            .map(|(id, places)| {
                let bands: BTreeMap<BandId, Places> =
                    criteria.bands.iter().map(|b| (b.id.clone(), of(*places))).collect();
                (school(id), School { name: (*id).to_owned(), bands })
            })
            .collect(),
        criteria,
    }
}

pub(crate) fn plan() -> Plan {
    plan_with(criteria(), &[("centro", 2), ("nord", 1)])
}

pub(crate) fn call_in(phase: Phase) -> CallView {
    CallView { call: CallId(Uuid::from_u128(70)), phase, plan: Arc::new(plan()) }
}

pub(crate) fn call_view() -> CallView {
    call_in(Phase::WindowOpen)
}

pub(crate) fn adult() -> Person {
    Person {
        given_name: "Ada".to_owned(),
        family_name: "Verdi".to_owned(),
        fiscal_code: None,
        birth_date: Some(day("1990-05-05")),
        contact: None,
    }
}

pub(crate) fn child() -> Person {
    Person { given_name: "Nino".to_owned(), birth_date: Some(day("2025-03-10")), ..adult() }
}

pub(crate) fn facts(stated: &[(&str, i64)]) -> Facts {
    let all = stated.iter().map(|(fact, n)| ((*fact).to_owned(), *n)).collect();
    Facts { all, at: BTreeMap::new() }
}

pub(crate) fn form() -> Form {
    Form {
        choices: vec![school("centro"), school("nord")],
        facts: facts(&[("resident", 1), ("siblings", 2), ("working_parents", 2)]),
        twins: Vec::new(),
        siblings: Vec::new(),
    }
}

pub(crate) fn attachment(kind: &str) -> Attachment {
    Attachment {
        kind: kind.to_owned(),
        media_type: "application/pdf".to_owned(),
        size_bytes: 10,
        sha256: "ef".repeat(32),
    }
}

pub(crate) fn file(call: CallView, form: Form, kinds: &[&str]) -> Own {
    Own::File {
        call,
        applicant: adult(),
        account: Some("ada".to_owned()),
        child: child(),
        form,
        channel: Channel::Portal,
        filed_at: first_instant_of(day(APPLIED)),
        office: "scuola".parse().unwrap(),
        attachments: kinds.iter().map(|k| attachment(k)).collect(),
    }
}

pub(crate) fn filed() -> Given {
    nothing_yet()
        .on(APPLIED)
        .when(file(call_view(), form(), &["family_statement", "employment_statement"]))
        .then(FILED_EVENTS)
}

/// The document that is the application itself, and two that came with it.
pub(crate) const FILED_EVENTS: [&str; 7] = [
    "case.opened",
    "case.party_added",
    "case.party_added",
    "enrolment.filed",
    "case.document_added",
    "case.document_added",
    "case.document_added",
];

pub(crate) fn admitted() -> Given {
    filed().when(Own::Admit).then(["enrolment.admitted"])
}

pub(crate) fn score() -> Own {
    Own::Score { call: call_in(Phase::Scoring), set_aside: BTreeSet::new() }
}

pub(crate) fn scored() -> Given {
    admitted().on(CLOSED).when(score()).then(["enrolment.scored"])
}

pub(crate) fn rank(stage: Stage, on: &str) -> Own {
    Own::RecordRank {
        ranking: EntryId(Uuid::from_u128(71)),
        stage,
        published_on: day(on),
        places: vec![Place { list: "centro/medi".parse().unwrap(), rank: 3, of: 9 }],
        observations_within: (stage == Stage::Provisional).then(|| Length::days(10)),
    }
}

pub(crate) fn ranked() -> Given {
    scored().on(RANKED).when(rank(Stage::Provisional, RANKED)).then(["enrolment.ranked"])
}

pub(crate) fn observed() -> Given {
    ranked()
        .on("2026-05-08")
        .when(Own::FileObservation { text: "Manca un fratello".to_owned() })
        .then(["enrolment.observation_filed"])
}

pub(crate) fn observation(case: &Given) -> EntryId {
    let pratica_domain::ProcedureState::Enrolment(state) = &case.case.procedure else {
        return EntryId(Uuid::from_u128(98));
    };
    let seen = state.application().and_then(|a| a.observations.keys().next().copied());
    seen.unwrap_or(EntryId(Uuid::from_u128(98)))
}

pub(crate) fn waiting() -> Given {
    ranked().on(FINAL).when(rank(Stage::Definitive, FINAL)).then(["enrolment.ranked"])
}

pub(crate) const OFFER_ID: EntryId = EntryId(Uuid::from_u128(72));

pub(crate) fn offer(id: EntryId, at: &str, on: &str) -> Own {
    Own::ReceiveOffer {
        offer: id,
        school: school(at),
        offered_on: day(on),
        answer_within: Length::working_days(2),
    }
}

/// Offered on Monday 1 June 2026: 2 June is a holiday, so until Thursday the 4th.
pub(crate) fn offered() -> Given {
    waiting().when(offer(OFFER_ID, "nord", FINAL)).then(["enrolment.offered"])
}

pub(crate) fn accept() -> Own {
    Own::Accept { offer: OFFER_ID, deposit_receipt: Some("IUV 301".to_owned()) }
}

pub(crate) fn accepted() -> Given {
    offered().when(accept()).then(["enrolment.accepted"])
}

pub(crate) fn not_in_order() -> Given {
    accepted()
        .on("2026-06-10")
        .when(Own::RecordVaccines { in_order: false, stated_on: day("2026-06-10") })
        .then(["enrolment.vaccines_recorded"])
}

pub(crate) fn invited() -> Given {
    not_in_order()
        .on("2026-06-18")
        .when(Own::InviteVaccineProof { sent_on: day("2026-06-18") })
        .then(["enrolment.vaccine_proof_invited"])
}

pub(crate) fn offer_key() -> TermKey {
    TermKey::instance(OFFER, OFFER_ID)
}

fn appeal() -> Appeal {
    Appeal { authority: "TAR".to_owned(), term_days: 60 }
}

/// A command of this name that a fitting case would take.
pub(crate) fn sample(name: &str, given: &Given) -> Option<Command> {
    let today = given.context().today();
    let request = given.case.file.requests.keys().next().copied();
    let own = match name {
        "enrolment.file" => {
            let mut file = file(call_view(), form(), &["family_statement"]);
            if let Own::File { filed_at, .. } = &mut file {
                *filed_at = given.context().now;
            }
            file
        }
        "enrolment.amend" => {
            Own::Amend { call: call_view(), form: Form { choices: vec![school("nord")], ..form() } }
        }
        "enrolment.complete" => Own::Complete {
            call: call_view(),
            request: request.unwrap_or(EntryId(Uuid::from_u128(99))),
            facts: facts(&[("resident", 1), ("siblings", 3)]),
        },
        "enrolment.admit" => Own::Admit,
        "enrolment.exclude" => Own::Exclude {
            ground: Ground::NotCompleted,
            reasons: "Non completata".to_owned(),
            appeal: appeal(),
        },
        "enrolment.record_isee" => Own::RecordIsee { isee: isee(1_234_500) },
        "enrolment.score" => score(),
        "enrolment.file_observation" => Own::FileObservation { text: "Errore".to_owned() },
        "enrolment.answer_observation" => Own::AnswerObservation {
            call: call_in(Phase::Provisional),
            observation: observation(given),
            accepted: true,
            reasons: "Vero".to_owned(),
            set_aside: BTreeSet::new(),
            correct: None,
        },
        "enrolment.accept" => accept(),
        "enrolment.renounce" => Own::Renounce { offer: OFFER_ID },
        "enrolment.record_vaccines" => Own::RecordVaccines { in_order: true, stated_on: today },
        "enrolment.invite_vaccine_proof" => Own::InviteVaccineProof { sent_on: today },
        "enrolment.file_vaccine_proof" => {
            Own::FileVaccineProof { proof: VaccineProof::Vaccination, document: None }
        }
        "enrolment.start_attendance" => Own::StartAttendance { started_on: today },
        "enrolment.set_fee" => Own::SetFee { fee: criteria().fee },
        "enrolment.leave" => Own::Leave { reason: None },
        "enrolment.declare_loss" => Own::DeclareLoss {
            ground: LossGround::Absence,
            reasons: "Assente da trenta giorni".to_owned(),
            appeal: appeal(),
            told_on: today,
        },
        "enrolment.record_rank" => rank(Stage::Provisional, RANKED),
        "enrolment.receive_offer" => offer(OFFER_ID, "nord", FINAL),
        "enrolment.finish" => Own::Finish { ended_on: day("2027-06-30") },
        _ => return None,
    };
    Some(own.into())
}

pub(crate) fn isee(cents: i64) -> Isee {
    Isee {
        cents,
        protocol: "INPS-ISEE-2026-01234567A-00".to_owned(),
        valid_until: day("2026-12-31"),
        with_omissions: false,
    }
}
