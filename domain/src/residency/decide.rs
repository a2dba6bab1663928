//! Turns an allowed command into the facts it records. Every refusal stands in `rules`.

use super::commands::{Command, Form};
use super::events::{
    Cancelled, Completed, Confirmed, ConfirmedBySilence, Consequence, ConsularFormReceived,
    Content, Declared, EndedByFact, Event as Own, FoundIrreceivable, Invited, Kind, Member,
    OpenedExOfficio, PositionRestored, Registered, RegistrationMode, Reported, SilenceAttested,
    Superseded, VisitRecorded,
};
use super::rules::{DECLARED_FITS, declared_late, silence_would_confirm};
use super::state::{Declaration, Phase, State};
use super::{CHECKS, REGISTRATION};
use crate::case::rules::{reckoned, wrong_phase};
use crate::case::{
    Attachment, Channel, LateStatement, Opened, PartyAdded, PartyRole, Procedure, TermKey, attach,
    late_after, written_id,
};
use crate::context::Context;
use crate::decider::{Case, ProcedureState};
use crate::event::Event;
use crate::ids::{EntryId, OfficeId, SubjectId};
use crate::people::Personal;
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::term::{first_instant_after, rome_date};
use jiff::Timestamp;
use jiff::civil::Date;

/// ANPR's reasons: registered again in the earlier position; cancelled with it.
const ANPR_RESTORED: u8 = 10;
const ANPR_CANCELLED_BY_RESTORING: u8 = 12;

pub(crate) fn decide(
    case: &Case,
    command: &Command,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let today = ctx.today();
    let owner = case.file.applicant().map_or(SubjectId(ctx.case_id.0), |(subject, _)| *subject);
    let personal = |text: &str| Personal::new(owner, text.trim().to_owned());
    let one = |event: Own| Ok(vec![Event::Residency(event)]);
    match command.clone() {
        Command::Declare { form, channel, filed_at, office, attachments } => {
            declare(&form, channel, filed_at, office, &attachments, ctx)
        }
        Command::Complete { form } => {
            let (_, declaration) = declared(case)?;
            let filed_on = filed_on(case)?;
            let subjects: Vec<_> = declaration.content.members.iter().map(|m| m.subject).collect();
            one(Completed { content: content(&form, &subjects, filed_on) }.into())
        }
        Command::FindIrreceivable { grounds, reasons, appeal } => {
            let reasons = personal(&reasons);
            one(FoundIrreceivable { grounds, reasons, found_on: today, appeal }.into())
        }
        Command::Register => register(case, today, ctx),
        Command::RecordVisit { visited_at, outcome, report } => one(VisitRecorded {
            visit: EntryId(ctx.new_id("visit")),
            visited_at,
            outcome,
            report: personal(&report),
        }
        .into()),
        Command::Confirm { reasons, departure } => {
            let reasons = [reasons, departure].map(|t| t.trim().to_owned());
            let reasons = reasons.into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>();
            let reasons = (!reasons.is_empty()).then(|| personal(&reasons.join("\n")));
            let late = late_statement(case, today, ctx)?;
            one(Confirmed { confirmed_on: today, reasons, late }.into())
        }
        Command::RestorePosition { reasons, answers, appeal, departure } => {
            let (_, declaration) = declared(case)?;
            let reasons = format!("{}\n{}", reasons.trim(), departure.trim());
            let from_abroad = matches!(
                declaration.kind,
                Kind::FromAbroadAire | Kind::FromAbroadEu | Kind::FromAbroadNonEu
            );
            let mut consequences = vec![
                Consequence::BenefitsLost,
                Consequence::CriminalReport,
                Consequence::PublicSecurityReport,
            ];
            if declaration.kind == Kind::FromOtherComune {
                consequences.push(Consequence::ComuneOfOriginTold);
            }
            one(PositionRestored {
                restored_on: today,
                annulled_from: filed_on(case)?,
                reasons: personal(&reasons),
                answers: Some(answers).filter(|a| !a.trim().is_empty()).map(|a| personal(&a)),
                appeal,
                consequences,
                anpr_reason: if from_abroad { ANPR_CANCELLED_BY_RESTORING } else { ANPR_RESTORED },
                late: late_statement(case, today, ctx)?,
            }
            .into())
        }
        Command::Supersede { by } => one(Superseded { by, superseded_on: today }.into()),
        Command::EndByFact { fact, happened_on } => one(EndedByFact { fact, happened_on }.into()),
        Command::OpenExOfficio { kind, person, address, fact_on, grounds, office } => {
            let subject = SubjectId(ctx.new_id("party 0"));
            let opened = opened(kind, Channel::ExOfficio, ctx.now, office, ctx)?;
            let party = PartyAdded {
                subject,
                role: PartyRole::Applicant,
                person: Personal::new(subject, person),
                account: None,
            };
            let own = OpenedExOfficio {
                kind,
                fact_on,
                address: Personal::new(subject, address),
                grounds: Personal::new(subject, grounds.trim().to_owned()),
            };
            Ok(vec![
                Event::Case(opened.into()),
                Event::Case(party.into()),
                Event::Residency(own.into()),
            ])
        }
        Command::Invite { sent_on } => one(Invited { sent_on }.into()),
        Command::RegisterExOfficio => one(Registered {
            registered_on: today,
            effective_from: today,
            mode: RegistrationMode::ExOfficio,
            late: false,
            anpr_reason: None,
        }
        .into()),
        Command::Cancel { reasons, appeal } => {
            let kind = match &case.procedure {
                ProcedureState::Residency(state) => state.kind(),
                _ => None,
            };
            one(Cancelled {
                cancelled_on: today,
                effective_from: today,
                reasons: Some(personal(&reasons)),
                appeal: Some(appeal),
                anpr_reason: kind.and_then(Kind::anpr_reason),
            }
            .into())
        }
        Command::RecordConsularForm { received_on, declared_on } => {
            one(ConsularFormReceived { received_on, declared_on }.into())
        }
        Command::Report { to, reported_on, reference } => {
            one(Reported { to, reported_on, reference: Personal::said(owner, &reference) }.into())
        }
    }
}

