//! Texts and tables are complete: whatever the domain can say has words in both languages.

use pratica_api::cli::commands::RPCS;
use pratica_api::messages::{Language, has};
use pratica_domain::residency::{Kind, Phase};
use pratica_domain::school::{call, enrolment};
use pratica_domain::{Event, RejectionCode, all_actions};

#[test]
fn every_refusal_event_and_phase_has_words_in_both_languages() {
    let mut keys: Vec<String> = Vec::new();
    for code in RejectionCode::ALL {
        keys.push(format!("rejection.{code}"));
        keys.push(format!("unblock.{code}"));
    }
    keys.extend(Event::types().map(|(name, _)| format!("timeline.{name}")));
    let phases = [
        Phase::Declared,
        Phase::AwaitingConsulate,
        Phase::UnderCheck,
        Phase::NoticePending,
        Phase::ObservationWindow,
        Phase::UnderReview,
        Phase::Ended,
    ];
    keys.extend(phases.iter().map(|p| format!("phase.{}", p.as_str())));
    // What a command fits is named word by word.
    keys.extend(phases.iter().map(|p| format!("word.{}", p.as_str())));
    keys.extend(Kind::ALL.iter().map(|k| format!("word.{}", k.as_str())));
    keys.push("word.ex_officio".to_owned());
    for phase in enrolment::Phase::ALL {
        keys.push(format!("phase.{}", phase.as_str()));
        keys.push(format!("word.{}", phase.as_str()));
    }
    for phase in call::Phase::ALL {
        keys.push(format!("call_phase.{}", phase.as_str()));
        keys.push(format!("word.{}", phase.as_str()));
    }
    keys.extend(enrolment::Ground::ALL.iter().map(|g| format!("word.{}", g.as_str())));
    for outcome in ["excluded", "left", "place_lost", "year_finished", "unplaced"] {
        keys.push(format!("phase.{outcome}"));
    }
    let families = ["in_time", "score", "fact", "isee", "isee_within", "older", "younger", "lot"];
    keys.extend(families.iter().map(|k| format!("school_key.{k}")));
    let missing: Vec<_> = [Language::It, Language::En]
        .into_iter()
        .flat_map(|l| keys.iter().filter(move |k| !has(l, k)).map(move |k| (l, k)))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_command_that_is_offered_has_its_rpc_and_no_rpc_is_for_nothing() {
    let offered: Vec<&str> = all_actions().filter(|a| a.offered).map(|a| a.command).collect();
    let missing: Vec<_> =
        offered.iter().filter(|c| !RPCS.iter().any(|(name, _)| name == *c)).collect();
    assert!(missing.is_empty(), "no rpc for {missing:?}");
    let unknown: Vec<_> = RPCS.iter().filter(|(name, _)| !offered.contains(name)).collect();
    assert!(unknown.is_empty(), "no command for {unknown:?}");
    let methods = pratica_api::cli::client::methods().unwrap_or_default();
    let absent: Vec<_> = RPCS.iter().filter(|(_, rpc)| !methods.iter().any(|m| m == rpc)).collect();
    assert!(absent.is_empty(), "not in the contract: {absent:?}");
}
