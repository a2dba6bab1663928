//! The same through every rpc of the contract, made from its descriptors: each free text of each
//! request is filled with words that must be nowhere afterwards. A new rpc or field is tried without
//! a line here.

use crate::secrecy::{CLERK, HEAD, OFFICER, REGISTRAR, files, is_in, lines};
use jiff::civil::date;
use pratica_api::cli::client::methods;
use pratica_api::demo::{
    DECIDER, SCHOOL_OFFICER, Town, Who, building_application, declaration, family_form,
    publish_call,
};
use pratica_domain::Role;
use pratica_tests::{COMUNE, Server, fault};
use prost_reflect::{Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

type Test = anyhow::Result<()>;

pub(crate) const WORD: &str = "Arcibaldonissimo";

/// Fields that are not for people, and stand as they are: what the page for the data-protection
/// officer says of them must be true.
pub(crate) const NOT_FOR_PEOPLE: &[&str] = &[
    // What a document is.
    "kind",
    "media_type",
    // Articles of the law.
    "basis",
    // Other bodies, plans, schools, and the acts and texts of a published call.
    "body",
    "bodies",
    "plan",
    "schools",
    "school",
    "reserve",
    "assents_needed",
    "acts",
    "origin",
    "title",
    "act",
    "seed",
    "public_draw",
    "text_of_call",
    "criteria",
    "criteria_toml",
    "shipped_criteria",
    "name",
    "authority",
    "documents",
    // Terms of a case.
    "term",
    "suspends_term",
];

pub(crate) fn text_of(field: &str, case: &str, etag: &str) -> Option<String> {
    Some(match field {
        "comune" => COMUNE.to_owned(),
        "case_id" => case.to_owned(),
        "etag" => etag.to_owned(),
        "request_id" => uuid::Uuid::new_v4().to_string(),
        "sha256" => "ab".repeat(32),
        "office" => "anagrafe".to_owned(),
        "language" | "page_token" | "fiscal_code" | "account" | "officer" | "number" => {
            return None;
        }
        name if name.ends_with("_id") || name.ends_with("_ids") => return None,
        name if NOT_FOR_PEOPLE.contains(&name) => "altro".to_owned(),
        _ => format!("{WORD} {field}"),
    })
}

/// A request with every text filled in.
fn filled(message: &MessageDescriptor, case: &str, etag: &str, depth: u8) -> Value {
    let mut fields = Map::new();
    for field in message.fields().filter(|f| !f.is_map() && f.name() != "validate_only") {
        let value = match field.kind() {
            Kind::String => text_of(field.name(), case, etag).map(Value::String),
            Kind::Bool => Some(json!(true)),
            Kind::Enum(kind) => kind.values().find(|v| v.number() != 0).map(|v| json!(v.name())),
            Kind::Message(inner) if inner.full_name() == "google.type.Date" => {
                Some(json!({ "year": 2026, "month": 3, "day": 2 }))
            }
            Kind::Message(inner) if inner.full_name().starts_with("google.") => None,
            Kind::Message(inner) if depth < 5 => Some(filled(&inner, case, etag, depth + 1)),
            Kind::Message(_) | Kind::Bytes | Kind::Double | Kind::Float => None,
            _ => Some(json!(1)),
        };
        if let Some(value) = value {
            let value = if field.is_list() { json!([value]) } else { value };
            fields.insert(field.name().to_owned(), value);
        }
    }
    Value::Object(fields)
}

/// Every file of a town with its bytes; the shared memory of readers is no content.
fn bytes_of(town: &std::path::Path) -> std::io::Result<Vec<(std::path::PathBuf, Vec<u8>)>> {
    let mut all = Vec::new();
    files(town, &mut all)?;
    all.retain(|path| !path.to_string_lossy().ends_with("-shm"));
    all.sort();
    all.into_iter().map(|path| std::fs::read(&path).map(|bytes| (path, bytes))).collect()
}

/// A case of each procedure.
async fn cases(town: &mut Town) -> anyhow::Result<Vec<String>> {
    town.day(date(2026, 2, 2)).await.map_err(fault)?;
    let call = publish_call(town, uuid::Uuid::from_u128(1)).await.map_err(fault)?;
    town.day(date(2026, 3, 2)).await.map_err(fault)?;
    let mut form = family_form(&call, 1);
    form["child"]["family_name"] = json!(WORD);
    form["applicant"]["family_name"] = json!(WORD);
    let enrolment = town.apply(SCHOOL_OFFICER, form).await.map_err(fault)?;
    let form = declaration("Anna", WORD, "CHANGE_OF_DWELLING");
    // The account is no place for a name: the directory of citizens gives another.
    let text = form.to_string().replace("citizen.arcibaldonissimo", "citizen.p1");
    let residency = town.file(CLERK, serde_json::from_str(&text)?).await.map_err(fault)?;
    let form = building_application("Bruno", WORD, &format!("{WORD} works"));
    let text = form.to_string().replace("citizen.arcibaldonissimo", "citizen.p2");
    let permit = town.open(DECIDER, "permit.file", serde_json::from_str(&text)?).await;
    Ok(vec![residency, permit.map_err(fault)?, enrolment])
}

/// Nothing that was told stands in any file of a town, now that all that follows has caught up.
pub(crate) async fn nothing_is_in_a_file(server: &Server) -> Test {
    let open = server.house.all().next().ok_or_else(|| anyhow::anyhow!("no comune"))?;
    open.town.wait_for_views(open.town.log.head().await?).await?;
    open.embedded.backup_to(&server.directory().join("backup.db")).await?;
    let mut all = Vec::new();
    files(server.directory(), &mut all)?;
    for path in &all {
        let bytes = std::fs::read(path)?;
        if is_in(&bytes, WORD) {
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            let at = text.find(&WORD.to_lowercase()).unwrap_or_default();
            let about: String = text.chars().skip(at.saturating_sub(300)).take(400).collect();
            panic!("in {}: {about}", path.display());
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_free_text_of_any_rpc_is_in_a_file_a_log_line_or_an_error() -> Test {
    let lines = lines();
    let directory = tempfile::tempdir()?;
    // A checkpoint by the clock would be no work of anybody here.
    std::fs::create_dir_all(directory.path().join("valle"))?;
    let settings = "[evidence]\nevery_seconds = 1000000\n";
    std::fs::write(directory.path().join("valle").join("comune.toml"), settings)?;
    let towns = [COMUNE, "valle"];
    let server = Server::open(directory.path(), &towns, "2026-02-01T07:00:00Z").await?;
    let other = declaration("Berta", "Bianchi", "CHANGE_OF_DWELLING");
    server.town_of("valle").file(OFFICER, other).await.map_err(fault)?;
    let mut town = server.town();
    let cases = cases(&mut town).await?;
    server.stop().await?;
    let server = Server::open(directory.path(), &towns, "2026-03-02T09:00:00Z").await?;
    let mut town = server.town();
    let neighbour = bytes_of(&directory.path().join("valle"))?;
    let head = Who("direttore", Role::Head);
    let people = [
        CLERK,
        OFFICER,
        HEAD,
        REGISTRAR,
        DECIDER,
        SCHOOL_OFFICER,
        Who("citizen.p1", Role::Citizen),
        Who("citizen.p2", Role::Citizen),
        Who("garante", Role::ProtectionOfficer),
        Who("analista", Role::Analyst),
        Who("flusso", Role::Service),
        Who("admin", Role::Administrator),
    ];
    let mut taken = std::collections::BTreeSet::new();
    let mut quoted = std::collections::BTreeMap::new();
    let mut methods = methods().map_err(fault)?;
    // What ends a case, or takes somebody out of it, comes after the rest.
    let ends = |method: &String| {
        ["WithdrawCase", "DeclareConflict"].iter().any(|end| method.ends_with(end))
    };
    methods.sort_by_key(ends);
    for method in methods {
        // It moves the clock of everything else.
        if method.ends_with("/AdvanceClock") {
            continue;
        }
        for case in &cases {
            let etag = town.case(head, case).await.map_err(fault)?["summary"]["etag"].clone();
            let etag = etag.as_str().unwrap_or_default().to_owned();
            for who in people {
                let client = town.client(who.0, who.1).await.map_err(fault)?;
                let description = client.method(&method).map_err(fault)?;
                let request = filled(&description.input(), case, &etag, 0);
                let answer = if description.is_server_streaming() {
                    client.stream(&method, request, |_| Ok(false)).await.map(|()| Value::Null)
                } else {
                    client.call(&method, request).await
                };
                match answer {
                    Ok(_) => {
                        taken.insert(method.clone());
                        break;
                    }
                    Err(failure) => {
                        let told = format!("{failure:?}");
                        if is_in(told.as_bytes(), WORD) {
                            quoted.insert(method.clone(), told);
                        }
                    }
                }
            }
        }
    }
    assert!(quoted.is_empty(), "{quoted:#?}");
    assert!(taken.len() >= 45, "{} were taken: {taken:?}", taken.len());
    nothing_is_in_a_file(&server).await?;
    let after = bytes_of(&directory.path().join("valle"))?;
    assert!(after == neighbour, "work in one town changed a file of the other");
    let said = lines.lock().map(|said| said.clone()).unwrap_or_default();
    assert!(!is_in(&said, WORD), "in the log's lines");
    server.stop().await
}
