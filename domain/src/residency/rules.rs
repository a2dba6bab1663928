//! The rules of the residency change: one named function a rule, one ordered list a command.

use super::commands::{Command, Form};
use super::events::{Content, Ground, Kind};
use super::state::{Phase, State};
use super::{CHECKS, INVITATION, REGISTRATION, UNTRACEABLE_ABSENCE};
use crate::case::rules::{
    NO_CONFLICT, OPEN, OPENED, SILENT, date_within, reckoned, refuse, rule, silence_has_not_formed,
    wrong_phase,
};
use crate::case::{Tenor, TermKey};
use crate::context::Context;
use crate::decider::{self, Action, Case, Check, ProcedureState, Rule};
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::term::{rome_date, simple_term};
use jiff::civil::Date;

const NEW: Rule = rule!(the_case_is_new, Standing, "");
const FORM: Rule = rule!(the_form_can_be_a_case, Content, "DPR 223/1989 art. 13");
const DATES: Rule = rule!(dates_are_plausible, Content, "L. 241/1990 art. 18-bis");
const REASONED: Rule = rule!(the_act_is_reasoned, Content, "L. 241/1990 art. 3");
const APPEAL: Rule = rule!(the_act_states_the_appeal, Content, "L. 241/1990 art. 3 c. 4");
const OWN: Rule = rule!(it_is_a_residency_case, Standing, "");
const BEFORE_REGISTRATION: Rule =
    rule!(it_is_not_registered_yet, Standing, "DL 5/2012 art. 5 c. 3");
const UNDER_WAY: Rule = rule!(checks_are_under_way, Standing, "DPR 223/1989 art. 18-bis");
const EX_OFFICIO: Rule = rule!(the_office_opened_it, Standing, "DPR 223/1989 arts. 11, 15");
const FOUR_EYES: Rule =
    rule!(who_decides_did_not_propose, Standing, "L. 241/1990 art. 6 c. 1 lett. e");
const DEPARTURE: Rule =
    rule!(departing_from_the_proposal_is_reasoned, Content, "L. 241/1990 art. 6 c. 1 lett. e");

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
            rule!(a_notice_came_first, Standing, "L. 241/1990 art. 10-bis"),
            rule!(observations_could_be_filed, Standing, "L. 241/1990 art. 10-bis"),
            FOUR_EYES,
            REASONED,
            rule!(observations_are_answered, Content, "L. 241/1990 art. 10-bis"),
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

fn own(case: &Case) -> Option<&State> {
    match &case.procedure {
        ProcedureState::Residency(state) => Some(state),
        ProcedureState::NotOpened | ProcedureState::Imported(_) => None,
    }
}

fn phase(case: &Case) -> Option<Phase> {
    match own(case) {
        Some(State::Declared(phase, _)) => Some(*phase),
        _ => None,
    }
}

fn the_case_is_new(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.opening.is_none() { Ok(()) } else { refuse(Code::CaseAlreadyOpened) }
}

/// A form needs persons, an address and one origin: different origins are separate cases.
fn the_form_can_be_a_case(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Residency(Command::Declare { form, .. } | Command::Complete { form }) =
        command
    else {
        return Ok(());
    };
    let missing = |field: &str| Err(Rejection::new(Code::FormIncomplete).with("field", field));
    if form.kind.is_ex_officio() {
        return Err(Rejection::new(Code::WrongProcedure).with("kind", form.kind.as_str()));
    }
    let Some(first) = form.members.first() else { return missing("members") };
    for member in &form.members {
        if member.person.family_name.trim().is_empty() {
            return missing("members.person.family_name");
        }
        if !member.origin.trim().eq_ignore_ascii_case(first.origin.trim()) {
            return refuse(Code::SeparateCasesNeeded);
        }
    }
    if form.address.municipality.trim().is_empty() {
        return missing("address.municipality");
    }
    if let Some(State::Declared(_, d)) = own(case)
        && (d.content.members.len() != form.members.len() || d.kind != form.kind)
    {
        return refuse(Code::SeparateCasesNeeded);
    }
    Ok(())
}

