//! How residency cases begin and end: receivability, withdrawal, supersession, reopening, and the
//! cases that the office opens itself.

use pratica_domain::case::{Command as Common, ReopeningGround, TermKey};
use pratica_domain::residency::{
    Authority, CHECKS, CONSULAR_DECLARATION, CONSULAR_FORM_YEAR, Command as Own, EndingFact, Form,
    INVITATION, Kind, PREFECT_REPORT, REGISTRATION, UNTRACEABLE_ABSENCE, VisitOutcome,
};
use pratica_domain::{Command, RejectionCode as Code};
use serde_json::json;

use crate::given::{Given, nothing_yet, officer};
use crate::scenarios::*;
use crate::support::day;

fn grounds(form: Form) -> String {
    let outcome = filed(form).when(Own::Register);
    let grounds = outcome.rejection().and_then(|r| r.details.get("grounds").cloned());
    outcome.rejected(Code::NotReceivable);
    grounds.unwrap()
}

#[test]
fn each_ground_of_irreceivability_keeps_a_declaration_from_registration() {
    let here = || form(Kind::FromOtherComune);
    let changed = |change: fn(&mut Form)| {
        let mut form = here();
        change(&mut form);
        grounds(form)
    };
    assert_eq!(changed(|f| f.ministry_form = false), "not_on_ministry_form");
    assert_eq!(changed(|f| f.address.street.clear()), "mandatory_fields_missing");
    assert_eq!(changed(|f| f.members[0].signed = false), "signature_missing");
    assert_eq!(changed(|f| f.members[0].identity_copy = false), "identity_copy_missing");
    assert_eq!(changed(|f| f.title = None), "occupation_title_missing");
    assert_eq!(changed(|f| f.family_consent = Some(false)), "family_consent_missing");
    assert_eq!(changed(|f| f.other_parent_told = Some(false)), "other_parent_not_told");
    for (kind, annex) in [(Kind::FromAbroadNonEu, "A"), (Kind::FromAbroadEu, "B")] {
        let mut without = form(kind);
        without.members[0].annex = None;
        assert_eq!(grounds(without), "annex_missing", "annex {annex}");
        filed(form(kind)).when(Own::Register).then(["residency.registered"]);
    }
}

#[test]
fn minors_need_not_sign_and_the_homeless_need_no_title() {
    let mut family = form(Kind::FromOtherComune);
    let mut child = member("Rossi");
    (child.person.birth_date, child.signed) = (Some(day("2015-01-01")), false);
    family.members.push(child);
    nothing_yet()
        .on(FILED)
        .when(declare_on(family, FILED))
        .then([
            "case.opened",
            "case.party_added",
            "case.party_added",
            "residency.declared",
            "case.document_added",
            "case.document_added",
        ])
        .when(Own::Register)
        .then(["residency.registered"]);
    let mut homeless = form(Kind::NoFixedAbode);
    homeless.title = None;
    homeless.address.street.clear();
    filed(homeless).when(Own::Register).then(["residency.registered"]);
}

#[test]
fn a_declaration_completed_before_registration_keeps_its_day() {
    let mut unsigned = form(Kind::FromOtherComune);
    unsigned.members[0].signed = false;
    filed(unsigned)
        .on("2026-03-03")
        .when(Own::Register)
        .rejected(Code::NotReceivable)
        .when(Own::Complete { form: form(Kind::FromOtherComune) })
        .then(["residency.completed"])
        .ends_on(CHECKS, CHECKS_END)
        .ends_on(REGISTRATION, "2026-03-04")
        .when(Own::Register)
        .with("residency.registered", &json!({"effective_from": FILED}))
        .then(["residency.registered"]);
}

#[test]
fn different_origins_or_reasons_are_separate_cases() {
    let mut mixed = form(Kind::FromOtherComune);
    let mut other = member("Verdi");
    other.origin = "Torino".to_owned();
    mixed.members.push(other);
    nothing_yet().on(FILED).when(declare_on(mixed, FILED)).rejected(Code::SeparateCasesNeeded);
    declared()
        .when(Own::Complete { form: form(Kind::ChangeOfDwelling) })
        .rejected(Code::SeparateCasesNeeded);
}

