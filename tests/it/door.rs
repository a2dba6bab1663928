//! The door over the wire: what is too large, too often, too slow or too silent is turned away, and
//! health and watchers live on.

use pratica_api::demo::{OFFICER, Who, declaration};
use pratica_api::grpc::Options;
use pratica_api::grpc::auth::{Identity, ServerKey};
use pratica_domain::Role;
use pratica_proto::cases::v1::WatchCaseRequest;
use pratica_proto::cases::v1::cases_service_client::CasesServiceClient;
use pratica_tests::{COMUNE, START, Server, fault};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

type Test = anyhow::Result<()>;

/// How an HTTP/2 connection begins, and an empty SETTINGS frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

async fn with(options: Options) -> anyhow::Result<(tempfile::TempDir, Server)> {
    let directory = tempfile::tempdir()?;
    let identity = Identity::own(&ServerKey::open(directory.path())?);
    let server = Server::open_over(directory.path(), &[COMUNE], START, identity, options).await?;
    Ok((directory, server))
}

fn impatient() -> Options {
    let (begin, silence) = (Duration::from_millis(300), Duration::from_millis(300));
    Options { begin, silence, ..Options::default() }
}

async fn raw(server: &Server) -> anyhow::Result<TcpStream> {
    Ok(TcpStream::connect(server.url.trim_start_matches("http://")).await?)
}

