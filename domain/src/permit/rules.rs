//! The rules of the building permit: one named function a rule, one ordered list a command.

mod conference;
mod form;
mod review;
mod silence;
mod title;
mod works;

use crate::case::rules::{
    ACT_REASONED as REASONED, ANSWERED, APPEAL, DEPARTURE, FOUR_EYES, HEARD, NEW, NO_CONFLICT,
    NOTICE_FIRST, OPEN, OPENED, SILENT, rule,
};
use crate::decider::{Action, Check, Rule};
use conference::{
    a_conference_is_under_way, an_opposition_was_raised, another_round_follows_observations,
    bodies_are_named, it_did_not_meet_yet, no_conference_is_under_way, opposition_is_possible,
    the_body_may_oppose, the_body_said_nothing_yet, the_body_takes_part,
    the_determination_is_in_time, the_meeting_has_a_lawful_day, the_opposition_is_in_time,
    the_outcome_follows_the_positions, the_positions_are_known,
};
pub(crate) use conference::{body_end, conference_keeps_silence_off, conference_under_way};
pub use form::defects;
use form::{a_ground_is_named, a_length_is_given, dates_are_plausible, the_form_can_be_a_case};
use review::{
    a_second_request_is_allowed, additions_never_came, an_opinion_is_awaited,
    an_opinion_is_interrupted, changes_are_asked_within_the_review, changes_are_awaited,
    it_awaits_its_end, it_is_the_request_for_changes, it_was_not_interrupted_yet,
    no_safeguards_hold, nothing_is_awaited_from_the_applicant, safeguards_hold,
    the_opinion_is_awaited, the_opinion_is_interrupted, the_plan_was_adopted_before,
    there_is_no_proposal_yet,
};
pub(crate) use review::{additions_effect, opinion_end, review_key};
pub(crate) use silence::NOTICE_FITS;
pub use silence::silence_grants;
pub(crate) use silence::{
    PENDING_FITS, acts_against_attestation, can_be_reopened, half_of_the_term, notice_extends,
    notice_is_possible, notice_suspends, restarts, silence_would_grant, silence_would_grant_on,
    silent_terms,
};
use silence::{
    acceptance_after_a_notice_is_reasoned, an_attestation_was_asked, it_can_be_refused,
    it_is_an_application, nothing_holds_the_decision_up, nothing_is_missing,
    the_constraints_are_authorised, the_office_is_late, the_refusal_comes_before_silence,
    the_substitute_has_no_conflict, there_is_a_decision,
};
pub(crate) use title::{ORDERED_FITS, TITLED_FITS, surcharge_percent};
use title::{
    a_control_is_under_way, annulment_is_in_time, conformation_was_ordered, instalments_add_up,
    no_compliance_is_awaited, the_amount_is_not_too_much, the_contribution_can_be_offset,
    the_control_is_not_over, the_instalment_is_open, the_judgement_is_named,
    the_new_holder_is_named, the_title_is_not_annulled, the_title_stands, there_is_a_title,
    thirty_days_at_least,
};
use works::{
    an_extension_was_asked, it_is_asked_before_the_end, no_extension_is_pending,
    the_extension_is_open, the_title_has_effect, the_works_term_runs, works_allow_a_report,
    works_are_under_way, works_did_not_start, works_finish_in_time, works_start_in_time,
};

const ART_12: &str = "DPR 380/2001 art. 12 c. 3";
const FORM: Rule = rule!(the_form_can_be_a_case, Content, "DPR 380/2001 art. 20 c. 1");
const DATES: Rule = rule!(dates_are_plausible, Content, "L. 241/1990 art. 18-bis");
const LENGTH: Rule = rule!(a_length_is_given, Content, "L. 241/1990 art. 2 c. 7");
const PENDING: Rule = rule!(it_awaits_its_end, Standing, "DPR 380/2001 art. 20");
const NOT_PROPOSED: Rule = rule!(there_is_no_proposal_yet, Standing, "DPR 380/2001 art. 20 c. 3");
const NOTHING_AWAITED: Rule =
    rule!(nothing_is_awaited_from_the_applicant, Standing, "DPR 380/2001 art. 20 c. 4, 5");
const CONFERENCE: Rule = rule!(a_conference_is_under_way, Standing, "L. 241/1990 arts. 14, 14-bis");
const NO_CONFERENCE: Rule =
    rule!(no_conference_is_under_way, Standing, "L. 241/1990 arts. 14, 14-bis");
