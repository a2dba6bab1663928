//! The rules of the common commands: one named function a rule, one ordered list a command.

mod content;
mod decision;
mod phase;
mod terms;

use super::disposal::rules::{
    a_hold_stands, an_erasure_is_authorised, an_erasure_is_proposed, no_erasure_is_proposed,
    no_hold_stands, nothing_is_due_any_more, the_authorisation_is_named, the_hold_is_known,
    the_retention_is_over, who_authorises_did_not_propose,
};
use crate::decider::{Action, Check, Rule};
pub(crate) use content::date_within;
use content::{
    dates_are_plausible, parties_and_documents_are_known, reasons_are_given, the_power_is_proved,
    the_request_is_open, who_acts_has_no_conflict, who_is_chosen_has_no_conflict,
};
pub use decision::Act;
pub(crate) use decision::{
    a_notice_came_first, departing_from_the_proposal_is_reasoned, observations_are_answered,
    observations_could_be_filed, the_act_is_reasoned, the_act_states_the_appeal,
    who_decides_did_not_propose,
};
use phase::{
    a_proposal_stands, a_request_can_be_answered, a_request_waits, a_suspension_holds,
    no_proposal_stands, somebody_is_represented, the_case_is_closed, the_case_was_opened,
    the_law_reopens_it, the_phase_allows_a_notice, there_is_an_application, withdrawal_is_in_time,
};
pub(crate) use phase::{refuse, the_case_is_new, the_case_is_open, wrong_phase};
use terms::{
    a_notice_was_sent, it_is_a_term_of_conclusion, no_notice_is_open, receipt_is_not_on_record,
    the_notice_is_in_time, the_suspension_is_the_first, the_term_has_run_out, the_term_runs,
};
pub(crate) use terms::{reckoned, reckoned_all, silence_has_not_decided, silence_has_not_formed};

macro_rules! rule {
    ($check:ident, $kind:ident, $article:literal) => {
        Rule { name: stringify!($check), article: $article, check: Check::$kind($check) }
    };
}
pub(crate) use rule;

pub(crate) const OPENED: Rule = rule!(the_case_was_opened, Standing, "");
pub(crate) const OPEN: Rule = rule!(the_case_is_open, Standing, "L. 241/1990 art. 2 c. 1");
pub(crate) const NO_CONFLICT: Rule =
    rule!(who_acts_has_no_conflict, Standing, "L. 241/1990 art. 6-bis");
pub(crate) const NEW: Rule = rule!(the_case_is_new, Standing, "");
pub(crate) const FOUR_EYES: Rule =
    rule!(who_decides_did_not_propose, Standing, "L. 241/1990 art. 6 c. 1 lett. e");
pub(crate) const NOTICE_FIRST: Rule =
    rule!(a_notice_came_first, Standing, "L. 241/1990 art. 10-bis");
pub(crate) const HEARD: Rule =
    rule!(observations_could_be_filed, Standing, "L. 241/1990 art. 10-bis");
pub(crate) const ACT_REASONED: Rule = rule!(the_act_is_reasoned, Content, "L. 241/1990 art. 3");
pub(crate) const ANSWERED: Rule =
    rule!(observations_are_answered, Content, "L. 241/1990 art. 10-bis");
pub(crate) const APPEAL: Rule =
    rule!(the_act_states_the_appeal, Content, "L. 241/1990 art. 3 c. 4");
pub(crate) const DEPARTURE: Rule =
    rule!(departing_from_the_proposal_is_reasoned, Content, "L. 241/1990 art. 6 c. 1 lett. e");
const NOTICE_OPEN: Rule = rule!(a_notice_was_sent, Standing, "L. 241/1990 art. 10-bis");
const ONE_NOTICE: Rule = rule!(no_notice_is_open, Standing, "L. 241/1990 art. 10-bis");
const NOTICE_FITS: Rule = rule!(the_phase_allows_a_notice, Standing, "L. 241/1990 art. 10-bis");
const PEOPLE: Rule = rule!(parties_and_documents_are_known, Content, "");
const DATES: Rule = rule!(dates_are_plausible, Content, "L. 241/1990 art. 18-bis");
const REASONED: Rule = rule!(reasons_are_given, Content, "L. 241/1990 art. 3");
const OFFICER_FREE: Rule = rule!(who_is_chosen_has_no_conflict, Content, "L. 241/1990 art. 6-bis");
const REQUEST_OPEN: Rule = rule!(the_request_is_open, Content, "");
const IN_TIME: Rule = rule!(the_notice_is_in_time, Content, "L. 241/1990 arts. 2 c. 8-bis, 20");
pub(crate) const SILENT: Rule =
    rule!(silence_has_not_decided, Standing, "L. 241/1990 arts. 2 c. 8-bis, 20");
const CONCLUSION: Rule = rule!(it_is_a_term_of_conclusion, Content, "L. 241/1990 art. 2 c. 7");
const RUNNING: Rule = rule!(the_term_runs, Content, "L. 241/1990 art. 2 c. 7");
const ONCE: Rule = rule!(the_suspension_is_the_first, Content, "L. 241/1990 art. 2 c. 7");

const fn action(command: &'static str, rules: &'static [Rule]) -> Action {
    Action { command, rules, offered: true }
}

