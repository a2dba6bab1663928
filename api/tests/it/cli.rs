//! The command line: data on stdout, the rest on stderr, and exit codes that never change.

use crate::kill::Running;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn pratica(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pratica"));
    for name in ["PRATICA_SERVER", "PRATICA_TOKEN", "PRATICA_COMUNE"] {
        command.env_remove(name);
    }
    command.args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_term_prints_its_end_first_and_then_why() {
    let done = pratica(&["term", "--from", "2026-03-27", "--length", "10d", "--language", "en"]);
    let text = stdout(&done);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("2026-04-07"));
    assert!(text.contains("Lunedì dell'Angelo"), "{text}");
    assert!(text.contains("c.c. art. 2963"), "{text}");
    let json = pratica(&["term", "--from", "2026-03-02", "--length", "30d", "--format", "json"]);
    let value: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(value["end"], "2026-04-01");
}

#[test]
fn a_wrong_argument_ends_with_two_and_says_what_is_wrong_on_stderr() {
    for (arguments, says) in [
        (vec!["fiscal-code", "RSSMRA80A01H501X"], "check"),
        (vec!["term", "--from", "2026-02-30", "--length", "10d"], "2026-02-30"),
        (vec!["term", "--from", "2026-03-02", "--length", "ten"], "ten"),
        (vec!["explain", "NO_SUCH_CODE"], "NO_SUCH_CODE"),
        (vec!["list"], "--comune"),
    ] {
        let done = pratica(&arguments);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}");
        assert!(done.stdout.is_empty(), "{arguments:?}");
        assert!(stderr(&done).contains(says), "{arguments:?}: {}", stderr(&done));
    }
}

#[test]
fn a_refusal_is_explained_without_a_server() {
    let done = pratica(&["explain", "notice_required", "--language", "en"]);
    assert!(done.status.success());
    assert!(stdout(&done).contains("10-bis"), "{}", stdout(&done));
    let all = pratica(&["explain"]);
    assert!(stdout(&all).lines().count() > 50);
}

#[test]
fn completions_name_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let done = pratica(&["completions", shell]);
        let text = stdout(&done);
        for command in ["serve", "demo", "worklist", "fiscal-code", "import"] {
            assert!(text.contains(command), "{shell} does not complete {command}");
        }
    }
}

