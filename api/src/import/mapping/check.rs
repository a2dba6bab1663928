//! What a mapping must hold to be usable, beyond its shape.

use super::file::{ActivityRule, Becomes, Mapping};
use pratica_domain::term::{RuleBook, TermRuleId};

type Problem = (String, String);

pub(super) fn check(mapping: &Mapping, rules: &RuleBook) -> Result<(), Problem> {
    let slug = |place: &str, text: &str| {
        let good = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if good || (place == "source" && slug_with_dashes(text)) {
            return Ok(());
        }
        Err((
            place.to_owned(),
            format!("{text:?} must be 1 to 64 lower-case letters, digits and `_`"),
        ))
    };
    slug("source", &mapping.source)?;
    slug("kind.default", &mapping.kind.default)?;
    for value in &mapping.kind.values {
        slug("kind.values", &value.kind)?;
    }
    if mapping.kind.attribute.is_none() && !mapping.kind.values.is_empty() {
        return problem("kind.values", "they need kind.attribute, which tells the value");
    }
    for key in [&mapping.matches, &mapping.time, &mapping.case_id] {
        if mapping.personal.contains(key) {
            return Err(("personal".to_owned(), format!("{key} must be readable by everybody")));
        }
    }
    if mapping.filed.is_empty() {
        return problem("filed", "name at least one place, such as \"first_event\"");
    }
    let set = rules.version(&mapping.rules_version).ok_or_else(|| {
        let text = format!("no rules have the version {:?}", mapping.rules_version);
        ("rules_version".to_owned(), text)
    })?;
    if let Some(term) = &mapping.term
        && let Err(error) = set.term(&TermRuleId::from(term.key.as_str()))
    {
        return Err(("term.key".to_owned(), error.to_string()));
    }
    if mapping.closing.as_ref().is_some_and(|c| c.on.is_empty()) {
        return problem("closing.on", "name at least one place, such as \"last_event\"");
    }
    for activity in &mapping.activities {
        check_activity(mapping, activity)
            .map_err(|text| (format!("activity {:?}", activity.name), text))?;
    }
    Ok(())
}

fn slug_with_dashes(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

fn check_activity(mapping: &Mapping, rule: &ActivityRule) -> Result<(), String> {
    use Becomes as B;
    let needs_term = matches!(
        rule.becomes,
        B::RequestSent | B::TermExtended | B::TermSuspended | B::TermResumed
    );
    if needs_term && mapping.term.is_none() {
        return Err("it moves a term: the mapping needs [term]".to_owned());
    }
    let b = rule.becomes;
    let keys = [
        ("day", rule.day.is_some(), !matches!(b, B::Opened | B::TermExtended), false),
        ("answer_within", rule.answer_within.is_some(), b == B::RequestSent, b == B::RequestSent),
        (
            "cap_days",
            rule.cap_days.is_some(),
            matches!(b, B::RequestSent | B::TermSuspended),
            false,
        ),
        ("by", rule.by.is_some(), b == B::TermExtended, b == B::TermExtended),
        ("outcome", rule.outcome.is_some(), b == B::Decided, false),
        ("forum", rule.forum.is_some(), b == B::Contested, b == B::Contested),
        (
            "basis",
            rule.basis.is_some(),
            matches!(b, B::RequestSent | B::TermExtended | B::TermSuspended),
            matches!(b, B::RequestSent | B::TermExtended | B::TermSuspended),
        ),
        (
            "text",
            rule.text.is_some(),
            matches!(b, B::RequestSent | B::TermExtended | B::TermSuspended),
            false,
        ),
    ];
    for (key, given, allowed, needed) in keys {
        if given && !allowed {
            return Err(format!("the key {key} means nothing here: take it out"));
        }
        if needed && !given {
            return Err(format!("the key {key} is missing"));
        }
    }
    Ok(())
}

fn problem(place: &str, text: &str) -> Result<(), Problem> {
    Err((place.to_owned(), text.to_owned()))
}