const BODY: Rule = rule!(the_body_takes_part, Content, "L. 241/1990 art. 14-bis c. 2");
const AWAITED: Rule = rule!(an_opinion_is_awaited, Standing, "L. 241/1990 arts. 16, 17, 17-bis");
const THE_AWAITED: Rule =
    rule!(the_opinion_is_awaited, Content, "L. 241/1990 arts. 16, 17, 17-bis");
const TITLED: Rule = rule!(there_is_a_title, Standing, "DPR 380/2001 art. 20 c. 6, 8");
const STANDS: Rule = rule!(the_title_stands, Standing, "DPR 380/2001 arts. 11, 15");
const NOT_ANNULLED: Rule = rule!(the_title_is_not_annulled, Standing, "L. 241/1990 art. 21-nonies");
const NOT_STARTED: Rule = rule!(works_did_not_start, Standing, "DPR 380/2001 art. 15");
const TERM_RUNS: Rule = rule!(the_works_term_runs, Content, "DPR 380/2001 art. 15 c. 2");
const ASKED: Rule = rule!(an_extension_was_asked, Standing, "DPR 380/2001 art. 15 c. 2");
const THE_ASKED: Rule = rule!(the_extension_is_open, Content, "DPR 380/2001 art. 15 c. 2");
const CONTROLLED: Rule =
    rule!(a_control_is_under_way, Standing, "L. 241/1990 art. 19; DPR 380/2001 art. 24");
const IN_CONTROL: Rule =
    rule!(the_control_is_not_over, Standing, "L. 241/1990 arts. 2 c. 8-bis, 19 c. 4");

const fn action(command: &'static str, rules: &'static [Rule]) -> Action {
    Action { command, rules, offered: true }
}

macro_rules! law {
    ($check:ident, $kind:ident, $article:expr) => {
        Rule { name: stringify!($check), article: $article, check: Check::$kind($check) }
    };
}

