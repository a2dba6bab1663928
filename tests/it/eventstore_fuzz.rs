//! The protocol of event stores, given messages that nobody meant: every call answers or refuses,
//! nothing falls over, and the town stands afterwards.
//!
//! Seeded, and repeated by `PRATICA_FUZZ`, like the other doors.

use crate::doors::{Raw, asked, is_an_answer, mutate, whatever};
use base64::Engine as _;
use pb::append_req::Content;
use pb::read_req::options::{
    AllOptions, CountOption, FilterOption, FilterOptions, StreamOption, StreamOptions,
    SubscriptionOptions, UuidOption, all_options::AllOption, filter_options::Expression,
    filter_options::Filter, stream_options::RevisionOption, uuid_option,
};
use pratica_api::demo::{OFFICER, declaration};
use pratica_domain::Role;
use pratica_proto::event_store::client::{StreamIdentifier, Uuid, streams as pb, uuid as id};
use pratica_store::{Direction, EventReader as _, RecordedEvent, Revision};
use pratica_tests::endpoint::LogServer;
use pratica_tests::{COMUNE, Random, Server, fault};
use prost::Message as _;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Status};

type Test = anyhow::Result<()>;

/// The threads of this test, by which its panics are told from others'.
const THREADS: &str = "logs-of-any-bytes";
/// Calls of each method, once.
const CALLS: usize = 60;
/// How many messages of an answer are read: a subscription has at least these, and no end.
const READ: usize = 2;

fn methods() -> anyhow::Result<Vec<MethodDescriptor>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
    let files = ["streams", "gossip", "serverfeatures"];
    let files = files.map(|file| format!("event_store/client/{file}.proto"));
    let pool = DescriptorPool::from_file_descriptor_set(protox::compile(files, [root])?)?;
    Ok(pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect())
}

fn name(stream: &str) -> Option<StreamIdentifier> {
    Some(StreamIdentifier { stream_name: stream.as_bytes().to_vec() })
}

fn reading(stream: StreamOption, count: CountOption, filter: FilterOption) -> Vec<u8> {
    let uuid_option = Some(UuidOption { content: Some(uuid_option::Content::String(())) });
    let options = pb::read_req::Options {
        stream_option: Some(stream),
        count_option: Some(count),
        filter_option: Some(filter),
        uuid_option,
        ..Default::default()
    };
    pb::ReadReq { options: Some(options) }.encode_to_vec()
}

/// Messages that are meant, for every call that takes some: what is sent is these, changed.
fn meant(event: &RecordedEvent) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let stream = event.stream.to_string();
    let other = format!("{COMUNE}.residency-{}", uuid::Uuid::from_u128(7));
    let of_all = || StreamOption::All(AllOptions { all_option: Some(AllOption::Start(())) });
    let of_one = StreamOption::Stream(StreamOptions {
        stream_identifier: name(&stream),
        revision_option: Some(RevisionOption::Start(())),
    });
    let following = || CountOption::Subscription(SubscriptionOptions {});
    let filter = FilterOption::Filter(FilterOptions {
        checkpoint_interval_multiplier: 1,
        filter: Some(Filter::StreamIdentifier(Expression {
            regex: "^collina\\.(?!permit).*$".to_owned(),
            prefix: Vec::new(),
        })),
        window: None,
    });
    let metadata = [("type", &*event.event_type), ("content-type", "application/json")];
    let metadata = metadata.map(|(k, v)| (k.to_owned(), v.to_owned())).into_iter();
    let message = pb::append_req::ProposedMessage {
        id: Some(Uuid { value: Some(id::Value::String(event.id.to_string())) }),
        metadata: metadata.clone().collect(),
        custom_metadata: event.metadata_json.to_vec(),
        data: event.payload.to_vec(),
    };
    let in_batch = pb::batch_append_req::ProposedMessage {
        id: message.id.clone(),
        metadata: metadata.collect(),
        custom_metadata: message.custom_metadata.clone(),
        data: message.data.clone(),
    };
    let append = |content| pb::AppendReq { content: Some(content) }.encode_to_vec();
    let options = pb::append_req::Options {
        stream_identifier: name(&other),
        expected_stream_revision: Some(pb::append_req::options::ExpectedStreamRevision::NoStream(
            (),
        )),
    };
    let batch = pb::BatchAppendReq {
        correlation_id: in_batch.id.clone(),
        options: Some(pb::batch_append_req::Options {
            stream_identifier: name(&other),
            expected_stream_position: Some(
                pb::batch_append_req::options::ExpectedStreamPosition::Any(()),
            ),
            deadline_option: None,
        }),
        proposed_messages: vec![in_batch],
        is_final: true,
    };
    vec![
        ("Read", vec![reading(of_one, CountOption::Count(9), FilterOption::NoFilter(()))]),
        ("Read", vec![reading(of_all(), CountOption::Count(9), FilterOption::NoFilter(()))]),
        ("Read", vec![reading(of_all(), following(), filter)]),
        (
            "Append",
            vec![append(Content::Options(options)), append(Content::ProposedMessage(message))],
        ),
        ("BatchAppend", vec![batch.encode_to_vec(), batch.encode_to_vec()]),
    ]
}