fn dates_are_plausible(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Residency(command) = command else { return Ok(()) };
    let filed = case.file.opening.as_ref().map(|o| o.filed_on);
    match command {
        Command::Declare { filed_at, form, .. } => {
            if *filed_at > ctx.now {
                return Err(Rejection::new(Code::DateInFuture)
                    .with("field", "filed_at")
                    .with("date", filed_at)
                    .with("latest", ctx.now));
            }
            match form.fact_on {
                // Leaving for abroad may be declared before it happens.
                Some(fact) if !form.kind.leaves() => date_within("fact_on", fact, None, ctx),
                _ => Ok(()),
            }
        }
        Command::RecordVisit { visited_at, .. } => {
            if *visited_at > ctx.now {
                return Err(Rejection::new(Code::DateInFuture)
                    .with("field", "visited_at")
                    .with("date", visited_at)
                    .with("latest", ctx.now));
            }
            date_within("visited_at", rome_date(*visited_at), filed, ctx)
        }
        Command::EndByFact { happened_on, .. } => {
            date_within("happened_on", *happened_on, filed, ctx)
        }
        Command::OpenExOfficio { fact_on, .. } => date_within("fact_on", *fact_on, None, ctx),
        Command::Invite { sent_on } => date_within("sent_on", *sent_on, filed, ctx),
        Command::RecordConsularForm { received_on, declared_on } => {
            date_within("declared_on", *declared_on, None, ctx)?;
            date_within("received_on", *received_on, Some(*declared_on), ctx)
        }
        Command::Report { reported_on, .. } => date_within("reported_on", *reported_on, filed, ctx),
        _ => Ok(()),
    }
}

fn the_act_is_reasoned(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Residency(command) = command else { return Ok(()) };
    let (field, text) = match command {
        Command::FindIrreceivable { reasons, .. }
        | Command::RestorePosition { reasons, .. }
        | Command::Cancel { reasons, .. } => ("reasons", reasons),
        Command::OpenExOfficio { grounds, .. } => ("grounds", grounds),
        Command::RecordVisit { report, .. } => ("report", report),
        _ => return Ok(()),
    };
    if text.trim().is_empty() {
        Err(Rejection::new(Code::ReasonsMissing).with("field", field))
    } else {
        Ok(())
    }
}

fn the_act_states_the_appeal(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Residency(
        Command::FindIrreceivable { appeal, .. }
        | Command::RestorePosition { appeal, .. }
        | Command::Cancel { appeal, .. },
    ) = command
    else {
        return Ok(());
    };
    if appeal.authority.trim().is_empty() || appeal.term_days == 0 {
        refuse(Code::AppealMissing)
    } else {
        Ok(())
    }
}

fn it_is_not_registered_yet(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match phase(case) {
        Some(Phase::Declared | Phase::AwaitingConsulate) => Ok(()),
        _ => wrong_phase(case),
    }
}

fn checks_are_under_way(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match phase(case) {
        Some(
            Phase::UnderCheck
            | Phase::NoticePending
            | Phase::ObservationWindow
            | Phase::UnderReview,
        ) => Ok(()),
        _ => wrong_phase(case),
    }
}

fn it_is_a_residency_case(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if own(case).is_some() { Ok(()) } else { refuse(Code::WrongProcedure) }
}

/// Checks end well for a declaration, and for a person found after all or whose permit was renewed.
fn there_are_checks_to_close(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    match own(case) {
        Some(State::ExOfficio(x)) if x.kind != Kind::ExOfficioRegistration => Ok(()),
        _ => checks_are_under_way(case, ctx),
    }
}

fn the_office_opened_it(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match own(case) {
        Some(State::ExOfficio(_)) => Ok(()),
        _ => wrong_phase(case),
    }
}

/// The grounds of irreceivability that a declaration shows by itself.
pub fn defects(kind: Kind, content: &Content) -> Vec<Ground> {
    use super::events::Annex;
    let members = &content.members;
    let annex = match kind {
        Kind::FromAbroadNonEu => Some(Annex::A),
        Kind::FromAbroadEu => Some(Annex::B),
        _ => None,
    };
    let checks = [
        (!content.ministry_form, Ground::NotOnMinistryForm),
        (
            content.address.value.street.trim().is_empty()
                && !kind.leaves()
                && kind != Kind::NoFixedAbode,
            Ground::MandatoryFieldsMissing,
        ),
        (members.iter().any(|m| m.adult && !m.signed), Ground::SignatureMissing),
        (members.iter().any(|m| !m.identity_copy), Ground::IdentityCopyMissing),
        (kind.needs_occupation_title() && content.title.is_none(), Ground::OccupationTitleMissing),
        (annex.is_some() && members.iter().any(|m| m.annex != annex), Ground::AnnexMissing),
        (content.family_consent == Some(false), Ground::FamilyConsentMissing),
        (content.other_parent_told == Some(false), Ground::OtherParentNotTold),
    ];
    checks.into_iter().filter(|(broken, _)| *broken).map(|(_, ground)| ground).collect()
}

