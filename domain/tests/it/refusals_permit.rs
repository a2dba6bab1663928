//! Where the rules of the building permit refuse.

use crate::given::{Given, nothing_yet, officer};
use crate::permit_scenarios::*;
use crate::refusals::{Row, row, tomorrow, without_permit_appeal, without_reasons};
use crate::scenarios::{FILED, expire, receive, sample, send_notice};
use crate::support::day;
use pratica_domain::case::Tenor;
use pratica_domain::ids::EntryId;
use pratica_domain::permit::{
    AnnulmentGround, BodyForm, Command as Own, ContributionKind, InstalmentForm, Kind, Position,
    WorksTerm,
};
use pratica_domain::term::Length;
use pratica_domain::{Command, RejectionCode as Code, all_actions};
use uuid::Uuid;

/// A case that takes the sample of this command.
pub(crate) fn fitting(name: &str) -> Given {
    match name {
        "permit.file" => nothing_yet().on(FILED),
        "permit.answer_changes" => awaiting_changes(),
        "permit.end_safeguards" => safeguarded().on("2026-03-25"),
        "permit.interrupt_opinion" | "permit.record_opinion" => opinion_asked(),
        "permit.resume_opinion" => opinion_interrupted(),
        "permit.record_determination" => in_conference().on("2026-03-10"),
        "permit.open_meeting" => conference_wavers().on("2026-05-08"),
        "permit.conclude_conference" => conference_agrees(),
        "permit.raise_opposition" => effect_suspended(),
        "permit.end_opposition" => opposed(),
        "permit.issue" => proposed().on("2026-05-04"),
        "permit.refuse" => to_be_refused().on("2026-05-04"),
        "permit.archive" => archivable().on("2026-05-25"),
        "permit.request_attestation" => tacit(),
        "permit.answer_attestation" => {
            let case = tacit();
            let ask = sample("permit.request_attestation", &case);
            case.when(ask).then(["permit.attestation_requested"])
        }
        "permit.invoke_substitute" => constrained().on(SILENCE_OVER),
        "permit.annul"
        | "permit.record_contest"
        | "permit.publish"
        | "permit.determine_contribution"
        | "permit.transfer"
        | "permit.declare_lapse"
        | "permit.request_extension"
        | "permit.extend_by_law"
        | "permit.start_works" => granted(),
        "permit.offset_contribution" | "permit.record_payment" => determined(),
        "permit.finish_works" => in_works(),
        "permit.grant_extension" | "permit.refuse_extension" => extension_asked(),
        "permit.report_usability" => finished(),
        "permit.order_conformation" | "permit.prohibit" => notice_of_works().on("2026-03-16"),
        "permit.report_conformation" => conformation_ordered(),
        _ => filed().on("2026-03-10"),
    }
}

/// Additions never came; the notice went out on 21 April and was received on the 22nd.
pub(crate) fn archivable() -> Given {
    additions_missing()
        .when(send_notice("2026-04-21"))
        .then(["case.notice_sent", "case.term_extended", "case.term_extended"])
        .on("2026-04-22")
        .when(receive("2026-04-22"))
        .then(["case.notice_received"])
}

#[test]
fn every_command_of_a_permit_is_taken_in_a_fitting_case() {
    for action in all_actions().filter(|a| a.command.starts_with("permit.")) {
        let case = fitting(action.command);
        let mut after = case.clone();
        let events = after.step(&sample(action.command, &case));
        let events = events.unwrap_or_else(|r| panic!("{}: {r} by {}", action.command, r.rule));
        assert!(!events.is_empty(), "{} recorded nothing", action.command);
    }
}