#[test]
fn a_filing_of_late_2025_recorded_in_2026_runs_from_its_own_day() {
    nothing_yet()
        .on("2026-01-07")
        .when(declare_on(form(Kind::ChangeOfDwelling), "2025-12-16"))
        .with("case.opened", &json!({"rules_version": "italy-2026", "filed_on": "2025-12-16"}))
        .then([
            "case.opened",
            "case.party_added",
            "residency.declared",
            "case.document_added",
            "case.document_added",
        ])
        .ends_on(CHECKS, "2026-01-30")
        .when(Own::Register)
        .with("residency.registered", &json!({"late": true, "effective_from": "2025-12-16"}))
        .then(["residency.registered"]);
    let old = declare_on(form(Kind::ChangeOfDwelling), "2020-07-16");
    nothing_yet().on("2026-01-07").when(old).rejected(Code::RulesUnknown);
}

#[test]
fn a_declaration_after_twenty_days_says_so() {
    let mut late = form(Kind::ChangeOfDwelling);
    // Day twenty from 9 February is Sunday 1 March, moved to Monday the 2nd.
    for (fact, is_late) in [("2026-02-09", false), ("2026-02-08", true)] {
        late.fact_on = Some(day(fact));
        nothing_yet()
            .on(FILED)
            .when(declare_on(late.clone(), FILED))
            .with("residency.declared", &json!({"declared_late": is_late}))
            .then([
                "case.opened",
                "case.party_added",
                "residency.declared",
                "case.document_added",
                "case.document_added",
            ]);
    }
}

#[test]
fn withdrawal_undoes_a_registration_and_nothing_before_it() {
    for (case, undoes) in [
        (declared(), false),
        (under_check(), true),
        (notice_pending(), true),
        (under_review(), true),
    ] {
        let case = case
            .when(Common::Withdraw { reason: Some("Ci ripenso".to_owned()) })
            .with("case.withdrawn", &json!({"undoes_provisional_effect": undoes}))
            .then(["case.withdrawn"]);
        assert_eq!(case.phase(), "withdrawn");
        case.when(Own::Register).rejected(Code::CaseClosed);
    }
    for case in [confirmed(), silent(), restored(), irreceivable()] {
        case.when(Common::Withdraw { reason: None }).rejected(Code::WithdrawalTooLate);
    }
    untraceable().when(Common::Withdraw { reason: None }).rejected(Code::WrongPhase);
}

#[test]
fn a_later_declaration_a_death_or_a_move_closes_the_case() {
    for case in [declared(), under_check(), notice_pending(), under_review(), untraceable()] {
        let by = sample("residency.supersede", &case);
        assert_eq!(case.clone().when(by).then(["residency.superseded"]).phase(), "superseded");
        let happened_on = case.context().today();
        for (fact, phase) in [(EndingFact::Death, "died"), (EndingFact::Move, "moved")] {
            let end = Own::EndByFact { fact, happened_on };
            assert_eq!(case.clone().when(end).then(["residency.ended_by_fact"]).phase(), phase);
        }
    }
    let history = imported();
    for name in ["residency.supersede", "residency.end_by_fact"] {
        history.clone().when(sample(name, &history)).rejected(Code::WrongProcedure);
    }
}

fn reopen(ground: ReopeningGround) -> Common {
    Common::Reopen { ground, reference: "Sentenza 7/2026".to_owned() }
}