fn the_declaration_is_receivable(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    let Some(State::Declared(_, d)) = own(case) else { return Ok(()) };
    let defects = defects(d.kind, &d.content);
    if defects.is_empty() {
        return Ok(());
    }
    let grounds: Vec<_> = defects.iter().map(|g| g.as_str()).collect();
    Err(Rejection::new(Code::NotReceivable).with("grounds", grounds.join(", ")))
}

fn a_ground_is_named(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Residency(Command::FindIrreceivable { grounds, .. })
            if grounds.is_empty() =>
        {
            refuse(Code::NoGroundOfIrreceivability)
        }
        _ => Ok(()),
    }
}

fn the_consular_form_is_there(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match phase(case) {
        Some(Phase::AwaitingConsulate) => refuse(Code::ConsularFormMissing),
        _ => Ok(()),
    }
}

fn the_consulate_is_awaited(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match phase(case) {
        Some(Phase::AwaitingConsulate) => Ok(()),
        _ => wrong_phase(case),
    }
}

fn visits_make_sense(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match own(case) {
        Some(State::Declared(Phase::Ended, _)) => wrong_phase(case),
        Some(State::Declared(_, d)) if d.kind.leaves() => wrong_phase(case),
        Some(State::Declared(..) | State::ExOfficio(_)) => Ok(()),
        _ => wrong_phase(case),
    }
}

/// Whether the end of the checks' term would confirm by silence as the case stands: before a
/// notice always, after one only where the comune reads the law so (`after_notice_expiry`).
pub(crate) fn silence_would_confirm(case: &Case, ctx: &Context<'_>) -> Result<bool, Rejection> {
    if phase(case).is_none_or(|phase| phase == Phase::Ended) {
        return Ok(false);
    }
    let rules = ctx.rule_set(case.rules_version())?;
    Ok(case.file.terms.last_notice().is_none()
        || rules.policy_text("after_notice_expiry") == Some("confirm"))
}

/// Death or a move ends the case only if silence had not confirmed before.
fn it_happened_before_silence(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Residency(Command::EndByFact { happened_on, .. })
            if silence_would_confirm(case, ctx)? =>
        {
            silence_has_not_formed(case, &TermKey::of(CHECKS), *happened_on, ctx)
        }
        _ => Ok(()),
    }
}

/// The terms that start anew when a case is opened again: what was never registered has to be
/// registered first.
pub(crate) fn restarts(state: &State) -> Vec<TermKey> {
    match state {
        State::Declared(_, d) if d.registered_on.is_some() => vec![TermKey::of(CHECKS)],
        State::Declared(_, d) if d.kind.leaves() => vec![TermKey::of(REGISTRATION)],
        State::Declared(..) => vec![TermKey::of(REGISTRATION), TermKey::of(CHECKS)],
        _ => Vec::new(),
    }
}

/// Whether the office opened the case.
pub(crate) fn is_ex_officio(state: &State) -> bool {
    matches!(state, State::ExOfficio(_) | State::ExOfficioEnded(_))
}

/// The day of registration, once registered.
pub(crate) fn registered_on(case: &Case) -> Option<Date> {
    match own(case) {
        Some(State::Declared(_, d)) => d.registered_on,
        _ => None,
    }
}

/// Whether a notice of rejection can be sent in this state: registration comes first.
pub(crate) fn notice_is_possible(state: &State) -> bool {
    matches!(state, State::Declared(Phase::UnderCheck, _))
}

/// Whether a registration stands that the end of the case would have to undo.
pub(crate) fn has_provisional_effect(case: &Case) -> bool {
    matches!(own(case), Some(State::Declared(_, d)) if d.registered_on.is_some())
}

fn a_notice_came_first(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match phase(case) {
        Some(Phase::UnderCheck) => refuse(Code::NoticeRequired),
        _ => Ok(()),
    }
}

