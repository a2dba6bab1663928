//! The whole table of who may call what, made by calling every rpc in every role and relation over
//! the wire, and kept as a file: a change of it shows in a review.
//!
//! `UPDATE_EXPECT=1 cargo test -p pratica-tests matrix` writes the file again.

use pratica_api::cli::client::{Client, methods};
use pratica_api::demo::{OFFICER, declaration};
use pratica_api::grpc::auth::Claims;
use pratica_domain::Role;
use pratica_tests::{COMUNE, Server, fault, reason};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

type Test = anyhow::Result<()>;

const FILE: &str = "tests/golden/access-matrix.txt";
/// Rpcs of the contract without a case in it: nobody may call them, or nothing stands behind them.
/// It is empty.
const WITHOUT_A_CASE: &str = "tests/golden/rpcs-without-a-case.txt";

/// Who calls, and what they are to the case.
struct Caller {
    name: &'static str,
    claims: Claims,
}

fn callers() -> Vec<Caller> {
    let of = |name, account: &str, role: Role, offices: &[&str], comuni: &[&str]| {
        let mut claims = Server::claims(account, role);
        claims.offices = offices.iter().map(|o| (*o).to_owned()).collect();
        claims.comuni = comuni.iter().map(|c| (*c).to_owned()).collect();
        Caller { name, claims }
    };
    let here: &[&str] = &[COMUNE];
    let office: &[&str] = &["anagrafe"];
    vec![
        of("citizen own", "citizen.rossi", Role::Citizen, &[], here),
        of("citizen other", "citizen.other", Role::Citizen, &[], here),
        of("clerk own-office", "carla", Role::Clerk, office, here),
        of("clerk other-office", "ciro", Role::Clerk, &["edilizia"], here),
        of("officer own-office", "anna", Role::Officer, office, here),
        of("officer other-office", "olga", Role::Officer, &["edilizia"], here),
        of("officer other-comune", "omar", Role::Officer, office, &["valle"]),
        of("head", "direttore", Role::Head, office, here),
        of("registrar", "protocollo", Role::Registrar, &[], here),
        of("analyst", "analista", Role::Analyst, &[], here),
        of("administrator", "admin", Role::Administrator, &[], here),
        of("administrator all-comuni", "admin.tutti", Role::Administrator, &[], &[]),
        of("protection_officer", "garante", Role::ProtectionOfficer, &[], here),
        of("service", "flusso", Role::Service, &[], here),
        of("migrator", "trasloco", Role::Migrator, &[], here),
    ]
}

/// What an answer says about permission: `no`, `none` where it does not even say that there is
/// something, and `yes` for everything that was let in, whatever the rules then said.
fn verdict(reason: &str) -> &'static str {
    match reason {
        "PERMISSION_DENIED" => "no",
        "NOT_FOUND" => "none",
        "Unauthenticated" => "who?",
        _ => "yes",
    }
}

async fn ask(client: &Client, method: &str, case: &str) -> anyhow::Result<String> {
    let description = client.method(method).map_err(fault)?;
    let fields = description.input();
    let mut request = json!({});
    for (name, value) in [
        ("comune", json!(COMUNE)),
        ("case_id", json!(case)),
        ("request_id", json!(uuid::Uuid::new_v4())),
        ("etag", json!("0")),
        ("validate_only", json!(true)),
    ] {
        if fields.get_field_by_name(name).is_some() {
            request[name] = value;
        }
    }
    let answer = if description.is_server_streaming() {
        client.stream(method, request, |_| Ok(false)).await.map(|()| Value::Null)
    } else {
        client.call(method, request).await
    };
    Ok(match answer {
        Ok(_) => "yes".to_owned(),
        answer => reason(answer),
    })
}

/// A line for each rpc, a column for each caller.
async fn matrix(server: &Server, case: &str) -> anyhow::Result<(String, String)> {
    let mut without = String::new();
    let callers = callers();
    let mut clients = Vec::new();
    for caller in &callers {
        clients.push(server.client(&caller.claims).await?);
    }
    let mut rows: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for method in methods().map_err(fault)? {
        let (mut row, mut answers) = (Vec::new(), Vec::new());
        for client in &clients {
            let answer = ask(client, &method, case).await?;
            row.push(verdict(&answer));
            answers.push(answer);
        }
        let tried = answers.iter().any(|answer| *answer != "Unimplemented")
            // Where nothing of the kind is there, who may ask is told so, and others are not.
            && (row.contains(&"yes") || row.contains(&"none") && row.contains(&"no"))
            && !row.contains(&"who?");
        if !tried {
            writeln!(without, "{method}")?;
        }
        rows.insert(method, row);
    }
    let mut text = String::new();
    for (n, caller) in callers.iter().enumerate() {
        writeln!(text, "# {:>2} {}", n + 1, caller.name)?;
    }
    let width = rows.keys().map(String::len).max().unwrap_or_default();
    write!(text, "{:width$}", "")?;
    for n in 1..=callers.len() {
        write!(text, " {n:>4}")?;
    }
    text.push('\n');
    for (method, row) in rows {
        write!(text, "{method:width$}")?;
        for verdict in row {
            write!(text, " {verdict:>4}")?;
        }
        text.push('\n');
    }
    Ok((text, without))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_call_what_is_what_the_kept_table_says() -> Test {
    let server = Server::start_with(&[COMUNE, "valle"], pratica_tests::START).await?;
    let mut town = server.town();
    let form = declaration("Anna", "Rossi", "CHANGE_OF_DWELLING");
    let case = town.file(OFFICER, form).await.map_err(fault)?;
    let valle = server.directory().join("valle").join("log.db-wal");
    let before = std::fs::read(&valle)?;
    let (made, without) = matrix(&server, &case).await?;
    assert_eq!(std::fs::read(&valle)?, before, "the other town's log is not touched");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FILE);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
        std::fs::write(&path, &made)?;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    assert_eq!(without, std::fs::read_to_string(root.join(WITHOUT_A_CASE))?);
    let kept = std::fs::read_to_string(&path)?;
    let kept: BTreeSet<&str> = kept.lines().collect();
    let made: BTreeSet<&str> = made.lines().collect();
    let changed: Vec<_> = kept.symmetric_difference(&made).collect();
    assert!(changed.is_empty(), "look at it, then UPDATE_EXPECT=1: {changed:#?}");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_that_is_not_there_answers_as_one_that_may_not_be_seen() -> Test {
    let server = Server::start_with(&[COMUNE, "valle"], pratica_tests::START).await?;
    let mut town = server.town();
    let form = declaration("Anna", "Rossi", "CHANGE_OF_DWELLING");
    let there = town.file(OFFICER, form).await.map_err(fault)?;
    let nowhere = uuid::Uuid::new_v4().to_string();
    let strangers = ["citizen other", "clerk other-office", "officer other-office"];
    for caller in callers().into_iter().filter(|c| strangers.contains(&c.name)) {
        let client = server.client(&caller.claims).await?;
        for method in methods().map_err(fault)? {
            let input = client.method(&method).map_err(fault)?.input();
            if input.get_field_by_name("case_id").is_none() {
                continue;
            }
            let answers =
                (ask(&client, &method, &there).await?, ask(&client, &method, &nowhere).await?);
            assert_eq!(answers.0, answers.1, "{} learns something by {method}", caller.name);
        }
    }
    server.stop().await
}