#[test]
fn an_annulled_annulment_goes_back_to_the_decision_with_a_new_term() {
    for ground in [
        ReopeningGround::JudicialAnnulment,
        ReopeningGround::AppealUpheld,
        ReopeningGround::OwnAnnulment,
    ] {
        let case = restored()
            .on("2026-05-20")
            .when(reopen(ground))
            .then(["case.reopened"])
            .ends_on(CHECKS, "2026-07-04");
        assert_eq!(case.phase(), "under_review");
        // The notice of the first round holds nothing up, and still keeps silence from confirming.
        let case =
            case.on("2026-07-06").when(expire(CHECKS, "2026-07-04")).then(["case.term_expired"]);
        case.clone().when(confirm()).then(["residency.confirmed"]);
        case.when(restore()).then(["residency.position_restored"]);
    }
}

#[test]
fn a_case_reopened_while_observations_held_its_clock_is_held_no_longer() {
    under_review()
        .on("2026-04-11")
        .when(restore())
        .then(["residency.position_restored"])
        .on("2026-04-13")
        .when(reopen(ReopeningGround::OwnAnnulment))
        .then(["case.reopened"])
        .ends_on(CHECKS, "2026-05-28");
}

#[test]
fn a_declaration_wrongly_found_irreceivable_is_registered_after_all() {
    irreceivable()
        .on("2026-05-04")
        .when(reopen(ReopeningGround::AppealUpheld))
        .then(["case.reopened"])
        .ends_on(REGISTRATION, "2026-05-06")
        .ends_on(CHECKS, "2026-06-18")
        .when(send_notice("2026-05-04"))
        .rejected(Code::WrongPhase)
        .when(Own::Register)
        .with("residency.registered", &json!({"effective_from": FILED, "late": false}))
        .then(["residency.registered"])
        .on("2026-06-19")
        .when(expire(CHECKS, "2026-06-18"))
        .then(["residency.confirmed_by_silence", "residency.silence_attested"]);
}

#[test]
fn what_was_confirmed_withdrawn_or_superseded_is_never_reopened() {
    let superseded = under_check();
    let by = sample("residency.supersede", &superseded);
    let superseded = superseded.when(by).then(["residency.superseded"]);
    let withdrawn = under_check().when(Common::Withdraw { reason: None }).then(["case.withdrawn"]);
    for case in [confirmed(), silent(), superseded, withdrawn, left()] {
        case.when(reopen(ReopeningGround::JudicialAnnulment)).rejected(Code::ReopeningNotForeseen);
    }
    under_check().when(reopen(ReopeningGround::OwnAnnulment)).rejected(Code::CaseNotClosed);
}

fn told(kind: Kind) -> Given {
    ex_officio(kind).when(Own::Invite { sent_on: day(FILED) }).then(["residency.invited"])
}

#[test]
fn who_did_not_declare_is_invited_and_registered_when_the_invitation_is_over() {
    told(Kind::ExOfficioRegistration)
        .ends_on(INVITATION, "2026-04-01")
        .on("2026-04-01")
        .when(Own::RegisterExOfficio)
        .rejected(Code::TooSoon)
        .on("2026-04-02")
        .when(Own::RegisterExOfficio)
        .with(
            "residency.registered",
            &json!({"mode": "ex_officio", "effective_from": "2026-04-02"}),
        )
        .then(["residency.registered"]);
    ex_officio(Kind::ExOfficioRegistration)
        .when(Own::RegisterExOfficio)
        .rejected(Code::NotInvited)
        .when(cancel())
        .rejected(Code::WrongPhase);
}

#[test]
fn an_untraceable_person_is_cancelled_after_spaced_checks_and_a_year() {
    let absent = |case: Given, on: &str| {
        case.on(on).when(visit(on, VisitOutcome::Absent)).then(["residency.visit_recorded"])
    };
    let case = told(Kind::Untraceable).ends_on(UNTRACEABLE_ABSENCE, "2026-01-10");
    let once = absent(case, "2026-03-10");
    let close = absent(once, "2026-04-08").when(cancel()).rejected(Code::ChecksMissing);
    let enough = absent(close, "2026-04-09");
    enough
        .when(cancel())
        .with("residency.cancelled", &json!({"anpr_reason": 6, "cancelled_on": "2026-04-09"}))
        .then(["residency.cancelled"])
        .ends_on(PREFECT_REPORT, "2026-05-09");
}

