//! The case as a whole: common file and procedure, one `decide`, one `evolve`, and the list of
//! actions that is answered from the same rules.

use crate::case::{self, CaseFile, Procedure};
use crate::context::Context;
use crate::event::Event;
use crate::rejection::Rejection;
use crate::school::enrolment;
use crate::{imported, permit, residency};

/// A case: what its events fold to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Case {
    /// What every case has.
    pub file: CaseFile,
    /// Where the procedure stands.
    pub procedure: ProcedureState,
}

/// Where the procedure of a case stands.
#[expect(clippy::large_enum_variant, reason = "the small variants are rare and short-lived")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ProcedureState {
    /// Nothing was filed yet.
    #[default]
    NotOpened,
    /// A residency change.
    Residency(residency::State),
    /// A building permit.
    Permit(Box<permit::State>),
    /// A history brought in from an older system.
    Imported(imported::State),
    /// A school application.
    Enrolment(enrolment::State),
}

impl Case {
    /// The phase in the words of the procedure, such as `under_check`.
    pub fn phase(&self) -> &'static str {
        match (&self.procedure, &self.file.closure) {
            (ProcedureState::NotOpened, _) => "not_opened",
            // The title lives on when the procedure has ended.
            (ProcedureState::Permit(s), _) if s.title().is_some() => s.stage(&self.file).as_str(),
            (_, Some(closure)) => closure.outcome,
            (ProcedureState::Residency(s), None) => s.phase(),
            (ProcedureState::Permit(s), None) => s.stage(&self.file).as_str(),
            (ProcedureState::Imported(s), None) => s.phase(),
            (ProcedureState::Enrolment(s), None) => s.phase(),
        }
    }

    /// The version of the rules that the case pinned.
    pub fn rules_version(&self) -> &str {
        self.file.opening.as_ref().map_or("", |o| o.rules_version.as_str())
    }

    /// The procedure, once opened.
    pub fn procedure(&self) -> Option<Procedure> {
        self.file.opening.as_ref().map(|o| o.procedure)
    }
}

/// A command for a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// One that every procedure knows.
    Case(case::Command),
    /// One of the residency change.
    Residency(residency::Command),
    /// One of a school application.
    Enrolment(enrolment::Command),
    /// One of the building permit.
    Permit(permit::Command),
}

impl Command {
    /// The stable name, such as `residency.register`.
    pub fn name(&self) -> &'static str {
        match self {
            Command::Case(c) => c.name(),
            Command::Residency(c) => c.name(),
            Command::Permit(c) => c.name(),
            Command::Enrolment(c) => c.name(),
        }
    }

    /// What the command carries of an act.
    pub fn act(&self) -> case::rules::Act<'_> {
        match self {
            Command::Case(_) => case::rules::Act::default(),
            Command::Residency(c) => c.act(),
            Command::Permit(c) => c.act(),
            Command::Enrolment(_) => case::rules::Act::default(),
        }
    }
}

impl From<case::Command> for Command {
    fn from(c: case::Command) -> Self {
        Command::Case(c)
    }
}
impl From<residency::Command> for Command {
    fn from(c: residency::Command) -> Self {
        Command::Residency(c)
    }
}
impl From<permit::Command> for Command {
    fn from(c: permit::Command) -> Self {
        Command::Permit(c)
    }
}

impl From<enrolment::Command> for Command {
    fn from(c: enrolment::Command) -> Self {
        Command::Enrolment(c)
    }
}

/// One named rule with its source.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The name, a sentence in snake case.
    pub name: &'static str,
    /// The article it rests on.
    pub article: &'static str,
    /// How it is checked.
    pub check: Check,
}

/// How a rule is checked.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// From the case and the context alone: also answers which actions are available.
    Standing(fn(&Case, &Context<'_>) -> Result<(), Rejection>),
    /// From the command's content too.
    Content(fn(&Case, &Command, &Context<'_>) -> Result<(), Rejection>),
}

/// A command with the ordered list of all its rules; the first that fails is the answer.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// The command's name.
    pub command: &'static str,
    /// Its rules, in order of precedence.
    pub rules: &'static [Rule],
    /// Whether people may ask for it; the ticker's and the processes' commands are not offered.
    pub offered: bool,
}

/// A command that is available, or the refusal that stands in its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// The command's name.
    pub command: &'static str,
    /// The first refusal; none if the case allows the command.
    pub refusal: Option<Rejection>,
}

/// The actions of a procedure: the common ones, then its own.
pub fn actions_of(procedure: Procedure) -> impl Iterator<Item = &'static Action> {
    let own: &'static [Action] = match procedure {
        Procedure::Residency => residency::rules::ACTIONS,
        Procedure::Enrolment => enrolment::rules::ACTIONS,
        Procedure::Permit => permit::rules::ACTIONS,
    };
    case::rules::ACTIONS.iter().chain(own)
}

/// Every action of every procedure.
pub fn all_actions() -> impl Iterator<Item = &'static Action> {
    case::rules::ACTIONS
        .iter()
        .chain(residency::rules::ACTIONS)
        .chain(permit::rules::ACTIONS)
        .chain(enrolment::rules::ACTIONS)
}

