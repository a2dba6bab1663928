//! The end of a case's papers over the wire: who may, when, what is left afterwards everywhere.

use pratica_api::demo::{OFFICER, SCHOOL_OFFICER, Town, Who, declaration, play_school};
use pratica_domain::Role;
use pratica_store::evidence::{Receipt, Verifier};
use pratica_tests::{COMUNE, Server, fault, reason};
use serde_json::{Value, json};
use std::sync::Arc;

type Test = anyhow::Result<()>;

const PRIVACY: &str = "pratica.privacy.v1.PrivacyService";
const CASES: &str = "pratica.cases.v1.CasesService";
const DPO: Who = Who("garante", Role::ProtectionOfficer);
const ARCHIVIST: Who = Who("archivio", Role::Registrar);
const HEAD: Who = Who("direttore", Role::Head);
const ANALYST: Who = Who("analista", Role::Analyst);
const ADMIN: Who = Who("admin", Role::Administrator);
/// The account that comes with the declaration; accounts are names in tests alone.
const CITIZEN: Who = Who("citizen.zanzottera", Role::Citizen);
/// The forty years of what ends in March 2026 are over.
const LATER: &str = "2066-06-01T09:00:00Z";
/// What the erased case is full of.
const NAME: &str = "Zanzottera";
const WORDS: &str = "annotazionissima";

async fn ended(town: &mut Town, name: &str) -> anyhow::Result<String> {
    let form = declaration("Ermenegilda", name, "CHANGE_OF_DWELLING");
    let case = town.file(OFFICER, form).await.map_err(fault)?;
    let note = json!({ "text": format!("{WORDS} {name}") });
    town.act(OFFICER, &case, "case.add_note", note).await.map_err(fault)?;
    let message = json!({ "text": format!("{WORDS} {name}"), "direction": "DIRECTION_OUTGOING" });
    town.act(OFFICER, &case, "case.send_message", message).await.map_err(fault)?;
    town.act(OFFICER, &case, "residency.register", json!({})).await.map_err(fault)?;
    let reasons = json!({ "reasons": format!("{WORDS} {name}") });
    town.act(OFFICER, &case, "residency.confirm", reasons).await.map_err(fault)?;
    Ok(case)
}

async fn listed(town: &mut Town, stage: &str) -> anyhow::Result<Vec<Value>> {
    let status = town.call(ADMIN, "pratica.admin.v1.AdminService/GetStatus", json!({})).await;
    let head = status.map_err(fault)?["log_position"].clone();
    let asked = json!({ "stage": format!("ERASURE_STAGE_{stage}"), "page_size": 500,
                        "min_position": head });
    let answer = town.call(DPO, &format!("{PRIVACY}/ListErasures"), asked).await.map_err(fault)?;
    Ok(answer["erasures"].as_array().cloned().unwrap_or_default())
}

/// Sends a command about a case's papers with the etag that the list gives.
async fn about(
    town: &mut Town,
    who: Who,
    command: &str,
    case: &str,
    content: Value,
) -> Result<Value, pratica_api::cli::Failure> {
    let mut etag = json!("");
    for stage in ["DUE", "PROPOSED", "AUTHORISED", "ERASED", "HELD"] {
        for row in listed(town, stage).await.unwrap_or_default() {
            if row["case_id"] == case {
                etag = row["etag"].clone();
            }
        }
    }
    town.act_at(who, case, command, content, etag).await
}