/// What holds of every command that has the rule.
fn general() -> Vec<Row> {
    let late = filed().on(SILENCE_OVER);
    let mut rows = Vec::new();
    for action in all_actions().filter(|a| a.command.starts_with("permit.")) {
        let name = action.command;
        for rule in action.rules {
            let case = fitting(name);
            let ask = sample(name, &case);
            rows.push(match rule.name {
                "the_act_is_reasoned" => {
                    let ask = without_reasons(ask);
                    row(rule.name, Code::ReasonsMissing, "without words", case, ask)
                }
                "the_act_states_the_appeal" => {
                    let ask = without_permit_appeal(ask);
                    row(rule.name, Code::AppealMissing, "without the appeal", case, ask)
                }
                "dates_are_plausible" => {
                    let ask = tomorrow(name, &case);
                    row(rule.name, Code::DateInFuture, "dated tomorrow", case, ask)
                }
                "it_awaits_its_end" => {
                    let case = notice_of_works();
                    let ask = sample(name, &case);
                    row(rule.name, Code::WrongPhase, "of a notice of works", case, ask)
                }
                "there_is_no_proposal_yet" => {
                    let ask = sample(name, &proposed());
                    row(rule.name, Code::ProposalStands, "after the proposal", proposed(), ask)
                }
                "silence_has_not_decided" => {
                    let case = late.clone();
                    let case = match name {
                        "permit.conclude_conference" => convened_late(),
                        _ => case,
                    };
                    let ask = sample(name, &case);
                    row(rule.name, Code::SilenceFormed, "after the term ended", case, ask)
                }
                "there_is_a_title" => {
                    let case = filed();
                    let ask = sample(name, &case);
                    row(rule.name, Code::WrongPhase, "before any title", case, ask)
                }
                "the_title_stands" | "the_title_is_not_annulled" => {
                    let case = annulled();
                    let ask = sample(name, &case);
                    row(rule.name, Code::WrongPhase, "of an annulled title", case, ask)
                }
                "a_length_is_given" => {
                    let ask = without_length(ask);
                    row(rule.name, Code::FormIncomplete, "for no time at all", case, ask)
                }
                _ => continue,
            });
        }
    }
    // Annulled twice is the same thing; a second ground finds an annulled title.
    rows.retain(|r| !(r.command == "permit.annul" && r.rule == "the_title_is_not_annulled"));
    rows
}

/// Convened after the thirty days in which a conference keeps silence off, and silence is over.
fn convened_late() -> Given {
    filed()
        .on("2026-04-10")
        .when(convene("2026-04-10", "2026-05-15", &[("AUSL", false)]))
        .then(["permit.conference_convened"])
        .on(SILENCE_OVER)
}

fn annulled() -> Given {
    let case = granted();
    let ask = sample("permit.annul", &case);
    case.when(ask).then(["permit.annulled"])
}

fn without_length(command: Command) -> Command {
    let mut command = command;
    if let Command::Permit(
        Own::RequestAdditions { answer_within: length, .. }
        | Own::RequestChanges { answer_within: length, .. }
        | Own::GrantExtension { by: length, .. }
        | Own::ExtendByLaw { by: length, .. },
    ) = &mut command
    {
        *length = Length::days(0);
    }
    command
}

fn changed(name: &str, case: &Given, change: impl FnOnce(&mut Own)) -> Command {
    let Command::Permit(mut own) = sample(name, case) else { panic!("{name} is no permit's") };
    change(&mut own);
    own.into()
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = general();
    rows.extend(filing_and_review());
    rows.extend(conference());
    rows.extend(decision());
    rows.extend(title());
    rows
}

