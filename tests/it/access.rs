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