/// The person must have had the days from receipt, unless observations were filed.
fn observations_could_be_filed(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    match phase(case) {
        Some(Phase::NoticePending | Phase::ObservationWindow) => {}
        _ => return Ok(()),
    }
    // The window's own clock, not the notice's: the office may have given more time.
    let end = match case.file.terms.last_notice() {
        Some(notice) => {
            let window = TermKey::instance(crate::case::OBSERVATIONS_RULE, notice.notice);
            reckoned(case, &window, ctx)?.and_then(|t| t.reckoning.end)
        }
        None => None,
    };
    match end {
        Some(end) if ctx.today() > end => Ok(()),
        Some(end) => Err(Rejection::new(Code::ObservationWindowOpen).with("end", end)),
        None => Err(Rejection::new(Code::ObservationWindowOpen).with("end", "-")),
    }
}

fn observations_are_answered(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Residency(Command::RestorePosition { answers, .. }) = command else {
        return Ok(());
    };
    let Some(notice) = case.file.terms.last_notice() else { return Ok(()) };
    let rules = ctx.rule_set(case.rules_version())?;
    let window = notice
        .window(rules, ctx.calendar)
        .map_err(|e| Rejection::new(Code::TermUncomputable).with("reason", e))?;
    let late = window.is_some_and(|w| w.observations_in_time == Some(false));
    // Late observations are weighed while no act is adopted, unless the comune sets them aside.
    let set_aside = late && rules.policy_text("late_observations") == Some("set_aside");
    if notice.observed.is_some() && !set_aside && answers.trim().is_empty() {
        refuse(Code::ObservationsUnanswered)
    } else {
        Ok(())
    }
}

fn acceptance_after_a_notice_is_reasoned(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Residency(Command::Confirm { reasons, .. })
            if phase(case) != Some(Phase::UnderCheck) && reasons.trim().is_empty() =>
        {
            Err(Rejection::new(Code::ReasonsMissing).with("field", "reasons"))
        }
        _ => Ok(()),
    }
}

/// Who proposed does not decide; and where the comune wants a proposal first, there is one.
fn who_decides_did_not_propose(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    match &case.file.proposal {
        Some(proposal) if proposal.by == ctx.actor.id => refuse(Code::FourEyes),
        Some(_) => Ok(()),
        None => {
            let rules = ctx.rule_set(case.rules_version())?;
            if rules.policy_flag("decision_needs_proposal") == Some(true) {
                refuse(Code::NoProposal)
            } else {
                Ok(())
            }
        }
    }
}

fn departing_from_the_proposal_is_reasoned(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let (tenor, departure) = match command {
        decider::Command::Residency(Command::Confirm { departure, .. }) => {
            (Tenor::Favourable, departure)
        }
        decider::Command::Residency(Command::RestorePosition { departure, .. }) => {
            (Tenor::Negative, departure)
        }
        _ => return Ok(()),
    };
    match &case.file.proposal {
        Some(p) if p.outcome != tenor && departure.trim().is_empty() => {
            refuse(Code::DepartureUnreasoned)
        }
        _ => Ok(()),
    }
}

fn another_case_supersedes(
    _: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Residency(Command::Supersede { by }) if *by == ctx.case_id => {
            refuse(Code::LinkToItself)
        }
        _ => Ok(()),
    }
}

fn the_kind_is_the_offices(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Residency(Command::OpenExOfficio { kind, .. })
            if !kind.is_ex_officio() =>
        {
            Err(Rejection::new(Code::WrongProcedure).with("kind", kind.as_str()))
        }
        _ => Ok(()),
    }
}

fn ex_officio(case: &Case) -> Option<&super::state::ExOfficio> {
    match own(case) {
        Some(State::ExOfficio(x)) => Some(x),
        _ => None,
    }
}

/// The invitation to renew comes six months after the residence permit expired.
fn the_permit_expired_long_enough(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Residency(Command::Invite { sent_on }) = command else { return Ok(()) };
    match ex_officio(case) {
        Some(x) if x.kind == Kind::AbodeNotRenewed => {
            let rules = ctx.rule_set(case.rules_version())?;
            ended_before(x.fact_on, "residency.permit_expired", *sent_on, rules, ctx)
        }
        _ => Ok(()),
    }
}

