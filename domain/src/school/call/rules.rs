//! The rules of a call: one named function a rule, one ordered list a command.

use super::commands::{Command, Surroundings};
use super::events::Plan;
use super::state::{Call, Phase};
use crate::context::Context;
use crate::ranking::is_of_lots;
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::term::simple_term;
use jiff::civil::Date;

type Checked = Result<(), Rejection>;

/// One named rule with its source.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The name, a sentence in snake case.
    pub name: &'static str,
    /// The article it rests on.
    pub article: &'static str,
    /// How it is checked.
    pub check: fn(&Call, &Command, &Surroundings, &Context<'_>) -> Checked,
}

/// A command with the ordered list of all its rules; the first that fails is the answer.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// The command's name.
    pub command: &'static str,
    /// Its rules, in order of precedence.
    pub rules: &'static [Rule],
    /// Whether people may ask for it.
    pub offered: bool,
}

macro_rules! rule {
    ($check:ident, $article:literal) => {
        Rule { name: stringify!($check), article: $article, check: $check }
    };
}

const PLAN: Rule = rule!(the_plan_can_be_a_call, "L. 241/1990 art. 12");
const DRAFT: Rule = rule!(it_is_a_draft, "L. 241/1990 art. 12");
const ACT: Rule = rule!(the_act_is_named, "L. 241/1990 art. 3");
const OFFERING: Rule = rule!(places_are_being_offered, "regulation of the comune");

const fn action(command: &'static str, rules: &'static [Rule]) -> Action {
    Action { command, rules, offered: true }
}

const fn own(command: &'static str, rules: &'static [Rule]) -> Action {
    Action { command, rules, offered: false }
}

/// The commands of a call with their rules, in order of precedence.
pub const ACTIONS: &[Action] = &[
    action("call.draft", &[rule!(the_call_is_new, ""), PLAN]),
    action("call.revise", &[DRAFT, PLAN]),
    action(
        "call.publish",
        &[
            DRAFT,
            ACT,
            rule!(the_window_is_to_come, "L. 241/1990 art. 12"),
            rule!(lots_have_a_commitment, "L. 241/1990 art. 12"),
        ],
    ),
    action(
        "call.reveal_seed",
        &[
            rule!(the_window_is_closed, "L. 241/1990 art. 12"),
            rule!(the_seed_is_the_committed_one, "L. 241/1990 art. 12"),
        ],
    ),
    action(
        "call.publish_provisional",
        &[
            rule!(the_window_is_closed, "L. 241/1990 art. 12"),
            rule!(lots_are_drawn, "L. 241/1990 art. 12"),
            rule!(every_application_is_scored, "L. 241/1990 art. 6"),
            rule!(no_child_applies_twice, "regulation of the comune"),
            rule!(the_ranking_is_there, ""),
        ],
    ),
    action(
        "call.approve_definitive",
        &[
            rule!(the_ranking_is_provisional, "L. 241/1990 art. 10-bis"),
            rule!(observations_could_be_filed, "L. 241/1990 art. 10-bis"),
            rule!(observations_are_answered, "L. 241/1990 arts. 3, 10"),
            rule!(every_application_is_scored, "L. 241/1990 art. 6"),
            ACT,
            rule!(the_ranking_is_there, ""),
        ],
    ),
    action("call.start_offers", &[rule!(the_ranking_is_definitive, "regulation of the comune")]),
    action(
        "call.change_places",
        &[
            OFFERING,
            rule!(the_list_is_of_the_call, "regulation of the comune"),
            rule!(nobody_loses_a_place, "regulation of the comune"),
            ACT,
        ],
    ),
    own("call.settle", &[OFFERING]),
    own("call.release", &[rule!(the_call_is_published, "")]),
    own("call.tick", &[]),
];

/// For each command that people may send: none if the call as it stands allows it, or the first
/// refusal. Rules about content and about applications are left for when it is sent.
pub fn available(call: &Call, ctx: &Context<'_>) -> Vec<(&'static str, Option<Rejection>)> {
    let refused = |rule: &Rule| {
        if ABOUT_APPLICATIONS.contains(&rule.name) {
            return None;
        }
        (rule.check)(call, &Command::Tick, &Surroundings::default(), ctx)
            .err()
            .map(|r| r.under(rule.name, rule.article))
    };
    let offered = ACTIONS.iter().filter(|a| a.offered);
    offered.map(|a| (a.command, a.rules.iter().find_map(refused))).collect()
}

/// What a look at the call alone cannot tell.
const ABOUT_APPLICATIONS: [&str; 4] = [
    "the_ranking_is_there",
    "every_application_is_scored",
    "no_child_applies_twice",
    "observations_are_answered",
];

