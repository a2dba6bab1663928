//! The terms of a case, and the arithmetic of each, in words.

use super::word;
use crate::app::error::AppError;
use crate::app::town::Town;
use crate::grpc::convert::date_message;
use crate::messages::{self, Language, facts_of};
use jiff::civil::Date;
use pratica_domain::Case;
use pratica_domain::case::ReckonedTerm;
use pratica_domain::term::TermStatus;
use pratica_proto::common::v1 as common;

/// The terms of a case as they stand on a day, without their steps.
///
/// # Errors
/// When a term cannot be reckoned by the rules that the case pinned.
pub(crate) fn deadlines(
    town: &Town,
    case: &Case,
    today: Date,
    language: Language,
    with_steps: bool,
) -> Result<Vec<common::Deadline>, AppError> {
    let Some(rules) = town.rules.book.version(case.rules_version()) else { return Ok(Vec::new()) };
    let calendar = &town.rules.calendar;
    let fault = |e: pratica_domain::term::TermError| AppError::Fault {
        doing: "reckoning a term",
        source: Box::new(e),
        transient: false,
    };
    let mut shown = Vec::new();
    for term in case.file.terms.reckon_all(rules, calendar).map_err(fault)? {
        let resumed = match term.reckoning.status {
            TermStatus::Suspended { .. } | TermStatus::Interrupted { .. } => case
                .file
                .terms
                .end_if_resumed_on(&term.key, today, rules, calendar)
                .map_err(fault)?,
            TermStatus::Running | TermStatus::Stopped { .. } => None,
        };
        shown.push(deadline(&term, today, resumed, language, with_steps));
    }
    // Open terms first, the earliest due date first; the others after them.
    shown.sort_by_key(|d| {
        let due = d.due_date.as_ref().map(|d| (d.year, d.month, d.day));
        (d.status == "stopped", due.is_none(), due)
    });
    Ok(shown)
}

fn deadline(
    term: &ReckonedTerm,
    today: Date,
    resumed: Option<Date>,
    language: Language,
    with_steps: bool,
) -> common::Deadline {
    let reckoning = &term.reckoning;
    let status = match reckoning.status {
        TermStatus::Running => "running",
        TermStatus::Suspended { .. } => "suspended",
        TermStatus::Interrupted { .. } => "interrupted",
        TermStatus::Stopped { .. } => "stopped",
    };
    let title = match language {
        Language::It => &term.rule.title_it,
        Language::En => &term.rule.title_en,
    };
    common::Deadline {
        term: term.key.to_string(),
        title: title.clone(),
        article: reckoning.article.clone(),
        status: status.to_owned(),
        due_date: reckoning.end.map(date_message),
        raw_date: reckoning.raw_end.map(date_message),
        warn_date: reckoning.warn_on.map(date_message),
        owner: word(&reckoning.owner),
        effect_at_end: word(&reckoning.effect_at_end),
        overdue: term.is_open() && reckoning.end.is_some_and(|end| end < today),
        due_date_if_resumed_today: resumed.map(date_message),
        steps: if with_steps { reckoning_steps(reckoning, language) } else { Vec::new() },
        rules_version: reckoning.rules_version.clone(),
        calendar_version: reckoning.calendar_version.clone(),
        expiry_recorded: term.expired_for.is_some() && term.expired_for == reckoning.end,
    }
}

/// The arithmetic of a reckoning in words.
pub fn reckoning_steps(
    reckoning: &pratica_domain::term::Reckoning,
    language: Language,
) -> Vec<common::DeadlineStep> {
    reckoning
        .steps
        .iter()
        .map(|step| {
            let value = serde_json::to_value(step).unwrap_or_default();
            let facts = facts_of(&value);
            let kind = facts.get("step").cloned().unwrap_or_default();
            // What is skipped or passed over gets a sentence of its own, only where there is some.
            let mut text = messages::text(language, &format!("step.{kind}"), &facts);
            for detail in ["skipped", "over"] {
                if facts.get(detail).is_some_and(|d| !d.is_empty()) {
                    text.push(' ');
                    text.push_str(&messages::text(language, &format!("step.{detail}"), &facts));
                }
            }
            common::DeadlineStep {
                kind,
                text,
                article: step.article.clone().unwrap_or_default(),
                event_revision: step.event,
                event_type: step.event_type.clone().unwrap_or_default(),
            }
        })
        .collect()
}
