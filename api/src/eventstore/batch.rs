//! `Streams.BatchAppend`: many appends over one call, each answered by its correlation id. Several
//! are under way at a time, so that the log's writer commits them together; they are begun and
//! answered in their order, and beyond so many the client waits.

use super::append::{Awaited, Gathered, Outcome, Proposed};
use super::convert;
use super::door::Caller;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use pb::batch_append_req::Options;
use pb::batch_append_req::options::{DeadlineOption, ExpectedStreamPosition};
use pb::batch_append_resp::success::{CurrentRevisionOption, PositionOption};
use pb::batch_append_resp::{ExpectedStreamPosition as Told, Result as Answer, Success};
use pratica_proto::event_store::client::streams as pb;
use pratica_proto::event_store::client::{
    AllStreamPosition, MaximumAppendSizeExceeded, Uuid as UuidMessage, WrongExpectedVersion,
    wrong_expected_version as wrong,
};
use pratica_proto::google::rpc;
use pratica_store::event::MAX_RAW_BYTES;
use pratica_store::{Expected, Revision, StreamName};
use prost::Message as _;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tonic::{Code, Status, Streaming};
use uuid::Uuid;

/// How many appends may be begun and not ended on one call.
const BEGUN_MAX: usize = 8;
/// How many may be under way.
const UNDER_WAY_MAX: usize = 64;
/// The longest that one append may take, whatever the client says.
const DEADLINE: Duration = Duration::from_secs(30);

type Sender = mpsc::Sender<Result<pb::BatchAppendResp, Status>>;

/// An append whose messages are still arriving.
struct Begun {
    options: Options,
    gathered: Result<Gathered, Status>,
}

/// Answers until the client has no more, is gone, or the server ends.
pub(super) async fn answer(
    requests: Streaming<pb::BatchAppendReq>,
    caller: Caller,
    sender: Sender,
    mut closing: watch::Receiver<bool>,
) {
    let ended = tokio::select! {
        ended = take(requests, &caller, &sender) => ended,
        _ = closing.wait_for(|closing| *closing) => {
            Err(Status::unavailable("the server is stopping: come again"))
        }
    };
    if let Err(status) = ended {
        // Who is gone needs no reason.
        let _ = sender.send(Err(status)).await;
    }
}

async fn take(
    mut requests: Streaming<pb::BatchAppendReq>,
    caller: &Caller,
    sender: &Sender,
) -> Result<(), Status> {
    let mut begun: HashMap<Uuid, Begun> = HashMap::new();
    let mut under_way = FuturesOrdered::new();
    let mut more = true;
    while more || !under_way.is_empty() {
        tokio::select! {
            // What was begun goes on before anything else begins: so each is queued in its order.
            biased;
            Some(answered) = under_way.next() => {
                if sender.send(Ok(answered)).await.is_err() {
                    return Ok(());
                }
            }
            request = requests.message(), if more && under_way.len() < UNDER_WAY_MAX => {
                match request? {
                    Some(request) => {
                        let correlation_id = request.correlation_id.clone();
                        if let Some(append) = gather(&mut begun, request, caller)? {
                            under_way.push_back(finish(correlation_id, append, caller));
                        }
                    }
                    None => more = false,
                }
            }
        }
    }
    Ok(())
}

/// Takes a message; answers the append that it ends.
fn gather(
    begun: &mut HashMap<Uuid, Begun>,
    request: pb::BatchAppendReq,
    caller: &Caller,
) -> Result<Option<Begun>, Status> {
    let correlation = convert::id(request.correlation_id.as_ref())?;
    if let Some(options) = request.options {
        if begun.len() >= BEGUN_MAX {
            return Err(Status::resource_exhausted("too many appends begun and not ended"));
        }
        begun.insert(correlation, Begun { options, gathered: Ok(Gathered::default()) });
    }
    let Some(append) = begun.get_mut(&correlation) else {
        return Err(Status::invalid_argument("an append begins with its options"));
    };
    for m in request.proposed_messages {
        let (id, metadata) = (m.id, m.metadata);
        let (custom_metadata, data) = (m.custom_metadata, m.data);
        let proposed = Proposed { id, metadata, custom_metadata, data };
        append.gathered = match std::mem::replace(&mut append.gathered, Ok(Gathered::default())) {
            Ok(mut gathered) => gathered.add(proposed, caller).map(|()| gathered),
            Err(status) => Err(status),
        };
    }
    Ok(if request.is_final { begun.remove(&correlation) } else { None })
}

async fn finish(
    correlation_id: Option<UuidMessage>,
    append: Begun,
    caller: &Caller,
) -> pb::BatchAppendResp {
    let options = &append.options;
    let told = options.expected_stream_position.map(|expected| match expected {
        ExpectedStreamPosition::StreamPosition(n) => Told::StreamPosition(n),
        ExpectedStreamPosition::NoStream(()) => Told::NoStream(()),
        ExpectedStreamPosition::Any(()) => Told::Any(()),
        ExpectedStreamPosition::StreamExists(()) => Told::StreamExists(()),
    });
    let deadline = deadline(options.deadline_option.as_ref());
    let worked = tokio::time::timeout(deadline, commit(options, append.gathered, caller)).await;
    let result = match worked {
        Ok(Ok(answer)) => answer,
        Ok(Err(status)) => Answer::Error(error(&status)),
        Err(_) => Answer::Error(error(&Status::deadline_exceeded("Timeout"))),
    };
    pb::BatchAppendResp {
        correlation_id,
        stream_identifier: options.stream_identifier.clone(),
        expected_stream_position: told,
        result: Some(result),
    }
}