/// The procedure's own commands with their rules, in order of precedence.
pub const ACTIONS: &[Action] = &[
    action("permit.file", &[NEW, FORM, DATES]),
    action(
        "permit.find_irreceivable",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PENDING,
            SILENT,
            rule!(a_ground_is_named, Content, "L. 241/1990 art. 2 c. 1"),
            REASONED,
            APPEAL,
        ],
    ),
    action(
        "permit.request_additions",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PENDING,
            NOT_PROPOSED,
            SILENT,
            NOTHING_AWAITED,
            rule!(a_second_request_is_allowed, Standing, "DPR 380/2001 art. 20 c. 5"),
            REASONED,
            DATES,
            LENGTH,
        ],
    ),
    action(
        "permit.request_changes",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PENDING,
            NOT_PROPOSED,
            SILENT,
            NOTHING_AWAITED,
            REASONED,
            DATES,
            LENGTH,
            rule!(changes_are_asked_within_the_review, Content, "DPR 380/2001 art. 20 c. 4"),
        ],
    ),
    action(
        "permit.answer_changes",
        &[
            OPENED,
            OPEN,
            PENDING,
            rule!(changes_are_awaited, Standing, "DPR 380/2001 art. 20 c. 4"),
            rule!(it_is_the_request_for_changes, Content, "DPR 380/2001 art. 20 c. 4"),
            DATES,
        ],
    ),
    action(
        "permit.declare_complex",
        &[OPENED, OPEN, NO_CONFLICT, PENDING, NOT_PROPOSED, SILENT, REASONED],
    ),
    action(
        "permit.apply_safeguards",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PENDING,
            SILENT,
            law!(no_safeguards_hold, Standing, ART_12),
            REASONED,
            DATES,
            law!(the_plan_was_adopted_before, Content, ART_12),
        ],
    ),
    action(
        "permit.end_safeguards",
        &[OPENED, OPEN, NO_CONFLICT, PENDING, law!(safeguards_hold, Standing, ART_12), DATES],
    ),
    action("permit.record_constraints", &[OPENED, OPEN, NO_CONFLICT, PENDING, SILENT, REASONED]),
    action("permit.request_opinion", &[OPENED, OPEN, NO_CONFLICT, PENDING, REASONED, DATES]),
    action(
        "permit.interrupt_opinion",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PENDING,
            AWAITED,
            THE_AWAITED,
            rule!(
                it_was_not_interrupted_yet,
                Content,
                "L. 241/1990 arts. 16 c. 4, 17 c. 3, 17-bis c. 1"
            ),
            DATES,
        ],
    ),
    action(
        "permit.resume_opinion",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PENDING,
            rule!(an_opinion_is_interrupted, Standing, "L. 241/1990 art. 16 c. 4"),
            rule!(the_opinion_is_interrupted, Content, "L. 241/1990 art. 16 c. 4"),
            DATES,
        ],
    ),
    action(
        "permit.record_opinion",
        &[OPENED, OPEN, NO_CONFLICT, PENDING, AWAITED, THE_AWAITED, REASONED, DATES],
    ),
    action(
        "permit.convene_conference",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PENDING,
            NOT_PROPOSED,
            SILENT,
            NO_CONFERENCE,
            rule!(another_round_follows_observations, Standing, "L. 241/1990 art. 14-bis c. 5"),
            rule!(bodies_are_named, Content, "L. 241/1990 art. 14-bis c. 2"),
            DATES,
            rule!(the_meeting_has_a_lawful_day, Content, "L. 241/1990 art. 14-bis c. 2, 7"),
        ],
    ),
    action(
        "permit.record_determination",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PENDING,
            CONFERENCE,
            BODY,
            DATES,
            rule!(
                the_determination_is_in_time,
                Content,
                "L. 241/1990 arts. 2 c. 8-bis, 14-bis c. 4"
            ),
            rule!(the_body_said_nothing_yet, Content, "L. 241/1990 art. 14-bis c. 3"),
        ],
    ),
    action(
        "permit.open_meeting",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PENDING,
            CONFERENCE,
            rule!(it_did_not_meet_yet, Standing, "L. 241/1990 art. 14-ter"),
            DATES,
        ],
    ),
    action(
        "permit.conclude_conference",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PENDING,
            CONFERENCE,
            SILENT,
            rule!(the_positions_are_known, Standing, "L. 241/1990 art. 14-bis c. 4, 5"),
            rule!(the_outcome_follows_the_positions, Content, "L. 241/1990 art. 14-bis c. 5, 6"),
            REASONED,
            ANSWERED,
        ],
    ),
    action(
        "permit.raise_opposition",
        &[
            OPENED,
            NO_CONFLICT,
            rule!(opposition_is_possible, Standing, "L. 241/1990 art. 14-quinquies"),
            rule!(the_body_may_oppose, Content, "L. 241/1990 art. 14-quinquies c. 1"),
            DATES,
            rule!(the_opposition_is_in_time, Content, "L. 241/1990 art. 14-quinquies c. 1"),
        ],
    ),
    action(
        "permit.end_opposition",
        &[
            OPENED,
            NO_CONFLICT,
            rule!(an_opposition_was_raised, Standing, "L. 241/1990 art. 14-quinquies"),
            REASONED,
            DATES,
        ],
    ),
    action(
        "permit.issue",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PENDING,
            SILENT,
            rule!(
                nothing_holds_the_decision_up,
                Standing,
                "DPR 380/2001 arts. 12 c. 3, 20 c. 4, 5"
            ),
            NO_CONFERENCE,
            rule!(
                the_constraints_are_authorised,
                Standing,
                "DPR 380/2001 art. 20 c. 3, 8; L. 241/1990 art. 14"
            ),
            rule!(nothing_is_missing, Standing, "DPR 380/2001 art. 20 c. 1"),
            FOUR_EYES,
            rule!(acceptance_after_a_notice_is_reasoned, Content, "L. 241/1990 art. 10-bis"),
            DEPARTURE,
        ],
    ),
    action(
        "permit.refuse",
        &[
            OPENED,
            NO_CONFLICT,
            rule!(the_refusal_comes_before_silence, Standing, "L. 241/1990 arts. 2 c. 8-bis, 20"),
            rule!(it_can_be_refused, Standing, "DPR 380/2001 art. 20 c. 6"),
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
        "permit.archive",
        &[
            OPENED,
            OPEN,
            NO_CONFLICT,
            PENDING,
            rule!(
                additions_never_came,
                Standing,
                "DPR 380/2001 art. 20 c. 5; L. 241/1990 art. 2 c. 1"
            ),
            NOTICE_FIRST,
            HEARD,
            REASONED,
            ANSWERED,
            APPEAL,
        ],
    ),
    action(
        "permit.request_attestation",
        &[OPENED, rule!(it_is_an_application, Standing, "DPR 380/2001 art. 20 c. 8"), DATES],
    ),
    action(
        "permit.answer_attestation",
        &[
            OPENED,
            NO_CONFLICT,
            rule!(an_attestation_was_asked, Standing, "DPR 380/2001 art. 20 c. 8"),
        ],
    ),
    action(
        "permit.invoke_substitute",
        &[
            OPENED,
            OPEN,
            PENDING,
            rule!(the_office_is_late, Standing, "L. 241/1990 art. 2 c. 9-bis, 9-ter"),
            rule!(the_substitute_has_no_conflict, Content, "L. 241/1990 art. 6-bis"),
        ],
    ),
    action(
        "permit.annul",
        &[
            OPENED,
            NO_CONFLICT,
            TITLED,
            NOT_ANNULLED,
            REASONED,
            APPEAL,
            rule!(the_judgement_is_named, Content, "L. 241/1990 art. 21-nonies c. 2-bis"),
            rule!(annulment_is_in_time, Content, "L. 241/1990 art. 21-nonies c. 1"),
        ],
    ),
    action(
        "permit.record_contest",
        &[OPENED, rule!(there_is_a_decision, Standing, "D.Lgs. 104/2010 art. 29"), DATES],
    ),
    action("permit.publish", &[OPENED, NO_CONFLICT, TITLED, STANDS, REASONED, DATES]),
    action(
        "permit.determine_contribution",
        &[
            OPENED,
            NO_CONFLICT,
            TITLED,
            NOT_ANNULLED,
            rule!(instalments_add_up, Content, "DPR 380/2001 art. 16"),
        ],
    ),
    action(
        "permit.offset_contribution",
        &[
            OPENED,
            NO_CONFLICT,
            TITLED,
            rule!(the_contribution_can_be_offset, Content, "DPR 380/2001 art. 16 c. 2"),
            REASONED,
        ],
    ),
    action(
        "permit.record_payment",
        &[
            OPENED,
            TITLED,
            rule!(the_instalment_is_open, Content, "DPR 380/2001 arts. 16, 42"),
            rule!(the_amount_is_not_too_much, Content, "DPR 380/2001 art. 16"),
            DATES,
        ],
    ),
    action(
        "permit.start_works",
        &[
            OPENED,
            TITLED,
            STANDS,
            rule!(the_title_has_effect, Standing, "L. 241/1990 arts. 14-quater, 14-quinquies"),
            NOT_STARTED,
            DATES,
            rule!(works_start_in_time, Content, "DPR 380/2001 art. 15 c. 2"),
        ],
    ),
    action(
        "permit.finish_works",
        &[
            OPENED,
            TITLED,
            STANDS,
            rule!(works_are_under_way, Standing, "DPR 380/2001 art. 15 c. 2"),
            DATES,
            rule!(works_finish_in_time, Content, "DPR 380/2001 art. 15 c. 2"),
        ],
    ),
    action(
        "permit.request_extension",
        &[
            OPENED,
            TITLED,
            STANDS,
            TERM_RUNS,
            rule!(no_extension_is_pending, Content, "DPR 380/2001 art. 15 c. 2"),
            REASONED,
            DATES,
            rule!(it_is_asked_before_the_end, Content, "DPR 380/2001 art. 15 c. 2"),
        ],
    ),
    action(
        "permit.grant_extension",
        &[OPENED, NO_CONFLICT, TITLED, STANDS, ASKED, THE_ASKED, REASONED, LENGTH],
    ),
    action(
        "permit.refuse_extension",
        &[OPENED, NO_CONFLICT, TITLED, STANDS, ASKED, THE_ASKED, REASONED, APPEAL],
    ),
    action(
        "permit.extend_by_law",
        &[OPENED, NO_CONFLICT, TITLED, STANDS, TERM_RUNS, REASONED, LENGTH],
    ),
    action(
        "permit.declare_lapse",
        &[OPENED, NO_CONFLICT, TITLED, STANDS, NOT_STARTED, REASONED, DATES],
    ),
    action(
        "permit.transfer",
        &[
            OPENED,
            NO_CONFLICT,
            TITLED,
            STANDS,
            rule!(the_new_holder_is_named, Content, "DPR 380/2001 art. 11 c. 2"),
            REASONED,
            DATES,
        ],
    ),
    action(
        "permit.report_usability",
        &[
            OPENED,
            TITLED,
            NOT_ANNULLED,
            rule!(works_allow_a_report, Content, "DPR 380/2001 art. 24 c. 2, 4"),
            DATES,
        ],
    ),
    action(
        "permit.order_conformation",
        &[
            OPENED,
            NO_CONFLICT,
            CONTROLLED,
            IN_CONTROL,
            rule!(no_compliance_is_awaited, Standing, "L. 241/1990 art. 19 c. 3"),
            rule!(thirty_days_at_least, Content, "L. 241/1990 art. 19 c. 3"),
            REASONED,
            APPEAL,
        ],
    ),
    action(
        "permit.report_conformation",
        &[OPENED, rule!(conformation_was_ordered, Standing, "L. 241/1990 art. 19 c. 3"), DATES],
    ),
    action("permit.prohibit", &[OPENED, NO_CONFLICT, CONTROLLED, IN_CONTROL, REASONED, APPEAL]),
];