fn ended_before(
    from: Date,
    rule: &str,
    on: Date,
    rules: &crate::term::RuleSet,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let uncomputable =
        |e: crate::term::TermError| Rejection::new(Code::TermUncomputable).with("reason", e);
    let rule = rules.term(&crate::term::TermRuleId::from(rule)).map_err(uncomputable)?;
    let end = simple_term(from, rule.length, rules.saturday_is_working(rule), ctx.calendar)
        .map_err(uncomputable)?
        .end;
    match end {
        Some(end) if on > end => Ok(()),
        Some(end) => Err(Rejection::new(Code::TooSoon).with("from", from).with("end", end)),
        None => refuse(Code::TooSoon),
    }
}

fn it_is_about_an_omitted_declaration(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match ex_officio(case) {
        Some(x) if x.kind == Kind::ExOfficioRegistration => Ok(()),
        _ => wrong_phase(case),
    }
}

fn it_is_about_a_cancellation(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match ex_officio(case) {
        Some(x) if x.kind != Kind::ExOfficioRegistration => Ok(()),
        _ => wrong_phase(case),
    }
}

/// The person was invited, and the time that the invitation gave is over.
fn the_invitation_ended(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    if ex_officio(case).is_none_or(|x| x.invited_on.is_none()) {
        return refuse(Code::NotInvited);
    }
    term_is_over(case, INVITATION, ctx)
}

/// Start communicated; for an abode that was not renewed, the thirty days of the invitation over.
fn the_person_was_told(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    match ex_officio(case) {
        Some(x) if x.invited_on.is_none() => refuse(Code::NotInvited),
        Some(x) if x.kind == Kind::AbodeNotRenewed => term_is_over(case, INVITATION, ctx),
        _ => Ok(()),
    }
}

fn term_is_over(case: &Case, rule: &str, ctx: &Context<'_>) -> Result<(), Rejection> {
    match reckoned(case, &TermKey::of(rule), ctx)?.and_then(|t| t.reckoning.end) {
        Some(end) if ctx.today() > end => Ok(()),
        Some(end) => Err(Rejection::new(Code::TooSoon).with("end", end)),
        None => refuse(Code::TooSoon),
    }
}

/// Untraceability needs repeated checks, suitably spaced, that found nobody.
fn checks_were_repeated(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    let Some(x) = ex_officio(case).filter(|x| x.kind == Kind::Untraceable) else { return Ok(()) };
    let rules = ctx.rule_set(case.rules_version())?;
    let number = |key: &str, default: usize| {
        rules.policy_number(key).and_then(|n| usize::try_from(n).ok()).unwrap_or(default)
    };
    let needed = number("untraceable_checks", 2);
    let spacing_days = number("untraceable_spacing_days", 30);
    let since_found = x.visits.iter().rposition(|(_, _, found)| *found).map_or(0, |i| i + 1);
    let mut days: Vec<_> = x.visits.iter().skip(since_found).map(|(_, on, _)| *on).collect();
    days.sort_unstable();
    let mut counted = 0;
    let mut last: Option<Date> = None;
    for day in days {
        let apart = last.is_none_or(|l| {
            usize::try_from((day - l).get_days()).is_ok_and(|gap| gap >= spacing_days)
        });
        if apart {
            counted += 1;
            last = Some(day);
        }
    }
    if counted >= needed {
        Ok(())
    } else {
        Err(Rejection::new(Code::ChecksMissing)
            .with("counted", counted)
            .with("needed", needed)
            .with("spacing_days", spacing_days))
    }
}

/// The absence lasted a year (ISTAT circular 21/1990).
fn the_absence_lasted(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    match ex_officio(case) {
        Some(x) if x.kind == Kind::Untraceable => term_is_over(case, UNTRACEABLE_ABSENCE, ctx),
        _ => Ok(()),
    }
}

fn there_is_something_to_report(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match own(case) {
        Some(State::Declared(phase, _)) if *phase != Phase::Declared => Ok(()),
        Some(State::ExOfficio(_) | State::ExOfficioEnded(_)) => Ok(()),
        _ => wrong_phase(case),
    }
}

/// Whether a fact was declared after its twenty days (art. 13 c. 2).
pub(crate) fn declared_late(
    form: &Form,
    filed_on: Date,
    rules: &crate::term::RuleSet,
    ctx: &Context<'_>,
) -> Result<bool, Rejection> {
    let Some(fact) = form.fact_on else { return Ok(false) };
    match ended_before(fact, "residency.declaration", filed_on, rules, ctx) {
        Ok(()) => Ok(true),
        Err(r) if r.code == Code::TooSoon => Ok(false),
        Err(r) => Err(r),
    }
}
