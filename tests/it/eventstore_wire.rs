//! The protocol of event stores at its edges, spoken by hand: who is let in, what is refused, what
//! stays sealed, and that a slow reader holds nothing up.

use base64::Engine as _;
use pb::read_req::Options;
use pb::read_req::options::{
    AllOptions, CountOption, FilterOption, FilterOptions, ReadDirection, StreamOption,
    StreamOptions, SubscriptionOptions, UuidOption,
    all_options::AllOption,
    filter_options::{Expression, Filter},
    stream_options::RevisionOption,
    uuid_option,
};
use pb::read_resp::Content;
use pb::streams_client::StreamsClient;
use pratica_api::demo::{OFFICER, declaration};
use pratica_domain::Role;
use pratica_proto::event_store::client::server_features::server_features_client::ServerFeaturesClient;
use pratica_proto::event_store::client::{Empty, StreamIdentifier, streams as pb};
use pratica_tests::endpoint::LogServer;
use pratica_tests::{COMUNE, Server, fault};
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

type Test = anyhow::Result<()>;

struct Wire {
    client: StreamsClient<Channel>,
    authorization: String,
}

impl Wire {
    async fn open(server: &LogServer, login: &str, password: &str) -> anyhow::Result<Wire> {
        let channel = Channel::from_shared(format!("http://{}", server.address))?.connect().await?;
        let text = format!("{login}:{password}");
        let text = base64::engine::general_purpose::STANDARD.encode(text);
        Ok(Wire { client: StreamsClient::new(channel), authorization: format!("Basic {text}") })
    }

    async fn of(server: &LogServer, role: Role, comune: &str) -> anyhow::Result<Wire> {
        let token = server.key.token(&LogServer::claims("qualcuno", role, comune))?;
        Wire::open(server, comune, &token).await
    }

    fn request<T>(&self, message: T) -> anyhow::Result<Request<T>> {
        let mut request = Request::new(message);
        request
            .metadata_mut()
            .insert("authorization", MetadataValue::try_from(&self.authorization)?);
        Ok(request)
    }

    /// Everything that a read answers; the status that ends it.
    async fn read(&mut self, options: Options) -> anyhow::Result<Result<Vec<Content>, Status>> {
        let request = self.request(pb::ReadReq { options: Some(options) })?;
        let mut stream = match self.client.read(request).await {
            Ok(stream) => stream.into_inner(),
            Err(status) => return Ok(Err(status)),
        };
        let mut contents = Vec::new();
        loop {
            match stream.message().await {
                Ok(Some(message)) => contents.extend(message.content),
                Ok(None) => return Ok(Ok(contents)),
                Err(status) => return Ok(Err(status)),
            }
        }
    }
}

fn all(count: CountOption) -> Options {
    Options {
        stream_option: Some(StreamOption::All(AllOptions {
            all_option: Some(AllOption::Start(())),
        })),
        count_option: Some(count),
        filter_option: Some(FilterOption::NoFilter(())),
        uuid_option: Some(UuidOption { content: Some(uuid_option::Content::String(())) }),
        ..Options::default()
    }
}

fn stream(name: &str, count: CountOption) -> Options {
    Options {
        stream_option: Some(StreamOption::Stream(StreamOptions {
            stream_identifier: Some(StreamIdentifier { stream_name: name.as_bytes().to_vec() }),
            revision_option: Some(RevisionOption::Start(())),
        })),
        ..all(count)
    }
}

fn types(pattern: &str) -> Options {
    let expression = Expression { regex: pattern.to_owned(), prefix: Vec::new() };
    let filter =
        FilterOptions { filter: Some(Filter::EventType(expression)), ..FilterOptions::default() };
    Options { filter_option: Some(FilterOption::Filter(filter)), ..all(CountOption::Count(1000)) }
}

fn seen(contents: &[Content]) -> Vec<&pb::read_resp::read_event::RecordedEvent> {
    contents
        .iter()
        .filter_map(|content| match content {
            Content::Event(event) => event.event.as_ref(),
            _ => None,
        })
        .collect()
}

