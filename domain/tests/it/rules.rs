//! The rules shipped with the project, and what is said of rules that are wrong.

use pratica_domain::term::{EffectAtEnd, Length, RuleBook, RuleSet, TermOwner, TermRuleId};

use crate::support::{book, day, italy};

#[test]
fn the_rules_we_ship_have_no_problems() {
    assert_eq!(book().validate(), Ok(()));
}

#[test]
fn the_rules_we_ship_know_the_terms_the_procedures_ask_for() {
    let rules = italy();
    let expected = [
        ("residency.registration", "2wd"),
        ("residency.checks", "45d"),
        ("residency.observations", "10d"),
        ("residency.review_after_notice", "45d"),
        ("residency.declaration", "20d"),
        ("residency.consular_declaration", "90d"),
        ("residency.consular_form_year", "1y"),
        ("residency.untraceable_absence", "1y"),
        ("residency.prefect_report", "30d"),
        ("residency.renewal_invitation", "30d"),
        ("residency.appeal_prefect", "30d"),
        ("residency.appeal_court", "60d"),
        ("case.general", "30d"),
        ("case.additions", "30d"),
        ("case.notice_observations", "10d"),
        ("case.substitute_power", "15d"),
        ("case.access", "30d"),
        ("register.daily", "1wd"),
        ("permit.responsible", "10d"),
        ("permit.review", "60d"),
        ("permit.decision", "30d"),
        ("permit.decision_after_notice", "40d"),
        ("permit.silence", "90d"),
        ("permit.additions", "30d"),
        ("permit.minor_changes", "15d"),
        ("permit.attestation", "15d"),
        ("permit.works_start", "1y"),
        ("permit.works_finish", "3y"),
        ("school.observations", "10d"),
        ("school.offer", "2wd"),
    ];
    for (id, length) in expected {
        let rule = rules.term(&id.into()).unwrap();
        assert_eq!(rule.length.code(), length, "{id}");
        assert_eq!(rule.id.as_str(), id);
    }
    assert_eq!(rules.terms["residency.checks"].effect_at_end, EffectAtEnd::SilenceAssent);
    assert_eq!(rules.terms["residency.observations"].owner, TermOwner::Citizen);
}

#[test]
fn the_policies_have_their_safe_defaults() {
    let rules = italy();
    assert_eq!(rules.policy_text("notice_suspends_from"), Some("sending"));
    assert_eq!(rules.policy_text("after_notice_expiry"), Some("alert"));
    assert_eq!(rules.policy_flag("office_terms_roll"), Some(true));
    assert_eq!(rules.policy_text("late_refusal_after_silence"), Some("refuse"));
    assert_eq!(rules.policy_number("unclaimed_mail_days"), Some(10));
    // The office's Saturday is worked, the family's is not: both are the safe side.
    assert!(rules.saturday_is_working(&rules.terms["residency.registration"]));
    assert!(!rules.saturday_is_working(&rules.terms["school.offer"]));
}

#[test]
fn the_readme_lists_every_policy_with_its_default() {
    let readme = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/README.md"));
    for (key, policy) in &italy().policies {
        let row = format!("| `{key}` | `{}` |", policy.value);
        assert!(readme.contains(&row), "rules/README.md lacks the row: {row}");
    }
}

#[test]
fn a_case_finds_the_version_of_the_day_it_was_filed() {
    let mut book = book();
    let text = "version = 'vergate-2026'\nextends = 'italy-2026'\nin_force_from = '2026-05-01'\n\
                [policies.saturday_in_registration]\nvalue = 'not_working'";
    book.add(toml::from_str(text).unwrap()).unwrap();
    assert_eq!(book.validate(), Ok(()));
    assert_eq!(book.in_force_on(day("2026-04-30")).unwrap().version, "italy-2026");
    let own = book.in_force_on(day("2026-05-01")).unwrap();
    assert_eq!(own.version, "vergate-2026");
    assert!(!own.saturday_is_working(&own.terms["residency.registration"]));
    assert!(!own.policies["saturday_in_registration"].source.is_empty());
    let dutch = TermRuleId::new("nl.wabo.regular");
    assert_eq!(book.in_force_on_for(day("2026-06-01"), &dutch).unwrap().version, "nl-wabo");
    assert!(book.in_force_on(day("2009-01-01")).is_none());
}

#[test]
fn a_filing_recorded_late_finds_the_rules_of_its_day_and_an_ancient_one_none() {
    let book = book();
    let version = |on: &str| book.in_force_on(day(on)).map(|set| set.version.as_str());
    // Since L. 182/2025, in the weeks before it, and since a notice of rejection suspends.
    for on in ["2025-12-18", "2025-12-17", "2025-11-03", "2020-07-17"] {
        assert_eq!(version(on), Some("italy-2026"), "{on}");
    }
    assert_eq!(version("2020-07-16"), None, "what is older can only be imported");
}

