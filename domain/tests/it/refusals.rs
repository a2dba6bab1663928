//! Each rule of each command refuses somewhere: a new rule without a row here fails.
//!
//! The rows are printed into `docs/procedures/` too.

use std::collections::BTreeSet;

use pratica_domain::case::Command as Common;
use pratica_domain::ids::DocumentId;
use pratica_domain::permit::Command as Building;
use pratica_domain::residency::Command as Own;
use pratica_domain::{Command, RejectionCode as Code, all_actions};
use uuid::Uuid;

use crate::given::{Given, nothing_yet, officer};
use crate::scenarios::*;
use crate::{refusals_common, refusals_enrolment, refusals_permit, refusals_residency};

pub(crate) struct Row {
    pub(crate) command: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) code: Code,
    /// The case in words, for the documentation.
    pub(crate) on: &'static str,
    case: Given,
    ask: Command,
}

pub(crate) fn row(
    rule: &'static str,
    code: Code,
    on: &'static str,
    case: Given,
    ask: impl Into<Command>,
) -> Row {
    let ask = ask.into();
    Row { command: ask.name(), rule, code, on, case, ask }
}

/// The same text emptied, in whichever command it stands.
pub(crate) fn without_reasons(command: Command) -> Command {
    let mut command = command;
    match &mut command {
        Command::Case(
            Common::EndRepresentation { reason: text, .. }
            | Common::DeclareConflict { reason: text, .. }
            | Common::CancelRequest { reason: text, .. }
            | Common::WithdrawProposal { reason: text }
            | Common::SuspendTerm { reason: text, .. }
            | Common::ExtendTerm { reason: text, .. }
            | Common::PlaceHold { reason: text, .. }
            | Common::LiftHold { reason: text, .. }
            | Common::AddNote { text }
            | Common::SendMessage { text, .. }
            | Common::FileObservations { text, .. }
            | Common::SendRequest { text, .. }
            | Common::Propose { reasons: text, .. },
        )
        | Command::Residency(
            Own::FindIrreceivable { reasons: text, .. }
            | Own::RestorePosition { reasons: text, .. }
            | Own::Cancel { reasons: text, .. }
            | Own::Confirm { reasons: text, .. }
            | Own::OpenExOfficio { grounds: text, .. }
            | Own::RecordVisit { report: text, .. },
        )
        | Command::Permit(
            Building::FindIrreceivable { reasons: text, .. }
            | Building::RequestAdditions { text, .. }
            | Building::RequestChanges { text, .. }
            | Building::DeclareComplex { reasons: text }
            | Building::ApplySafeguards { reasons: text, .. }
            | Building::RecordConstraints { reasons: text, .. }
            | Building::RequestOpinion { body: text, .. }
            | Building::RecordOpinion { text, .. }
            | Building::ConcludeConference { reasons: text, .. }
            | Building::EndOpposition { reference: text, .. }
            | Building::Refuse { reasons: text, .. }
            | Building::Archive { reasons: text, .. }
            | Building::Annul { reasons: text, .. }
            | Building::Publish { reference: text, .. }
            | Building::OffsetContribution { agreement: text, .. }
            | Building::RequestExtension { reasons: text, .. }
            | Building::GrantExtension { reasons: text, .. }
            | Building::RefuseExtension { reasons: text, .. }
            | Building::ExtendByLaw { basis: text, .. }
            | Building::DeclareLapse { reference: text, .. }
            | Building::Transfer { deed: text, .. }
            | Building::OrderConformation { reasons: text, .. }
            | Building::Prohibit { reasons: text, .. },
        ) => " ".clone_into(text),
        Command::Case(Common::SendNotice { reasons, .. }) => reasons.clear(),
        other => panic!("{} has no reasons", other.name()),
    }
    command
}

pub(crate) fn without_appeal(command: Own) -> Own {
    let mut command = command;
    if let Own::FindIrreceivable { appeal, .. }
    | Own::RestorePosition { appeal, .. }
    | Own::Cancel { appeal, .. } = &mut command
    {
        appeal.term_days = 0;
    }
    command
}

