//! The contract's manners: all violations at once, bounded waits, limits, reflection, health, web.

use pratica_api::demo::{OFFICER, declaration};
use pratica_domain::Role;
use pratica_proto::residency::v1::FileDeclarationRequest;
use pratica_proto::residency::v1::residency_service_client::ResidencyServiceClient;
use pratica_proto::worklist::v1::BulkAssignRequest;
use pratica_proto::worklist::v1::worklist_service_client::WorklistServiceClient;
use pratica_tests::{COMUNE, Server, fault, reason, violations};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tonic::Code;

type Test = anyhow::Result<()>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_that_breaks_a_rule_is_named_at_once() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let mut form = declaration("Anna", "Rossi", "FROM_OTHER_COMUNE");
    form["request_id"] = json!("not a uuid");
    form["kind"] = json!("RESIDENCY_KIND_UNSPECIFIED");
    form["form"]["members"][0]["person"]["fiscal_code"] = json!("RSSMRA80A01H501X");
    form["form"]["members"][0]["person"]["family_name"] = json!(" ");
    form["form"]["address"]["municipality"] = json!("");
    form["attachments"] = json!([{ "kind": "identity_copy", "media_type": "image/png" }]);
    let method = "pratica.residency.v1.ResidencyService/FileDeclaration";
    let answer = town.call(OFFICER, method, form).await;
    let text = format!("{answer:?}");
    assert!(!text.contains("RSSMRA80A01H501X"), "no personal data in an error: {text}");
    let mut fields = violations(answer);
    fields.sort();
    assert_eq!(
        fields,
        [
            "attachments[0].sha256",
            "form.address.municipality",
            "form.members[0].person.family_name",
            "form.members[0].person.fiscal_code",
            "kind",
            "request_id",
        ]
    );
    assert_eq!(server.head().await?, 0, "nothing was recorded");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_without_an_etag_is_refused_as_malformed() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let case = town
        .file(OFFICER, declaration("Anna", "Rossi", "CHANGE_OF_DWELLING"))
        .await
        .map_err(fault)?;
    let request = json!({ "case_id": case, "request_id": uuid::Uuid::new_v4() });
    let method = "pratica.residency.v1.ResidencyService/RegisterDeclaration";
    assert_eq!(violations(town.call(OFFICER, method, request).await), ["etag"]);
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_reads_its_own_write_and_refuses_a_position_beyond_the_log() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let method = "pratica.residency.v1.ResidencyService/FileDeclaration";
    for n in 0..20 {
        let mut form = declaration("Anna", &format!("Rossi{n}"), "CHANGE_OF_DWELLING");
        form["request_id"] = json!(uuid::Uuid::new_v4());
        let done = town.call(OFFICER, method, form).await.map_err(fault)?;
        let position = done["outcome"]["position"].clone();
        let list = json!({ "min_position": position, "page_size": 1 });
        let seen = town
            .call(OFFICER, "pratica.cases.v1.CasesService/ListCases", list)
            .await
            .map_err(fault)?;
        assert!(seen["as_of_position"].as_u64() >= position.as_u64());
        let cases = town
            .call(
                OFFICER,
                "pratica.cases.v1.CasesService/SearchCases",
                json!({ "query": done["outcome"]["case_id"], "min_position": position }),
            )
            .await
            .map_err(fault)?;
        assert_eq!(cases["cases"].as_array().map(Vec::len), Some(1));
    }
    let beyond = json!({ "min_position": 1_000_000 });
    let answer = town.call(OFFICER, "pratica.cases.v1.CasesService/ListCases", beyond).await;
    assert_eq!(violations(answer), ["min_position"]);
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_token_of_another_query_is_refused() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    for n in 0..3 {
        let form = declaration("Anna", &format!("Rossi{n}"), "CHANGE_OF_DWELLING");
        town.file(OFFICER, form).await.map_err(fault)?;
    }
    let method = "pratica.cases.v1.CasesService/ListCases";
    let head = server.head().await?;
    let first = json!({ "page_size": 1, "min_position": head });
    let first = town.call(OFFICER, method, first).await.map_err(fault)?;
    let token = first["next_page_token"].clone();
    assert_ne!(token, "");
    let other = json!({ "page_token": token, "filter": { "phase": "declared" } });
    assert_eq!(violations(town.call(OFFICER, method, other).await), ["page_token"]);
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_over_the_limit_and_a_call_past_its_deadline_are_refused() -> Test {
    let server = Server::start().await?;
    let mut claims = Server::claims("anna", Role::Officer);
    claims.offices = vec!["anagrafe".to_owned()];
    let token = server.key.token(&claims)?;
    let bearer: tonic::metadata::MetadataValue<_> = format!("Bearer {token}").parse()?;
    let mut client = ResidencyServiceClient::connect(server.url.clone()).await?;
    let huge =
        FileDeclarationRequest { comune: "x".repeat(2 << 20), ..FileDeclarationRequest::default() };
    let mut request = tonic::Request::new(huge);
    request.metadata_mut().insert("authorization", bearer.clone());
    let refused = client.file_declaration(request).await;
    assert_eq!(refused.err().map(|s| s.code()), Some(Code::OutOfRange));

    // Five hundred look-ups take longer than the millisecond that the client gives them.
    let long = BulkAssignRequest {
        comune: COMUNE.to_owned(),
        request_id: uuid::Uuid::new_v4().to_string(),
        case_ids: (0..500).map(|_| uuid::Uuid::new_v4().to_string()).collect(),
        office: "anagrafe".to_owned(),
        ..BulkAssignRequest::default()
    };
    let mut client = WorklistServiceClient::connect(server.url.clone()).await?;
    let mut request = tonic::Request::new(long);
    request.metadata_mut().insert("authorization", bearer);
    request.metadata_mut().insert("grpc-timeout", "1m".parse()?);
    let late = client.bulk_assign(request).await;
    let code = late.err().map(|s| s.code());
    assert!(matches!(code, Some(Code::Cancelled | Code::DeadlineExceeded)), "{code:?}");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_page_of_an_allowed_origin_may_call_and_no_other() -> Test {
    let server = Server::start().await?;
    for (origin, allowed) in [("https://portale.example", true), ("https://altrove.example", false)]
    {
        let preflight = format!(
            "OPTIONS /pratica.cases.v1.CasesService/ListCases HTTP/1.1\r\nHost: localhost\r\n\
             Origin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\
             Access-Control-Request-Headers: content-type,x-grpc-web,authorization\r\n\
             Connection: close\r\n\r\n"
        );
        let answer = http(&server, preflight.as_bytes()).await?.to_lowercase();
        let says = format!("access-control-allow-origin: {origin}");
        assert_eq!(answer.contains(&says), allowed, "{answer}");
    }
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_web_over_http_1_gets_an_answer_with_trailers_in_its_body() -> Test {
    let server = Server::start().await?;
    let mut claims = Server::claims("admin", Role::Administrator);
    claims.comuni = vec![COMUNE.to_owned()];
    let token = server.key.token(&claims)?;
    // GetClock: an empty message in a gRPC-Web frame.
    let request = format!(
        "POST /pratica.admin.v1.AdminService/GetClock HTTP/1.1\r\nHost: localhost\r\n\
         Content-Type: application/grpc-web+proto\r\nX-Grpc-Web: 1\r\n\
         Authorization: Bearer {token}\r\nContent-Length: 5\r\nConnection: close\r\n\r\n\0\0\0\0\0"
    );
    let answer = http(&server, request.as_bytes()).await?;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("grpc-status:0"), "{answer}");
    server.stop().await
}

async fn http(server: &Server, request: &[u8]) -> anyhow::Result<String> {
    let address = server.url.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comune_that_is_not_served_is_not_found_and_a_malformed_one_is_named() -> Test {
    let server = Server::start().await?;
    let mut claims = Server::claims("anna", Role::Officer);
    claims.offices = vec!["anagrafe".to_owned()];
    let client = server.client(&claims).await?;
    let method = "pratica.cases.v1.CasesService/ListCases";
    let absent = client.call(method, json!({ "comune": "altrove" })).await;
    assert_eq!(reason(absent), "NOT_FOUND");
    let malformed = client.call(method, json!({ "comune": "../collina" })).await;
    assert_eq!(violations(malformed), ["comune"]);
    server.stop().await
}