/// Waits until so many cases are erased: every event that follows moves the views.
async fn until_erased(server: &Server, count: usize) -> anyhow::Result<Vec<Value>> {
    let open = server.house.all().next().ok_or_else(|| anyhow::anyhow!("no comune"))?;
    let mut viewed = open.town.watch_views();
    let mut town = server.town();
    tokio::time::timeout(std::time::Duration::from_secs(60), async {
        loop {
            viewed.borrow_and_update();
            let erased = listed(&mut town, "ERASED").await?;
            if erased.len() >= count {
                return Ok(erased);
            }
            viewed.changed().await?;
        }
    })
    .await?
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_is_erased_when_its_time_is_over_and_two_people_say_so_and_never_under_a_hold()
-> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let case = ended(&mut town, NAME).await?;
    let open = town.file(OFFICER, declaration("Anna", "Bianchi", "CHANGE_OF_DWELLING")).await;
    let open = open.map_err(fault)?;
    let propose = "case.propose_erasure";
    let early = town.act(HEAD, &case, propose, json!({})).await;
    assert_eq!(reason(early), "RETENTION_RUNS");
    let undecided = town.act(HEAD, &open, propose, json!({})).await;
    assert_eq!(reason(undecided), "CASE_NOT_CLOSED", "never before a decision");
    // A hold is placed by who may not read the case, and so has no etag of it.
    let hold = json!({ "reason": "Ricorso", "reference": "R.G. 12/2026" });
    let held = town.act_at(DPO, &case, "case.place_hold", hold, json!("")).await;
    held.map_err(fault)?;
    let server = server.restart(&[COMUNE], LATER).await?;
    let mut town = server.town();
    let due = listed(&mut town, "DUE").await?;
    assert!(due.iter().all(|row| row["case_id"] == open), "silence ended the other: {due:?}");
    let answer = about(&mut town, ARCHIVIST, propose, &case, json!({})).await;
    assert_eq!(reason(answer), "LEGAL_HOLD");
    let hold = listed(&mut town, "HELD").await?[0]["hold_ids"][0].clone();
    let lift = json!({ "hold_id": hold, "reason": "Giudicato", "reference": "Sentenza 3/2030" });
    about(&mut town, DPO, "case.lift_hold", &case, lift).await.map_err(fault)?;
    let due = listed(&mut town, "DUE").await?;
    let due: Vec<_> = due.iter().filter(|row| row["case_id"] == case).collect();
    assert_eq!(due.len(), 1, "{due:?}");
    assert_eq!(due[0]["retention_class"], "XI.2 Anagrafe: pratiche migratorie");
    assert_eq!(due[0]["keep_until_date"]["year"], 2066);
    let act = json!({ "reference": "Prot. 77/2066" });
    let unproposed = about(&mut town, DPO, "case.authorise_erasure", &case, act.clone()).await;
    assert_eq!(reason(unproposed), "NO_ERASURE_PROPOSED");
    about(&mut town, ARCHIVIST, propose, &case, json!({})).await.map_err(fault)?;
    let own = about(&mut town, ARCHIVIST, "case.authorise_erasure", &case, act.clone()).await;
    assert_eq!(reason(own), "FOUR_EYES");
    let head = about(&mut town, HEAD, "case.authorise_erasure", &case, act.clone()).await;
    assert_eq!(reason(head), "PERMISSION_DENIED", "the head of the offices authorises none");
    let unnamed = json!({ "reference": " " });
    let unnamed = about(&mut town, DPO, "case.authorise_erasure", &case, unnamed).await;
    assert_eq!(reason(unnamed), "AUTHORISATION_MISSING");
    about(&mut town, DPO, "case.authorise_erasure", &case, act).await.map_err(fault)?;
    let erased = until_erased(&server, 1).await?;
    assert_eq!(erased[0]["case_id"], case);
    for who in [OFFICER, CITIZEN, Who("x", Role::Analyst), Who("x", Role::Administrator)] {
        let asked = json!({ "stage": "ERASURE_STAGE_DUE" });
        let answer = town.call(who, &format!("{PRIVACY}/ListErasures"), asked).await;
        assert_eq!(reason(answer), "PERMISSION_DENIED", "{:?}", who.1);
    }
    server.stop().await
}