/// Waits until the server has closed the connection.
async fn closed(stream: &mut TcpStream) -> bool {
    let mut bytes = [0; 1024];
    let reading = async {
        loop {
            match stream.read(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.is_ok()
}

async fn healthy(server: &Server) -> anyhow::Result<()> {
    let channel = tonic::transport::Endpoint::from_shared(server.url.clone())?.connect().await?;
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await?;
    anyhow::ensure!(answer.into_inner().status == 1, "not serving");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_silent_connections_are_cut_off_and_others_are_served() -> Test {
    let (_directory, server) = with(impatient()).await?;
    let mut mute = raw(&server).await?;
    let mut drop_by_drop = raw(&server).await?;
    let mut silent = raw(&server).await?;
    let mut stalled = raw(&server).await?;
    silent.write_all(PREFACE).await?;
    silent.write_all(SETTINGS).await?;
    // The first bytes of a frame, and then nothing more of it.
    stalled.write_all(PREFACE).await?;
    stalled.write_all(&SETTINGS[..4]).await?;
    let dripping = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(100));
        for byte in PREFACE.iter().cycle() {
            pace.tick().await;
            if drop_by_drop.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
        closed(&mut drop_by_drop).await
    });
    assert!(closed(&mut mute).await, "who says nothing");
    assert!(closed(&mut silent).await, "who does not answer a ping");
    assert!(closed(&mut stalled).await, "who begins a frame and stops");
    assert!(tokio::time::timeout(Duration::from_secs(30), dripping).await??, "drop by drop");
    healthy(&server).await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_hears_the_limits_and_too_much_is_refused() -> Test {
    let (_directory, server) = with(Options::default()).await?;
    let mut stream = raw(&server).await?;
    stream.write_all(PREFACE).await?;
    stream.write_all(SETTINGS).await?;
    let mut head = [0; 9];
    stream.read_exact(&mut head).await?;
    assert_eq!(head[3], 4, "its first frame is SETTINGS");
    let mut body = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
    stream.read_exact(&mut body).await?;
    let said = |wanted: u16| {
        body.chunks_exact(6)
            .find(|s| u16::from_be_bytes([s[0], s[1]]) == wanted)
            .map(|s| u32::from_be_bytes([s[2], s[3], s[4], s[5]]))
    };
    assert_eq!(said(3), Some(256), "concurrent streams");
    assert_eq!(said(6), Some(16 * 1024), "the size of all headers");
    drop(stream);

    let mut town = server.town();
    let form = declaration("Anna", "Rossi", "CHANGE_OF_DWELLING");
    let case = town.file(OFFICER, form).await.map_err(fault)?;
    let large = json!({ "text": "x".repeat(2 << 20) });
    let refused = town.act(OFFICER, &case, "case.add_note", large).await;
    let text = format!("{refused:?}");
    assert!(text.contains("OutOfRange") || text.contains("ResourceExhausted"), "{text}");
    let heavy = "x".repeat(64 * 1024);
    let client = pratica_api::cli::client::Client::open(&server.url, Some(&heavy), "en")
        .await
        .map_err(fault)?;
    let status = "pratica.admin.v1.AdminService/GetStatus";
    assert!(client.call(status, json!({ "comune": COMUNE })).await.is_err(), "headers of 64 KiB");
    town.case(OFFICER, &case).await.map_err(fault)?;
    healthy(&server).await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_calls_too_often_is_told_when_to_come_back_while_health_and_watchers_live_on() -> Test {
    let (_directory, server) = with(Options { calls_per_second: 5, ..Options::default() }).await?;
    let mut town = server.town();
    let form = declaration("Anna", "Rossi", "CHANGE_OF_DWELLING");
    let case = town.file(OFFICER, form).await.map_err(fault)?;
    let watcher = town.client("bruno", Role::Officer).await.map_err(fault)?;
    let (seen, mut changes) = tokio::sync::mpsc::unbounded_channel();
    let request = json!({ "comune": COMUNE, "case_id": case });
    let watching = tokio::spawn(async move {
        let watch = "pratica.cases.v1.CasesService/WatchCase";
        watcher.stream(watch, request, |message| Ok(seen.send(message).is_ok())).await
    });
    changes.recv().await.ok_or_else(|| anyhow::anyhow!("the watcher saw nothing"))?;
    let busy = Who("clara", Role::Officer);
    let mut advice = None;
    for _ in 0..200 {
        let answer = town.case(busy, &case).await;
        if let Err(pratica_api::cli::Failure::Status(status)) = answer {
            assert_eq!(status.code(), tonic::Code::ResourceExhausted);
            advice = status.get_error_details().retry_info().and_then(|info| info.retry_delay);
            break;
        }
    }
    let advice = advice.ok_or_else(|| anyhow::anyhow!("never turned away, or without advice"))?;
    assert!(advice > Duration::ZERO && advice < Duration::from_secs(1), "{advice:?}");
    healthy(&server).await?;
    // Another account works on, and the watcher hears of it.
    let note = json!({ "text": "still here" });
    town.act(Who("dario", Role::Officer), &case, "case.add_note", note).await.map_err(fault)?;
    let heard = tokio::time::timeout(Duration::from_secs(20), changes.recv()).await?;
    assert!(heard.is_some(), "the watcher lives on");
    watching.abort();
    server.stop().await
}

/// Opens streams of one account over as many connections as they need, and reads none of them
/// further than its head; how many were let in, and how many were turned away.
async fn watch_without_reading(
    server: &Server,
    account: &str,
    case: &str,
    count: usize,
) -> anyhow::Result<(Vec<tonic::Streaming<pratica_proto::cases::v1::WatchCaseResponse>>, usize)> {
    let token = server.town().token(account, Role::Officer).map_err(fault)?;
    let bearer: tonic::metadata::MetadataValue<_> = format!("Bearer {token}").parse()?;
    let (mut open, mut refused, mut client) = (Vec::new(), 0, None);
    for n in 0..count {
        if n % 250 == 0 {
            // A window of one byte: nothing that is sent can be sent on.
            let connection = Endpoint::from_shared(server.url.clone())?;
            let connection = connection.initial_stream_window_size(1);
            client = Some(CasesServiceClient::new(connection.connect().await?));
        }
        let message = WatchCaseRequest {
            comune: COMUNE.to_owned(),
            case_id: case.to_owned(),
            ..WatchCaseRequest::default()
        };
        let mut request = tonic::Request::new(message);
        request.metadata_mut().insert("authorization", bearer.clone());
        let Some(client) = &mut client else { continue };
        match client.watch_case(request).await {
            Ok(stream) => open.push(stream.into_inner()),
            Err(status) => {
                anyhow::ensure!(status.code() == tonic::Code::ResourceExhausted, "{status:?}");
                let advice = status.get_error_details().retry_info().and_then(|i| i.retry_delay);
                anyhow::ensure!(advice.is_some(), "no advice when to come back: {status:?}");
                refused += 1;
            }
        }
    }
    Ok((open, refused))
}

/// `PRATICA_STREAMS` accounts do it at once; ten of them are ten thousand streams.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opens_streams_and_reads_none_has_a_share_and_others_work_on() -> Test {
    let accounts = match std::env::var("PRATICA_STREAMS") {
        Ok(text) => text.parse()?,
        Err(_) => 1,
    };
    let (_directory, server) = with(Options::default()).await?;
    let mut town = server.town();
    let form = declaration("Anna", "Rossi", "CHANGE_OF_DWELLING");
    let case = town.file(OFFICER, form).await.map_err(fault)?;
    let mut all = Vec::new();
    for n in 0..accounts {
        let account = format!("greedy.{n}");
        let (open, refused) = watch_without_reading(&server, &account, &case, 1_030).await?;
        assert_eq!((open.len(), refused), (1_024, 6), "of {account}");
        all.push(open);
    }
    healthy(&server).await?;
    // Every one of those streams has something to say that nobody reads.
    let other = Who("dario", Role::Officer);
    for _ in 0..20 {
        let note = json!({ "text": "still here ".repeat(100) });
        town.act(other, &case, "case.add_note", note).await.map_err(fault)?;
    }
    let (mut mine, _) = watch_without_reading(&server, "dario", &case, 1).await?;
    drop(all);
    let first = mine.pop().ok_or_else(|| anyhow::anyhow!("no stream"))?.message().await?;
    assert!(first.is_some(), "who reads is served");
    // What was given up is free again, once the server has heard of it.
    let mut tries = 0;
    loop {
        let (open, _) = watch_without_reading(&server, "greedy.0", &case, 1).await?;
        if !open.is_empty() {
            break;
        }
        tries += 1;
        anyhow::ensure!(tries < 10_000, "the streams were given up and still count");
    }
    healthy(&server).await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reflection_answers_only_where_it_is_on() -> Test {
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    for reflection in [true, false] {
        let (_directory, server) = with(Options { reflection, ..Options::default() }).await?;
        let channel =
            tonic::transport::Endpoint::from_shared(server.url.clone())?.connect().await?;
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let asked = tokio_stream::once(request);
        let answer = ServerReflectionClient::new(channel).server_reflection_info(asked).await;
        match answer {
            Ok(_) => assert!(reflection, "it is off"),
            Err(status) => {
                assert!(!reflection, "{status}");
                assert_eq!(status.code(), tonic::Code::Unimplemented);
            }
        }
        server.stop().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comune_whose_views_stand_still_is_not_healthy_until_they_follow_again() -> Test {
    let server = Server::start().await?;
    let channel = Endpoint::from_shared(server.url.clone())?.connect().await?;
    let mut health = HealthClient::new(channel);
    let asked = HealthCheckRequest { service: COMUNE.to_owned() };
    let mut told = health.watch(asked).await?.into_inner();
    let open = server.house.all().next().ok_or_else(|| anyhow::anyhow!("no comune"))?;
    for follow in [true, false, true] {
        open.town.views_follow(follow);
        let expected = if follow { ServingStatus::Serving } else { ServingStatus::NotServing };
        loop {
            let now = told.message().await?.ok_or_else(|| anyhow::anyhow!("health ended"))?;
            if now.status() == expected {
                break;
            }
        }
    }
    healthy(&server).await?;
    server.stop().await
}
