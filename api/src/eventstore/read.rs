//! Reading: one stream or the whole log, both ways, and subscriptions that catch up and follow.
//!
//! A reader holds one page and a few messages at most: whoever reads slowly makes the reading wait,
//! and who does not read at all for a while is cut off.

use super::convert::{self, Ids};
use super::door::Caller;
use super::filter::Wanted;
use pb::read_req::options::{
    CountOption, FilterOption, ReadDirection, StreamOption, all_options::AllOption,
    stream_options::RevisionOption, uuid_option,
};
use pb::read_resp::{CaughtUp, Content, StreamNotFound, SubscriptionConfirmation};
use pratica_proto::event_store::client::AllStreamPosition;
use pratica_proto::event_store::client::streams as pb;
use pratica_store::{
    Direction, EventReader as _, Filter, Position, RecordedEvent, Revision, StreamName,
};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tonic::Status;
use uuid::Uuid;

/// How many events are read at a time: with the largest events some 64 MiB, usually 64 KiB.
const PAGE: usize = 64;
/// How long a message may wait for its reader.
const PATIENCE: Duration = Duration::from_secs(60);

type Sender = mpsc::Sender<Result<pb::ReadResp, Status>>;

/// What is asked, checked.
pub(super) struct Asked {
    what: What,
    direction: Direction,
    /// How many at most; none for a subscription.
    count: Option<u64>,
    wanted: Wanted,
    ids: Ids,
    /// Whether the ends of what was read are told as well.
    tells_ends: bool,
}

enum What {
    Stream { name: String, from: From<Revision> },
    All { from: From<Position> },
}

enum From<T> {
    Start,
    End,
    At(T),
}

/// Why an answer ended early.
enum Ended {
    Failed(Status),
    /// Nobody reads any more.
    Gone,
}

impl std::convert::From<Status> for Ended {
    fn from(status: Status) -> Self {
        Ended::Failed(status)
    }
}

impl Asked {
    /// Checks a request: combinations that mean nothing are refused.
    pub(super) fn parse(request: pb::ReadReq, caller: &Caller) -> Result<Self, Status> {
        let invalid = Status::invalid_argument;
        let options = request.options.ok_or_else(|| invalid("options are missing"))?;
        let direction = match options.read_direction() {
            ReadDirection::Forwards => Direction::Forwards,
            ReadDirection::Backwards => Direction::Backwards,
        };
        let ids = match options.uuid_option.and_then(|o| o.content) {
            Some(uuid_option::Content::Structured(())) => Ids::Structured,
            Some(uuid_option::Content::String(())) => Ids::Text,
            None => return Err(invalid("the form of ids is missing")),
        };
        let count = match options.count_option {
            Some(CountOption::Count(count)) => Some(count),
            Some(CountOption::Subscription(_)) if direction == Direction::Forwards => None,
            Some(CountOption::Subscription(_)) => {
                return Err(invalid("a subscription goes forwards"));
            }
            None => return Err(invalid("a count or a subscription is missing")),
        };
        let filter = match options.filter_option {
            Some(FilterOption::Filter(filter)) => Some(Wanted::parse(filter)?),
            Some(FilterOption::NoFilter(())) | None => None,
        };
        let what = match options.stream_option {
            Some(StreamOption::Stream(_)) if filter.is_some() => {
                return Err(invalid("a stream is read without a filter"));
            }
            Some(StreamOption::Stream(stream)) => {
                let name = convert::stream_text(stream.stream_identifier.as_ref())?;
                let of_another =
                    name.split_once('.').is_some_and(|(c, _)| c != caller.comune.as_str());
                if of_another && StreamName::parse(&name).is_ok() {
                    return Err(super::door::denied("the stream is of another comune"));
                }
                let from = match stream.revision_option {
                    Some(RevisionOption::Revision(revision)) => From::At(Revision::new(revision)),
                    Some(RevisionOption::End(())) => From::End,
                    Some(RevisionOption::Start(())) | None => From::Start,
                };
                What::Stream { name, from }
            }
            Some(StreamOption::All(all)) => {
                let from = match all.all_option {
                    Some(AllOption::Position(p)) => From::At(Position::new(p.commit_position)),
                    Some(AllOption::End(())) => From::End,
                    Some(AllOption::Start(())) | None => From::Start,
                };
                What::All { from }
            }
            None => return Err(invalid("a stream or the whole log is missing")),
        };
        let tells_ends = options.control_option.is_some_and(|c| c.compatibility >= 1);
        let wanted = filter.unwrap_or_else(Wanted::everything);
        Ok(Asked { what, direction, count, wanted, ids, tells_ends })
    }
}

