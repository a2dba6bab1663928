//! The rules of the residency change: one named function a rule, one ordered list a command.

mod decision;
mod ex_officio;
mod form;
mod phase;

use crate::case::rules::{
    ACT_REASONED as REASONED, ANSWERED, APPEAL, DEPARTURE, FOUR_EYES, HEARD, NEW, NO_CONFLICT,
    NOTICE_FIRST, OPEN, OPENED, SILENT, rule,
};
use crate::decider::{Action, Check, Rule};
pub(crate) use decision::silence_would_confirm;
use decision::{
    acceptance_after_a_notice_is_reasoned, another_case_supersedes, it_happened_before_silence,
};
use ex_officio::{
    checks_were_repeated, it_is_about_a_cancellation, it_is_about_an_omitted_declaration,
    the_absence_lasted, the_invitation_ended, the_kind_is_the_offices,
    the_permit_expired_long_enough, the_person_was_not_invited_yet, the_person_was_told,
};
pub(crate) use form::declared_late;
pub use form::defects;
use form::{
    a_ground_is_named, dates_are_plausible, ended_before, the_declaration_is_receivable,
    the_form_can_be_a_case,
};
pub(crate) use phase::{
    DECLARED_FITS, NOTICE_FITS, has_provisional_effect, is_ex_officio, notice_is_possible,
    registered_on, restarts,
};
use phase::{
    checks_are_under_way, it_is_a_residency_case, it_is_not_registered_yet, own, phase,
    the_consular_form_is_there, the_consulate_is_awaited, the_office_opened_it,
    there_are_checks_to_close, there_is_something_to_report, visits_make_sense,
};

const FORM: Rule = rule!(the_form_can_be_a_case, Content, "DPR 223/1989 art. 13");
const DATES: Rule = rule!(dates_are_plausible, Content, "L. 241/1990 art. 18-bis");
const OWN: Rule = rule!(it_is_a_residency_case, Standing, "");
const BEFORE_REGISTRATION: Rule =
    rule!(it_is_not_registered_yet, Standing, "DL 5/2012 art. 5 c. 3");
const UNDER_WAY: Rule = rule!(checks_are_under_way, Standing, "DPR 223/1989 art. 18-bis");
const EX_OFFICIO: Rule = rule!(the_office_opened_it, Standing, "DPR 223/1989 arts. 11, 15");

const fn action(command: &'static str, rules: &'static [Rule]) -> Action {
    Action { command, rules, offered: true }
}

/// The procedure's own commands with their rules, in order of precedence.
pub const ACTIONS: &[Action] = &[
    action("residency.declare", &[NEW, FORM, DATES]),
    action("residency.complete", &[OPENED, OPEN, NO_CONFLICT, BEFORE_REGISTRATION, SILENT, FORM]),
    action(
        "residency.find_irreceivable",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            BEFORE_REGISTRATION,
            SILENT,
            rule!(a_ground_is_named, Content, "L. 241/1990 art. 2 c. 1"),
            REASONED,
            APPEAL,
        ],
    ),
    action(
        "residency.register",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            BEFORE_REGISTRATION,
            rule!(the_consular_form_is_there, Standing, "L. 470/1988 art. 6"),
            rule!(the_declaration_is_receivable, Standing, "DPR 223/1989; DL 47/2014 art. 5"),
        ],
    ),
    action(
        "residency.record_visit",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            rule!(visits_make_sense, Standing, "DPR 223/1989 art. 19"),
            REASONED,
            DATES,
        ],
    ),
    action(
        "residency.confirm",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            rule!(there_are_checks_to_close, Standing, "DPR 223/1989 arts. 11, 18-bis"),
            SILENT,
            FOUR_EYES,
            rule!(acceptance_after_a_notice_is_reasoned, Content, "L. 241/1990 art. 10-bis"),
            DEPARTURE,
        ],
    ),
    action(
        "residency.restore_position",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            UNDER_WAY,
            SILENT,
            NOTICE_FIRST,
            HEARD,
            FOUR_EYES,
            REASONED,
            ANSWERED,
            APPEAL,
            DEPARTURE,
        ],
    ),
    action(
        "residency.supersede",
        &[OPENED, OPEN, NO_CONFLICT, OWN, SILENT, rule!(another_case_supersedes, Content, "")],
    ),
    action(
        "residency.end_by_fact",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            OWN,
            DATES,
            rule!(it_happened_before_silence, Content, "L. 241/1990 art. 20"),
        ],
    ),
    action(
        "residency.open_ex_officio",
        &[
            NEW,
            rule!(the_kind_is_the_offices, Content, "DPR 223/1989 arts. 11, 15"),
            REASONED,
            DATES,
        ],
    ),
    action(
        "residency.invite",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            EX_OFFICIO,
            rule!(the_person_was_not_invited_yet, Standing, "DPR 223/1989 arts. 11, 15"),
            rule!(the_permit_expired_long_enough, Content, "DPR 223/1989 art. 11 c. 1 lett. c"),
            DATES,
        ],
    ),
    action(
        "residency.register_ex_officio",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            EX_OFFICIO,
            rule!(it_is_about_an_omitted_declaration, Standing, "DPR 223/1989 art. 15"),
            rule!(the_invitation_ended, Standing, "DPR 223/1989 art. 15"),
        ],
    ),
    action(
        "residency.cancel",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            EX_OFFICIO,
            rule!(it_is_about_a_cancellation, Standing, "DPR 223/1989 art. 11"),
            rule!(the_person_was_told, Standing, "L. 241/1990 art. 7"),
            rule!(checks_were_repeated, Standing, "DPR 223/1989 art. 11 c. 1 lett. c"),
            rule!(the_absence_lasted, Standing, "DPR 223/1989 art. 11 c. 1 lett. c"),
            REASONED,
            APPEAL,
        ],
    ),
    action(
        "residency.record_consular_form",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            rule!(the_consulate_is_awaited, Standing, "L. 470/1988 art. 6"),
            DATES,
        ],
    ),
    action(
        "residency.report",
        &[
            OPENED,
            rule!(there_is_something_to_report, Standing, "DPR 223/1989 arts. 11, 19"),
            DATES,
        ],
    ),
];
