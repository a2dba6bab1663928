//! `pratica ranking`: a family's file against the hash that was published, without any server.

use pratica_domain::ids::{CallId, CaseId};
use pratica_domain::ranking::{
    Application, Better, Choice, Document, Header, Input, Key, List, Stage,
};
use std::process::{Command, Output};
use uuid::Uuid;

fn document(stage: Stage, scores: &[i64]) -> String {
    let list = List { id: "centro/medi".parse().unwrap(), places: 2, reserves: Vec::new() };
    let key = Key { name: "score.main".to_owned(), better: Better::Higher };
    let applications = (1..)
        .zip(scores)
        .map(|(n, score)| Application {
            id: CaseId(Uuid::from_u128(n)),
            evidence: "ab".repeat(32),
            lot_of: CaseId(Uuid::from_u128(n)),
            groups: Default::default(),
            choices: vec![Choice { list: 0, values: vec![*score] }],
        })
        .collect();
    let header = Header {
        call: CallId(Uuid::from_u128(9)),
        stage,
        criteria: "example@1".to_owned(),
        criteria_sha256: "cd".repeat(32),
        lots: None,
    };
    let input = Input::new(vec![key], vec![list], applications).unwrap();
    Document::compute(header, input).unwrap().text()
}

fn pratica(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pratica")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_ranking_is_verified_from_its_file_and_a_changed_byte_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ranking.txt");
    let path = file.to_str().unwrap();
    let text = document(Stage::Provisional, &[10, 30, 20]);
    std::fs::write(&file, &text).unwrap();
    let done = pratica(&["--format", "json", "ranking", "verify", path]);
    assert!(done.status.success(), "{}", said(&done));
    let answer: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(answer["applications"], 3);
    assert_eq!(answer["seats"], 2);
    let hash = answer["sha256"].as_str().unwrap();
    assert!(pratica(&["ranking", "verify", path, "--sha256", hash]).status.success());
    let number = Uuid::from_u128(1).to_string();
    let own = pratica(&["ranking", "verify", path, "--application", &number]);
    assert!(said(&own).contains("centro/medi: 3 of 3, after the one above by score.main"));

    let other = pratica(&["ranking", "verify", path, "--sha256", &"0".repeat(64)]);
    assert!(!other.status.success() && said(&other).contains("was published"));
    std::fs::write(&file, text.replace("=30", "=5")).unwrap();
    let changed = pratica(&["ranking", "verify", path]);
    assert!(!changed.status.success() && said(&changed).contains("differs"), "{}", said(&changed));
    let missing = pratica(&["ranking", "verify", "nowhere.txt"]);
    assert!(!missing.status.success() && said(&missing).contains("nowhere.txt"));
}

#[test]
fn two_rankings_are_compared_move_by_move() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (directory.path().join("old.txt"), directory.path().join("new.txt"));
    std::fs::write(&old, document(Stage::Provisional, &[10, 30, 20])).unwrap();
    std::fs::write(&new, document(Stage::Definitive, &[40, 30, 20])).unwrap();
    let done = pratica(&["ranking", "diff", old.to_str().unwrap(), new.to_str().unwrap()]);
    assert!(done.status.success(), "{}", said(&done));
    assert!(said(&done).contains("3 -> 1  score.main 10 -> 40"), "{}", said(&done));
}

#[test]
fn the_hash_of_a_seed_is_the_one_that_a_call_commits_to() {
    let done = pratica(&["ranking", "commit", "ghianda-2026"]);
    let hash = said(&done);
    assert_eq!(hash.trim().len(), 64, "{hash}");
}

#[test]
fn a_seed_that_no_call_could_reveal_is_not_committed_to() {
    let done = pratica(&["ranking", "commit", "una ghianda"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(done.stdout.is_empty(), "no hash is printed: {}", said(&done));
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(told.contains("letters of a to z"), "{told}");
}