/// Answers until everything is said, the reader is gone or the server ends.
pub(super) async fn answer(
    asked: Asked,
    caller: Caller,
    sender: Sender,
    mut closing: watch::Receiver<bool>,
) {
    let subscribes = asked.count.is_none();
    let talk = Talk { caller, sender, ids: asked.ids };
    let answered = tokio::select! {
        answered = talk.answer(&asked) => answered,
        _ = closing.wait_for(|closing| *closing) => {
            Err(Ended::Failed(Status::unavailable("the server is stopping: come again")))
        }
    };
    match answered {
        Ok(()) if subscribes => {
            // A subscription that ends without a status is taken for one that is still alive.
            talk.last(Status::unavailable("the subscription has ended: come again")).await;
        }
        Ok(()) | Err(Ended::Gone) => {}
        Err(Ended::Failed(status)) => talk.last(status).await,
    }
}

struct Talk {
    caller: Caller,
    sender: Sender,
    ids: Ids,
}

impl Talk {
    async fn answer(&self, asked: &Asked) -> Result<(), Ended> {
        match (&asked.what, asked.count) {
            (What::Stream { name, from }, Some(count)) => {
                self.stream(name, from, asked, count).await
            }
            (What::All { from }, Some(count)) => self.all(from, asked, count).await,
            (What::Stream { name, from }, None) => self.follow_stream(name, from).await,
            (What::All { from }, None) => self.follow_all(from, asked).await,
        }
    }