#[test]
fn somebody_found_at_home_starts_the_checks_anew_and_ends_the_case() {
    let found = untraceable()
        .when(visit("2026-04-02", VisitOutcome::Present))
        .then(["residency.visit_recorded"])
        .when(cancel())
        .rejected(Code::ChecksMissing);
    let no_reason = Own::Confirm { reasons: String::new(), departure: String::new() };
    let closed = found
        .when(no_reason)
        .rejected(Code::ReasonsMissing)
        .when(confirm())
        .then(["residency.confirmed"]);
    assert_eq!(closed.phase(), "confirmed");
}

#[test]
fn nobody_is_cancelled_before_a_year_of_absence() {
    nothing_yet()
        .on(FILED)
        .when(open(Kind::Untraceable, "2025-06-01"))
        .then(["case.opened", "case.party_added", "residency.opened_ex_officio"])
        .when(Own::Invite { sent_on: day(FILED) })
        .then(["residency.invited"])
        .when(visit(FILED, VisitOutcome::Absent))
        .then(["residency.visit_recorded"])
        .on("2026-04-10")
        .when(visit("2026-04-10", VisitOutcome::Absent))
        .then(["residency.visit_recorded"])
        .when(cancel())
        .rejected(Code::TooSoon)
        // The year ends on 1 June 2026; the 2nd is a holiday, and a day on which it is over.
        .on("2026-06-02")
        .when(cancel())
        .then(["residency.cancelled"]);
}

#[test]
fn an_abode_not_renewed_is_cancelled_six_months_and_an_invitation_after_the_permit() {
    let begin = |expired: &str| {
        nothing_yet().on(FILED).when(open(Kind::AbodeNotRenewed, expired)).then([
            "case.opened",
            "case.party_added",
            "residency.opened_ex_officio",
        ])
    };
    let invite = Own::Invite { sent_on: day(FILED) };
    // Six months from 2 September end on 2 March itself.
    begin("2025-09-02").when(invite.clone()).rejected(Code::TooSoon);
    begin("2025-08-31")
        .when(cancel())
        .rejected(Code::NotInvited)
        .when(invite)
        .then(["residency.invited"])
        .on("2026-04-01")
        .when(cancel())
        .rejected(Code::TooSoon)
        .on("2026-04-02")
        .when(cancel())
        .with("residency.cancelled", &json!({"anpr_reason": 7}))
        .then(["residency.cancelled"]);
}

#[test]
fn a_cancellation_is_reported_within_thirty_days_even_though_the_case_is_closed() {
    let report = |on: &str| Own::Report {
        to: Authority::Prefect,
        reported_on: day(on),
        reference: String::new(),
    };
    let case = cancelled().ends_on(PREFECT_REPORT, "2026-05-02");
    case.clone().on("2026-04-20").when(report("2026-04-20")).then(["residency.reported"]);
    case.on("2026-05-04")
        .when(expire(PREFECT_REPORT, "2026-05-02"))
        .then(["case.term_expired"])
        .when(report("2026-05-04"))
        .then(["residency.reported"]);
}

#[test]
fn a_cancellation_that_an_appeal_annulled_goes_on_and_can_end_well() {
    let case = cancelled()
        .on("2026-05-20")
        .when(reopen(ReopeningGround::AppealUpheld))
        .then(["case.reopened"]);
    assert_eq!(case.phase(), "ex_officio");
    case.when(confirm()).then(["residency.confirmed"]);
}

fn leaving() -> Given {
    filed(form(Kind::ToAbroadItalian))
        .ends_on(CONSULAR_DECLARATION, "2026-06-01")
        .ends_on(CONSULAR_FORM_YEAR, "2027-03-02")
}