pub(crate) fn without_permit_appeal(command: Command) -> Command {
    let mut command = command;
    if let Command::Permit(
        Building::FindIrreceivable { appeal, .. }
        | Building::Refuse { appeal, .. }
        | Building::Archive { appeal, .. }
        | Building::Annul { appeal, .. }
        | Building::RefuseExtension { appeal, .. }
        | Building::OrderConformation { appeal, .. }
        | Building::Prohibit { appeal, .. },
    ) = &mut command
    {
        appeal.authority.clear();
    }
    command
}

/// The sample as it would be asked on the day after.
pub(crate) fn tomorrow(name: &str, case: &Given) -> Command {
    sample(name, &case.clone().later(1))
}

pub(crate) fn known_documents_only(name: &str, case: &Given) -> Command {
    let unknown = DocumentId(Uuid::from_u128(5));
    let mut command = sample(name, case);
    match &mut command {
        Command::Case(
            Common::SendMessage { documents, .. }
            | Common::AnswerRequest { documents, .. }
            | Common::FileObservations { documents, .. },
        ) => documents.push(unknown),
        Command::Case(Common::AddDocument { replaces, .. }) => *replaces = Some(unknown),
        Command::Case(Common::RecordRegistration { document, .. }) => *document = unknown,
        other => panic!("{} names no document", other.name()),
    }
    command
}

pub(crate) fn requested() -> Given {
    under_check()
        .on("2026-03-12")
        .when(ask_additions("2026-03-12", 20, true))
        .then(["case.request_sent"])
}

pub(crate) fn proposed(name: &'static str) -> Given {
    let case = under_review();
    let mut propose = sample("case.propose", &case);
    if let (Command::Case(Common::Propose { outcome, .. }), "negative") = (&mut propose, name) {
        *outcome = pratica_domain::case::Tenor::Negative;
    }
    case.by(officer("bruno")).when(propose).then(["case.proposal_made"])
}

pub(crate) fn in_conflict(case: Given) -> Given {
    let conflict =
        Common::DeclareConflict { officer: "dora".parse().unwrap(), reason: "Parente".to_owned() };
    case.when(conflict).then(["case.conflict_declared"])
}

/// The rules that many commands share, asked of every command that has them.
fn shared() -> Vec<Row> {
    let withdrawn = under_check().when(Common::Withdraw { reason: None }).then(["case.withdrawn"]);
    let conflict = in_conflict(declared()).by(officer("dora"));
    let conflict_then_closed = in_conflict(under_review())
        .on("2026-04-27")
        .when(restore())
        .then(["residency.position_restored"])
        .by(officer("dora"));
    let mut rows = Vec::new();
    for action in all_actions() {
        for rule in action.rules {
            let (code, on, case) = match rule.name {
                "the_case_was_opened" => {
                    (Code::CaseNotOpened, "before any filing", nothing_yet().on(FILED))
                }
                "the_case_is_new" => {
                    (Code::CaseAlreadyOpened, "a second filing in one case", declared())
                }
                "the_case_is_open" => (Code::CaseClosed, "after the end", withdrawn.clone()),
                "who_acts_has_no_conflict" => {
                    let case = if action.command == "case.reopen" {
                        conflict_then_closed.clone()
                    } else {
                        conflict.clone()
                    };
                    (Code::ConflictOfInterest, "by who declared a conflict", case)
                }
                _ => continue,
            };
            let ask = sample(action.command, &case);
            rows.push(row(rule.name, code, on, case, ask));
        }
    }
    rows
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = shared();
    rows.extend(refusals_common::rows());
    rows.extend(refusals_residency::rows());
    rows.extend(refusals_enrolment::rows());
    rows.extend(refusals_permit::rows());
    rows
}