fn declared(case: &Case) -> Result<(Phase, &Declaration), Rejection> {
    match &case.procedure {
        ProcedureState::Residency(State::Declared(phase, declaration)) => Ok((*phase, declaration)),
        _ => wrong_phase(case, DECLARED_FITS),
    }
}

fn filed_on(case: &Case) -> Result<Date, Rejection> {
    let opening = case.file.opening.as_ref().ok_or(Rejection::new(Code::CaseNotOpened))?;
    Ok(opening.filed_on)
}

fn opened(
    kind: Kind,
    channel: Channel,
    filed_at: Timestamp,
    office: OfficeId,
    ctx: &Context<'_>,
) -> Result<Opened, Rejection> {
    let filed_on = rome_date(filed_at);
    Ok(Opened {
        procedure: Procedure::Residency,
        kind: kind.as_str().to_owned(),
        filed_on,
        filed_at,
        channel,
        rules_version: ctx.rules_in_force(filed_on)?.version.clone(),
        office,
        reference: None,
    })
}

fn declare(
    form: &Form,
    channel: Channel,
    filed_at: Timestamp,
    office: OfficeId,
    attachments: &[Attachment],
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let opened = opened(form.kind, channel, filed_at, office, ctx)?;
    let filed_on = opened.filed_on;
    let rules = ctx.rule_set(&opened.rules_version)?;
    let late = declared_late(form, filed_on, rules, ctx)?;
    let mut events = vec![Event::Case(opened.into())];
    let mut subjects = Vec::with_capacity(form.members.len());
    for (index, member) in form.members.iter().enumerate() {
        let subject = SubjectId(ctx.new_id(&format!("party {index}")));
        subjects.push(subject);
        let party = PartyAdded {
            subject,
            role: if index == 0 { PartyRole::Applicant } else { PartyRole::Member },
            person: Personal::new(subject, member.person.clone()),
            account: member.account.clone(),
        };
        events.push(Event::Case(party.into()));
    }
    // The declaration is the last event but the attachments: its document's id is known here.
    let declaration_document = written_id(ctx, events.len());
    let declared = Declared {
        kind: form.kind,
        filed_at,
        fact_on: form.fact_on,
        declared_late: late,
        content: content(form, &subjects, filed_on),
    };
    events.push(Event::Residency(declared.into()));
    attach(&mut events, attachments, filed_on, declaration_document, ctx);
    Ok(events)
}