    /// Says something, waiting for a slow reader for a while.
    async fn say(&self, message: pb::ReadResp) -> Result<(), Ended> {
        match tokio::time::timeout(PATIENCE, self.sender.send(Ok(message))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Ended::Gone),
            Err(_) => Err(Ended::Gone),
        }
    }

    async fn last(&self, status: Status) {
        // Who does not take it in time finds the stream ended instead.
        let _ = tokio::time::timeout(PATIENCE, self.sender.send(Err(status))).await;
    }

    async fn say_event(&self, event: RecordedEvent) -> Result<(), Ended> {
        self.say(convert::event_message(event, self.ids, self.caller.pseudonyms())?).await
    }

    async fn stream(
        &self,
        name: &str,
        from: &From<Revision>,
        asked: &Asked,
        count: u64,
    ) -> Result<(), Ended> {
        let log = &self.caller.shelf.log;
        let stream = StreamName::parse(name).ok();
        let last = match &stream {
            Some(stream) => log.stream_revision(stream).await.map_err(|e| convert::fault(&e))?,
            None => None,
        };
        let (Some(stream), Some(last)) = (stream, last) else {
            let stream_identifier = Some(convert::stream_message(name));
            let missing = Content::StreamNotFound(StreamNotFound { stream_identifier });
            return self.say(convert::said(missing)).await;
        };
        let mut from = match (from, asked.direction) {
            (From::At(revision), _) => *revision,
            (From::Start, _) => Revision::FIRST,
            (From::End, Direction::Backwards) => Revision::END,
            (From::End, Direction::Forwards) => last.next(),
        };
        let mut left = count;
        while left > 0 {
            let max = PAGE.min(usize::try_from(left).unwrap_or(PAGE));
            let events = log
                .read_stream(&stream, from, asked.direction, max)
                .await
                .map_err(|e| convert::fault(&e))?;
            let Some(end) = events.last().map(|event| event.revision) else { break };
            left -= events.len() as u64;
            let full = events.len() == max;
            for event in events {
                self.say_event(event).await?;
            }
            from = match asked.direction {
                Direction::Forwards => end.next(),
                Direction::Backwards if end == Revision::FIRST => break,
                Direction::Backwards => Revision::new(end.get() - 1),
            };
            if !full {
                break;
            }
        }
        if asked.tells_ends {
            self.say(convert::said(Content::FirstStreamPosition(0))).await?;
            self.say(convert::said(Content::LastStreamPosition(last.get()))).await?;
        }
        Ok(())
    }

    async fn all(&self, from: &From<Position>, asked: &Asked, count: u64) -> Result<(), Ended> {
        let log = &self.caller.shelf.log;
        let filter = pushed_down(&asked.wanted);
        // The log reads strictly after or before a position; the protocol from the one given when
        // forwards, and before it when backwards.
        let mut at = match (from, asked.direction) {
            (From::At(p), Direction::Forwards) => Position::new(p.get().saturating_sub(1)),
            (From::At(p), Direction::Backwards) => *p,
            (From::Start, _) => Position::START,
            (From::End, Direction::Backwards) => Position::END,
            (From::End, Direction::Forwards) => log.head().await.map_err(|e| convert::fault(&e))?,
        };
        let mut left = count;
        let mut head = Position::START;
        while left > 0 {
            let page = log
                .read_all(at, asked.direction, &filter, PAGE)
                .await
                .map_err(|e| convert::fault(&e))?;
            head = page.head;
            for event in page.events {
                if left > 0 && asked.wanted.matches(&event)? {
                    self.say_event(event).await?;
                    left -= 1;
                }
            }
            let done = match asked.direction {
                Direction::Forwards => page.next >= page.head,
                Direction::Backwards => page.next == Position::START,
            };
            if done || page.next == at {
                break;
            }
            at = page.next;
        }
        if asked.tells_ends {
            let (commit_position, prepare_position) = (head.get(), head.get());
            let last = AllStreamPosition { commit_position, prepare_position };
            self.say(convert::said(Content::LastAllStreamPosition(last))).await?;
        }
        Ok(())
    }

    async fn confirm(&self) -> Result<(), Ended> {
        let subscription_id = Uuid::new_v4().to_string();
        let confirmation = SubscriptionConfirmation { subscription_id };
        self.say(convert::said(Content::Confirmation(confirmation))).await
    }

    async fn caught_up(&self) -> Result<(), Ended> {
        self.say(convert::said(Content::CaughtUp(CaughtUp {}))).await
    }

    async fn follow_all(&self, from: &From<Position>, asked: &Asked) -> Result<(), Ended> {
        let log = &self.caller.shelf.log;
        let filter = pushed_down(&asked.wanted);
        let mut heads = log.watch_head();
        let mut at = match from {
            From::At(position) => *position,
            From::Start => Position::START,
            From::End => log.head().await.map_err(|e| convert::fault(&e))?,
        };
        self.confirm().await?;
        let filtered = asked.wanted.checkpoint_every < u64::MAX;
        let mut told = at;
        let mut live = false;
        loop {
            let page = log
                .read_all(at, Direction::Forwards, &filter, PAGE)
                .await
                .map_err(|e| convert::fault(&e))?;
            if at > page.head {
                return Err(Status::out_of_range("that position lies beyond the end").into());
            }
            for event in page.events {
                if asked.wanted.matches(&event)? {
                    told = event.position;
                    self.say_event(event).await?;
                }
            }
            at = page.next;
            let caught_up = page.next >= page.head;
            let due = at.get() - told.get() >= asked.wanted.checkpoint_every;
            // Whoever filters learns from a checkpoint how far nothing else matched.
            if filtered && at > told && (due || (caught_up && !live)) {
                self.say(convert::checkpoint(at)).await?;
                told = at;
            }
            if !caught_up {
                continue;
            }
            if !live {
                live = true;
                self.caught_up().await?;
            }
            self.wait(&mut heads, at).await?;
        }
    }

    async fn follow_stream(&self, name: &str, from: &From<Revision>) -> Result<(), Ended> {
        let log = &self.caller.shelf.log;
        let mut heads = log.watch_head();
        let stream =
            StreamName::parse(name).map_err(|e| Status::invalid_argument(e.to_string()))?;
        let last = log.stream_revision(&stream).await.map_err(|e| convert::fault(&e))?;
        let mut next = match from {
            From::At(revision) => revision.next(),
            From::Start => Revision::FIRST,
            From::End => last.map_or(Revision::FIRST, Revision::next),
        };
        self.confirm().await?;
        let mut live = false;
        loop {
            let head = *heads.borrow_and_update();
            let events = log
                .read_stream(&stream, next, Direction::Forwards, PAGE)
                .await
                .map_err(|e| convert::fault(&e))?;
            let full = events.len() == PAGE;
            for event in events {
                next = event.revision.next();
                self.say_event(event).await?;
            }
            if full {
                continue;
            }
            if !live {
                live = true;
                self.caught_up().await?;
            }
            self.wait(&mut heads, head).await?;
        }
    }

    /// Waits for what is new; ends when nobody is there to be told.
    async fn wait(
        &self,
        heads: &mut watch::Receiver<Position>,
        after: Position,
    ) -> Result<(), Ended> {
        tokio::select! {
            moved = heads.wait_for(|head| *head > after) => {
                moved.map(drop).map_err(|_| Status::unavailable("the log is closing").into())
            }
            () = self.sender.closed() => Err(Ended::Gone),
        }
    }
}

fn pushed_down(wanted: &Wanted) -> Filter {
    wanted.stream_prefixes().map_or_else(Filter::all, Filter::prefixes)
}
