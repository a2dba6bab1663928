//! The pages of `docs/procedures/`: the prose is written by hand, what stands under the mark is
//! printed from the rules. `UPDATE_EXPECT=1 cargo test -p pratica-domain` rewrites it.

use std::fmt::Write as _;
use std::path::PathBuf;

use pratica_domain::{Action, case, permit, register, residency};

use crate::refusals::{Row, rows};
use crate::support::italy;

const MARK: &str = "<!-- Printed by the tests from the rules: do not edit below. -->\n";

const RESIDENCY: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/residency/mod.rs"));

/// The policies that each page explains.
const RESIDENCY_POLICIES: [&str; 9] = [
    "after_notice_expiry",
    "decision_needs_proposal",
    "late_observations",
    "notice_suspends_from",
    "office_terms_roll",
    "saturday_in_registration",
    "silence_attestation",
    "untraceable_checks",
    "untraceable_spacing_days",
];

const PERMIT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/permit/mod.rs"));

const PERMIT_POLICIES: [&str; 14] = [
    "constrained_silence_from",
    "late_observations",
    "late_payment_percent_1",
    "late_payment_percent_2",
    "late_payment_percent_3",
    "late_refusal_in_building",
    "minor_changes_suspend_until",
    "notice_in_building",
    "notice_suspends_from",
    "permit_needs_proposal",
    "saturday_in_conference",
    "second_additions_request",
    "silence_attestation",
    "silence_during_conference",
];

fn diagram(source: &str) -> String {
    let lines = source.lines().filter_map(|line| line.strip_prefix("//!"));
    let inside = lines
        .skip_while(|line| line.trim() != "```text")
        .skip(1)
        .take_while(|line| line.trim() != "```");
    let body: String = inside.fold(String::new(), |text, line| text + line.trim() + "\n");
    assert!(!body.is_empty(), "no diagram in the module's documentation");
    format!("## Phases\n\n```text\n{body}```\n\n")
}

fn rule_table(actions: &[Action], rows: &[Row]) -> String {
    let mut text = String::from(
        "## Commands and their rules\n\nThe first rule that fails is the answer. The last column is \
         a case of the tests in which it refuses.\n\n\
         | Command | Rule | Article | Code | Refused, for example |\n|---|---|---|---|---|\n",
    );
    for action in actions {
        for (place, rule) in action.rules.iter().enumerate() {
            let command = if place == 0 { format!("`{}`", action.command) } else { String::new() };
            let of_rule =
                rows.iter().filter(|row| row.command == action.command && row.rule == rule.name);
            let mut codes: Vec<&str> = of_rule.clone().map(|row| row.code.as_str()).collect();
            codes.dedup();
            let on: Vec<&str> = of_rule.map(|row| row.on).collect();
            let _ = writeln!(
                text,
                "| {command} | {} | {} | {} | {} |",
                rule.name.replace('_', " "),
                rule.article,
                codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", "),
                on.join("; "),
            );
        }
    }
    text + "\n"
}

fn term_table(area: &str) -> String {
    let mut text = String::from(
        "## Terms\n\n| Term | Length | Article | At its end | Doubt |\n|---|---|---|---|---|\n",
    );
    for (id, rule) in italy().terms.iter().filter(|(id, _)| id.as_str().starts_with(area)) {
        let effect = serde_json::to_value(rule.effect_at_end).unwrap();
        let effect = effect.as_str().unwrap_or_default().replace('_', " ");
        let _ = writeln!(
            text,
            "| `{id}` | {} | {} | {effect} | {} |",
            rule.length, rule.article, rule.doubt
        );
    }
    text + "\n"
}

fn policy_table(keys: &[&str]) -> String {
    let rules = italy();
    let mut text = String::from(
        "## Policies and their safe defaults\n\n| Policy | Default | Question |\n|---|---|---|\n",
    );
    for key in keys {
        let policy = &rules.policies[*key];
        let _ = writeln!(text, "| `{key}` | `{}` | {} |", policy.value, policy.note);
    }
    text + "\n"
}

fn event_list(types: &[(&str, u16)]) -> String {
    let list: Vec<String> = types.iter().map(|(name, v)| format!("`{name}` v{v}")).collect();
    format!("## Events\n\n{}.\n", list.join(", "))
}

#[allow(clippy::disallowed_methods, reason = "the test reads and writes files, the domain none")]
pub(crate) fn expect_page(name: &str, printed: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/procedures");
    let path = PathBuf::from(folder).join(name);
    let page = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
    let (prose, old) = page.split_once(MARK).unwrap_or((&page, ""));
    if old.trim() == printed.trim() {
        return;
    }
    assert!(
        std::env::var_os("UPDATE_EXPECT").is_some(),
        "docs/procedures/{name} is not what the rules say: run the tests with UPDATE_EXPECT=1"
    );
    let whole = format!("{}\n\n{MARK}\n{}\n", prose.trim_end(), printed.trim());
    std::fs::write(&path, whole).unwrap();
}

#[test]
fn the_page_of_the_residency_change_says_what_the_rules_say() {
    let printed = diagram(RESIDENCY)
        + &rule_table(residency::rules::ACTIONS, &rows())
        + &term_table("residency.")
        + &policy_table(&RESIDENCY_POLICIES)
        + &event_list(residency::Event::TYPES);
    expect_page("residency.md", &printed);
}

#[test]
fn the_page_of_the_building_permit_says_what_the_rules_say() {
    let printed = diagram(PERMIT)
        + &rule_table(permit::rules::ACTIONS, &rows())
        + &term_table("permit.")
        + &policy_table(&PERMIT_POLICIES)
        + &event_list(permit::Event::TYPES);
    expect_page("permit.md", &printed);
}

#[test]
fn the_page_of_every_case_says_what_the_rules_say() {
    let printed = rule_table(case::rules::ACTIONS, &rows())
        + &term_table("case.")
        + &event_list(case::Event::TYPES);
    expect_page("common.md", &printed);
}

#[test]
fn the_page_of_the_protocol_register_says_what_the_rules_say() {
    let printed = term_table("register.")
        + &policy_table(&["saturday_in_register"])
        + &event_list(register::Event::TYPES);
    expect_page("protocol-register.md", &printed);
}
