//! Where the rules of the residency change refuse.

use crate::given::{CASE, Given, nothing_yet, officer};
use crate::refusals::{Row, proposed, row, tomorrow, without_appeal, without_reasons};
use crate::scenarios::*;
use crate::support::day;
use pratica_domain::ids::CaseId;
use pratica_domain::residency::{Command as Own, EndingFact, Kind, VisitOutcome};
use pratica_domain::{Command, RejectionCode as Code};
use uuid::Uuid;

pub(crate) fn rows() -> Vec<Row> {
    let late = under_check().on(CHECKS_OVER);
    let late_declared = declared().on(CHECKS_OVER);
    let unsigned = {
        let mut form = form(Kind::FromOtherComune);
        form.members[0].signed = false;
        filed(form)
    };
    let leaving = || filed(form(Kind::ToAbroadItalian));
    let reasons = |rule, ask: Command, case: Given| {
        row(rule, Code::ReasonsMissing, "without words", case, without_reasons(ask))
    };
    let act = "the_act_is_reasoned";
    let future = |name: &str, case: Given| {
        let ask = tomorrow(name, &case);
        row("dates_are_plausible", Code::DateInFuture, "dated tomorrow", case, ask)
    };
    let phase = |rule, on, name: &str, case: Given| {
        let ask = sample(name, &case);
        row(rule, Code::WrongPhase, on, case, ask)
    };
    let silent = |name: &str, case: &Given| {
        let ask = sample(name, case);
        let on = "after the term ended";
        row("silence_has_not_decided", Code::SilenceFormed, on, case.clone(), ask)
    };
    let irreceivable = |change: fn(&mut Own)| {
        let Command::Residency(mut ask) = sample("residency.find_irreceivable", &declared()) else {
            unreachable!()
        };
        change(&mut ask);
        ask
    };
    let mut empty_form = form(Kind::FromOtherComune);
    empty_form.members.clear();
    let unanswered = {
        let mut ask = restore();
        if let Own::RestorePosition { answers, .. } = &mut ask {
            answers.clear();
        }
        ask
    };
    let registered = "once registered";
    let told = |kind| {
        ex_officio(kind).when(Own::Invite { sent_on: day(FILED) }).then(["residency.invited"])
    };
    let short_absence = nothing_yet()
        .on(FILED)
        .when(open(Kind::Untraceable, "2025-06-01"))
        .then(["case.opened", "case.party_added", "residency.opened_ex_officio"])
        .when(Own::Invite { sent_on: day(FILED) })
        .then(["residency.invited"])
        .when(visit(FILED, VisitOutcome::Absent))
        .then(["residency.visit_recorded"])
        .on("2026-04-10")
        .when(visit("2026-04-10", VisitOutcome::Absent))
        .then(["residency.visit_recorded"]);
    let recent_permit = nothing_yet()
        .on(FILED)
        .when(open(Kind::AbodeNotRenewed, "2025-12-01"))
        .then(["case.opened", "case.party_added", "residency.opened_ex_officio"]);
    let proposed_then = |by: &str, tenor| proposed(tenor).by(officer(by));
    vec![
        row(
            "the_form_can_be_a_case",
            Code::FormIncomplete,
            "of nobody",
            nothing_yet().on(FILED),
            declare_on(empty_form, FILED),
        ),
        future("residency.declare", nothing_yet().on(FILED)),
        phase("it_is_not_registered_yet", registered, "residency.complete", under_check()),
        silent("residency.complete", &late_declared),
        row(
            "the_form_can_be_a_case",
            Code::SeparateCasesNeeded,
            "with another reason to move",
            declared(),
            Own::Complete { form: form(Kind::ChangeOfDwelling) },
        ),
        phase("it_is_not_registered_yet", registered, "residency.find_irreceivable", under_check()),
        silent("residency.find_irreceivable", &late_declared),
        row(
            "a_ground_is_named",
            Code::NoGroundOfIrreceivability,
            "without a ground",
            declared(),
            irreceivable(|ask| {
                if let Own::FindIrreceivable { grounds, .. } = ask {
                    grounds.clear();
                }
            }),
        ),
        reasons(act, irreceivable(|_| {}).into(), declared()),
        row(
            "the_act_states_the_appeal",
            Code::AppealMissing,
            "without the appeal",
            declared(),
            without_appeal(irreceivable(|_| {})),
        ),
        phase(
            "it_is_not_registered_yet",
            "what the office opened",
            "residency.register",
            untraceable(),
        ),
        row(
            "the_consular_form_is_there",
            Code::ConsularFormMissing,
            "while the consulate is silent",
            leaving(),
            Own::Register,
        ),
        row(
            "the_declaration_is_receivable",
            Code::NotReceivable,
            "without a signature",
            unsigned,
            Own::Register,
        ),
        phase("visits_make_sense", "to who leaves", "residency.record_visit", leaving()),
        reasons(act, visit(FILED, VisitOutcome::Absent).into(), declared()),
        future("residency.record_visit", declared()),
        phase("there_are_checks_to_close", "before registration", "residency.confirm", declared()),
        silent("residency.confirm", &late),
        row(
            "who_decides_did_not_propose",
            Code::FourEyes,
            "by who proposed",
            proposed_then("bruno", "favourable"),
            confirm(),
        ),
        reasons("acceptance_after_a_notice_is_reasoned", confirm().into(), under_review()),
        row(
            "departing_from_the_proposal_is_reasoned",
            Code::DepartureUnreasoned,
            "against the proposal, unreasoned",
            proposed_then("carla", "negative"),
            confirm(),
        ),
        phase(
            "checks_are_under_way",
            "before registration",
            "residency.restore_position",
            declared(),
        ),
        silent("residency.restore_position", &late),
        row(
            "a_notice_came_first",
            Code::NoticeRequired,
            "without a notice",
            under_check(),
            restore(),
        ),
        row(
            "observations_could_be_filed",
            Code::ObservationWindowOpen,
            "on the last day for observations",
            window_open().on("2026-04-17"),
            restore(),
        ),
        row(
            "who_decides_did_not_propose",
            Code::FourEyes,
            "by who proposed",
            proposed_then("bruno", "negative"),
            restore(),
        ),
        reasons(act, restore().into(), under_review()),
        row(
            "observations_are_answered",
            Code::ObservationsUnanswered,
            "without an answer to them",
            under_review(),
            unanswered,
        ),
        row(
            "the_act_states_the_appeal",
            Code::AppealMissing,
            "without the appeal",
            under_review(),
            without_appeal(restore()),
        ),
        row(
            "departing_from_the_proposal_is_reasoned",
            Code::DepartureUnreasoned,
            "against the proposal, unreasoned",
            proposed_then("carla", "favourable"),
            restore(),
        ),
        row(
            "it_is_a_residency_case",
            Code::WrongProcedure,
            "of an imported history",
            imported(),
            Own::Supersede { by: CaseId(Uuid::from_u128(8)) },
        ),
        silent("residency.supersede", &late),
        row(
            "another_case_supersedes",
            Code::LinkToItself,
            "by itself",
            under_check(),
            Own::Supersede { by: CASE },
        ),
        row(
            "it_is_a_residency_case",
            Code::WrongProcedure,
            "of an imported history",
            imported(),
            Own::EndByFact { fact: EndingFact::Death, happened_on: day("2011-02-01") },
        ),
        future("residency.end_by_fact", under_check()),
        row(
            "it_happened_before_silence",
            Code::SilenceFormed,
            "a move after the term ended",
            late.clone(),
            sample("residency.end_by_fact", &late),
        ),
        row(
            "the_kind_is_the_offices",
            Code::WrongProcedure,
            "of a kind that is declared",
            nothing_yet().on(FILED),
            open(Kind::ChangeOfDwelling, FILED),
        ),
        reasons(act, open(Kind::Untraceable, FILED).into(), nothing_yet().on(FILED)),
        row(
            "dates_are_plausible",
            Code::DateInFuture,
            "on a fact of tomorrow",
            nothing_yet().on(FILED),
            open(Kind::Untraceable, "2026-03-03"),
        ),
        phase("the_office_opened_it", "of a declaration", "residency.invite", declared()),
        row(
            "the_person_was_not_invited_yet",
            Code::AlreadyInvited,
            "a second time, with another date",
            told(Kind::Untraceable).on("2026-03-10"),
            Own::Invite { sent_on: day("2026-03-09") },
        ),
        row(
            "the_permit_expired_long_enough",
            Code::TooSoon,
            "three months after the permit",
            recent_permit.clone(),
            sample("residency.invite", &recent_permit),
        ),
        future("residency.invite", ex_officio(Kind::Untraceable)),
        phase(
            "the_office_opened_it",
            "of a declaration",
            "residency.register_ex_officio",
            declared(),
        ),
        phase(
            "it_is_about_an_omitted_declaration",
            "of who is untraceable",
            "residency.register_ex_officio",
            untraceable(),
        ),
        row(
            "the_invitation_ended",
            Code::TooSoon,
            "while the invitation runs",
            told(Kind::ExOfficioRegistration),
            Own::RegisterExOfficio,
        ),
        phase("the_office_opened_it", "of a declaration", "residency.cancel", declared()),
        phase(
            "it_is_about_a_cancellation",
            "of who should be registered",
            "residency.cancel",
            told(Kind::ExOfficioRegistration),
        ),
        row(
            "the_person_was_told",
            Code::NotInvited,
            "without telling the person",
            ex_officio(Kind::Untraceable),
            cancel(),
        ),
        row(
            "checks_were_repeated",
            Code::ChecksMissing,
            "without checks",
            told(Kind::Untraceable),
            cancel(),
        ),
        row(
            "the_absence_lasted",
            Code::TooSoon,
            "before a year of absence",
            short_absence,
            cancel(),
        ),
        reasons(act, cancel().into(), untraceable()),
        row(
            "the_act_states_the_appeal",
            Code::AppealMissing,
            "without the appeal",
            untraceable(),
            without_appeal(cancel()),
        ),
        phase(
            "the_consulate_is_awaited",
            "of who comes",
            "residency.record_consular_form",
            declared(),
        ),
        future("residency.record_consular_form", leaving()),
        phase(
            "there_is_something_to_report",
            "before registration",
            "residency.report",
            declared(),
        ),
        future("residency.report", under_check()),
    ]
}