/// Every answer that a case can be in, for everybody who may ask.
async fn everything_said(server: &Server, case: &str) -> anyhow::Result<String> {
    let mut town = server.town();
    let head = server.head().await?;
    let of_case = json!({ "case_id": case, "min_position": head });
    let plain = json!({ "case_id": case });
    let feed = Who("flusso", Role::Service);
    let asked = [
        (OFFICER, format!("{CASES}/GetCase"), of_case.clone()),
        (HEAD, format!("{CASES}/GetCase"), of_case.clone()),
        (CITIZEN, format!("{CASES}/GetCase"), of_case.clone()),
        (OFFICER, format!("{CASES}/ListCases"), json!({ "min_position": head })),
        (CITIZEN, format!("{CASES}/ListCases"), json!({ "min_position": head })),
        (OFFICER, format!("{CASES}/GetTimeline"), of_case.clone()),
        (CITIZEN, format!("{CASES}/GetTimeline"), of_case),
        (OFFICER, format!("{CASES}/ListCorrespondence"), plain.clone()),
        (CITIZEN, format!("{CASES}/ListCorrespondence"), plain.clone()),
        (OFFICER, format!("{CASES}/GetAvailableActions"), plain.clone()),
        (OFFICER, format!("{CASES}/ExplainDeadlines"), plain.clone()),
        (
            ARCHIVIST,
            "pratica.register.v1.RegisterService/ListRegistrations".to_owned(),
            json!({ "min_position": head }),
        ),
        (
            ANALYST,
            "pratica.statistics.v1.StatisticsService/GetStatistics".to_owned(),
            json!({ "min_position": head }),
        ),
        (HEAD, "pratica.history.v1.HistoryService/GetCaseAsOf".to_owned(), plain.clone()),
        (OFFICER, "pratica.worklist.v1.WorklistService/CountWorklist".to_owned(), json!({})),
        (DPO, format!("{PRIVACY}/ListAccesses"), plain.clone()),
        (DPO, format!("{PRIVACY}/GetErasureReceipt"), plain),
    ];
    let mut said = String::new();
    for (who, method, request) in asked {
        match town.call(who, &method, request).await {
            Ok(answer) => said.push_str(&format!("{method} {:?}: {answer}\n", who.1)),
            Err(failure) => {
                let text = format!("{failure:?}");
                anyhow::ensure!(
                    text.contains("no such erasure"),
                    "{method} as {:?}: {text}",
                    who.1
                );
            }
        }
    }
    for (who, method) in [
        (HEAD, "pratica.history.v1.HistoryService/ReadEvents"),
        (ANALYST, "pratica.history.v1.HistoryService/ReadEvents"),
        (feed, "pratica.feed.v1.FeedService/FollowFeed"),
    ] {
        let client = town.client(who.0, who.1).await.map_err(fault)?;
        let mut streamed = String::new();
        let request = json!({ "comune": COMUNE });
        let read = client.stream(method, request, |message| {
            streamed.push_str(&message.to_string());
            Ok(message["caught_up"] != true)
        });
        read.await.map_err(fault)?;
        said.push_str(&streamed);
    }
    Ok(said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_erased_is_in_no_answer_no_search_and_no_view_and_the_log_stays_as_it_was() -> Test
{
    let server = Server::start().await?;
    let mut town = server.town();
    let case = ended(&mut town, NAME).await?;
    let other = ended(&mut town, "Bianchi").await?;
    let before = everything_said(&server, &case).await?;
    assert!(before.contains(NAME) && before.contains(WORDS), "{before}");
    let server = server.restart(&[COMUNE], LATER).await?;
    let mut town = server.town();
    let asked = json!({ "query": NAME });
    let search = format!("{CASES}/SearchCases");
    let found = town.call(OFFICER, &search, asked.clone()).await.map_err(fault)?;
    assert_eq!(found["cases"].as_array().map(Vec::len), Some(1));
    // In the server's memory in the clear, as whoever reads it has it there.
    town.case(OFFICER, &case).await.map_err(fault)?;
    about(&mut town, ARCHIVIST, "case.propose_erasure", &case, json!({})).await.map_err(fault)?;
    let act = json!({ "reference": "Prot. 77/2066" });
    about(&mut town, DPO, "case.authorise_erasure", &case, act).await.map_err(fault)?;
    until_erased(&server, 1).await?;

    let after = everything_said(&server, &case).await?;
    assert!(!after.contains(NAME), "{after}");
    assert!(after.contains(&format!("{WORDS} Bianchi")), "others keep theirs: {after}");
    for query in [NAME, "zanz", "Ermenegilda Zanzottera"] {
        let found = town.call(OFFICER, &search, json!({ "query": query })).await.map_err(fault)?;
        assert_eq!(found["cases"], json!([]), "{query}");
    }
    let shown = town.case(OFFICER, &case).await.map_err(fault)?;
    assert_eq!(shown["summary"]["erase_date"]["year"], 2066, "the row says that it was erased");
    assert_eq!(shown["summary"]["applicant"], "");
    let late = town.act(OFFICER, &case, "case.add_note", json!({ "text": "tardi" })).await;
    assert_eq!(reason(late), "CASE_ERASED");
    let kept = town.case(OFFICER, &other).await.map_err(fault)?;
    assert_eq!(kept["summary"]["erase_date"], Value::Null);

    // The receipt holds without the server, and names the act that allowed it.
    let asked = json!({ "case_id": case });
    let proof = town.call(ARCHIVIST, &format!("{PRIVACY}/GetErasureReceipt"), asked).await;
    let proof = proof.map_err(fault)?;
    assert_eq!(proof["authorisation_reference"], "Prot. 77/2066");
    let receipt: Receipt = proof["receipt"].as_str().unwrap_or_default().parse()?;
    let key: Verifier = proof["verification_key"].as_str().unwrap_or_default().parse()?;
    receipt.verify(&key)?;
    assert!(receipt.leaf.contains("type case.erased 1"), "{}", receipt.leaf);

    // Views built again from the log, which the keys no longer open, are the same.
    server.views_equal_a_rebuild().await?;
    let rebuilt = everything_said(&server, &case).await?;
    assert!(!rebuilt.contains(NAME));
    let server = server.restart(&[COMUNE], LATER).await?;
    let again = everything_said(&server, &case).await?;
    assert!(!again.contains(NAME));
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_that_was_cut_off_is_finished_at_the_next_start_once() -> Test {
    use pratica_api::app::{
        CommandRequest, House, ManualClock, MasterKeys, Target, erasure, execute,
    };
    let server = Server::start().await?;
    let mut town = server.town();
    let case = ended(&mut town, NAME).await?;
    let server = server.restart(&[COMUNE], LATER).await?;
    let mut town = server.town();
    about(&mut town, ARCHIVIST, "case.propose_erasure", &case, json!({})).await.map_err(fault)?;
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    copy(server.directory(), &data)?;
    server.stop().await?;

    // A house whose processes do not run: what they would do is done by hand, and only half of it.
    let comuni = [COMUNE.parse()?];
    let clock = Arc::new(ManualClock::new(LATER.parse()?));
    let (house, projectors) = House::open(&data, &comuni, clock, &MasterKeys::Demonstration)?;
    let open = house.all().next().ok_or_else(|| anyhow::anyhow!("no comune"))?;
    let principal = pratica_api::app::Principal {
        account: "garante".parse()?,
        role: Role::ProtectionOfficer,
        comuni: [].into(),
        offices: [].into(),
    };
    let id: pratica_domain::ids::CaseId = case.parse()?;
    let reference = "Prot. 77/2066".to_owned();
    let authorise = pratica_domain::case::Command::AuthoriseErasure { reference };
    let request = CommandRequest {
        principal: &principal,
        target: Target::Existing(id),
        command: authorise.into(),
        request_id: uuid::Uuid::new_v4(),
        fingerprint: [0; 32],
        etag: None,
        validate_only: false,
        causation_id: None,
        correlation_id: None,
    };
    execute(&open.town, request).await?;
    let all = erasure::keys_of_case(&open.town, id).await?;
    assert_eq!(open.town.vault.destroy(&all)?, all.len() as u64, "destroyed, and not on record");
    drop((house, projectors));

    for _ in 0..2 {
        let server = Server::open(&data, &[COMUNE], LATER).await?;
        let erased = until_erased(&server, 1).await?;
        assert_eq!(erased[0]["case_id"], case);
        let said = everything_said(&server, &case).await?;
        assert!(!said.contains(NAME), "{said}");
        let found = server
            .town()
            .call(OFFICER, &format!("{CASES}/SearchCases"), json!({ "query": NAME }))
            .await
            .map_err(fault)?;
        assert_eq!(found["cases"], json!([]), "the views knew the name until after the keys went");
        server.views_equal_a_rebuild().await?;
        assert_eq!(said.matches("\"type\":\"case.erased\"").count(), 3, "once, in three readings");
        server.stop().await?;
    }
    Ok(())
}

fn copy(from: &std::path::Path, to: &std::path::Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_cohort_is_proposed_by_itself_and_its_call_survives_the_erasure() -> Test {
    let directory = tempfile::tempdir()?;
    std::fs::create_dir_all(directory.path().join(COMUNE))?;
    let settings = "[retention]\npropose = true\n";
    std::fs::write(directory.path().join(COMUNE).join("comune.toml"), settings)?;
    let server = Server::open(directory.path(), &[COMUNE], "2026-02-01T07:00:00Z").await?;
    let mut town = server.town();
    let cohort = play_school(&mut town, &mut |_| {}).await.map_err(fault)?;
    let read = json!({ "call_id": cohort.call });
    let ranking = json!({ "call_id": cohort.call, "stage": "definitive" });
    let calls = "pratica.enrolment.v1.CallService";
    let asked = [
        ("GetCall", read.clone()),
        ("GetRanking", ranking.clone()),
        ("ListOffers", read.clone()),
        ("ListPlaces", read.clone()),
        ("RecomputeRanking", ranking.clone()),
        ("ExplainMoves", read),
    ];
    let mut before = Vec::new();
    for (method, request) in &asked {
        let method = format!("{calls}/{method}");
        before.push(town.call(SCHOOL_OFFICER, &method, request.clone()).await.ok());
    }
    assert!(before.iter().flatten().count() >= 3, "{before:?}");
    server.stop().await?;
    let server = Server::open(directory.path(), &[COMUNE], "2040-01-10T09:00:00Z").await?;
    let mut town = server.town();
    let proposed = listed(&mut town, "PROPOSED").await?;
    assert!(proposed.len() >= 30, "{} were proposed when their time was over", proposed.len());
    let act = json!({ "reference": "Prot. 5/2040" });
    for row in &proposed {
        let (case, etag) = (row["case_id"].as_str().unwrap_or_default(), row["etag"].clone());
        let done = town.act_at(DPO, case, "case.authorise_erasure", act.clone(), etag).await;
        done.map_err(fault)?;
    }
    let erased = until_erased(&server, proposed.len()).await?;
    assert_eq!(erased.len(), proposed.len());
    for ((method, request), before) in asked.iter().zip(&before) {
        let method = format!("{calls}/{method}");
        let after = town.call(SCHOOL_OFFICER, &method, request.clone()).await;
        assert_eq!(after.is_ok(), before.is_some(), "{method}: {after:?}");
    }
    let ranking = town.export(&cohort.call, "definitive").await;
    assert_eq!(ranking.map_err(fault)?.0, cohort.document, "what was published stays as it was");
    for row in &proposed {
        let case = row["case_id"].as_str().unwrap_or_default();
        town.case(SCHOOL_OFFICER, case).await.map_err(fault)?;
        town.position(SCHOOL_OFFICER, case).await.map_err(fault)?;
    }
    let answer = town.call(ADMIN, "pratica.admin.v1.AdminService/GetStatus", json!({})).await;
    answer.map_err(fault)?;
    server.stop().await
}