/// Sends messages; reads the beginning of the answer.
async fn call(
    channel: &Channel,
    authorization: &str,
    path: &str,
    messages: Vec<Vec<u8>>,
) -> anyhow::Result<Result<usize, Status>> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await?;
    let mut request = Request::new(tokio_stream::iter(messages));
    request.metadata_mut().insert("authorization", authorization.parse()?);
    let mut answer = match grpc.streaming(request, path.parse()?, Raw).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return Ok(Err(status)),
    };
    for n in 0..READ {
        match answer.message().await {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(Ok(n)),
            Err(status) => return Ok(Err(status)),
        }
    }
    Ok(Ok(READ))
}

#[test]
fn every_call_of_the_logs_answers_any_message_and_the_town_stands_afterwards() -> Test {
    let fallen = Arc::new(AtomicUsize::new(0));
    let (counted, before) = (Arc::clone(&fallen), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() == Some(THREADS) {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        before(panic);
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(THREADS)
        .enable_all()
        .build()?;
    runtime.block_on(knocked())?;
    assert_eq!(fallen.load(Ordering::Relaxed), 0, "something fell over while it answered");
    Ok(())
}

async fn knocked() -> Test {
    let (factor, seed) = asked();
    let server = Server::start().await?;
    let mut town = server.town();
    let form = declaration("Anna", "Rossi", "CHANGE_OF_DWELLING");
    let case = town.file(OFFICER, form).await.map_err(fault)?;
    let open = server.house.all().next().ok_or_else(|| anyhow::anyhow!("no comune"))?;
    let log = &open.embedded;
    let stream = pratica_store::StreamName::parse(&format!("{COMUNE}.residency-{case}"))?;
    let recorded = log.read_stream(&stream, Revision::FIRST, Direction::Forwards, 1).await?;
    let event = recorded.first().ok_or_else(|| anyhow::anyhow!("nothing was recorded"))?;
    let seeds = meant(event);
    let endpoint = LogServer::over(&server).await?;
    let channel = Channel::from_shared(format!("http://{}", endpoint.address))?.connect().await?;
    let mut callers = Vec::new();
    for role in [Role::Migrator, Role::Head, Role::Analyst, Role::Citizen] {
        let token = endpoint.key.token(&LogServer::claims("qualcuno", role, COMUNE))?;
        let text = format!("{COMUNE}:{token}");
        callers.push(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text)));
    }
    let mut random = Random::new(seed);
    let (mut sent, mut let_in) = (0, 0);
    for method in methods()? {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let seeds: Vec<_> = seeds.iter().filter(|(of, _)| *of == method.name()).collect();
        for _ in 0..CALLS * factor {
            // A migration identity more often than not: it comes furthest.
            let caller = &callers[[0, 0, 0, 1, 2, 3][random.below(6)]];
            let mut messages = match random.pick(&seeds) {
                Some((_, messages)) if random.below(3) > 0 => messages.clone(),
                _ => (0..=random.below(3))
                    .map(|_| whatever(&mut random, &method.input(), 0).encode_to_vec())
                    .collect(),
            };
            let changed = random.below(messages.len());
            if random.below(4) > 0 {
                mutate(&mut random, &mut messages[changed]);
            }
            sent += 1;
            match call(&channel, caller, &path, messages.clone()).await? {
                Ok(_) => let_in += 1,
                Err(status) => assert!(
                    is_an_answer(&status),
                    "{path} fell over, seed {seed}, call {sent}: {status:?}\n{messages:?}"
                ),
            }
        }
    }
    eprintln!("logs: {sent} calls, {let_in} let in");
    assert!(let_in > 20, "some of it is meant");

    // Credentials that nobody gave.
    for _ in 0..CALLS * factor {
        let mut bytes = callers[0].clone().into_bytes();
        mutate(&mut random, &mut bytes);
        let Ok(header) = String::from_utf8(bytes) else { continue };
        let the_same = |header: &str| {
            let (scheme, rest) = header.split_once(' ').unwrap_or_default();
            (scheme.to_ascii_lowercase(), rest.trim().to_owned())
        };
        if the_same(&header) == the_same(&callers[0])
            || header.parse::<MetadataValue<Ascii>>().is_err()
        {
            continue;
        }
        let path = "/event_store.client.streams.Streams/Read";
        let answered = call(&channel, &header, path, seeds[0].1.clone()).await?;
        let status = answered.err().map(|status| status.code());
        let refused = [tonic::Code::Unauthenticated, tonic::Code::PermissionDenied];
        assert!(status.is_some_and(|code| refused.contains(&code)), "{header}: {status:?}");
    }

    // It still answers, the log is sound, and the views are what it says.
    let read = call(&channel, &callers[0], "/event_store.client.streams.Streams/Read", {
        seeds[0].1.clone()
    });
    assert_eq!(read.await?.map_err(|status| anyhow::anyhow!("{status:?}"))?, READ);
    log.verify().await?;
    server.views_equal_a_rebuild().await?;
    endpoint.stop().await?;
    server.stop().await
}
