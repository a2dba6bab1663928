//! Who may see and do what, over the wire, until the identity of an outside provider comes.

use pratica_api::cli::client::Client;
use pratica_api::demo::{OFFICER, Who, declaration};
use pratica_api::grpc::auth::Claims;
use pratica_domain::Role;
use pratica_tests::{COMUNE, Server, fault, reason};
use serde_json::{Value, json};

type Test = anyhow::Result<()>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_rpc_answers_without_a_valid_token() -> Test {
    let server = Server::start().await?;
    let expired = Claims { exp: 1, ..Server::claims("anna", Role::Officer) };
    let forged = "eyJhbGciOiJub25lIn0.e30.";
    let tokens = [None, Some(server.key.token(&expired)?), Some(forged.to_owned())];
    let pool = prost_pool()?;
    for token in &tokens {
        let client = Client::open(&server.url, token.as_deref(), "en").await.map_err(fault)?;
        for method in &pool {
            let answer = if client.method(method).map_err(fault)?.is_server_streaming() {
                client.stream(method, json!({}), |_| Ok(true)).await.map(|()| Value::Null)
            } else {
                client.call(method, json!({})).await
            };
            assert_eq!(reason(answer), "Unauthenticated", "{method}");
        }
    }
    server.stop().await
}

/// Every method of the contract, by its full name.
fn prost_pool() -> anyhow::Result<Vec<String>> {
    let set = pratica_api::cli::client::methods().map_err(fault)?;
    assert!(set.len() > 60, "the contract has its rpcs: {}", set.len());
    Ok(set)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_citizen_sees_their_own_case_and_cannot_tell_another_from_none() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let own = town
        .file(OFFICER, declaration("Anna", "Rossi", "CHANGE_OF_DWELLING"))
        .await
        .map_err(fault)?;
    let other = town
        .file(OFFICER, declaration("Berta", "Bianchi", "CHANGE_OF_DWELLING"))
        .await
        .map_err(fault)?;
    let rossi = Who("citizen.rossi", Role::Citizen);
    town.case(rossi, &own).await.map_err(fault)?;
    let nobody = uuid::Uuid::new_v4().to_string();
    let answers = [reason(town.case(rossi, &other).await), reason(town.case(rossi, &nobody).await)];
    assert_eq!(answers, ["PERMISSION_DENIED", "PERMISSION_DENIED"]);
    let list = town
        .call(rossi, "pratica.cases.v1.CasesService/ListCases", json!({}))
        .await
        .map_err(fault)?;
    let cases: Vec<_> = list["cases"].as_array().into_iter().flatten().collect();
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0]["case_id"], json!(own));
    let found = town
        .call(rossi, "pratica.cases.v1.CasesService/SearchCases", json!({ "query": "Bianchi" }))
        .await
        .map_err(fault)?;
    assert_eq!(found["cases"], json!([]), "search obeys the same predicate");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clerk_advances_cases_and_does_not_decide_them() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let case = town
        .file(OFFICER, declaration("Anna", "Rossi", "CHANGE_OF_DWELLING"))
        .await
        .map_err(fault)?;
    let clerk = Who("carla", Role::Clerk);
    let note = json!({ "text": "seen" });
    town.act(clerk, &case, "case.add_note", note).await.map_err(fault)?;
    let decided = town.act(clerk, &case, "residency.register", json!({})).await;
    assert_eq!(reason(decided), "PERMISSION_DENIED");
    let method = "pratica.cases.v1.CasesService/GetAvailableActions";
    let answer = town.call(clerk, method, json!({ "case_id": case })).await.map_err(fault)?;
    let actions = answer["actions"].as_array().cloned().unwrap_or_default();
    let register = actions.iter().find(|a| a["command"] == "residency.register");
    let register = register.cloned().unwrap_or_default();
    assert_eq!(register["available"], false);
    assert_eq!(register["reason"], "PERMISSION_DENIED", "and the answer says why");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_citizen_reads_what_was_written_to_them_and_no_note_officer_or_proposal() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let case = town
        .file(OFFICER, declaration("Anna", "Rossi", "CHANGE_OF_DWELLING"))
        .await
        .map_err(fault)?;
    let rossi = Who("citizen.rossi", Role::Citizen);
    let clerk = Who("carla", Role::Clerk);
    let assigned = json!({ "office": "anagrafe", "officer": "bruno" });
    town.act(OFFICER, &case, "case.assign", assigned).await.map_err(fault)?;
    town.act(clerk, &case, "case.add_note", json!({ "text": "neighbour doubts it" }))
        .await
        .map_err(fault)?;
    let out = json!({ "direction": "DIRECTION_OUTGOING", "text": "when are you at home?" });
    town.act(clerk, &case, "case.send_message", out).await.map_err(fault)?;
    let back = json!({ "direction": "DIRECTION_OUTGOING", "text": "in the evening" });
    town.act(rossi, &case, "case.send_message", back).await.map_err(fault)?;
    let proposal = json!({ "tenor": "TENOR_NEGATIVE", "reasons": "never there" });
    town.act(clerk, &case, "case.propose", proposal).await.map_err(fault)?;

    let method = "pratica.cases.v1.CasesService/ListCorrespondence";
    let read = json!({ "case_id": case });
    let written = |answer: &Value| -> Vec<(String, String)> {
        answer["entries"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|e| (e["direction"].to_string(), e["texts"][0].to_string()))
            .collect()
    };
    let theirs = town.call(rossi, method, read.clone()).await.map_err(fault)?;
    assert_eq!(
        written(&theirs),
        [
            ("\"DIRECTION_OUTGOING\"".to_owned(), "\"when are you at home?\"".to_owned()),
            ("\"DIRECTION_INCOMING\"".to_owned(), "\"in the evening\"".to_owned()),
        ],
        "a citizen's message is incoming, whatever they say"
    );
    let ours = town.call(clerk, method, read).await.map_err(fault)?;
    assert_eq!(written(&ours).len(), 3);
    let mut texts = format!("{theirs:?}");
    for method in ["GetCase", "GetTimeline", "ListCases"] {
        let request = json!({ "case_id": case });
        let request = if method == "ListCases" { json!({}) } else { request };
        let method = format!("pratica.cases.v1.CasesService/{method}");
        texts.push_str(&format!("{:?}", town.call(rossi, &method, request).await.map_err(fault)?));
    }
    for hidden in ["neighbour", "bruno", "carla", "anna", "never there"] {
        assert!(!texts.contains(hidden), "{hidden} is not for citizens");
    }
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_office_does_not_see_the_cases_of_another() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let case = town
        .file(OFFICER, declaration("Anna", "Rossi", "CHANGE_OF_DWELLING"))
        .await
        .map_err(fault)?;
    let mut claims = Server::claims("ugo", Role::Officer);
    claims.comuni = vec![COMUNE.to_owned()];
    claims.offices = vec!["edilizia".to_owned()];
    let stranger = server.client(&claims).await?;
    let get = json!({ "comune": COMUNE, "case_id": case });
    let answer = stranger.call("pratica.cases.v1.CasesService/GetCase", get).await;
    assert_eq!(reason(answer), "NOT_FOUND");
    let list = stranger
        .call("pratica.cases.v1.CasesService/ListCases", json!({ "comune": COMUNE }))
        .await
        .map_err(fault)?;
    assert_eq!(list["cases"], json!([]));
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_in_one_town_leaves_every_file_of_the_other_as_it_was() -> Test {
    let server = Server::start_with(&[COMUNE, "valle"], pratica_tests::START).await?;
    let mut valle = server.town_of("valle");
    let case = valle
        .file(OFFICER, declaration("Anna", "Rossi", "CHANGE_OF_DWELLING"))
        .await
        .map_err(fault)?;
    let server = server.restart(&[COMUNE, "valle"], pratica_tests::START).await?;
    let before = files(&server.directory().join("valle"))?;

    let mut collina = server.town();
    let own = collina
        .file(OFFICER, declaration("Berta", "Bianchi", "CHANGE_OF_DWELLING"))
        .await
        .map_err(fault)?;
    collina.act(OFFICER, &own, "residency.register", json!({})).await.map_err(fault)?;
    // The other town's case is not there, and its comune is not this token's.
    assert_eq!(reason(collina.case(OFFICER, &case).await), "NOT_FOUND");
    let mut claims = Server::claims("anna", Role::Officer);
    claims.comuni = vec![COMUNE.to_owned()];
    claims.offices = vec!["anagrafe".to_owned()];
    let anna = server.client(&claims).await?;
    let get = json!({ "comune": "valle", "case_id": case });
    let answer = anna.call("pratica.cases.v1.CasesService/GetCase", get).await;
    assert_eq!(reason(answer), "PERMISSION_DENIED");
    assert_eq!(files(&server.directory().join("valle"))?, before);
    server.stop().await
}

