//! The feed for workflows: public case events, resumable for ever.

use super::Shared;
use crate::app::policy::Area;
use crate::app::{AppError, load};
use crate::grpc::convert::{Fields, timestamp_message};
use crate::grpc::limits::{HEARTBEAT, STREAM_BUFFER};
use crate::grpc::show;
use crate::grpc::status::status;
use pratica_domain::case::{self, Procedure};
use pratica_domain::{Case, Event};
use pratica_proto::feed::v1::feed_service_server::FeedService;
use pratica_proto::feed::v1::*;
use pratica_store::{Delivery, EventReader, Filter, Position, RecordedEvent, Subscription};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// Events that never leave the town hall: notes, abstentions, proposals, and who has the case.
const INTERNAL: &[&str] = &[
    "case.note_added",
    "case.conflict_declared",
    "case.proposal_made",
    "case.proposal_withdrawn",
    "case.assigned",
    "residency.visit_recorded",
];

#[tonic::async_trait]
impl FeedService for Shared {
    type FollowFeedStream = ReceiverStream<Result<FollowFeedResponse, Status>>;

    async fn follow_feed(
        &self,
        request: Request<FollowFeedRequest>,
    ) -> Result<Response<Self::FollowFeedStream>, Status> {
        let (call, m) = self.open(request)?;
        let open = self.town_for(&call, &m.comune, Area::Feed).map_err(status)?;
        let town = Arc::clone(&open.town);
        let house = Arc::clone(&self.house);
        let (after, procedures) = asked(&m).map_err(status)?;
        let prefixes = procedures.iter().map(|p| format!("{}.{}-", town.comune, p.as_str()));
        let filter = Filter::prefixes(prefixes);
        let (sender, receiver) = mpsc::channel(STREAM_BUFFER);
        tokio::spawn(async move {
            let reader: Arc<dyn EventReader> = Arc::clone(&town.log) as Arc<dyn EventReader>;
            let subscription = Subscription::new(reader, after, filter);
            if let Err(error) = follow(subscription, after, &sender, &town, &house).await {
                // A reader that is gone needs no reason.
                let _ = sender.send(Err(status(error))).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

fn asked(m: &FollowFeedRequest) -> Result<(Position, Vec<Procedure>), AppError> {
    let mut f = Fields::default();
    let after = match m.after_cursor.as_str() {
        "" => Some(Position::START),
        cursor => match cursor.strip_prefix('p').and_then(|n| n.parse().ok()) {
            Some(position) => Some(Position::new(position)),
            None => {
                f.refuse("after_cursor", "a cursor of this feed, or empty for the beginning");
                None
            }
        },
    };
    let procedures: Vec<Procedure> = Procedure::ALL
        .into_iter()
        .filter(|p| m.procedure.is_empty() || p.as_str() == m.procedure)
        .collect();
    if procedures.is_empty() {
        f.refuse("procedure", "residency, permit or enrolment");
    }
    f.finish(after.map(|a| (a, procedures)))
}

async fn follow(
    mut subscription: Subscription,
    after: Position,
    sender: &mpsc::Sender<Result<FollowFeedResponse, Status>>,
    town: &crate::app::Town,
    house: &crate::app::House,
) -> Result<(), AppError> {
    use follow_feed_response::Content;
    let mut cursor = after;
    let mut caught_up = false;
    loop {
        let delivery = tokio::select! {
            delivery = subscription.next() => {
                delivery.map_err(|e| AppError::store("following the log", e))?
            }
            () = sender.closed() => return Ok(()),
            () = house.closing() => return Ok(()),
            () = tokio::time::sleep(HEARTBEAT) => {
                if !say(sender, Content::Heartbeat(true), cursor).await {
                    return Ok(());
                }
                continue;
            }
        };
        match delivery {
            Delivery::Events { events, position } => {
                for event in &events {
                    if INTERNAL.contains(&&*event.event_type) {
                        continue;
                    }
                    let message = public(town, event).await?;
                    if !say(sender, Content::Event(message), event.position).await {
                        return Ok(());
                    }
                }
                cursor = position;
            }
            Delivery::CaughtUp { position } => {
                cursor = position;
                // Said once: afterwards the stream is live.
                if !caught_up && !say(sender, Content::CaughtUp(true), cursor).await {
                    return Ok(());
                }
                caught_up = true;
            }
        }
    }
}

async fn say(
    sender: &mpsc::Sender<Result<FollowFeedResponse, Status>>,
    content: follow_feed_response::Content,
    cursor: Position,
) -> bool {
    let message =
        FollowFeedResponse { content: Some(content), cursor: format!("p{}", cursor.get()) };
    sender.send(Ok(message)).await.is_ok()
}

async fn public(town: &crate::app::Town, recorded: &RecordedEvent) -> Result<FeedEvent, AppError> {
    let mut message = FeedEvent {
        event_id: recorded.id.to_string(),
        case_id: recorded.stream.rest().to_owned(),
        procedure: recorded.stream.kind().to_owned(),
        r#type: recorded.event_type.to_string(),
        occur_time: Some(timestamp_message(recorded.occurred_at)),
        record_time: Some(timestamp_message(recorded.recorded_at)),
        revision: recorded.revision.get(),
        ..FeedEvent::default()
    };
    match load::decode(recorded)? {
        Event::Case(case::Event::DocumentAdded(e)) => {
            message.document_id = e.document.to_string();
            message.document_kind = e.kind;
            message.direction = show::direction(e.direction).into();
        }
        Event::Case(case::Event::DocumentRegistered(e)) => {
            message.document_id = e.document.to_string();
            message.number = Some(show::number(e.number));
            if let Ok(id) = recorded.stream.rest().parse() {
                let case: Option<Arc<Case>> = load::case(town, id).await?;
                if let Some(d) = case.as_ref().and_then(|c| c.file.documents.get(&e.document)) {
                    message.document_kind = d.kind.clone();
                    message.direction = show::direction(d.direction).into();
                }
            }
        }
        _ => {}
    }
    Ok(message)
}