#[test]
fn rules_of_imported_histories_are_never_in_force_here() {
    let book = book();
    let dutch = book.version("nl-wabo").unwrap();
    assert!(dutch.imported_only);
    assert!(dutch.terms.contains_key("case.additions"), "its cases have requests too");
    let days = (0..6000).filter_map(|n| day("2010-01-01").checked_add(jiff::ToSpan::days(n)).ok());
    for on in days {
        assert_ne!(book.in_force_on(on).map(|set| set.version.as_str()), Some("nl-wabo"), "{on}");
    }
    // A comune's own version laid over it serves what is filed: the mark is not inherited.
    let own = "version = 'own'\nextends = 'nl-wabo'\nin_force_from = '2026-05-01'";
    let own: RuleSet = toml::from_str(own).unwrap();
    assert!(!own.laid_over(dutch).imported_only);
}

/// Every quoted name in the domain's sources that looks like a term or is read as a policy.
#[test]
#[allow(clippy::disallowed_methods, reason = "the test reads files; the domain does not")]
fn every_term_and_policy_that_the_domain_names_is_in_the_rules() {
    fn sources(folder: &std::path::Path, texts: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, texts);
            } else {
                texts.push(std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut texts = Vec::new();
    sources(concat!(env!("CARGO_MANIFEST_DIR"), "/src").as_ref(), &mut texts);
    let after = |mark: &str| -> Vec<String> {
        texts
            .iter()
            .flat_map(|text| text.split(mark).skip(1))
            .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
            .map(str::to_owned)
            .collect()
    };
    let rules = italy();
    let marks = [": &str =", "ended_before(x.fact_on,", "ended_before(fact,", "TermKey::instance("];
    let terms: Vec<String> = marks
        .iter()
        .flat_map(|mark| after(mark))
        .filter(|name| name.split_once('.').is_some_and(|(area, _)| !area.contains(' ')))
        .filter(|name| {
            ["residency.", "case.", "permit.", "school.", "register."]
                .iter()
                .any(|a| name.starts_with(a))
        })
        .collect();
    assert!(terms.len() >= 10, "too few were found: {terms:?}");
    for term in terms {
        assert!(rules.terms.contains_key(term.as_str()), "no term {term}");
    }
    let marks = ["policy_text(", "policy_flag(", "policy_number(", "number("];
    let policies: Vec<String> = marks.iter().flat_map(|mark| after(mark)).collect();
    assert!(policies.len() >= 6, "too few were found: {policies:?}");
    for policy in policies {
        assert!(rules.policies.contains_key(&policy), "no policy {policy}");
    }
}

#[test]
fn a_version_in_the_book_cannot_be_replaced() {
    let mut book = book();
    let problem = book.add(italy()).unwrap_err();
    assert_eq!(problem.field, "version");
    assert!(problem.help.contains("new name"));
}

#[test]
fn a_version_that_extends_an_unknown_one_is_refused() {
    let set = "version = 'x'\nextends = 'nowhere'\nin_force_from = '2026-05-01'";
    let problem = RuleBook::from_sets([toml::from_str(set).unwrap()]).unwrap_err();
    assert_eq!(problem.field, "extends");
}

#[test]
fn a_problem_names_the_rule_the_field_and_what_would_help() {
    let mut rules = italy();
    rules.terms.get_mut("residency.checks").unwrap().length = Length::days(0);
    rules.terms.get_mut("case.general").unwrap().article = " ".to_owned();
    rules.terms.get_mut("school.offer").unwrap().saturday_policy = Some("nothing".to_owned());
    rules.policies.get_mut("after_notice_expiry").unwrap().value =
        pratica_domain::term::PolicySetting::Text("refuse".to_owned());
    let problems = RuleBook::from_sets([rules]).unwrap().validate().unwrap_err();
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let has = |words: [&str; 3]| texts.iter().any(|text| words.iter().all(|w| text.contains(w)));
    assert!(has(["term residency.checks", "field length", "at least one day"]), "{texts:#?}");
    assert!(has(["term case.general", "field article", "fill it in"]), "{texts:#?}");
    assert!(has(["term school.offer", "saturday_policy", "leave the field out"]), "{texts:#?}");
    assert!(has(["policy after_notice_expiry", "'refuse'", "alert, confirm"]), "{texts:#?}");
}

#[test]
fn an_unknown_field_or_a_senseless_length_is_refused() {
    let wrong = crate::support::ITALY.replacen("warn_days = 7", "warn_dais = 7", 1);
    assert!(toml::from_str::<RuleSet>(&wrong).unwrap_err().to_string().contains("warn_dais"));
    let wrong = crate::support::ITALY.replacen("\"45d\"", "\"45 moons\"", 1);
    assert!(toml::from_str::<RuleSet>(&wrong).unwrap_err().to_string().contains("45 moons"));
}

#[test]
fn lengths_are_read_as_they_are_written() {
    for text in ["45d", "2wd", "6m", "1y", "0d"] {
        assert_eq!(text.parse::<Length>().unwrap().code(), text);
    }
    assert_eq!("45 days".parse(), Ok(Length::days(45)));
    assert_eq!(Length::days(45).to_string(), "45 days");
    assert_eq!(Length::working_days(1).to_string(), "1 working day");
    assert_eq!(Length::days(45).half(), Length::days(22));
    assert_eq!(Length::years(1).half(), Length::months(6));
    for text in ["", "d", "45", "-1d", "1.5d", "45x", "99999999999d", "4é"] {
        assert!(text.parse::<Length>().is_err(), "{text}");
    }
}