/// The common commands with their rules, in order of precedence.
pub const ACTIONS: &[Action] = &[
    action("case.add_party", &[OPENED, OPEN, NO_CONFLICT]),
    action(
        "case.grant_representation",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PEOPLE,
            rule!(the_power_is_proved, Content, "DPR 445/2000 art. 38 c. 3-bis; c.c. art. 1393"),
        ],
    ),
    action(
        "case.end_representation",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            rule!(somebody_is_represented, Standing, ""),
            PEOPLE,
            REASONED,
        ],
    ),
    action("case.assign", &[OPENED, OPEN, OFFICER_FREE]),
    action("case.name_responsible", &[OPENED, OPEN, OFFICER_FREE]),
    action("case.declare_conflict", &[OPENED, OPEN, REASONED]),
    action("case.add_note", &[OPENED, NO_CONFLICT, REASONED]),
    action("case.send_message", &[OPENED, NO_CONFLICT, REASONED, PEOPLE]),
    action("case.add_document", &[OPENED, NO_CONFLICT, PEOPLE, DATES]),
    action(
        "case.send_request",
        &[OPENED, OPEN, NO_CONFLICT, REASONED, DATES, CONCLUSION, RUNNING, ONCE],
    ),
    action(
        "case.answer_request",
        &[
            OPENED,
            OPEN,
            rule!(a_request_can_be_answered, Standing, ""),
            REQUEST_OPEN,
            PEOPLE,
            DATES,
        ],
    ),
    action(
        "case.cancel_request",
        &[OPENED, OPEN, NO_CONFLICT, rule!(a_request_waits, Standing, ""), REQUEST_OPEN, REASONED],
    ),
    action(
        "case.send_notice",
        &[OPENED, OPEN, NO_CONFLICT, ONE_NOTICE, NOTICE_FITS, REASONED, DATES, IN_TIME],
    ),
    action(
        "case.record_notice_receipt",
        &[OPENED, OPEN, NOTICE_OPEN, rule!(receipt_is_not_on_record, Standing, ""), DATES],
    ),
    action("case.file_observations", &[OPENED, OPEN, NOTICE_OPEN, REASONED, PEOPLE, DATES]),
    action("case.link", &[OPENED, PEOPLE]),
    action(
        "case.propose",
        &[OPENED, OPEN, NO_CONFLICT, rule!(no_proposal_stands, Standing, ""), REASONED],
    ),
    action(
        "case.withdraw_proposal",
        &[OPENED, OPEN, NO_CONFLICT, rule!(a_proposal_stands, Standing, ""), REASONED],
    ),
    action(
        "case.withdraw",
        &[
            OPENED,
            rule!(withdrawal_is_in_time, Standing, "L. 241/1990 art. 2"),
            rule!(there_is_an_application, Standing, "L. 241/1990 art. 2 c. 1"),
            SILENT,
        ],
    ),
    action(
        "case.reopen",
        &[
            OPENED,
            rule!(the_case_is_closed, Standing, ""),
            NO_CONFLICT,
            rule!(the_law_reopens_it, Content, "L. 241/1990 arts. 21-nonies, 10-bis"),
        ],
    ),
    action(
        "case.suspend_term",
        &[OPENED, OPEN, NO_CONFLICT, REASONED, DATES, CONCLUSION, RUNNING, ONCE],
    ),
    action(
        "case.resume_term",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            rule!(a_suspension_holds, Standing, "L. 241/1990 art. 2 c. 7"),
            DATES,
            RUNNING,
        ],
    ),
    action("case.extend_term", &[OPENED, OPEN, NO_CONFLICT, REASONED, RUNNING]),
    action("case.place_hold", &[OPENED, REASONED]),
    action(
        "case.lift_hold",
        &[
            OPENED,
            rule!(a_hold_stands, Standing, ""),
            rule!(the_hold_is_known, Content, ""),
            REASONED,
        ],
    ),
    action(
        "case.propose_erasure",
        &[
            OPENED,
            rule!(the_case_is_closed, Standing, "L. 241/1990 art. 2 c. 1"),
            rule!(no_hold_stands, Standing, "GDPR art. 17 par. 3 lett. e"),
            rule!(the_retention_is_over, Standing, "DPR 445/2000 art. 68 c. 1"),
            rule!(nothing_is_due_any_more, Standing, "DPR 445/2000 art. 68 c. 1"),
            rule!(no_erasure_is_proposed, Standing, ""),
        ],
    ),
    action(
        "case.authorise_erasure",
        &[
            OPENED,
            rule!(an_erasure_is_proposed, Standing, ""),
            rule!(who_authorises_did_not_propose, Standing, "GDPR art. 5 par. 2"),
            rule!(the_authorisation_is_named, Content, "D.Lgs. 42/2004 art. 21 c. 1 lett. d"),
        ],
    ),
    Action {
        command: "case.record_erasure",
        rules: &[OPENED, rule!(an_erasure_is_authorised, Standing, "")],
        offered: false,
    },
    Action {
        command: "case.expire_term",
        rules: &[OPENED, rule!(the_term_has_run_out, Content, "c.c. art. 2963")],
        offered: false,
    },
    Action { command: "case.record_registration", rules: &[OPENED, PEOPLE], offered: false },
];