fn filing_and_review() -> Vec<Row> {
    let mut nameless = form(Kind::NewConstruction);
    nameless.applicant.family_name.clear();
    let waiting = awaiting_changes();
    let no_more = {
        let case = with_additions().where_policy("second_additions_request", "\"refuse\"");
        case.on("2026-04-20")
    };
    let late = filed().on("2026-05-04");
    let unknown = EntryId(Uuid::from_u128(3));
    let interrupted_twice = {
        let case = opinion_interrupted().on("2026-03-20");
        let ask = sample("permit.resume_opinion", &case);
        case.when(ask).then(["permit.opinion_resumed"]).on("2026-03-23")
    };
    let other_opinion = |name: &str, case: &Given| {
        changed(name, case, |c| {
            if let Own::InterruptOpinion { opinion, .. }
            | Own::ResumeOpinion { opinion, .. }
            | Own::RecordOpinion { opinion, .. } = c
            {
                *opinion = unknown;
            }
        })
    };
    let awaited = |name: &str, rule| {
        let ask = sample(name, &filed());
        row(rule, Code::UnknownOpinion, "when nobody was asked", filed(), ask)
    };
    let the_awaited = |name: &str, rule| {
        let case = fitting(name);
        let ask = other_opinion(name, &case);
        row(rule, Code::UnknownOpinion, "of a body that nobody asked", case, ask)
    };
    let asked = "nothing_is_awaited_from_the_applicant";
    let open = "while changes are awaited";
    let later = waiting.clone().on("2026-04-03");
    vec![
        row(
            "the_form_can_be_a_case",
            Code::FormIncomplete,
            "of nobody",
            nothing_yet().on(FILED),
            file_on(nameless, FILED),
        ),
        row(
            "a_ground_is_named",
            Code::NoGroundOfIrreceivability,
            "without a ground",
            filed(),
            changed("permit.find_irreceivable", &filed(), |c| {
                if let Own::FindIrreceivable { grounds, .. } = c {
                    grounds.clear();
                }
            }),
        ),
        row(
            asked,
            Code::RequestAlreadyOpen,
            open,
            later.clone(),
            sample("permit.request_additions", &later),
        ),
        row(
            asked,
            Code::RequestAlreadyOpen,
            open,
            later.clone(),
            sample("permit.request_changes", &later),
        ),
        row(
            "a_second_request_is_allowed",
            Code::SuspensionSpent,
            "a second time, where the comune wants one only",
            no_more.clone(),
            sample("permit.request_additions", &no_more),
        ),
        row(
            "changes_are_asked_within_the_review",
            Code::DateTooLate,
            "after the sixty days",
            late.clone(),
            sample("permit.request_changes", &late),
        ),
        row(
            "changes_are_awaited",
            Code::RequestNotOpen,
            "that nobody asked for",
            filed(),
            sample("permit.answer_changes", &filed()),
        ),
        row(
            "it_is_the_request_for_changes",
            Code::UnknownRequest,
            "of another request",
            waiting.clone(),
            changed("permit.answer_changes", &waiting, |c| {
                if let Own::AnswerChanges { request, .. } = c {
                    *request = unknown;
                }
            }),
        ),
        row(
            "no_safeguards_hold",
            Code::SafeguardsHold,
            "twice",
            safeguarded().on("2026-03-23"),
            sample("permit.apply_safeguards", &safeguarded().on("2026-03-23")),
        ),
        row(
            "the_plan_was_adopted_before",
            Code::DateTooLate,
            "for a plan adopted afterwards",
            filed().on("2026-03-10"),
            changed("permit.apply_safeguards", &filed().on("2026-03-10"), |c| {
                if let Own::ApplySafeguards { plan_adopted_on, .. } = c {
                    *plan_adopted_on = day("2026-03-11");
                }
            }),
        ),
        row(
            "safeguards_hold",
            Code::WrongPhase,
            "that never held",
            filed(),
            sample("permit.end_safeguards", &filed()),
        ),
        awaited("permit.interrupt_opinion", "an_opinion_is_awaited"),
        awaited("permit.record_opinion", "an_opinion_is_awaited"),
        awaited("permit.resume_opinion", "an_opinion_is_interrupted"),
        the_awaited("permit.interrupt_opinion", "the_opinion_is_awaited"),
        the_awaited("permit.record_opinion", "the_opinion_is_awaited"),
        the_awaited("permit.resume_opinion", "the_opinion_is_interrupted"),
        row(
            "it_was_not_interrupted_yet",
            Code::SuspensionSpent,
            "a second time",
            interrupted_twice.clone(),
            sample("permit.interrupt_opinion", &interrupted_twice),
        ),
    ]
}

