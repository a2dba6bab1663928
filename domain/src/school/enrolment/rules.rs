//! The rules of an application: one named function a rule, one ordered list a command.

mod form;
mod phase;
mod place;

use crate::case::rules::{FOUR_EYES, NO_CONFLICT, OPEN, OPENED, rule};
use crate::decider::{Action, Check, Rule};
pub(super) use form::is_late;
use form::{
    dates_are_plausible, nothing_is_asked_of_the_family, only_errors_are_corrected,
    the_act_is_reasoned, the_act_states_the_appeal, the_call_takes_applications, the_case_is_new,
    the_child_is_of_an_age_of_the_call, the_choices_are_of_the_call, the_documents_are_there,
    the_facts_are_of_the_criteria, the_isee_is_whole, the_request_waits,
};
pub(super) use phase::own;
use phase::{
    an_observation_waits, it_can_still_be_excluded, it_stands_in_the_definitive_ranking,
    it_waits_for_admission, it_was_admitted, observations_are_still_open, the_observation_is_open,
    the_window_is_open, the_window_is_over,
};
use place::{
    a_place_was_accepted, an_offer_is_open, proof_was_asked_for, the_call_has_a_fee,
    the_child_is_not_in_order, the_deposit_is_paid, the_family_was_told, the_invitation_is_in_time,
    the_offer_is_this_one, there_is_a_place,
};

const NEW: Rule = rule!(the_case_is_new, Standing, "");
const CHOICES: Rule = rule!(the_choices_are_of_the_call, Content, "regulation of the comune");
const FACTS: Rule = rule!(the_facts_are_of_the_criteria, Content, "regulation of the comune");
const AGE: Rule = rule!(the_child_is_of_an_age_of_the_call, Content, "regulation of the comune");
const DATES: Rule = rule!(dates_are_plausible, Content, "L. 241/1990 art. 18-bis");
const REASONED: Rule = rule!(the_act_is_reasoned, Content, "L. 241/1990 art. 3");
const APPEAL: Rule = rule!(the_act_states_the_appeal, Content, "L. 241/1990 art. 3 c. 4");
const OFFER_OPEN: Rule = rule!(an_offer_is_open, Standing, "regulation of the comune");
const THIS_OFFER: Rule = rule!(the_offer_is_this_one, Content, "regulation of the comune");
const PLACE: Rule = rule!(there_is_a_place, Standing, "regulation of the comune");

const fn action(command: &'static str, rules: &'static [Rule]) -> Action {
    Action { command, rules, offered: true }
}

const fn own_action(command: &'static str, rules: &'static [Rule]) -> Action {
    Action { command, rules, offered: false }
}

/// The procedure's own commands with their rules, in order of precedence.
pub const ACTIONS: &[Action] = &[
    action(
        "enrolment.file",
        &[
            NEW,
            rule!(the_call_takes_applications, Content, "L. 241/1990 art. 12"),
            CHOICES,
            AGE,
            FACTS,
            DATES,
        ],
    ),
    action(
        "enrolment.amend",
        &[OPENED, OPEN, rule!(the_window_is_open, Standing, "L. 241/1990 art. 12"), CHOICES, FACTS],
    ),
    action(
        "enrolment.complete",
        &[
            OPENED,
            OPEN,
            rule!(it_waits_for_admission, Standing, "L. 241/1990 art. 6"),
            rule!(the_request_waits, Content, "L. 241/1990 art. 6"),
            FACTS,
        ],
    ),
    action(
        "enrolment.admit",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            rule!(it_waits_for_admission, Standing, "L. 241/1990 art. 6"),
            rule!(nothing_is_asked_of_the_family, Standing, "L. 241/1990 art. 6"),
            rule!(the_documents_are_there, Standing, "regulation of the comune"),
        ],
    ),
    action(
        "enrolment.exclude",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            rule!(it_can_still_be_excluded, Standing, "L. 241/1990 art. 12"),
            FOUR_EYES,
            REASONED,
            APPEAL,
        ],
    ),
    action(
        "enrolment.record_isee",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            rule!(the_isee_is_whole, Content, "DPCM 159/2013 arts. 7, 10"),
        ],
    ),
    action(
        "enrolment.score",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            rule!(it_was_admitted, Standing, "L. 241/1990 art. 12"),
            rule!(the_window_is_over, Standing, "L. 241/1990 art. 12"),
        ],
    ),
    action(
        "enrolment.file_observation",
        &[
            OPENED,
            OPEN,
            rule!(observations_are_still_open, Standing, "L. 241/1990 arts. 10, 10-bis"),
            REASONED,
        ],
    ),
    action(
        "enrolment.answer_observation",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            rule!(an_observation_waits, Standing, "L. 241/1990 art. 10"),
            rule!(the_observation_is_open, Content, "L. 241/1990 art. 10"),
            REASONED,
            rule!(only_errors_are_corrected, Content, "regulation of the comune"),
        ],
    ),
    action(
        "enrolment.accept",
        &[
            OPENED,
            OPEN,
            OFFER_OPEN,
            THIS_OFFER,
            rule!(the_deposit_is_paid, Content, "regulation of the comune"),
        ],
    ),
    action("enrolment.renounce", &[OPENED, OPEN, OFFER_OPEN, THIS_OFFER]),
    action("enrolment.record_vaccines", &[OPENED, OPEN, NO_CONFLICT, DATES]),
    action(
        "enrolment.invite_vaccine_proof",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            rule!(the_child_is_not_in_order, Standing, "DL 73/2017 art. 3-bis c. 3"),
            DATES,
            rule!(the_invitation_is_in_time, Content, "DL 73/2017 art. 3-bis c. 3"),
        ],
    ),
    action(
        "enrolment.file_vaccine_proof",
        &[OPENED, OPEN, rule!(proof_was_asked_for, Standing, "DL 73/2017 art. 3-bis c. 3")],
    ),
    action(
        "enrolment.start_attendance",
        &[OPENED, OPEN, rule!(a_place_was_accepted, Standing, "regulation of the comune"), DATES],
    ),
    action(
        "enrolment.set_fee",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PLACE,
            rule!(the_call_has_a_fee, Content, "regulation of the comune"),
        ],
    ),
    action("enrolment.leave", &[OPENED, OPEN, PLACE]),
    action(
        "enrolment.declare_loss",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PLACE,
            rule!(the_family_was_told, Content, "L. 241/1990 art. 7"),
            REASONED,
            APPEAL,
        ],
    ),
    own_action("enrolment.record_rank", &[OPENED, OPEN]),
    own_action(
        "enrolment.receive_offer",
        &[
            OPENED,
            OPEN,
            rule!(it_stands_in_the_definitive_ranking, Standing, "regulation of the comune"),
        ],
    ),
    own_action("enrolment.finish", &[OPENED, OPEN]),
];