/// Phases as a refusal names what a command fits.
fn fits(call: &Call, phases: &[Phase]) -> Checked {
    if phases.contains(&call.phase) {
        return Ok(());
    }
    let words: Vec<&str> = phases.iter().map(|p| p.as_str()).collect();
    Err(Rejection::new(Code::WrongPhase)
        .with("phase", call.phase.as_str())
        .with("fits", words.join(", ")))
}

pub(super) fn plan(call: &Call) -> Result<&Plan, Rejection> {
    call.plan.as_deref().ok_or(Rejection::new(Code::WrongPhase).with("phase", call.phase.as_str()))
}

/// The last day for observations on a ranking published on a day.
pub(super) fn observations_end(
    call: &Call,
    published_on: Date,
    ctx: &Context<'_>,
) -> Result<Date, Rejection> {
    let length = plan(call)?.criteria.observations_within;
    let reckoned = simple_term(published_on, length, true, ctx.calendar);
    let uncomputable = |reason: String| {
        Rejection::new(Code::TermUncomputable)
            .with("term", super::OBSERVATIONS)
            .with("reason", reason)
    };
    reckoned
        .map_err(|e| uncomputable(e.to_string()))?
        .end
        .ok_or_else(|| uncomputable("no end".to_owned()))
}

fn the_call_is_new(call: &Call, _: &Command, _: &Surroundings, _: &Context<'_>) -> Checked {
    fits(call, &[Phase::NotDrafted])
}

fn it_is_a_draft(call: &Call, _: &Command, _: &Surroundings, _: &Context<'_>) -> Checked {
    fits(call, &[Phase::Drafted])
}

fn places_are_being_offered(
    call: &Call,
    _: &Command,
    _: &Surroundings,
    _: &Context<'_>,
) -> Checked {
    fits(call, &[Phase::Offering])
}

fn the_call_is_published(call: &Call, _: &Command, _: &Surroundings, _: &Context<'_>) -> Checked {
    let published = [
        Phase::Published,
        Phase::WindowOpen,
        Phase::Scoring,
        Phase::Provisional,
        Phase::Definitive,
        Phase::Offering,
    ];
    fits(call, &published)
}

fn the_window_is_closed(call: &Call, _: &Command, _: &Surroundings, _: &Context<'_>) -> Checked {
    fits(call, &[Phase::Scoring])
}

fn the_ranking_is_provisional(
    call: &Call,
    _: &Command,
    _: &Surroundings,
    _: &Context<'_>,
) -> Checked {
    fits(call, &[Phase::Provisional])
}

fn the_ranking_is_definitive(
    call: &Call,
    _: &Command,
    _: &Surroundings,
    _: &Context<'_>,
) -> Checked {
    fits(call, &[Phase::Definitive])
}

/// The criteria are fixed before anybody applies (L. 241/1990 art. 12), and can be used.
fn the_plan_can_be_a_call(
    _: &Call,
    command: &Command,
    _: &Surroundings,
    _: &Context<'_>,
) -> Checked {
    let (Command::Draft { plan } | Command::Revise { plan }) = command else { return Ok(()) };
    let bad = |field: String, rule: &str| {
        Err(Rejection::new(Code::CriteriaInvalid).with("field", field).with("rule", rule))
    };
    if let Err(problem) = plan.criteria.check() {
        return bad(format!("criteria.{}", problem.field), &problem.rule);
    }
    if plan.title.trim().is_empty() {
        return bad("title".to_owned(), "required");
    }
    if plan.opens_on > plan.closes_on || plan.closes_on >= plan.ends_on {
        let days = "opens_on, closes_on, ends_on";
        return bad(days.to_owned(), "the window opens, closes, and the year ends after it");
    }
    if plan.lists().next().is_none() {
        return bad("schools".to_owned(), "at least one school with a band");
    }
    for (list, places) in plan.lists() {
        if !plan.criteria.bands.iter().any(|b| b.id == list.band) {
            return bad(format!("schools.{list}"), "a band of the criteria");
        }
        let groups = &plan.criteria.reserves;
        let unknown = places.reserved.iter().find(|(g, _)| !groups.iter().any(|r| r.group == *g));
        if unknown.is_some() {
            return bad(format!("schools.{list}.reserved"), "a group of the criteria");
        }
        let reserved: u64 = places.reserved.iter().map(|(_, n)| u64::from(*n)).sum();
        if reserved > u64::from(places.places) {
            return bad(format!("schools.{list}.reserved"), "no more than there are places");
        }
    }
    Ok(())
}