async fn commit(
    options: &Options,
    gathered: Result<Gathered, Status>,
    caller: &Caller,
) -> Result<Answer, Status> {
    let name = convert::stream_text(options.stream_identifier.as_ref())?;
    let stream: StreamName = convert::own_stream(&name, caller.comune.as_str())?;
    let awaited = match options.expected_stream_position {
        Some(ExpectedStreamPosition::StreamPosition(n)) => {
            Awaited::Exactly(Expected::Exact(Revision::new(n)))
        }
        Some(ExpectedStreamPosition::NoStream(())) => Awaited::Exactly(Expected::NoStream),
        Some(ExpectedStreamPosition::Any(())) => Awaited::Any,
        Some(ExpectedStreamPosition::StreamExists(())) => Awaited::Exists,
        None => return Err(Status::invalid_argument("the expected revision is missing")),
    };
    Ok(match gathered?.commit(caller, &stream, awaited).await? {
        Outcome::Done { revision, position } => {
            let (commit_position, prepare_position) = (position.get(), position.get());
            let at = AllStreamPosition { commit_position, prepare_position };
            Answer::Success(Success {
                current_revision_option: Some(match revision {
                    Some(r) => CurrentRevisionOption::CurrentRevision(r.get()),
                    None => CurrentRevisionOption::NoStream(()),
                }),
                position_option: Some(PositionOption::Position(at)),
            })
        }
        Outcome::Conflict { actual } => Answer::Error(conflict(actual, awaited)),
    })
}

/// Deadlines come as a span, as a span since 1970, or as ten thousand years: what is longer than
/// the server's own counts as none.
fn deadline(asked: Option<&DeadlineOption>) -> Duration {
    match asked {
        // A span into the past counts as none, too; the least of all has no positive one.
        Some(DeadlineOption::Deadline(span)) if span.seconds < 0 => DEADLINE,
        Some(DeadlineOption::Deadline(span)) => {
            Duration::try_from(*span).map_or(DEADLINE, |span| span.min(DEADLINE))
        }
        Some(DeadlineOption::Deadline21100(_)) | None => DEADLINE,
    }
}

fn conflict(actual: Option<Revision>, awaited: Awaited) -> rpc::Status {
    let details = WrongExpectedVersion {
        current_stream_revision_option: Some(match actual {
            Some(r) => wrong::CurrentStreamRevisionOption::CurrentStreamRevision(r.get()),
            None => wrong::CurrentStreamRevisionOption::CurrentNoStream(()),
        }),
        expected_stream_position_option: Some(match awaited {
            Awaited::Exactly(Expected::Exact(r)) => {
                wrong::ExpectedStreamPositionOption::ExpectedStreamPosition(r.get())
            }
            Awaited::Exactly(Expected::NoStream) => {
                wrong::ExpectedStreamPositionOption::ExpectedNoStream(())
            }
            Awaited::Any => wrong::ExpectedStreamPositionOption::ExpectedAny(()),
            Awaited::Exists => wrong::ExpectedStreamPositionOption::ExpectedStreamExists(()),
        }),
    };
    rpc::Status {
        code: Code::AlreadyExists.into(),
        message: "WrongExpectedVersion".to_owned(),
        details: Some(packed("WrongExpectedVersion", details.encode_to_vec())),
    }
}

/// A refusal within a batch, as clients tell it by the type of its details.
fn error(status: &Status) -> rpc::Status {
    let exception = status.metadata().get("exception").and_then(|e| e.to_str().ok());
    let (name, value) = match (exception, status.code()) {
        (Some("maximum-append-size-exceeded"), _) => {
            let max_append_size = u32::try_from(MAX_RAW_BYTES).unwrap_or(u32::MAX);
            let details = MaximumAppendSizeExceeded { max_append_size };
            ("MaximumAppendSizeExceeded", details.encode_to_vec())
        }
        (_, Code::PermissionDenied) => ("AccessDenied", Vec::new()),
        (_, Code::DeadlineExceeded) => ("Timeout", Vec::new()),
        (_, Code::InvalidArgument) => {
            let message = status.message().to_owned();
            let details = pratica_proto::event_store::client::BadRequest { message };
            ("BadRequest", details.encode_to_vec())
        }
        _ => ("Unknown", Vec::new()),
    };
    rpc::Status {
        code: status.code().into(),
        message: status.message().to_owned(),
        details: Some(packed(name, value)),
    }
}

fn packed(name: &str, value: Vec<u8>) -> prost_types::Any {
    prost_types::Any { type_url: format!("type.googleapis.com/event_store.client.{name}"), value }
}

#[cfg(test)]
mod tests {
    use super::{DEADLINE, DeadlineOption, deadline};
    use std::time::Duration;

    #[test]
    fn a_deadline_counts_when_it_is_shorter_than_the_servers_and_lies_ahead() {
        let of = |seconds, nanos| {
            deadline(Some(&DeadlineOption::Deadline(prost_types::Duration { seconds, nanos })))
        };
        assert_eq!(of(5, 500_000_000), Duration::from_millis(5_500));
        assert_eq!(of(31, 0), DEADLINE);
        for (seconds, nanos) in [(-1, 0), (0, -1), (0, i32::MIN), (i64::MAX, i32::MAX)] {
            assert_eq!(of(seconds, nanos), DEADLINE, "{seconds} {nanos}");
        }
        // Found by bytes that nobody meant: its negation is no number.
        assert_eq!(of(i64::MIN, i32::MIN), DEADLINE);
        assert_eq!(deadline(None), DEADLINE);
    }
}
