//! The official Rust client of EventStoreDB against our endpoint: append, conflict, read both ways,
//! a filtered subscription, and its resumption.

use eventstore::{
    AppendToStreamOptions, Client, CurrentRevision, Error, EventData, ExpectedRevision, Position,
    ReadAllOptions, ReadStreamOptions, StreamPosition, SubscribeToAllOptions, SubscriptionEvent,
    SubscriptionFilter,
};
use pratica_domain::Role;
use pratica_tests::endpoint::LogServer;
use serde_json::json;

type Test = anyhow::Result<()>;

const STREAM: &str = "collina.permit-1";

async fn client(server: &LogServer, role: Role) -> anyhow::Result<Client> {
    Ok(Client::new(server.connection("collina", role)?.parse()?)?)
}

fn events(from: u64, count: u64) -> anyhow::Result<Vec<EventData>> {
    (from..from + count)
        .map(|n| {
            let id = uuid::Uuid::from_u128(n.into());
            Ok(EventData::json("test.happened", &json!({ "number": n }))?.id(id))
        })
        .collect()
}

async fn append(
    client: &Client,
    stream: &str,
    expected: ExpectedRevision,
    events: Vec<EventData>,
) -> eventstore::Result<eventstore::WriteResult> {
    let options = AppendToStreamOptions::default().expected_revision(expected);
    client.append_to_stream(stream, &options, events).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rust_client_appends_reads_and_hears_of_conflicts() -> Test {
    let directory = tempfile::tempdir()?;
    let server = LogServer::bare(directory.path(), &["collina"]).await?;
    let client = client(&server, Role::Migrator).await?;
    let done = append(&client, STREAM, ExpectedRevision::NoStream, events(0, 3)?).await?;
    assert_eq!(
        (done.next_expected_version, done.position),
        (2, Position { commit: 3, prepare: 3 })
    );
    let done = append(&client, STREAM, ExpectedRevision::Any, events(3, 1)?).await?;
    assert_eq!(done.next_expected_version, 3);
    append(&client, STREAM, ExpectedRevision::StreamExists, events(4, 1)?).await?;
    match append(&client, STREAM, ExpectedRevision::Exact(2), events(9, 1)?).await {
        Err(Error::WrongExpectedVersion { current, .. }) => {
            assert_eq!(current, CurrentRevision::Current(4));
        }
        other => anyhow::bail!("{other:?}"),
    }
    match append(&client, "collina.permit-9", ExpectedRevision::StreamExists, events(9, 1)?).await {
        Err(Error::WrongExpectedVersion { current, .. }) => {
            assert_eq!(current, CurrentRevision::NoStream);
        }
        other => anyhow::bail!("{other:?}"),
    }
    let read = |options: ReadStreamOptions| {
        let client = client.clone();
        async move {
            let mut stream = client.read_stream(STREAM, &options).await?;
            let mut revisions = Vec::new();
            while let Some(event) = stream.next().await? {
                let event = event.get_original_event();
                assert_eq!(event.id, uuid::Uuid::from_u128(event.revision.into()));
                assert_eq!(event.as_json::<serde_json::Value>()?["number"], event.revision);
                revisions.push(event.revision);
            }
            anyhow::Ok(revisions)
        }
    };
    let at = |n| ReadStreamOptions::default().position(StreamPosition::Position(n));
    assert_eq!(read(ReadStreamOptions::default()).await?, [0, 1, 2, 3, 4]);
    assert_eq!(read(at(3)).await?, [3, 4]);
    assert_eq!(read(at(3).backwards().max_count(2)).await?, [3, 2]);
    assert_eq!(
        read(ReadStreamOptions::default().position(StreamPosition::End)).await?,
        [4, 3, 2, 1, 0]
    );
    let missing = client.read_stream("collina.permit-9", &ReadStreamOptions::default()).await?;
    let mut missing = missing;
    assert!(matches!(missing.next().await, Err(Error::ResourceNotFound)));

    let mut all = client
        .read_all(&ReadAllOptions::default().position(StreamPosition::End).max_count(2))
        .await?;
    let mut positions = Vec::new();
    while let Some(event) = all.next().await? {
        positions.push(event.get_original_event().position.commit);
    }
    assert_eq!(positions, [5, 4]);
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rust_client_subscribes_by_prefix_and_resumes_after_what_it_handled() -> Test {
    let directory = tempfile::tempdir()?;
    let server = LogServer::bare(directory.path(), &["collina"]).await?;
    let client = client(&server, Role::Migrator).await?;
    for n in 0..5 {
        append(&client, &format!("collina.call-{n}"), ExpectedRevision::NoStream, events(0, 2)?)
            .await?;
        append(&client, &format!("collina.permit-{n}"), ExpectedRevision::NoStream, events(0, 1)?)
            .await?;
    }
    let after = |position| {
        let filter = SubscriptionFilter::on_stream_name().add_prefix("collina.permit-");
        SubscribeToAllOptions::default().position(position).filter(filter)
    };
    let mut subscription = client.subscribe_to_all(&after(StreamPosition::Start)).await;
    let mut seen = Vec::new();
    loop {
        match subscription.next_subscription_event().await? {
            SubscriptionEvent::EventAppeared(event) => {
                seen.push(event.get_original_event().position.commit);
            }
            SubscriptionEvent::CaughtUp => break,
            _ => {}
        }
    }
    assert_eq!(seen, [3, 6, 9, 12, 15]);
    append(&client, "collina.permit-9", ExpectedRevision::NoStream, events(0, 1)?).await?;
    assert_eq!(subscription.next().await?.get_original_event().position.commit, 16);
    // Strictly after the third.
    let third = Position { commit: 9, prepare: 9 };
    let mut resumed = client.subscribe_to_all(&after(StreamPosition::Position(third))).await;
    for expected in [12, 15, 16] {
        assert_eq!(resumed.next().await?.get_original_event().position.commit, expected);
    }
    server.stop().await
}
