//! The rules of the house: who may know whom, and what must never enter a room.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who may know whom, outside tests. What is not here is forbidden (docs/architecture.md).
const ALLOWED: &[(&str, &[&str])] = &[
    ("pratica-domain", &["jiff", "serde", "thiserror", "uuid"]),
    ("pratica-proto", &["prost", "prost-types", "tonic", "tonic-prost"]),
    (
        "pratica-store",
        &[
            "pratica-domain",
            "base64",
            "bytes",
            "eventstore",
            "jiff",
            "memchr",
            "ring",
            "rusqlite",
            "serde",
            "serde_json",
            "thiserror",
            "tlog_tiles",
            "tokio",
            "tracing",
            "uuid",
            "zeroize",
        ],
    ),
    (
        "pratica-projections",
        &[
            "pratica-domain",
            "pratica-store",
            "jiff",
            "rusqlite",
            "serde",
            "serde_json",
            "thiserror",
            "tracing",
            "uuid",
        ],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn metadata() -> anyhow::Result<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The normal dependencies of each of our crates, with their features.
fn dependencies() -> anyhow::Result<BTreeMap<String, BTreeMap<String, Vec<String>>>> {
    let metadata = metadata()?;
    let mut all = BTreeMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default().to_owned();
        let mut known = BTreeMap::new();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if dependency["kind"].is_null() {
                let features = dependency["features"].as_array().into_iter().flatten();
                known.insert(
                    dependency["name"].as_str().unwrap_or_default().to_owned(),
                    features.filter_map(|f| f.as_str().map(str::to_owned)).collect(),
                );
            }
        }
        all.insert(name, known);
    }
    Ok(all)
}

#[test]
fn no_room_knows_another_that_it_may_not_know() -> anyhow::Result<()> {
    let all = dependencies()?;
    for (room, allowed) in ALLOWED {
        let known: BTreeSet<&str> =
            all.get(*room).map(|d| d.keys().map(String::as_str).collect()).unwrap_or_default();
        assert!(!known.is_empty(), "{room} is not in the workspace");
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        let forbidden: Vec<_> = known.difference(&allowed).collect();
        assert!(forbidden.is_empty(), "{room} must not know {forbidden:?}");
    }
    for (room, known) in &all {
        assert!(!known.contains_key("pratica-tests"), "{room} must not know the tests");
    }
    assert!(!all.get("pratica-api").is_some_and(|d| d.contains_key("rusqlite")));
    Ok(())
}

#[test]
fn the_domain_makes_no_random_ids_and_the_store_starts_no_runtime() -> anyhow::Result<()> {
    let all = dependencies()?;
    let features =
        |room: &str, of: &str| all.get(room).and_then(|d| d.get(of)).cloned().unwrap_or_default();
    assert!(!features("pratica-domain", "uuid").contains(&"v4".to_owned()));
    // Tasks and timers for the client of a cluster; never a runtime of its own.
    assert_eq!(features("pratica-store", "tokio"), ["rt", "sync", "time"]);
    Ok(())
}

fn sources(directory: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, into)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
    Ok(())
}

fn all_sources(room: &str) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    sources(&root().join(room).join("src"), &mut files)?;
    files.retain(|f| !f.components().any(|c| c.as_os_str() == "gen"));
    assert!(!files.is_empty(), "{room} has sources");
    files.into_iter().map(|f| Ok((f.clone(), std::fs::read_to_string(f)?))).collect()
}

#[test]
fn every_module_says_what_its_room_is_for() -> anyhow::Result<()> {
    for room in ["domain", "store", "projections", "proto", "api", "tests"] {
        for (file, text) in all_sources(room)? {
            assert!(text.starts_with("//!"), "{} must begin with //!", file.display());
        }
    }
    Ok(())
}

#[test]
fn no_room_holds_what_must_never_enter_it() -> anyhow::Result<()> {
    let rules: &[(&str, &str, &[&str])] = &[
        (
            "domain",
            "src",
            &["async fn", "SystemTime", "Instant::now", "Timestamp::now", "HashMap", "new_v4"],
        ),
        ("projections", "src", &["EventAppender", "Timestamp::now", "SystemTime"]),
        ("api", "src/app", &["tonic", "pratica_proto", "rusqlite"]),
        ("api", "src/cli/ask.rs", &["pratica_store", "pratica_projections", "House"]),
        ("api", "src/demo", &["House", "pratica_store", "pratica_projections"]),
    ];
    for (room, part, words) in rules {
        let part = root().join(room).join(part);
        let mut seen = 0;
        for (file, text) in all_sources(room)? {
            let canonical = file.canonicalize()?;
            if !canonical.starts_with(part.canonicalize()?) {
                continue;
            }
            seen += 1;
            for (number, line) in text.lines().enumerate() {
                let code = line.trim_start();
                if code.starts_with("//") {
                    continue;
                }
                for word in *words {
                    assert!(
                        !code.contains(word),
                        "{}:{}: {word} must not enter here",
                        file.display(),
                        number + 1
                    );
                }
            }
        }
        assert!(seen > 0, "{} has sources", part.display());
    }
    Ok(())
}

#[test]
fn nothing_is_left_half_done_and_no_test_is_put_aside() -> anyhow::Result<()> {
    let words = ["todo!(", "unimplemented!(", "#[ignore]", "FIXME", "#[should_panic"];
    for room in ["domain", "store", "projections", "proto", "api"] {
        for (file, text) in all_sources(room)? {
            for word in words {
                assert!(!text.contains(word), "{} holds {word}", file.display());
            }
        }
    }
    Ok(())
}

#[test]
fn every_rpc_field_and_value_of_the_contract_is_explained() -> anyhow::Result<()> {
    let mut files = Vec::new();
    protos(&root().join("proto/pratica"), &mut files)?;
    assert!(files.len() >= 10);
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        let mut previous = "";
        for (number, line) in text.lines().enumerate() {
            let code = line.trim();
            let declares = code.starts_with("rpc ")
                || code.starts_with("message ")
                || code.starts_with("enum ")
                || code.starts_with("service ")
                || (code.ends_with(';')
                    && code.contains(" = ")
                    && !code.starts_with("syntax")
                    && !code.starts_with("//"));
            assert!(
                !declares || previous.starts_with("//"),
                "{}:{} needs a comment: {code}",
                file.display(),
                number + 1
            );
            previous = code;
        }
    }
    Ok(())
}

fn protos(directory: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            protos(&path, into)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            into.push(path);
        }
    }
    Ok(())
}