fn left() -> Given {
    leaving()
        .on("2026-05-04")
        .when(consular("2026-05-04", "2026-04-20"))
        .then(["residency.consular_form_received"])
        .ends_on(REGISTRATION, "2026-05-06")
        .when(Own::Register)
        .with("residency.cancelled", &json!({"effective_from": FILED, "appeal": null}))
        .then(["residency.cancelled"])
}

fn consular(received_on: &str, declared_on: &str) -> Own {
    Own::RecordConsularForm { received_on: day(received_on), declared_on: day(declared_on) }
}

#[test]
fn who_leaves_is_cancelled_once_the_consulate_has_spoken() {
    assert_eq!(leaving().phase(), "awaiting_consulate");
    leaving().when(Own::Register).rejected(Code::ConsularFormMissing);
    assert_eq!(left().phase(), "cancelled");
}

#[test]
fn a_consular_declaration_after_ninety_days_has_effect_from_its_own_day() {
    let effect = |declared_on: &str, effective_from: &str| {
        leaving()
            .on("2026-07-01")
            .when(consular("2026-07-01", declared_on))
            .then(["residency.consular_form_received"])
            .when(Own::Register)
            .with("residency.cancelled", &json!({"effective_from": effective_from}))
            .then(["residency.cancelled"]);
    };
    // The ninetieth day is Sunday 31 May.
    effect("2026-06-01", FILED);
    effect("2026-06-15", "2026-06-15");
    effect("2026-02-10", "2026-02-10");
}

#[test]
fn without_the_consular_form_the_year_only_alerts() {
    let expired = leaving()
        .on("2027-03-03")
        .when(expire(CONSULAR_FORM_YEAR, "2027-03-02"))
        .then(["case.term_expired"]);
    assert_eq!(expired.phase(), "awaiting_consulate");
}

#[test]
fn a_foreigner_who_leaves_is_cancelled_without_checks() {
    let case = filed(form(Kind::ToAbroadForeigner));
    assert!(!case.case.file.terms.has(&TermKey::of(CHECKS)));
    case.when(Own::Register)
        .with("residency.cancelled", &json!({"anpr_reason": 5}))
        .then(["residency.cancelled"]);
}

#[test]
fn a_conflict_of_interest_empties_the_assignment_and_blocks() {
    let bruno = || "bruno".parse().unwrap();
    let case = under_check();
    let assign = sample("case.assign", &case);
    let name = sample("case.name_responsible", &case);
    let case = case
        .when(assign.clone())
        .then(["case.assigned"])
        .when(name)
        .then(["case.responsible_named"])
        .by(officer("bruno"))
        .when(Common::DeclareConflict { officer: bruno(), reason: "Parente".to_owned() })
        .then(["case.conflict_declared"]);
    assert_eq!((&case.case.file.officer, &case.case.file.responsible), (&None, &None));
    case.clone().when(confirm()).rejected(Code::ConflictOfInterest);
    case.clone().when(send_notice("2026-03-04")).rejected(Code::ConflictOfInterest);
    case.by(officer("carla")).when(assign).rejected(Code::OfficerInConflict);
}

#[test]
fn who_proposes_does_not_decide_and_who_departs_says_why() {
    let propose: Command = sample("case.propose", &under_review());
    let case = under_review().by(officer("bruno")).when(propose).then(["case.proposal_made"]);
    case.clone().when(confirm()).rejected(Code::FourEyes);
    case.clone().when(restore()).rejected(Code::FourEyes);
    let case = case.by(officer("carla"));
    case.clone().when(confirm()).then(["residency.confirmed"]);
    let mut departing = restore();
    case.clone().when(departing.clone()).rejected(Code::DepartureUnreasoned);
    if let Own::RestorePosition { departure, .. } = &mut departing {
        *departure = "Il sopralluogo prevale".to_owned();
    }
    case.when(departing).then(["residency.position_restored"]);
    under_review()
        .where_policy("decision_needs_proposal", "true")
        .when(restore())
        .rejected(Code::NoProposal);
}