/// Every file of a directory with its bytes.
fn files(directory: &std::path::Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        // The shared memory of readers is no content.
        if !name.ends_with("-shm") {
            files.push((name, std::fs::read(&path)?));
        }
    }
    files.sort();
    Ok(files)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_comune_wants_four_eyes_two_people_decide_and_nobody_decides_for_themselves()
-> Test {
    let directory = tempfile::tempdir()?;
    let own = directory.path().join(COMUNE);
    std::fs::create_dir_all(&own)?;
    std::fs::write(own.join("comune.toml"), "rules = [\"collina.toml\"]\n")?;
    let rules = "version = \"collina-2026\"\nextends = \"italy-2026\"\n\
                 in_force_from = \"2026-01-01\"\n\n[policies.decision_needs_proposal]\n\
                 value = true\n";
    std::fs::write(own.join("collina.toml"), rules)?;
    let server = Server::open(directory.path(), &[COMUNE], pratica_tests::START).await?;
    let mut town = server.town();
    let form = declaration("Anna", "Rossi", "CHANGE_OF_DWELLING");
    let case = town.file(OFFICER, form).await.map_err(fault)?;
    town.act(OFFICER, &case, "residency.register", json!({})).await.map_err(fault)?;
    let confirm = json!({ "reasons": "found at home" });
    let alone = town.act(OFFICER, &case, "residency.confirm", confirm.clone()).await;
    assert_eq!(reason(alone), "NO_PROPOSAL");
    let proposal = json!({ "tenor": "TENOR_FAVOURABLE", "reasons": "found at home" });
    town.act(OFFICER, &case, "case.propose", proposal).await.map_err(fault)?;
    let same = town.act(OFFICER, &case, "residency.confirm", confirm.clone()).await;
    assert_eq!(reason(same), "FOUR_EYES");
    let conflict = json!({ "officer": "bruno", "reason": "cousins" });
    let bruno = Who("bruno", Role::Officer);
    town.act(bruno, &case, "case.declare_conflict", conflict).await.map_err(fault)?;
    let in_conflict = town.act(bruno, &case, "residency.confirm", confirm.clone()).await;
    assert_eq!(reason(in_conflict), "CONFLICT_OF_INTEREST");
    let carla = Who("clara", Role::Officer);
    town.act(carla, &case, "residency.confirm", confirm).await.map_err(fault)?;

    // An officer who declares their own residence decides nothing about it.
    let mut own = declaration("Anna", "Verdi", "CHANGE_OF_DWELLING");
    own["form"]["members"][0]["account"] = json!(OFFICER.0);
    let own = town.file(carla, own).await.map_err(fault)?;
    let signed = town.act(OFFICER, &own, "residency.register", json!({})).await;
    assert_eq!(reason(signed), "OWN_CASE");
    town.act(carla, &own, "residency.register", json!({})).await.map_err(fault)?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_says_who_acted_for_whom_and_a_power_that_ends_ends_at_once() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let case = town.file(OFFICER, declaration("Anna", "Rossi", "CHANGE_OF_DWELLING")).await;
    let case = case.map_err(fault)?;
    let applicant =
        town.case(OFFICER, &case).await.map_err(fault)?["parties"][0]["party_id"].clone();
    let evidence = json!({ "kind": "mandate", "media_type": "application/pdf", "size_bytes": 5,
        "sha256": "cd".repeat(32) });
    let added = json!({ "document": evidence, "direction": "DIRECTION_INCOMING" });
    town.act(OFFICER, &case, "case.add_document", added).await.map_err(fault)?;
    let documents = town.case(OFFICER, &case).await.map_err(fault)?["documents"].clone();
    let proof = documents.as_array().into_iter().flatten().find(|d| d["kind"] == "mandate");
    let proof = proof.map(|d| d["document_id"].clone()).unwrap_or_default();
    assert!(proof.is_string(), "{documents}");
    let titles = ["PARENT", "GUARDIAN", "MANDATE", "HEIR", "COMPANY"];
    for (n, title) in titles.into_iter().enumerate() {
        let agent = ["agent.a", "agent.b", "agent.c", "agent.d", "agent.e"][n];
        let who = Who(agent, Role::Citizen);
        let before = town.case(who, &case).await;
        assert_eq!(reason(before), "PERMISSION_DENIED", "{title}: not yet");
        let party = json!({ "role": "PARTY_ROLE_REPRESENTATIVE", "account": agent,
            "person": { "given_name": "Ugo", "family_name": format!("Agente{n}") } });
        town.act(OFFICER, &case, "case.add_party", party).await.map_err(fault)?;
        let parties = town.case(OFFICER, &case).await.map_err(fault)?["parties"].clone();
        let named = parties
            .as_array()
            .into_iter()
            .flatten()
            .find(|p| p["person"]["family_name"] == format!("Agente{n}"));
        let party = named.map(|p| p["party_id"].clone()).unwrap_or_default();
        let power = json!({ "agent_party_id": party, "principal_party_id": applicant,
            "title": format!("REPRESENTATION_TITLE_{title}"), "evidence_document_id": proof,
            "until_date": { "year": 2026, "month": 3, "day": 3 } });
        town.act(OFFICER, &case, "case.grant_representation", power).await.map_err(fault)?;
        let words = json!({ "text": "for them", "direction": "DIRECTION_INCOMING" });
        let done = town.act(who, &case, "case.send_message", words.clone()).await;
        done.map_err(fault)?;
        let shown = town.case(OFFICER, &case).await.map_err(fault)?;
        let powers = shown["representations"].as_array().cloned().unwrap_or_default();
        let own = powers.iter().find(|r| r["agent_party_id"] == party).cloned();
        let own = own.unwrap_or_default();
        assert_eq!(own["title"], title.to_lowercase());
        assert_eq!(own["evidence_document_id"], proof, "what proves it stays with it");
        if n % 2 == 0 {
            // Revoked: the same token, a moment later.
            let end = json!({ "representation_id": own["representation_id"], "reason": "revoked" });
            let etag = shown["summary"]["etag"].clone();
            town.act(OFFICER, &case, "case.end_representation", end).await.map_err(fault)?;
            let late = town.act_at(who, &case, "case.send_message", words, etag).await;
            assert_eq!(reason(late), "PERMISSION_DENIED");
            assert_eq!(reason(town.case(who, &case).await), "PERMISSION_DENIED");
        }
    }
    let head = Who("direttore", Role::Head);
    let client = town.client(head.0, head.1).await.map_err(fault)?;
    let mut acted = Vec::new();
    client
        .stream("pratica.history.v1.HistoryService/ReadEvents", json!({ "comune": COMUNE }), |m| {
            let event = &m["event"];
            let actor = event["actor"].as_str().unwrap_or_default().to_owned();
            acted.push((actor, event["on_behalf_of_party_id"].clone()));
            Ok(true)
        })
        .await
        .map_err(fault)?;
    let by_agents: Vec<_> = acted.iter().filter(|(actor, _)| actor.starts_with("agent.")).collect();
    assert_eq!(by_agents.len() % titles.len(), 0, "the message, and whatever comes with it");
    assert!(
        by_agents.len() >= titles.len() && by_agents.iter().all(|(_, whom)| *whom == applicant)
    );
    let others = acted.iter().filter(|(actor, _)| !actor.starts_with("agent."));
    assert!(others.into_iter().all(|(_, whom)| whom == "" || whom.is_null()));
    // What was not revoked ends with its day.
    town.clock_to("2026-03-04T09:00:00Z").await.map_err(fault)?;
    let after = town.case(Who("agent.b", Role::Citizen), &case).await;
    assert_eq!(reason(after), "PERMISSION_DENIED", "the last day is over");
    server.stop().await
}
