//! The words of the national SUAP specification, held against its own texts where they are at hand.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use pratica_domain::permit::suap::{FACTS, OPERATIONS, STATES};
use pratica_domain::{Event, all_actions};

use crate::procedures::expect_page;
use crate::support::shared_platform_file;

#[test]
fn every_word_stands_in_the_specification_as_it_is_spelled_there() {
    let Some(to_catalogue) = shared_platform_file("suap-openapi/catalogo-ssu_to_bo.yaml") else {
        return;
    };
    let Some(notified) = shared_platform_file("suap-json-schema/instance-descriptor-schema.yaml")
    else {
        return;
    };
    let line = to_catalogue.lines().find(|l| l.contains("corrected_instance_retrived"));
    let audit: BTreeSet<&str> = line
        .expect("the audit vocabulary of the back office")
        .trim()
        .trim_start_matches("pattern:")
        .split(['^', '$', '|', ' '])
        .collect();
    let states: BTreeSet<&str> =
        notified.lines().map(|l| l.trim().trim_start_matches("- ")).collect();
    for words in FACTS {
        if let Some(word) = words.audit {
            assert!(audit.contains(word), "audit {word} of {}", words.fact);
        }
        if let Some(word) = words.notify {
            assert!(states.contains(word), "notify {word} of {}", words.fact);
        }
    }
    for (ours, theirs) in STATES {
        assert!(states.contains(theirs), "{theirs} for {ours}");
    }
}

#[test]
fn every_operation_that_the_acceptance_list_asks_of_a_back_office_has_its_row() {
    let Some(list) = shared_platform_file("suap-blackbox-tests.csv") else { return };
    let asked: BTreeSet<&str> = list
        .lines()
        .filter(|l| l.starts_with("BO,"))
        .flat_map(|l| {
            OPERATIONS.iter().map(|(o, _)| *o).filter(move |o| l.contains(&format!(",{o},")))
        })
        .collect();
    let known: BTreeSet<&str> = OPERATIONS.iter().map(|(o, _)| *o).collect();
    assert_eq!(asked, known);
    let of_back_office = list.lines().filter(|l| l.starts_with("BO,")).count();
    let covered = list
        .lines()
        .filter(|l| l.starts_with("BO,"))
        .filter(|l| known.iter().any(|o| l.contains(&format!(",{o},"))))
        .count();
    assert_eq!(covered, of_back_office, "an operation of the list has no row");
}

#[test]
fn what_the_tables_name_exists() {
    let events: BTreeSet<&str> = Event::types().map(|(name, _)| name).collect();
    for words in FACTS.iter().filter(|w| w.fact.starts_with("permit.") && !w.fact.contains(' ')) {
        assert!(events.contains(words.fact), "no event {}", words.fact);
    }
    for (operation, command) in OPERATIONS.iter().filter(|(_, c)| !c.is_empty()) {
        assert!(all_actions().any(|a| a.command == *command), "{operation}: no command {command}");
    }
}

#[test]
fn the_page_of_suap_says_what_the_tables_say() {
    let mut page = String::from("## Facts\n\n| Fact | `notify` | `audit` |\n|---|---|---|\n");
    let word = |w: Option<&str>| w.map(|w| format!("`{w}`")).unwrap_or_default();
    for w in FACTS {
        let _ = writeln!(page, "| {} | {} | {} |", w.fact, word(w.notify), word(w.audit));
    }
    page += "\n## States\n\n| Stage or outcome | `instance_status` |\n|---|---|\n";
    for (ours, theirs) in STATES {
        let _ = writeln!(page, "| `{ours}` | `{theirs}` |");
    }
    page += "\n## Operations asked of a back office\n\n| Operation | Command |\n|---|---|\n";
    for (operation, command) in OPERATIONS {
        let command = if command.is_empty() { "none" } else { command };
        let _ = writeln!(page, "| `{operation}` | `{command}` |");
    }
    expect_page("../suap.md", &page);
}