#[test]
fn each_rule_refuses_with_its_own_name_and_code() {
    for row in rows() {
        let Row { command, rule, code, on, case, ask } = row;
        let outcome = case.when(ask);
        let found = outcome.rejection().map(|r| (r.rule, r.code));
        assert_eq!(found, Some((rule, code)), "{command} {on}");
        let fits = outcome.rejection().and_then(|r| r.details.get("fits"));
        let named = fits.is_some_and(|fits| !fits.is_empty());
        assert_eq!(named, code == Code::WrongPhase, "{command} {on}: what would it fit?");
    }
}

#[test]
fn every_rule_of_every_command_has_a_case_in_which_it_refuses() {
    let tried: BTreeSet<_> = rows().iter().map(|row| (row.command, row.rule)).collect();
    let mut listed = BTreeSet::new();
    for action in all_actions() {
        for rule in action.rules {
            assert!(
                listed.insert((action.command, rule.name)),
                "{} lists {} twice",
                action.command,
                rule.name
            );
        }
    }
    let missing: Vec<_> = listed.difference(&tried).collect();
    assert!(missing.is_empty(), "no case refuses by {missing:?}: add a row");
    let stale: Vec<_> = tried.difference(&listed).collect();
    assert!(stale.is_empty(), "rows of rules that no list has: {stale:?}");
}

/// Why somebody with a conflict may send a command all the same: it decides nothing.
const DESPITE_A_CONFLICT: [(&str, &[&str]); 7] = [
    (
        "hands the case on or abstains",
        &["case.assign", "case.name_responsible", "case.declare_conflict"],
    ),
    (
        "what the applicant does, or its receipt",
        &[
            "case.answer_request",
            "case.record_notice_receipt",
            "case.file_observations",
            "case.withdraw",
            "permit.answer_changes",
            "permit.request_attestation",
            "permit.start_works",
            "permit.finish_works",
            "permit.request_extension",
            "permit.report_usability",
            "permit.report_conformation",
            "enrolment.amend",
            "enrolment.complete",
            "enrolment.file_observation",
            "enrolment.accept",
            "enrolment.renounce",
            "enrolment.file_vaccine_proof",
            "enrolment.leave",
        ],
    ),
    ("says that two cases belong together", &["case.link"]),
    (
        "about the papers, by who reads no case; two people",
        &["case.place_hold", "case.lift_hold", "case.propose_erasure", "case.authorise_erasure"],
    ),
    (
        "opens a case: nobody takes part in it yet",
        &["residency.declare", "residency.open_ex_officio", "permit.file", "enrolment.file"],
    ),
    (
        "records what happened elsewhere",
        &[
            "residency.report",
            "permit.record_contest",
            "permit.record_payment",
            "enrolment.start_attendance",
        ],
    ),
    ("names somebody else, who has no conflict", &["permit.invoke_substitute"]),
];

#[test]
fn nobody_acts_in_a_case_of_their_own_or_despite_a_conflict_except_where_it_is_said_here() {
    let bound = |action: &pratica_domain::Action| {
        action.rules.iter().any(|rule| rule.name == "who_acts_has_no_conflict")
    };
    let free: BTreeSet<&str> =
        all_actions().filter(|a| a.offered && !bound(a)).map(|a| a.command).collect();
    let said: BTreeSet<&str> =
        DESPITE_A_CONFLICT.iter().flat_map(|(_, commands)| *commands).copied().collect();
    assert_eq!(free, said);
}

#[test]
fn a_member_of_staff_who_is_a_party_does_no_act_and_a_citizen_who_is_one_does_theirs() {
    let mut form = form(pratica_domain::residency::Kind::FromOtherComune);
    form.members[0].account = Some("anna".to_owned());
    let case = filed(form).on("2026-03-04").by(officer("anna"));
    let case = case.when(Own::Register).rejected(Code::OwnCase);
    assert_eq!(case.refusal_of("residency.register").map(|r| r.code), Some(Code::OwnCase));
    let mut citizen = officer("anna");
    citizen.role = pratica_domain::Role::Citizen;
    let case = case.by(citizen).when(sample("case.send_message", &declared()));
    case.then(["case.message_sent"])
        .by(officer("bruno"))
        .when(Own::Register)
        .then(["residency.registered"]);
}