fn the_act_is_named(_: &Call, command: &Command, _: &Surroundings, _: &Context<'_>) -> Checked {
    let act = match command {
        Command::Publish { act, .. }
        | Command::ApproveDefinitive { act }
        | Command::ChangePlaces { act, .. } => act,
        _ => return Ok(()),
    };
    if act.trim().is_empty() {
        return Err(Rejection::new(Code::ReasonsMissing).with("field", "act"));
    }
    Ok(())
}

/// Who is to apply must have had the time to read the call.
fn the_window_is_to_come(call: &Call, _: &Command, _: &Surroundings, ctx: &Context<'_>) -> Checked {
    let plan = plan(call)?;
    if plan.closes_on < ctx.today() {
        return Err(Rejection::new(Code::DateTooEarly)
            .with("field", "closes_on")
            .with("date", plan.closes_on)
            .with("earliest", ctx.today()));
    }
    Ok(())
}

fn lots_have_a_commitment(
    call: &Call,
    command: &Command,
    _: &Surroundings,
    _: &Context<'_>,
) -> Checked {
    let Command::Publish { seed_commitment, .. } = command else { return Ok(()) };
    let valid = seed_commitment.as_deref().is_some_and(|c| {
        c.len() == 64 && c.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    });
    if plan(call)?.criteria.draws_lots() && !valid {
        return Err(Rejection::new(Code::SeedNotCommitted));
    }
    Ok(())
}

fn the_seed_is_the_committed_one(
    call: &Call,
    command: &Command,
    around: &Surroundings,
    _: &Context<'_>,
) -> Checked {
    let Command::RevealSeed { seed, public_draw } = command else { return Ok(()) };
    let committed = call.seed_commitment.as_ref();
    let fits = committed.is_some() && around.commitment_of_seed.as_ref() == committed;
    if fits && is_of_lots(seed) && (public_draw.is_empty() || is_of_lots(public_draw)) {
        Ok(())
    } else {
        Err(Rejection::new(Code::SeedMismatch))
    }
}

fn lots_are_drawn(call: &Call, _: &Command, _: &Surroundings, _: &Context<'_>) -> Checked {
    if plan(call)?.criteria.draws_lots() && call.seed.is_none() {
        return Err(Rejection::new(Code::SeedNotRevealed));
    }
    Ok(())
}

fn every_application_is_scored(
    _: &Call,
    _: &Command,
    around: &Surroundings,
    _: &Context<'_>,
) -> Checked {
    match around.unscored {
        0 => Ok(()),
        n => Err(Rejection::new(Code::ApplicationsUnscored).with("count", n)),
    }
}

/// One application a child: two would stand in one list twice.
fn no_child_applies_twice(
    _: &Call,
    _: &Command,
    around: &Surroundings,
    _: &Context<'_>,
) -> Checked {
    match around.children_twice {
        0 => Ok(()),
        n => Err(Rejection::new(Code::ChildAppliesTwice).with("count", n)),
    }
}

fn the_ranking_is_there(_: &Call, _: &Command, around: &Surroundings, _: &Context<'_>) -> Checked {
    match &around.ranking {
        Some(_) => Ok(()),
        None => Err(Rejection::new(Code::FormIncomplete).with("field", "ranking")),
    }
}

/// The stage of observations stands in the place of the notice of rejection, which procedures of
/// competition do not have (art. 10-bis, last sentence but one).
fn observations_could_be_filed(
    call: &Call,
    _: &Command,
    _: &Surroundings,
    ctx: &Context<'_>,
) -> Checked {
    match call.provisional.as_ref().and_then(|p| p.facts.observations_until) {
        Some(end) if ctx.today() <= end => {
            Err(Rejection::new(Code::ObservationWindowOpen).with("end", end))
        }
        _ => Ok(()),
    }
}

fn observations_are_answered(
    _: &Call,
    _: &Command,
    around: &Surroundings,
    _: &Context<'_>,
) -> Checked {
    match around.unanswered {
        0 => Ok(()),
        n => Err(Rejection::new(Code::ObservationsUnanswered).with("count", n)),
    }
}

fn the_list_is_of_the_call(
    call: &Call,
    command: &Command,
    _: &Surroundings,
    _: &Context<'_>,
) -> Checked {
    match command {
        Command::ChangePlaces { list, .. } if !call.scroll.places.contains_key(list) => {
            Err(Rejection::new(Code::UnknownSchool).with("school", list))
        }
        _ => Ok(()),
    }
}

fn nobody_loses_a_place(
    call: &Call,
    command: &Command,
    _: &Surroundings,
    _: &Context<'_>,
) -> Checked {
    let Command::ChangePlaces { list, places, .. } = command else { return Ok(()) };
    let kept = call.scroll.kept(list, None);
    if *places < kept {
        return Err(Rejection::new(Code::PlacesTaken).with("list", list).with("taken", kept));
    }
    Ok(())
}
