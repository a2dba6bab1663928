//! Where the rules of an application refuse.

use crate::given::{Given, nothing_yet};
use crate::permit_scenarios::propose;
use crate::refusals::{Row, row};
use crate::school_scenarios::*;
use crate::support::day;
use pratica_domain::case::Command as Common;
use pratica_domain::case::{RequestKind, Tenor};
use pratica_domain::ranking::Stage;
use pratica_domain::school::call::Phase as CallPhase;
use pratica_domain::school::enrolment::{Command as Own, Form};
use pratica_domain::term::Length;
use pratica_domain::{Command, RejectionCode as Code};

fn ask(name: &str, case: &Given) -> Command {
    sample(name, case).unwrap()
}

fn requested() -> Given {
    filed()
        .when(Common::SendRequest {
            kind: RequestKind::Additions,
            text: "Manca il lavoro".to_owned(),
            sent_on: day(APPLIED),
            answer_within: Length::days(10),
            suspends: None,
        })
        .then(["case.request_sent"])
}

pub(crate) fn rows() -> Vec<Row> {
    let new = || nothing_yet().on(APPLIED);
    let with_form = |change: fn(&mut Form)| {
        let mut form = form();
        change(&mut form);
        file(call_view(), form, &[])
    };
    let phase = |rule, on, name: &str, case: Given| {
        let command = ask(name, &case);
        row(rule, Code::WrongPhase, on, case, command)
    };
    let unknown_fact = |mut form: Form| {
        form.facts = facts(&[("rich", 1)]);
        form
    };
    let older = {
        let mut file = file(call_view(), form(), &[]);
        if let Own::File { child, .. } = &mut file {
            child.birth_date = Some(day("2019-01-01"));
        }
        file
    };
    let tomorrow = {
        let mut file = file(call_view(), form(), &[]);
        if let Own::File { filed_at, .. } = &mut file {
            *filed_at = pratica_domain::term::first_instant_of(day("2026-03-20"));
        }
        file
    };
    let incomplete = nothing_yet().on(APPLIED).when(file(call_view(), form(), &[])).then([
        "case.opened",
        "case.party_added",
        "case.party_added",
        "enrolment.filed",
    ]);
    let answered = |change: fn(&mut Own)| {
        let case = observed();
        let Command::Enrolment(mut command) = ask("enrolment.answer_observation", &case) else {
            unreachable!()
        };
        change(&mut command);
        (case, command)
    };
    let (other_case, other_observation) = answered(|c| {
        if let Own::AnswerObservation { observation, .. } = c {
            *observation = OFFER_ID;
        }
    });
    let (unreasoned_case, unreasoned) = answered(|c| {
        if let Own::AnswerObservation { reasons, .. } = c {
            reasons.clear();
        }
    });
    let (late_case, late_fact) = answered(|c| {
        if let Own::AnswerObservation { correct, .. } = c {
            *correct = Some(facts(&[("resident", 1), ("siblings", 4), ("working_parents", 2)]));
        }
    });
    let proposed = filed().when(propose(Tenor::Negative)).then(["case.proposal_made"]);
    let exclude = |change: fn(&mut Own)| {
        let Command::Enrolment(mut command) = ask("enrolment.exclude", &filed()) else {
            unreachable!()
        };
        change(&mut command);
        command
    };
    let loss = |change: fn(&mut Own)| {
        let Command::Enrolment(mut command) = ask("enrolment.declare_loss", &accepted()) else {
            unreachable!()
        };
        change(&mut command);
        command
    };
    vec![
        row(
            "the_call_takes_applications",
            Code::CallTakesNoApplications,
            "once the provisional ranking is out",
            new(),
            file(call_in(CallPhase::Provisional), form(), &[]),
        ),
        row(
            "the_choices_are_of_the_call",
            Code::ChoicesCount,
            "without a school",
            new(),
            with_form(|f| f.choices.clear()),
        ),
        row("the_child_is_of_an_age_of_the_call", Code::AgeOutsideCall, "aged seven", new(), older),
        row(
            "the_facts_are_of_the_criteria",
            Code::UnknownFact,
            "with a fact that nobody asks for",
            new(),
            file(call_view(), unknown_fact(form()), &[]),
        ),
        row("dates_are_plausible", Code::DateInFuture, "received tomorrow", new(), tomorrow),
        row(
            "the_window_is_open",
            Code::WindowClosed,
            "after the window",
            filed().on(CLOSED),
            ask("enrolment.amend", &filed()),
        ),
        row(
            "the_choices_are_of_the_call",
            Code::UnknownSchool,
            "with a school twice",
            filed(),
            Own::Amend {
                call: call_view(),
                form: Form { choices: vec![school("nord"), school("nord")], ..form() },
            },
        ),
        row(
            "the_facts_are_of_the_criteria",
            Code::UnknownFact,
            "with a fact that nobody asks for",
            filed(),
            Own::Amend { call: call_view(), form: unknown_fact(form()) },
        ),
        phase("it_waits_for_admission", "once admitted", "enrolment.complete", admitted()),
        row(
            "the_request_waits",
            Code::UnknownRequest,
            "without being asked",
            filed(),
            ask("enrolment.complete", &filed()),
        ),
        row(
            "the_facts_are_of_the_criteria",
            Code::UnknownFact,
            "with an unknown fact",
            requested(),
            {
                let Command::Enrolment(mut command) = ask("enrolment.complete", &requested())
                else {
                    unreachable!()
                };
                if let Own::Complete { facts: stated, .. } = &mut command {
                    *stated = facts(&[("rich", 1)]);
                }
                command
            },
        ),
        phase("it_waits_for_admission", "in the ranking", "enrolment.admit", ranked()),
        row(
            "nothing_is_asked_of_the_family",
            Code::RequestsOpen,
            "while a request waits",
            requested(),
            Own::Admit,
        ),
        row(
            "the_documents_are_there",
            Code::DocumentsMissing,
            "without its documents",
            incomplete,
            Own::Admit,
        ),
        phase(
            "it_can_still_be_excluded",
            "in the definitive ranking",
            "enrolment.exclude",
            waiting(),
        ),
        row(
            "who_decides_did_not_propose",
            Code::FourEyes,
            "by who proposed",
            proposed.clone(),
            ask("enrolment.exclude", &proposed),
        ),
        row("the_act_is_reasoned", Code::ReasonsMissing, "without words", filed(), {
            exclude(|c| {
                if let Own::Exclude { reasons, .. } = c {
                    reasons.clear();
                }
            })
        }),
        row("the_act_states_the_appeal", Code::AppealMissing, "without the appeal", filed(), {
            exclude(|c| {
                if let Own::Exclude { appeal, .. } = c {
                    appeal.term_days = 0;
                }
            })
        }),
        row(
            "the_isee_is_whole",
            Code::FormIncomplete,
            "without its protocol",
            filed(),
            Own::RecordIsee {
                isee: pratica_domain::school::enrolment::Isee {
                    protocol: " ".to_owned(),
                    ..isee(100)
                },
            },
        ),
        phase("it_was_admitted", "before admission", "enrolment.score", filed()),
        row("the_window_is_over", Code::WindowOpen, "within the window", admitted(), score()),
        row(
            "observations_are_still_open",
            Code::ObservationsClosed,
            "after ten days",
            ranked().on("2026-05-15"),
            ask("enrolment.file_observation", &ranked()),
        ),
        row(
            "the_act_is_reasoned",
            Code::ReasonsMissing,
            "without words",
            ranked(),
            Own::FileObservation { text: " ".to_owned() },
        ),
        row(
            "an_observation_waits",
            Code::UnknownObservation,
            "when nobody objected",
            ranked(),
            ask("enrolment.answer_observation", &ranked()),
        ),
        row(
            "the_observation_is_open",
            Code::UnknownObservation,
            "to another observation",
            other_case,
            other_observation,
        ),
        row(
            "the_act_is_reasoned",
            Code::ReasonsMissing,
            "without words",
            unreasoned_case,
            unreasoned,
        ),
        row(
            "only_errors_are_corrected",
            Code::LateFact,
            "with a fact that nobody stated in time",
            late_case,
            late_fact,
        ),
        phase("an_offer_is_open", "without an offer", "enrolment.accept", waiting()),
        row(
            "the_offer_is_this_one",
            Code::OfferOver,
            "after its last day",
            offered().on("2026-06-05"),
            accept(),
        ),
        row(
            "the_deposit_is_paid",
            Code::DepositMissing,
            "without the deposit",
            offered(),
            Own::Accept { offer: OFFER_ID, deposit_receipt: None },
        ),
        phase("an_offer_is_open", "without an offer", "enrolment.renounce", waiting()),
        row(
            "the_offer_is_this_one",
            Code::OfferNotOpen,
            "another offer",
            offered(),
            Own::Renounce { offer: observation(&offered()) },
        ),
        row(
            "dates_are_plausible",
            Code::DateInFuture,
            "of tomorrow's list",
            accepted(),
            Own::RecordVaccines { in_order: true, stated_on: day("2026-06-02") },
        ),
        row(
            "the_child_is_not_in_order",
            Code::VaccinesNotInQuestion,
            "of who is in order",
            accepted(),
            ask("enrolment.invite_vaccine_proof", &accepted()),
        ),
        row(
            "dates_are_plausible",
            Code::DateTooEarly,
            "before the list",
            not_in_order(),
            Own::InviteVaccineProof { sent_on: day("2026-06-09") },
        ),
        row(
            "the_invitation_is_in_time",
            Code::DateTooLate,
            "after 10 July",
            not_in_order().on("2026-07-11"),
            Own::InviteVaccineProof { sent_on: day("2026-07-11") },
        ),
        row(
            "proof_was_asked_for",
            Code::VaccinesNotInQuestion,
            "that nobody asked for",
            accepted(),
            ask("enrolment.file_vaccine_proof", &accepted()),
        ),
        phase("a_place_was_accepted", "without a place", "enrolment.start_attendance", waiting()),
        row(
            "dates_are_plausible",
            Code::DateInFuture,
            "from tomorrow",
            accepted(),
            Own::StartAttendance { started_on: day("2026-06-02") },
        ),
        phase("there_is_a_place", "without a place", "enrolment.set_fee", waiting()),
        row(
            "the_call_has_a_fee",
            Code::NoFeeFormula,
            "where the call has no formula",
            accepted(),
            Own::SetFee { fee: None },
        ),
        phase("there_is_a_place", "without a place", "enrolment.leave", waiting()),
        phase("there_is_a_place", "without a place", "enrolment.declare_loss", waiting()),
        row("the_family_was_told", Code::DateInFuture, "told tomorrow", accepted(), {
            loss(|c| {
                if let Own::DeclareLoss { told_on, .. } = c {
                    *told_on = day("2026-06-02");
                }
            })
        }),
        row("the_act_is_reasoned", Code::ReasonsMissing, "without words", accepted(), {
            loss(|c| {
                if let Own::DeclareLoss { reasons, .. } = c {
                    reasons.clear();
                }
            })
        }),
        row("the_act_states_the_appeal", Code::AppealMissing, "without the appeal", accepted(), {
            loss(|c| {
                if let Own::DeclareLoss { appeal, .. } = c {
                    appeal.authority.clear();
                }
            })
        }),
        phase(
            "it_stands_in_the_definitive_ranking",
            "before the definitive ranking",
            "enrolment.receive_offer",
            ranked(),
        ),
    ]
}

#[test]
fn an_application_in_the_definitive_ranking_is_not_ranked_twice() {
    let again = rank(Stage::Definitive, FINAL);
    waiting().when(again).nothing();
}