async fn town_with_a_case() -> anyhow::Result<(Server, LogServer)> {
    let server = Server::start_with(&[COMUNE, "valle"], pratica_tests::START).await?;
    server
        .town()
        .file(OFFICER, declaration("Ermenegilda", "Zanzottera", "CHANGE_OF_DWELLING"))
        .await
        .map_err(fault)?;
    let log = LogServer::over(&server).await?;
    Ok((server, log))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_may_read_history_reads_and_only_their_comune() -> Test {
    let (server, log) = town_with_a_case().await?;
    for role in Role::ALL {
        let mut wire = Wire::of(&log, role, COMUNE).await?;
        let read = wire.read(all(CountOption::Count(1))).await?;
        let expected = match role {
            Role::Analyst | Role::Head | Role::Migrator => None,
            Role::System => Some(Code::Unauthenticated),
            _ => Some(Code::PermissionDenied),
        };
        assert_eq!(read.err().map(|status| status.code()), expected, "{role:?}");
    }
    let token = log.key.token(&LogServer::claims("a", Role::Analyst, COMUNE))?;
    for (login, password, code) in [
        (COMUNE, "no-token", Code::Unauthenticated),
        ("valle", token.as_str(), Code::PermissionDenied),
        ("nowhere", token.as_str(), Code::PermissionDenied),
    ] {
        let mut wire = Wire::open(&log, login, password).await?;
        let refused = wire.read(all(CountOption::Count(1))).await?.err().map(|s| s.code());
        assert_eq!(refused, Some(code), "{login}");
    }
    // With a token for one comune a bearer needs no login; the name of the stream does not help.
    let mut wire = Wire::of(&log, Role::Analyst, COMUNE).await?;
    let other = wire.read(stream("valle.register-2026", CountOption::Count(1))).await?;
    assert_eq!(other.err().map(|s| s.code()), Some(Code::PermissionDenied));
    wire.authorization = format!("Bearer {token}");
    assert!(!seen(&wire.read(all(CountOption::Count(9))).await??).is_empty());
    // Nobody appends but a migration identity.
    let empty = tokio_stream::iter(Vec::<pb::AppendReq>::new());
    let request = wire.request(empty)?;
    let refused = wire.client.append(request).await.err().map(|s| s.code());
    assert_eq!(refused, Some(Code::PermissionDenied));
    // What the server can is told to anybody.
    let channel = Channel::from_shared(format!("http://{}", log.address))?.connect().await?;
    let features = ServerFeaturesClient::new(channel).get_supported_methods(Empty {}).await?;
    assert_eq!(features.into_inner().event_store_server_version, "24.10.0");
    log.stop().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn personal_data_stays_sealed_and_facts_stand_beside_the_metadata() -> Test {
    let (server, log) = town_with_a_case().await?;
    let mut wire = Wire::of(&log, Role::Analyst, COMUNE).await?;
    let contents = wire.read(all(CountOption::Count(1000))).await??;
    let events = seen(&contents);
    assert!(events.len() > 3);
    for (n, event) in events.iter().enumerate() {
        let text = format!("{}{:?}", String::from_utf8_lossy(&event.data), event.metadata);
        assert!(!text.contains("Zanzottera") && !text.contains("Ermenegilda"), "{text}");
        assert_eq!(event.commit_position, n as u64 + 1);
        let (facts, metadata) = pratica_store::wire::unwrap(&event.custom_metadata)
            .ok_or_else(|| anyhow::anyhow!("no facts"))?;
        assert!(facts.append.is_none() && facts.schema_version > 0);
        let metadata: pratica_store::Metadata = serde_json::from_slice(&metadata)?;
        assert!(metadata.actor.starts_with("account-"), "an analyst reads {}", metadata.actor);
    }
    let mut head = Wire::of(&log, Role::Head, COMUNE).await?;
    let contents = head.read(all(CountOption::Count(1))).await??;
    let custom = &seen(&contents)[0].custom_metadata;
    assert!(String::from_utf8_lossy(custom).contains(&format!("\"actor\":\"{}\"", OFFICER.0)));
    log.stop().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_means_nothing_is_refused_and_patterns_are_bounded() -> Test {
    let (server, log) = town_with_a_case().await?;
    let mut wire = Wire::of(&log, Role::Analyst, COMUNE).await?;
    let subscription = CountOption::Subscription(SubscriptionOptions {});
    let mut backwards = all(subscription);
    backwards.set_read_direction(ReadDirection::Backwards);
    let mut no_ids = all(CountOption::Count(1));
    no_ids.uuid_option = None;
    let mut filtered_stream = types("a");
    filtered_stream.stream_option = stream("collina.a-1", CountOption::Count(1)).stream_option;
    for (what, options) in [
        ("a subscription backwards", backwards),
        ("no form of ids", no_ids),
        ("a filtered stream", filtered_stream),
        ("a pattern that is none", types("(")),
        ("a pattern that is too long", types(&"a".repeat(1001))),
        // Catastrophic with look-ahead: every way to split a run of letters is tried.
        ("a pattern without end", types(r"^(?:(.|..)(?=.))+!$")),
    ] {
        let refused = wire.read(options).await?.err().map(|s| s.code());
        assert_eq!(refused, Some(Code::InvalidArgument), "{what}");
    }
    // The pattern that the Python client sends when nobody asks for one.
    let usual = wire.read(types(r"^(?!(\$.+$|PersistentConfig\d+$|Result$))")).await??;
    let everything = wire.read(all(CountOption::Count(1000))).await??;
    assert_eq!(seen(&usual).len(), seen(&everything).len());
    let none = wire.read(types("^(?!case)")).await??;
    assert!(seen(&none).iter().all(|e| !e.metadata["type"].starts_with("case")));
    assert!(!seen(&none).is_empty());
    log.stop().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_no_view_could_read_is_not_taken_and_the_log_goes_on() -> Test {
    let (server, log) = town_with_a_case().await?;
    let before = server.head().await?;
    let client = eventstore::Client::new(log.connection(COMUNE, Role::Migrator)?.parse()?)?;
    let unknown = eventstore::EventData::json("test.happened", &serde_json::json!({}))?;
    let options = eventstore::AppendToStreamOptions::default();
    let refused = client.append_to_stream("collina.prova-1", &options, unknown).await;
    let Err(eventstore::Error::Grpc { message, .. }) = refused else {
        anyhow::bail!("taken: {refused:?}")
    };
    assert!(message.contains("no event of Pratica"), "{message}");
    assert_eq!(server.head().await?, before);
    let open = server.house.all().next().ok_or_else(|| anyhow::anyhow!("no comune"))?;
    open.town.wait_for_views(pratica_store::Position::new(before)).await?;
    log.stop().await?;
    server.stop().await
}