fn conference() -> Vec<Row> {
    let conferring = in_conference().on("2026-03-10");
    let unknown = EntryId(Uuid::from_u128(3));
    let elsewhere = |name: &str, case: &Given| {
        changed(name, case, |c| {
            if let Own::RecordDetermination { body, .. } | Own::RaiseOpposition { body, .. } = c {
                *body = unknown;
            }
        })
    };
    let none_under_way = |name: &str| {
        let ask = sample(name, &filed());
        row("a_conference_is_under_way", Code::WrongPhase, "without a conference", filed(), ask)
    };
    let over = in_conference().on("2026-04-08");
    let said = conference_agrees();
    let rejected = conference_rejects().on("2026-05-07");
    let free = filed().on("2026-03-10");
    let suspended = effect_suspended();
    vec![
        row(
            "no_conference_is_under_way",
            Code::ConferenceUnderWay,
            "while one is under way",
            conferring.clone(),
            sample("permit.convene_conference", &conferring),
        ),
        row(
            "another_round_follows_observations",
            Code::ConferenceConcluded,
            "again without observations",
            rejected.clone(),
            sample("permit.convene_conference", &rejected),
        ),
        row(
            "bodies_are_named",
            Code::FormIncomplete,
            "of nobody",
            free.clone(),
            changed("permit.convene_conference", &free, |c| {
                if let Own::ConveneConference { bodies, .. } = c {
                    *bodies = vec![BodyForm { name: " ".to_owned(), sensitive: true }];
                }
            }),
        ),
        row(
            "the_meeting_has_a_lawful_day",
            Code::DateTooEarly,
            "with a meeting before the bodies' terms end",
            free.clone(),
            changed("permit.convene_conference", &free, |c| {
                if let Own::ConveneConference { meeting_on, .. } = c {
                    *meeting_on = day("2026-04-01");
                }
            }),
        ),
        none_under_way("permit.record_determination"),
        none_under_way("permit.open_meeting"),
        none_under_way("permit.conclude_conference"),
        row(
            "the_body_takes_part",
            Code::UnknownBody,
            "of a body that was not convened",
            conferring.clone(),
            elsewhere("permit.record_determination", &conferring),
        ),
        row(
            "the_determination_is_in_time",
            Code::SilenceFormed,
            "after its term",
            over.clone(),
            determine(&over, "AUSL", "2026-04-08", Position::Insurmountable),
        ),
        row(
            "the_body_said_nothing_yet",
            Code::BodyHasDetermined,
            "a second time",
            said.clone(),
            determine(&said, "Soprintendenza", "2026-04-20", Position::Insurmountable),
        ),
        row(
            "it_did_not_meet_yet",
            Code::ConferenceMet,
            "a second time",
            met().on("2026-05-11"),
            sample("permit.open_meeting", &met().on("2026-05-11")),
        ),
        row(
            "the_positions_are_known",
            Code::PositionsAwaited,
            "while bodies may still determine",
            conferring.clone(),
            conclude(true),
        ),
        row(
            "the_outcome_follows_the_positions",
            Code::MeetingNeeded,
            "on a dissent that changes would overcome",
            conference_wavers(),
            conclude(true),
        ),
        row(
            "the_outcome_follows_the_positions",
            Code::PositionsSayOtherwise,
            "in favour against a dissent that nothing overcomes",
            conference_dissents(),
            conclude(true),
        ),
        row(
            "observations_are_answered",
            Code::ObservationsUnanswered,
            "without an answer to them",
            second_round(),
            Own::ConcludeConference {
                positive: true,
                reasons: "Posizioni mutate".to_owned(),
                answers: String::new(),
            },
        ),
        row(
            "opposition_is_possible",
            Code::WrongPhase,
            "of a title that nobody dissented from",
            granted(),
            sample("permit.raise_opposition", &granted()),
        ),
        row(
            "the_body_may_oppose",
            Code::UnknownBody,
            "by a body that did not dissent",
            suspended.clone(),
            elsewhere("permit.raise_opposition", &suspended),
        ),
        row(
            "the_opposition_is_in_time",
            Code::DateTooLate,
            "after the ten days",
            suspended.clone().on("2026-06-03"),
            sample("permit.raise_opposition", &suspended.on("2026-06-03")),
        ),
        row(
            "an_opposition_was_raised",
            Code::WrongPhase,
            "that nobody raised",
            effect_suspended(),
            sample("permit.end_opposition", &effect_suspended()),
        ),
    ]
}

/// After observations on the negative determination the bodies were heard again and agree.
pub(crate) fn second_round() -> Given {
    let mut case = conference_rejects()
        .on("2026-05-06")
        .when(receive("2026-05-06"))
        .then(["case.notice_received"])
        .on("2026-05-12")
        .when(crate::scenarios::observe("2026-05-12"))
        .then(["case.observations_filed"])
        .when(convene("2026-05-12", "2026-06-15", &[("AUSL", false)]))
        .then(["permit.conference_convened"])
        .on("2026-05-20");
    let ask = determine(&case, "AUSL", "2026-05-20", Position::Assent);
    case = case.when(ask).then(["permit.determination_received"]);
    case
}