/// Decides a command: the events it records, or why not. Nothing recorded means that what it asks
/// for stands already.
///
/// # Errors
/// The first rule of the command's list that the case, the content or the context breaks.
pub fn decide(case: &Case, command: &Command, ctx: &Context<'_>) -> Result<Vec<Event>, Rejection> {
    let stands = match command {
        Command::Case(c) => case::stands_already(case, c, ctx),
        Command::Residency(c) => residency::stands_already(case, c, ctx),
        Command::Enrolment(c) => enrolment::stands_already(case, c, ctx),
        Command::Permit(c) => permit::stands_already(case, c, ctx),
    };
    if stands {
        return Ok(Vec::new());
    }
    case::the_case_still_has_its_data(case, command.name())?;
    let action = all_actions().find(|a| a.command == command.name());
    for rule in action.map_or(&[][..], |a| a.rules) {
        match rule.check {
            Check::Standing(check) => check(case, ctx),
            Check::Content(check) => check(case, command, ctx),
        }
        .map_err(|r| r.under(rule.name, rule.article))?;
    }
    let mut events = match command {
        Command::Case(c) => case::decide(case, c, ctx),
        Command::Residency(c) => residency::decide(case, c, ctx),
        Command::Enrolment(c) => enrolment::decide(case, c, ctx),
        Command::Permit(c) => permit::decide(case, c, ctx),
    }?;
    case::write_down(&mut events, ctx);
    Ok(events)
}

/// For each command people may send to this case: available, or the first refusal.
pub fn available_actions(case: &Case, ctx: &Context<'_>) -> Vec<Availability> {
    let Some(procedure) = case.procedure() else { return Vec::new() };
    actions_of(procedure)
        .filter(|action| action.offered)
        .map(|action| {
            let erased = case::the_case_still_has_its_data(case, action.command).err();
            let refusal = || {
                action.rules.iter().find_map(|rule| match rule.check {
                    Check::Standing(check) => {
                        check(case, ctx).err().map(|r| r.under(rule.name, rule.article))
                    }
                    Check::Content(_) => None,
                })
            };
            Availability { command: action.command, refusal: erased.or_else(refusal) }
        })
        .collect()
}

/// Folds one event into the case.
#[must_use]
#[inline]
pub fn evolve(mut case: Case, event: &Event) -> Case {
    evolve_in_place(&mut case, event);
    case
}

/// As [`evolve`], for who folds a history: a case has a kilobyte, and a history many events.
pub fn evolve_in_place(case: &mut Case, event: &Event) {
    match event {
        Event::Case(e) => {
            case.file.apply(e);
            if let case::Event::Opened(opened) = e {
                case.procedure = initial(opened);
            }
        }
        Event::Residency(_)
        | Event::Permit(_)
        | Event::Imported(_)
        | Event::Register(_)
        | Event::Enrolment(_)
        | Event::Call(_) => {}
    }
    if let Some(closure) = closure_of(event) {
        case.file.closure = Some(closure);
    }
    // Clocks stop before the procedure moves its own: a final act may start what follows it.
    if let Some(on) = closes_on(case, event) {
        let revision = case.file.events;
        case.file.terms.stop_all(on, revision, event.event_type());
    }
    let file = &mut case.file;
    match &mut case.procedure {
        ProcedureState::Residency(state) => {
            residency::run_clocks(file, state, event);
            *state = residency::evolve(std::mem::take(state), event);
        }
        ProcedureState::Permit(state) => {
            permit::run_clocks(file, state, event);
            imported::run_clocks(file, event);
            **state = permit::evolve(std::mem::take(state), event);
        }
        ProcedureState::Imported(state) => {
            imported::run_clocks(file, event);
            *state = imported::evolve(std::mem::take(state), event);
        }
        ProcedureState::Enrolment(state) => {
            enrolment::run_clocks(file, event);
            *state = enrolment::evolve(std::mem::take(state), event, file.events);
        }
        ProcedureState::NotOpened => {}
    }
    file.events += 1;
}

/// Folds a whole history.
pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Case {
    let mut case = Case::default();
    for event in events {
        evolve_in_place(&mut case, event);
    }
    case
}

fn initial(opened: &case::Opened) -> ProcedureState {
    match (opened.procedure, opened.channel) {
        (Procedure::Permit, case::Channel::Import) => {
            ProcedureState::Permit(Box::new(permit::State::imported()))
        }
        (_, case::Channel::Import) => ProcedureState::Imported(imported::State::default()),
        (Procedure::Residency, _) => ProcedureState::Residency(residency::State::default()),
        (Procedure::Enrolment, _) => ProcedureState::Enrolment(enrolment::State::default()),
        (Procedure::Permit, _) => ProcedureState::Permit(Box::default()),
    }
}

/// The day on which the clocks stop: silence stops them on the term's last day, in time.
fn closes_on(case: &Case, event: &Event) -> Option<jiff::civil::Date> {
    match event {
        Event::Residency(residency::Event::ConfirmedBySilence(e)) => return Some(e.due_on),
        Event::Permit(permit::Event::GrantedBySilence(e)) => return Some(e.due_on),
        Event::Permit(permit::Event::ControlEnded(e)) if e.of == permit::Controlled::Notice => {
            return Some(e.due_on);
        }
        _ => {}
    }
    let closes =
        matches!(event, Event::Case(case::Event::Withdrawn(_))) || closure_of(event).is_some();
    case.file.closure.as_ref().filter(|_| closes).map(|c| c.closed_on)
}

fn closure_of(event: &Event) -> Option<case::Closure> {
    match event {
        Event::Residency(e) => e.closes(),
        Event::Permit(e) => e.closes(),
        Event::Imported(e) => e.closes(),
        Event::Enrolment(e) => e.closes(),
        Event::Case(_) | Event::Register(_) | Event::Call(_) => None,
    }
}