/// A clerk's session at a terminal against the real server.
#[test]
fn each_way_to_end_has_its_own_exit_code() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path());
    let token = |role: &str| {
        let path = data.path().to_str().unwrap();
        let office = ["--office", "anagrafe", "--account", "anna"];
        let made = pratica(&[&["token", "--data", path, "--role", role], &office[..]].concat());
        assert!(made.status.success());
        stdout(&made).trim().to_owned()
    };
    let (officer, clerk) = (token("officer"), token("clerk"));
    let form = data.path().join("form.json");
    write_form(&form);
    let url = server.url.clone();
    let run = |token: &str, command: &[&str]| {
        let common = ["--server", &url, "--token", token, "--comune", "collina"];
        pratica(&[command, &common[..]].concat())
    };
    let filed = run(&officer, &["file", form.to_str().unwrap(), "--format", "json"]);
    let outcome: Value = serde_json::from_slice(&filed.stdout).unwrap();
    let case = outcome["outcome"]["case_id"].as_str().unwrap().to_owned();
    assert!(stderr(&filed).contains("request_id"), "the id to try again with is on stderr");

    let shown = run(&officer, &["show", &case]);
    assert!(stdout(&shown).contains("0000001/2026"), "{}", stdout(&shown));
    let exit = |output: Output| output.status.code();
    let restore = run(&officer, &["act", &case, "residency.restore_position"]);
    let text = stderr(&restore);
    assert_eq!(exit(restore), Some(3), "{text}");
    assert!(text.contains("WRONG_PHASE"), "{text}");
    let stale = run(&officer, &["act", &case, "case.add_note", "--set", "text=x", "--etag", "1"]);
    assert_eq!(exit(stale), Some(4));
    assert_eq!(exit(run(&clerk, &["act", &case, "residency.register"])), Some(5));
    assert_eq!(exit(run("nonsense", &["list"])), Some(5));
    let nobody = "7f0c0d52-1111-4a5a-9d7e-2f0f6f6a1c11";
    assert_eq!(exit(run(&officer, &["show", nobody])), Some(6));
    assert_eq!(exit(run(&officer, &["act", &case, "case.assign", "--set", "colour=red"])), Some(2));
    let dry = run(&officer, &["act", &case, "residency.register", "--dry-run"]);
    assert!(dry.status.success());
    let done = run(&officer, &["act", &case, "residency.register"]);
    assert!(done.status.success(), "{}", stderr(&done));
    for command in ["timeline", "deadlines", "actions", "correspondence"] {
        let answer = run(&officer, &[command, &case]);
        assert!(answer.status.success(), "{command}: {}", stderr(&answer));
    }
    let list =
        run(&officer, &["worklist", "--filter", "queue=office", "--filter", "office=anagrafe"]);
    assert!(stdout(&list).contains(&case), "{}", stdout(&list));
    server.kill();
    let gone = run(&officer, &["list"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(stderr(&gone).contains("pratica serve"), "it says what helps: {}", stderr(&gone));
}

const STATUS: &str = "pratica.admin.v1.AdminService/GetStatus";

/// The statistics of a server's views, and what its log counts to when it has ended.
#[test]
fn a_recount_prints_what_the_service_answers_and_what_stood_at_a_position() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().to_str().unwrap();
    let server = Running::start(data.path());
    let token = |role: &str| {
        let made = pratica(&["token", "--data", path, "--role", role, "--account", "anna"]);
        stdout(&made).trim().to_owned()
    };
    let (head, administrator) = (token("head"), token("administrator"));
    let url = server.url.clone();
    let run = |command: &[&str]| {
        let token = if command.contains(&STATUS) { &administrator } else { &head };
        let common = ["--server", &url, "--token", token, "--format", "json"];
        let done = pratica(&[command, &common[..]].concat());
        serde_json::from_slice::<Value>(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"))
    };
    let form = data.path().join("form.json");
    write_form(&form);
    let file = |case: &str| {
        let filed =
            run(&["file", form.to_str().unwrap(), "--comune", "collina", "--request-id", case]);
        (filed["outcome"]["case_id"].as_str().unwrap().to_owned(), filed["outcome"].clone())
    };
    let (_, first) = file("6d1f7c51-0000-4000-8000-000000000001");
    let until = first["position"].to_string();
    let (second, _) = file("6d1f7c51-0000-4000-8000-000000000002");
    run(&[
        "act",
        &second,
        "case.withdraw",
        "--comune",
        "collina",
        "--set",
        "reason=moved elsewhere",
    ]);
    let statistics = "pratica.statistics.v1.StatisticsService/GetStatistics";
    let status = run(&["call", STATUS, "{\"comune\":\"collina\"}"]);
    let head = status["log_position"].to_string();
    let asked = format!("{{\"comune\":\"collina\",\"min_position\":{head}}}");
    let answered = run(&["call", statistics, &asked]);
    let common = ["recount", "--data", path];
    let busy = pratica(&common);
    assert_eq!(busy.status.code(), Some(1), "a server has the log: {}", stderr(&busy));
    assert!(stderr(&busy).contains("one log has exactly one writing process"), "{busy:?}");
    server.stop();

    let counted = pratica(&[&common[..], &["--format", "json"]].concat());
    assert_eq!(counted.status.code(), Some(0), "{}", stderr(&counted));
    let counted: Value = serde_json::from_slice(&counted.stdout).unwrap();
    let mut expected = answered.clone();
    expected["comune"] = "collina".into();
    expected["method"] = counted[0]["method"].clone();
    assert_eq!(counted, serde_json::json!([expected]), "as the service answers");
    assert_eq!(
        (&counted[0]["rows"][0]["open"], &counted[0]["rows"][0]["closed"]),
        (&1.into(), &1.into())
    );

    let then = pratica(&[&common[..], &["--until", &until, "--format", "json"]].concat());
    let then: Value = serde_json::from_slice(&then.stdout).unwrap();
    assert_eq!(then[0]["as_of_position"].to_string(), until);
    assert_eq!(
        (&then[0]["rows"][0]["open"], &then[0]["rows"][0]["closed"]),
        (&1.into(), &0.into())
    );

    let shown = pratica(&[&common[..], &["--comune", "collina"]].concat());
    assert_eq!(shown.status.code(), Some(0), "{}", stderr(&shown));
    let text = stdout(&shown);
    assert!(text.starts_with(&format!("collina at position {head}\nKIND")), "{text}");
    assert!(text.contains("residency/change_of_dwelling"), "{text}");
}

#[test]
fn a_recount_of_what_is_not_there_says_what_to_look_at() {
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().to_str().unwrap();
    for (arguments, exit, says) in [
        (vec!["--comune", "valle"], 1, "holds no log: check --data and --comune"),
        (vec![], 1, "holds no comune"),
        (vec!["--comune", "Not A Comune"], 2, "--comune"),
        (vec!["--until", "yesterday"], 2, "--until"),
        (vec!["--from", "2026-02-30"], 2, "--from"),
    ] {
        let done = pratica(&[&["recount", "--data", path], &arguments[..]].concat());
        assert_eq!(done.status.code(), Some(exit), "{arguments:?}: {}", stderr(&done));
        assert!(done.stdout.is_empty(), "{arguments:?}");
        assert!(stderr(&done).contains(says), "{arguments:?}: {}", stderr(&done));
    }
}

fn write_form(path: &Path) {
    let form = pratica_api::demo::declaration("Anna", "Rossi", "CHANGE_OF_DWELLING");
    std::fs::write(path, form.to_string()).unwrap();
}