pub(crate) fn content(form: &Form, subjects: &[SubjectId], filed_on: Date) -> Content {
    let owner = subjects.first().copied().unwrap_or(SubjectId(uuid::Uuid::nil()));
    let details = form.title_details.trim();
    Content {
        ministry_form: form.ministry_form,
        origin: form.members.first().map(|m| m.origin.trim().to_owned()).unwrap_or_default(),
        address: Personal::new(owner, form.address.clone()),
        title: form.title,
        title_details: (!details.is_empty()).then(|| Personal::new(owner, details.to_owned())),
        members: form
            .members
            .iter()
            .zip(subjects)
            .map(|(m, subject)| Member {
                subject: *subject,
                adult: m.person.is_adult_on(filed_on),
                signed: m.signed,
                identity_copy: m.identity_copy,
                annex: m.annex,
            })
            .collect(),
        family_consent: form.family_consent,
        other_parent_told: form.other_parent_told,
    }
}

/// Registers; who leaves for abroad is cancelled instead, and the case ends with that.
fn register(case: &Case, today: Date, ctx: &Context<'_>) -> Result<Vec<Event>, Rejection> {
    let (_, declaration) = declared(case)?;
    let filed_on = filed_on(case)?;
    if declaration.kind.leaves() {
        let effective_from = consular_effect(declaration, filed_on, case, ctx)?;
        let cancelled = Cancelled {
            cancelled_on: today,
            effective_from,
            reasons: None,
            appeal: None,
            anpr_reason: declaration.kind.anpr_reason(),
        };
        return Ok(vec![Event::Residency(cancelled.into())]);
    }
    let end = reckoned(case, &TermKey::of(REGISTRATION), ctx)?.and_then(|t| t.reckoning.end);
    let registered = Registered {
        registered_on: today,
        effective_from: filed_on,
        mode: RegistrationMode::OnDeclaration,
        late: end.is_some_and(|end| today > end),
        anpr_reason: declaration.kind.anpr_reason(),
    };
    Ok(vec![Event::Residency(registered.into())])
}

/// From which day a move to abroad has effect: from the declaration to the comune if the consular
/// one followed within ninety days, otherwise from the consular one, which has effect by itself
/// (DL 22/2019).
fn consular_effect(
    declaration: &Declaration,
    filed_on: Date,
    case: &Case,
    ctx: &Context<'_>,
) -> Result<Date, Rejection> {
    let Some(consular_on) = declaration.consular_on else { return Ok(filed_on) };
    let key = TermKey::of(super::CONSULAR_DECLARATION);
    let end = reckoned(case, &key, ctx)?.and_then(|t| t.reckoning.end);
    let in_time = end.is_none_or(|end| consular_on <= end);
    Ok(if in_time { filed_on.min(consular_on) } else { consular_on })
}

fn late_statement(
    case: &Case,
    today: Date,
    ctx: &Context<'_>,
) -> Result<Option<LateStatement>, Rejection> {
    let end = reckoned(case, &TermKey::of(CHECKS), ctx)?.and_then(|t| t.reckoning.end);
    Ok(late_after(end, today))
}

/// What silence does at the end of the checks: it confirms, unless a notice was sent; after one,
/// the policy `after_notice_expiry` says whether silence confirms or only alerts.
pub(crate) fn silence(
    case: &Case,
    term: &TermKey,
    due_on: Date,
    ctx: &Context<'_>,
) -> Result<Option<Vec<Event>>, Rejection> {
    if *term != TermKey::of(CHECKS) {
        return Ok(None);
    }
    // An imported history may have this clock: nothing confirms there, the end is only noted.
    if !silence_would_confirm(case, ctx)? {
        return Ok(None);
    }
    let (_, declaration) = declared(case)?;
    let legal_at = first_instant_after(due_on);
    let mut events = Vec::new();
    if declaration.registered_on.is_none() {
        // What silence confirms has to be registered, whoever forgot it.
        let registered = Registered {
            registered_on: ctx.today(),
            effective_from: filed_on(case)?,
            mode: RegistrationMode::ByLaw,
            late: true,
            anpr_reason: declaration.kind.anpr_reason(),
        };
        events.push(Event::Residency(registered.into()));
    }
    let effective_on = rome_date(legal_at);
    let confirmed = ConfirmedBySilence { due_on, effective_on, legal_at };
    events.push(Event::Residency(confirmed.into()));
    let rules = ctx.rule_set(case.rules_version())?;
    if rules.policy_text("silence_attestation") != Some("on_request") {
        let attested = SilenceAttested { due_on, attested_on: ctx.today() };
        events.push(Event::Residency(attested.into()));
    }
    Ok(Some(events))
}
