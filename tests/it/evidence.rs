//! Receipts and checkpoints over the wire, and their check without the server.

use pratica_api::demo::{OFFICER, Who, declaration};
use pratica_domain::Role;
use pratica_store::evidence::{Hash, Receipt, Verifier, check_consistency, stated};
use pratica_tests::{COMUNE, START, Server, fault, reason};
use serde_json::{Value, json};
use std::path::Path;

type Test = anyhow::Result<()>;

const SERVICE: &str = "pratica.evidence.v1.EvidenceService";
const CITIZEN: Who = Who("citizen.rossi", Role::Citizen);

fn text<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer[field].as_str().unwrap_or_default()
}

/// A town whose log is signed after every event, with a directory as its witness.
async fn signed(directory: &Path) -> anyhow::Result<Server> {
    let witness = directory.join("witness");
    let settings = format!(
        "[evidence]\norigin = \"collina.example/pratica\"\nevery_events = 1\nwitnesses = [{:?}]\n",
        witness.display().to_string()
    );
    std::fs::create_dir_all(directory.join(COMUNE))?;
    std::fs::write(directory.join(COMUNE).join("comune.toml"), settings)?;
    Server::open(directory, &[COMUNE], START).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filing_and_its_act_have_receipts_that_hold_without_the_server() -> Test {
    let directory = tempfile::tempdir()?;
    let server = signed(directory.path()).await?;
    let mut town = server.town();
    let form = declaration("Anna", "Rossi", "CHANGE_OF_DWELLING");
    let case = town.file(OFFICER, form).await.map_err(fault)?;
    town.act(OFFICER, &case, "residency.register", json!({})).await.map_err(fault)?;
    let published = town.call(OFFICER, &format!("{SERVICE}/GetCheckpoint"), json!({})).await;
    let published = published.map_err(fault)?;
    let mut receipts = Vec::new();
    for revision in 0..8 {
        let asked = json!({ "case_id": case, "revision": revision });
        let answer = town.call(CITIZEN, &format!("{SERVICE}/GetReceipt"), asked).await;
        let Ok(answer) = answer else { break };
        assert_eq!(answer["verification_key"], published["verification_key"]);
        assert!(text(&answer, "event_text").contains(&case), "it names its case");
        assert!(!text(&answer, "receipt").contains("Rossi"));
        receipts.push(text(&answer, "receipt").to_owned());
    }
    server.stop().await?;
    let key: Verifier = text(&published, "verification_key").parse()?;
    let mut events = String::new();
    for receipt in receipts {
        let receipt: Receipt = receipt.parse()?;
        assert_eq!(receipt.verify(&key)?.origin, "collina.example/pratica");
        events.push_str(&receipt.leaf);
    }
    assert!(events.contains("type case.opened 1"), "the filing: {events}");
    assert!(events.contains("type residency.registered 1"), "the act: {events}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_the_receipt_of_a_case_that_they_may_not_see() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let form = declaration("Anna", "Rossi", "CHANGE_OF_DWELLING");
    let case = town.file(OFFICER, form).await.map_err(fault)?;
    let method = format!("{SERVICE}/GetReceipt");
    let there = json!({ "case_id": case, "revision": 0 });
    let nowhere = json!({ "case_id": uuid::Uuid::new_v4(), "revision": 0 });
    let stranger = Who("citizen.other", Role::Citizen);
    for asked in [there.clone(), nowhere] {
        let answer = town.call(stranger, &method, asked).await;
        assert_eq!(reason(answer), "PERMISSION_DENIED", "there or not, it is the same answer");
    }
    let mut claims = Server::claims("erika", Role::Officer);
    claims.comuni = vec![COMUNE.to_owned()];
    claims.offices = vec!["edilizia".to_owned()];
    let client = server.client(&claims).await?;
    let mut asked = there;
    asked["comune"] = json!(COMUNE);
    assert_eq!(reason(client.call(&method, asked).await), "NOT_FOUND", "another office");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_witness_kept_is_consistent_and_convicts_a_history_written_again() -> Test {
    let directory = tempfile::tempdir()?;
    let server = signed(directory.path()).await?;
    let mut town = server.town();
    for name in ["Rossi", "Bianchi", "Conti"] {
        let form = declaration("Anna", name, "CHANGE_OF_DWELLING");
        town.file(OFFICER, form).await.map_err(fault)?;
    }
    let open = server.house.all().next().ok_or_else(|| anyhow::anyhow!("no comune"))?;
    let head = open.town.log.head().await?.get();
    let mut newest = json!({});
    for _ in 0..200 {
        let answer = town.call(OFFICER, &format!("{SERVICE}/GetCheckpoint"), json!({})).await;
        newest = answer.map_err(fault)?;
        if newest["size"] == json!(head.to_string()) {
            break;
        }
        tokio::task::yield_now().await;
    }
    let key: Verifier = text(&newest, "verification_key").parse()?;
    let newer = stated(text(&newest, "checkpoint"), &key)?;
    let mut kept = Vec::new();
    for entry in std::fs::read_dir(directory.path().join("witness"))? {
        kept.push(stated(&std::fs::read_to_string(entry?.path())?, &key)?);
    }
    kept.sort_by_key(|stated| stated.size);
    kept.retain(|stated| stated.size <= newer.size);
    let older = kept.first().ok_or_else(|| anyhow::anyhow!("the witness got nothing"))?;
    let asked = json!({ "from_size": older.size, "to_size": newer.size });
    let answer = town.call(OFFICER, &format!("{SERVICE}/GetConsistencyProof"), asked).await;
    let answer = answer.map_err(fault)?;
    let empty = Vec::new();
    let hashes = answer["hashes"].as_array().unwrap_or(&empty);
    let proof: Vec<Hash> = hashes
        .iter()
        .map(|hash| Hash::parse_hash(hash.as_str().unwrap_or_default()))
        .collect::<Result<_, _>>()?;
    check_consistency(older, &newer, &proof)?;
    let mut rewritten = older.clone();
    rewritten.root = Hash([1; 32]);
    assert!(check_consistency(&rewritten, &newer, &proof).is_err());
    server.stop().await
}