fn decision() -> Vec<Row> {
    let proposed_by_her = proposed().on("2026-05-04").by(officer("bruno"));
    let by_proposer = to_be_refused().on("2026-05-04").by(officer("bruno"));
    let against = {
        filed()
            .on("2026-04-20")
            .by(officer("bruno"))
            .when(propose(Tenor::Negative))
            .then(["case.proposal_made"])
            .by(officer("anna"))
    };
    let refused_against = {
        notified()
            .on("2026-04-14")
            .when(receive("2026-04-14"))
            .then(["case.notice_received"])
            .on("2026-04-27")
            .by(officer("bruno"))
            .when(propose(Tenor::Favourable))
            .then(["case.proposal_made"])
            .by(officer("anna"))
    };
    let unreasoned = || Own::Issue {
        conditions: String::new(),
        reasons: String::new(),
        departure: String::new(),
    };
    let incomplete = {
        let mut form = form(Kind::NewConstruction);
        form.drawings = false;
        let mut case = filed_form(form).on("2026-04-20").by(officer("bruno"));
        case.step(&propose(Tenor::Favourable).into()).expect("proposed");
        case.by(officer("anna"))
    };
    let bare = constrained().on("2026-04-20");
    let unanswered = || {
        let mut ask = refuse();
        if let Own::Refuse { answers, .. } = &mut ask {
            answers.clear();
        }
        ask
    };
    let window =
        notified().on("2026-04-14").when(receive("2026-04-14")).then(["case.notice_received"]);
    let archive_unnoticed = additions_missing();
    let archive_window = archivable().on("2026-04-30");
    let archive_observed = archivable()
        .on("2026-04-24")
        .when(crate::scenarios::observe("2026-04-24"))
        .then(["case.observations_filed"]);
    let running = constrained().on("2026-05-04");
    let in_conflict = {
        let case = constrained();
        let conflict = pratica_domain::case::Command::DeclareConflict {
            officer: "segretario".parse().unwrap(),
            reason: "Vicino di casa".to_owned(),
        };
        case.when(conflict).then(["case.conflict_declared"]).on(SILENCE_OVER)
    };
    let held_up = safeguarded().on("2026-03-25");
    let conferring = in_conference();
    vec![
        row(
            "nothing_holds_the_decision_up",
            Code::SafeguardsHold,
            "while safeguards hold",
            held_up,
            issue(),
        ),
        row(
            "no_conference_is_under_way",
            Code::ConferenceUnderWay,
            "while the bodies confer",
            conferring,
            issue(),
        ),
        row(
            "the_constraints_are_authorised",
            Code::AuthorisationsMissing,
            "on constrained property without assents",
            bare,
            issue(),
        ),
        row("nothing_is_missing", Code::NotReceivable, "without the drawings", incomplete, issue()),
        row(
            "who_decides_did_not_propose",
            Code::FourEyes,
            "by who proposed",
            proposed_by_her,
            issue(),
        ),
        row(
            "acceptance_after_a_notice_is_reasoned",
            Code::ReasonsMissing,
            "after a notice, without words",
            to_be_refused(),
            unreasoned(),
        ),
        row(
            "departing_from_the_proposal_is_reasoned",
            Code::DepartureUnreasoned,
            "against the proposal, unreasoned",
            against.clone(),
            issue(),
        ),
        row(
            "the_refusal_comes_before_silence",
            Code::SilenceFormed,
            "after silence granted",
            tacit(),
            refuse(),
        ),
        row("it_can_be_refused", Code::CaseClosed, "after the permit", granted(), refuse()),
        row("a_notice_came_first", Code::NoticeRequired, "without a notice", against, refuse()),
        row(
            "observations_could_be_filed",
            Code::ObservationWindowOpen,
            "while observations may be filed",
            window,
            refuse(),
        ),
        row(
            "who_decides_did_not_propose",
            Code::FourEyes,
            "by who proposed",
            by_proposer,
            refuse(),
        ),
        row(
            "observations_are_answered",
            Code::ObservationsUnanswered,
            "without an answer to them",
            to_be_refused(),
            unanswered(),
        ),
        row(
            "departing_from_the_proposal_is_reasoned",
            Code::DepartureUnreasoned,
            "against the proposal, unreasoned",
            refused_against,
            refuse(),
        ),
        row(
            "additions_never_came",
            Code::WrongPhase,
            "while nothing is missing",
            filed(),
            sample("permit.archive", &filed()),
        ),
        row(
            "a_notice_came_first",
            Code::NoticeRequired,
            "without a notice",
            archive_unnoticed.clone(),
            sample("permit.archive", &archive_unnoticed),
        ),
        row(
            "observations_could_be_filed",
            Code::ObservationWindowOpen,
            "while observations may be filed",
            archive_window.clone(),
            sample("permit.archive", &archive_window),
        ),
        row(
            "observations_are_answered",
            Code::ObservationsUnanswered,
            "without an answer to them",
            archive_observed.clone(),
            changed("permit.archive", &archive_observed, |c| {
                if let Own::Archive { answers, .. } = c {
                    answers.clear();
                }
            }),
        ),
        row(
            "it_is_an_application",
            Code::WrongPhase,
            "of a notice of works",
            notice_of_works(),
            sample("permit.request_attestation", &notice_of_works()),
        ),
        row(
            "an_attestation_was_asked",
            Code::NoAttestationAsked,
            "that nobody asked for",
            tacit(),
            Own::AnswerAttestation,
        ),
        row(
            "the_office_is_late",
            Code::TermNotExpired,
            "while the term runs",
            running.clone(),
            sample("permit.invoke_substitute", &running),
        ),
        row(
            "the_substitute_has_no_conflict",
            Code::OfficerInConflict,
            "by a substitute in conflict",
            in_conflict.clone(),
            sample("permit.invoke_substitute", &in_conflict),
        ),
    ]
}

fn title() -> Vec<Row> {
    let unknown = EntryId(Uuid::from_u128(3));
    let late = granted().on("2026-11-12");
    let judged = |reference: &str| Own::Annul {
        ground: AnnulmentGround::Judgement,
        reference: reference.to_owned(),
        reasons: "Annullato".to_owned(),
        appeal: crate::scenarios::appeal(),
    };
    let owing = determined();
    let cost = |sum| Own::DetermineContribution {
        kind: ContributionKind::ConstructionCost,
        amount_cents: 100,
        instalments: vec![InstalmentForm { amount_cents: sum, due_on: day("2026-06-10") }],
    };
    let offset = |contribution, amount_cents| Own::OffsetContribution {
        contribution,
        amount_cents,
        agreement: "Convenzione".to_owned(),
    };
    let paid =
        owing.clone().when(pay(&owing, 0, "2026-05-11", 400_000)).then(["permit.payment_recorded"]);
    let overdue = granted().on("2027-05-12");
    let asked = extension_asked();
    let other_asked = |name: &str| {
        let ask = changed(name, &asked, |c| {
            if let Own::GrantExtension { extension, .. } | Own::RefuseExtension { extension, .. } =
                c
            {
                *extension = unknown;
            }
        });
        row(
            "the_extension_is_open",
            Code::UnknownExtension,
            "that nobody asked for",
            asked.clone(),
            ask,
        )
    };
    let none_asked = |name: &str| {
        let ask = sample(name, &granted());
        row("an_extension_was_asked", Code::UnknownExtension, "when none was asked", granted(), ask)
    };
    let works = in_works();
    let finish_term = |name: &str| {
        let ask = changed(name, &granted(), |c| {
            if let Own::RequestExtension { term, .. } | Own::ExtendByLaw { term, .. } = c {
                *term = WorksTerm::Finish;
            }
        });
        let on = "of the end before the start";
        row("the_works_term_runs", Code::TermNotRunning, on, granted(), ask)
    };
    let controlled_late = notice_of_works().on("2026-04-02");
    let uncontrolled = |name: &str| {
        let ask = sample(name, &granted());
        row(
            "a_control_is_under_way",
            Code::WrongPhase,
            "when nothing is controlled",
            granted(),
            ask,
        )
    };
    let too_late = |name: &str| {
        let ask = sample(name, &controlled_late);
        let on = "after the thirty days";
        row("the_control_is_not_over", Code::SilenceFormed, on, controlled_late.clone(), ask)
    };
    let late_finish = in_works().on("2029-09-10");
    let mut rows = vec![
        row(
            "the_title_is_not_annulled",
            Code::WrongPhase,
            "of a title that lapsed into nothing",
            refused(),
            sample("permit.annul", &refused()),
        ),
        row(
            "there_is_a_decision",
            Code::CaseNotClosed,
            "before any decision",
            filed(),
            sample("permit.record_contest", &filed()),
        ),
        row(
            "annulment_is_in_time",
            Code::DateTooLate,
            "after six months",
            late.clone(),
            sample("permit.annul", &late),
        ),
        row(
            "the_judgement_is_named",
            Code::ReasonsMissing,
            "by a judgement without a name",
            granted(),
            judged(" "),
        ),
        row(
            "instalments_add_up",
            Code::AmountsDiffer,
            "in parts that do not add up",
            granted(),
            cost(99),
        ),
        row(
            "the_contribution_can_be_offset",
            Code::UnknownContribution,
            "of a contribution that is none",
            owing.clone(),
            offset(unknown, 100),
        ),
        row(
            "the_instalment_is_open",
            Code::InstalmentPaid,
            "twice",
            paid.clone(),
            pay(&paid, 0, "2026-05-11", 100),
        ),
        row(
            "the_amount_is_not_too_much",
            Code::AmountTooHigh,
            "of more than is open",
            owing.clone(),
            pay(&owing, 0, "2026-05-11", 400_001),
        ),
        row(
            "the_title_has_effect",
            Code::EffectSuspended,
            "while a body may oppose",
            effect_suspended(),
            sample("permit.start_works", &effect_suspended()),
        ),
        row(
            "works_did_not_start",
            Code::WorksStarted,
            "a second time",
            works.clone().on("2026-09-14"),
            sample("permit.start_works", &works.clone().on("2026-09-14")),
        ),
        row(
            "works_start_in_time",
            Code::DateTooLate,
            "after the year",
            overdue.clone(),
            sample("permit.start_works", &overdue),
        ),
        row(
            "works_are_under_way",
            Code::WrongPhase,
            "that never started",
            granted(),
            sample("permit.finish_works", &granted()),
        ),
        row(
            "works_finish_in_time",
            Code::DateTooLate,
            "after the three years",
            late_finish.clone(),
            sample("permit.finish_works", &late_finish),
        ),
        finish_term("permit.request_extension"),
        finish_term("permit.extend_by_law"),
        row(
            "no_extension_is_pending",
            Code::ExtensionPending,
            "while one is pending",
            asked.clone().on("2027-05-04"),
            sample("permit.request_extension", &asked.clone().on("2027-05-04")),
        ),
        row(
            "it_is_asked_before_the_end",
            Code::DateTooLate,
            "after the year",
            overdue.clone(),
            sample("permit.request_extension", &overdue),
        ),
        none_asked("permit.grant_extension"),
        none_asked("permit.refuse_extension"),
        other_asked("permit.grant_extension"),
        other_asked("permit.refuse_extension"),
        row(
            "works_did_not_start",
            Code::WorksStarted,
            "once works have started",
            works.clone(),
            sample("permit.declare_lapse", &works),
        ),
        row(
            "the_new_holder_is_named",
            Code::FormIncomplete,
            "to nobody",
            granted(),
            changed("permit.transfer", &granted(), |c| {
                if let Own::Transfer { person, .. } = c {
                    person.family_name.clear();
                }
            }),
        ),
        row(
            "works_allow_a_report",
            Code::WrongPhase,
            "of the whole while works go on",
            works.clone(),
            sample("permit.report_usability", &works),
        ),
        uncontrolled("permit.order_conformation"),
        uncontrolled("permit.prohibit"),
        too_late("permit.order_conformation"),
        too_late("permit.prohibit"),
        row(
            "thirty_days_at_least",
            Code::TimeTooShort,
            "in less than thirty days",
            notice_of_works().on("2026-03-16"),
            Own::OrderConformation {
                comply_within: Length::days(29),
                reasons: "Distanza".to_owned(),
                appeal: crate::scenarios::appeal(),
            },
        ),
        row(
            "no_compliance_is_awaited",
            Code::RequestAlreadyOpen,
            "while compliance with another order is awaited",
            conformation_ordered().on("2026-03-17"),
            sample("permit.order_conformation", &conformation_ordered().on("2026-03-17")),
        ),
        row(
            "conformation_was_ordered",
            Code::WrongPhase,
            "that nobody ordered",
            notice_of_works(),
            sample("permit.report_conformation", &notice_of_works()),
        ),
    ];
    // A title that lapsed can still be annulled: what was built under it stands.
    let lapsed = granted()
        .on("2027-05-12")
        .when(expire("permit.works_start", "2027-05-11"))
        .then(["permit.lapsed"]);
    let mut ended = lapsed.on("2027-05-13");
    ended.step(&judged("TAR 5/2027").into()).expect("a lapsed title is annulled by a court");
    rows.retain(|r| r.rule != "the_title_is_not_annulled");
    rows.push(row(
        "the_title_is_not_annulled",
        Code::WrongPhase,
        "of an annulled title, by a later judgement",
        ended.on("2027-06-01"),
        judged("CdS 6/2028"),
    ));
    rows
}
